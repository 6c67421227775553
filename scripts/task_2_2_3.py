"""Task 2.2.3: MLP against LSTM on the Santa Fe laser, and how well it can be forecast.

Both networks under the published protocol, over seeds (the runs of tasks 2.2.1 and 2.2.2). Then a
corrected protocol: a fresh network for each validation forecast, lag, units, rate and epochs
chosen by the closed-loop error of those forecasts inside the first 1,000 points (rolling origin),
and the test points seen once. Persistence, linear autoregression and kernel ridge regression are
chosen in the same way. A network of random Fourier features, whose readout is fitted in closed
form, approaches that kernel machine and takes over its settings. All also forecast from later
starts of the same laser.

    python scripts/task_2_2_3.py                     about 25 seconds
    python scripts/task_2_2_3.py --preset report     about 17 minutes after 2.2.1 and 2.2.2
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.evaluation import forecasts
from ann_keras.recipes import timeseries
from ann_keras.report import decide, published

MLP = command.group(timeseries.Recipe, "network", "protocol", "start")
LSTM = command.group(timeseries.Recipe, "network", "protocol", "batch_size", "start")
OF_NETWORKS = "lag", "units", "learning_rate", "epochs"
OF_REFERENCES = {  # settings that are chosen of forecasters without a network
    "kernel ridge": ("lag", "gamma", "penalty"), "linear AR": ("lag", "penalty"),
    "persistence": ("lag",),
}
TWO_THIRDS = 66  # of the 100 test points; then the oscillation collapses


@dataclass(frozen=True)
class Settings:
    mlp: MLP = timeseries.Recipe()
    lstm: LSTM = timeseries.LSTM
    origins: tuple[int, ...] = (300, 400, 500, 600, 700, 800, 900)  # ours: validation forecasts
    mlp_lags: tuple[int, ...] = (20, 40, 80)  # ours: lags to choose from
    mlp_units: tuple[int, ...] = (50, 100)  # ours: layers to choose from
    mlp_rates: tuple[float, ...] = (0.01, 0.001)  # ours: learning rates to choose from
    lstm_lags: tuple[int, ...] = (40, 80)  # ours: lags to choose from
    lstm_rates: tuple[float, ...] = (0.001, 0.003)  # ours: learning rates to choose from
    lstm_epochs: tuple[int, ...] = (150, 450)  # ours: to choose from
    choice_seeds: int = 2  # ours: networks of each setting and origin
    kernel_lags: tuple[int, ...] = (20, 30, 40, 60, 80)  # ours: for linear AR as well
    kernel_widths: tuple[float, ...] = (0.3, 1.0, 3.0, 6.0, 9.0)  # ours: gamma times lag
    penalties: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # ours: of kernel ridge
    linear_penalties: tuple[float, ...] = (0.01, 1.0, 100.0)  # ours: of linear AR
    pairs: int = timeseries.Features.pairs  # ours: random frequencies, as many as fit into 0.5 GiB
    later: int = 60  # ours: forecasts from later starts, after the published points
    seeds: int = 20  # ours: networks; the report shows one run


PRESETS = {
    "smoke": Settings(
        timeseries.SMOKE, timeseries.LSTM_SMOKE, origins=(900,), mlp_lags=(20,), mlp_units=(5,),
        mlp_rates=(0.01,), lstm_lags=(20,), lstm_rates=(0.001,), lstm_epochs=(2,), choice_seeds=1,
        kernel_lags=(20,), kernel_widths=(1.0, 3.0), penalties=(1e-4,), linear_penalties=(1.0,),
        pairs=50, later=2, seeds=1,
    ),
    "quick": Settings(
        timeseries.QUICK, timeseries.LSTM_QUICK, origins=(700,), mlp_lags=(80,),
        mlp_units=(100,), mlp_rates=(0.001,), lstm_lags=(80,), lstm_rates=(0.001,),
        lstm_epochs=(100,), choice_seeds=1, kernel_lags=(20, 40), kernel_widths=(1.0, 3.0, 6.0),
        penalties=(1e-5, 1e-3), pairs=8192, later=20, seeds=2,
    ),
    "report": Settings(),
}


def run(task, settings):
    mlp, lstm, later, one = settings.mlp, settings.lstm, settings.later, (1,)
    found = {
        "MLP, published": timeseries.begin(task, mlp, later)[1],
        "LSTM, published": timeseries.begin(task, lstm, later)[1],
    }
    candidates = {
        "MLP, corrected": grid(mlp, settings.mlp_lags, settings.mlp_units, settings.mlp_rates,
                               [mlp.epochs]),
        "LSTM, corrected": grid(lstm, settings.lstm_lags, [lstm.units], settings.lstm_rates,
                                settings.lstm_epochs),
    }
    validated = {
        name: [task.repeat(timeseries.validate, recipe, seeds=settings.choice_seeds,
                           origins=settings.origins) for recipe in recipes]
        for name, recipes in candidates.items()
    }
    references = {
        name: task.run(choose_reference, method=name, lags=lags, widths=widths,
                       penalties=penalties, origins=settings.origins)
        for name, lags, widths, penalties in (
            ("kernel ridge", settings.kernel_lags, settings.kernel_widths, settings.penalties),
            ("linear AR", settings.kernel_lags, one, settings.linear_penalties),
            ("persistence", one, one, one),
        )
    }
    chosen = {}  # settings and their validation error
    for name, recipes in candidates.items():
        nmse = [np.median(runs["nmse"], axis=0).mean() for runs in validated[name]]
        recipe = recipes[np.argmin(nmse)]
        chosen[name] = {key: getattr(recipe, key) for key in OF_NETWORKS}, min(nmse)
        found[name] = timeseries.begin(task, recipe, later)[1]
    chosen |= {
        name: ({key: choice[key].item() for key in OF_REFERENCES[name]}, choice["nmse"])
        for name, choice in references.items()
    }
    features = timeseries.Features(pairs=settings.pairs, **chosen["kernel ridge"][0])
    fits = task.repeat(timeseries.fit_features, features)
    found["random features"] = task.repeat(timeseries.forecast_features, fit=fits, later=later)
    for name in references:
        reference = timeseries.Reference(name, **chosen[name][0])
        found[name] = task.repeat(timeseries.forecast_reference, reference, seeds=1, later=later)

    errors = {name: forecasts.measure(task, path(name), runs) for name, runs in found.items()}
    for name, (_, nmse) in chosen.items():
        task.measure(f"{path(name)}/validation_nmse", nmse, better="lower")
    task.table("chosen_settings", ["forecaster", "settings", "validation NMSE"], [
        [name, ", ".join(f"{key} {value:g}" for key, value in values.items()), f"{nmse:.4f}"]
        for name, (values, nmse) in chosen.items()
    ])
    draw(task, found, errors)
    task.decide(judge(errors, {name: runs["forecast"] for name, runs in found.items()}))


def grid(recipe, *choices):
    """Recipes of the corrected protocol, every combination of values of ``OF_NETWORKS``."""
    return [replace(recipe, protocol="afresh", **dict(zip(OF_NETWORKS, values)))
            for values in itertools.product(*choices)]


def choose_reference(method, lags, widths, penalties, origins):
    """Which settings of a ``timeseries.Reference`` have the lowest mean error over origins.

    Returns:
        Dict: "lag", "gamma", which is a width over the lag, "penalty" and the error, "nmse".
    """
    rows = []
    for lag, width, penalty in itertools.product(lags, widths, penalties):
        choice = {"lag": lag, "gamma": width / lag, "penalty": penalty}
        recipe = timeseries.Reference(method, **choice)
        nmse = forecasts.validate(
            lambda origin: timeseries.forecast_reference(replace(recipe, start=origin))["mse"],
            origins, lag,
        )
        rows.append(choice | {"nmse": nmse.mean()})
    return min(rows, key=lambda row: row["nmse"])


def path(name):
    """The name of a forecaster as part of a measurement's name: "MLP/published"."""
    return name.replace(", ", "/").replace(" ", "_")


def draw(task, found, errors):
    figure, panels = plots.panels(2, width=13, height=4, sharey=True)
    for axes, protocol in zip(panels, ("published", "corrected")):
        draw_forecasts(axes, {name: found[f"{name}, {protocol}"] for name in ("MLP", "LSTM")})
        axes.set_title(f"{protocol} protocol (D4), runs near the median")
    panels[0].set_ylabel("laser intensity")
    task.figure("fig12_santafe_prediction", figure)

    figure, (left, _) = forecasts.draw_errors(errors, width=11, height=4.2)
    for place, (number, network) in enumerate((("2.2.1", "nar_mlp"), ("2.2.2", "nar_lstm")), 1):
        left.plot(published.value(number, f"{network}/test_mse").value, place, "D", color="C3",
                  zorder=5, label="published single run" if place == 1 else None)
    left.set_xlabel("MSE of the 100 test points (series' units squared)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center")
    variance = data.santafe.load()[1].var()
    above = left.secondary_xaxis(
        "top", functions=(lambda mse: mse / variance, lambda nmse: nmse * variance)
    )
    above.set_xlabel("NMSE")
    plots.log_ticks(above.xaxis)
    task.figure("forecast_errors", figure)

    figure, (axes,) = plots.panels(width=10, height=4)
    draw_forecasts(axes, {"random features": found["random features"]})
    axes.set(ylabel="laser intensity", title="run near the median")
    task.figure("random_features_prediction", figure)


def draw_forecasts(axes, found):
    """The test points and, for each name, the run whose test MSE is nearest to the median."""
    train, test = data.santafe.load()
    steps = np.arange(len(train), len(train) + len(test))
    axes.plot(steps, test, color="k", lw=2, label="test points")
    for name, runs in found.items():
        middle = sorted(runs, key=lambda run: run["mse"])[len(runs) // 2]
        axes.plot(steps, middle["forecast"], label=f"{name} (MSE {middle['mse']:.0f})")
    axes.set(xlabel="time step", ylim=(-60, 340))
    axes.legend(loc="upper center", ncols=3, fontsize=8)


def judge(errors, values):
    """Verdicts from ``Errors`` and forecasts (seeds, 100) by name of forecaster."""
    mlp, lstm = errors["MLP, published"], errors["LSTM, published"]
    wins = np.mean(np.less.outer(lstm.mse, mlp.mse))
    p_value = decide.p_value(lstm.mse, mlp.mse)
    corrected = [np.median(errors[f"{name}, corrected"].mse) for name in ("LSTM", "MLP")]
    good = mlp.mse <= published.value("2.2.1", "nar_mlp/test_mse").value
    typical, theirs = parts(values["MLP, published"]), parts(values["LSTM, published"])
    of_these = ""
    if good.any():
        first, rest = parts(values["MLP, published"][good])
        of_these = (
            f" The {good.sum()} of {len(good)} MLP runs as good as the published one have "
            f"{first:.3f} and {rest:.1f}."
        )
    return {
        "2.2.3-a": (
            np.median(lstm.mse) < np.median(mlp.mse) and corrected[0] < corrected[1]
            and np.median(lstm.later) < np.median(mlp.later),
            f"Median test MSE {np.median(lstm.mse):.0f} (LSTM) and {np.median(mlp.mse):.0f} (MLP) "
            f"under the published protocol, {corrected[0]:.0f} and {corrected[1]:.0f} under the "
            f"corrected one; an LSTM run beats an MLP run in {wins:.0%} of all pairs "
            f"(p = {p_value:.1g}); median NMSE over later starts {np.median(lstm.later):.2f} and "
            f"{np.median(mlp.later):.2f}.",
            "D4",
        ),
        "2.2.3-b": (
            max(typical[0], theirs[0]) < 0.1 and typical[1] > theirs[1],
            f"Median NMSE over the first {TWO_THIRDS} values {typical[0]:.2f} (MLP) and "
            f"{theirs[0]:.3f} (LSTM), over the others, by their own variance, {typical[1]:.1f} and "
            f"{theirs[1]:.1f}.{of_these}",
            "D5",
        ),
    }


def parts(values):
    """Medians over forecasts (n, 100) of the NMSE of the first two thirds and of the rest.

    The first is over the variance of all test points, the second over that of its own points.
    """
    _, test = data.santafe.load()
    early, late = np.split((values - test) ** 2, [TWO_THIRDS], axis=1)
    return (np.median(early.mean(axis=1)) / test.var(),
            np.median(late.mean(axis=1)) / test[TWO_THIRDS:].var())


if __name__ == "__main__":
    command.main("2.2.3", run, PRESETS, __doc__)
