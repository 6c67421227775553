"""Task 2.2.3: MLP against LSTM on the Santa Fe laser, and how well it can be forecast.

Both networks under the published protocol, over seeds (the runs of tasks 2.2.1 and 2.2.2 are used
if they are there). Then a corrected protocol: a fresh network for each validation forecast, lag,
units, rate and epochs chosen by the closed-loop error of those forecasts inside the first 1,000
points (rolling origin), and the test points seen once. Persistence, linear autoregression and
kernel ridge regression are chosen in the same way. A network of random Fourier features, whose
readout is fitted in closed form, approaches that kernel machine and takes over its settings. All
also forecast from later starts of the same laser.

    python scripts/task_2_2_3.py                     about 25 seconds
    python scripts/task_2_2_3.py --preset report     about 17 minutes after 2.2.1 and 2.2.2
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, data, experiments, plots
from ann_keras.report import published


@dataclass(frozen=True)
class Settings:
    lag: int = 80  # report
    units: int = 100  # report
    folds: int = 3  # report
    validation: int = 150  # report: windows
    mlp_epochs: int = 200  # report: in each fold
    lstm_epochs: int = 150  # report: in each fold
    mlp_batch_size: int = 32  # report
    mlp_learning_rate: float = 0.01  # report
    lstm_learning_rate: float = 0.001  # report
    origins: tuple[int, ...] = (300, 400, 500, 600, 700, 800, 900)  # ours: validation forecasts
    mlp_lags: tuple[int, ...] = (20, 40, 80)  # ours: to choose from, as all lists below
    mlp_rates: tuple[float, ...] = (0.01, 0.001)
    mlp_units: tuple[int, ...] = (50, 100)
    lstm_lags: tuple[int, ...] = (40, 80)
    lstm_rates: tuple[float, ...] = (0.001, 0.003)
    lstm_epoch_choice: tuple[int, ...] = (150, 450)
    choice_seeds: int = 2  # ours
    kernel_lags: tuple[int, ...] = (20, 30, 40, 60, 80)
    kernel_widths: tuple[float, ...] = (0.3, 1.0, 3.0, 6.0, 9.0)  # ours: gamma times lag
    penalties: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    linear_penalties: tuple[float, ...] = (0.01, 1.0, 100.0)
    pairs: int = 16_384  # ours: random frequencies, as many as fit into 0.5 GiB
    later: int = 60  # ours: starts after the published points
    seeds: int = 20  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(
        mlp_epochs=2, lstm_epochs=2, units=5, folds=1, origins=(900,), mlp_lags=(20,),
        mlp_rates=(0.01,), mlp_units=(5,), lstm_lags=(20,), lstm_rates=(0.001,),
        lstm_epoch_choice=(2,), choice_seeds=1, kernel_lags=(20,), kernel_widths=(1.0, 3.0),
        penalties=(1e-4,), linear_penalties=(1.0,), pairs=50, later=2, seeds=2,
    ),
    "quick": Settings(
        mlp_epochs=45, lstm_epochs=60, origins=(600, 800), mlp_lags=(80,), mlp_rates=(0.001,),
        mlp_units=(100,), lstm_lags=(80,), lstm_rates=(0.001,), lstm_epoch_choice=(150,),
        choice_seeds=1, kernel_lags=(20, 40), kernel_widths=(1.0, 3.0, 6.0),
        penalties=(1e-5, 1e-3), pairs=8192, later=20, seeds=2,
    ),
    "report": Settings(),
}
TWO_THIRDS = 66


def run(task, settings):
    forecasting, first = experiments.forecasting, data.santafe.TRAINING_POINTS
    runs = run_published(task, settings)
    chosen = run_corrected(task, settings, runs)
    kernel_rows = [
        row
        for lag in settings.kernel_lags
        for row in forecasting.choose(
            task, "fit_reference",
            {
                "lag": [lag], "gamma": [width / lag for width in settings.kernel_widths],
                "penalty": settings.penalties,
            },
            settings.origins, 0, method="kernel ridge",
        )
    ]
    chosen["kernel ridge"] = best = min(kernel_rows, key=lambda row: row["nmse"])
    chosen["linear AR"] = forecasting.choose(
        task, "fit_reference",
        {"lag": settings.kernel_lags, "penalty": settings.linear_penalties},
        settings.origins, 0, method="linear",
    )[0]
    chosen["persistence"] = forecasting.choose(
        task, "fit_reference", {"lag": [1]}, settings.origins, 0, method="persistence"
    )[0]
    setting = {name: best[name] for name in ("lag", "gamma", "penalty")}
    runs["random features"] = [
        task.run(
            f"random features, seed {seed}", experiments.laser.fit_random_features,
            seed=seed, start=first, pairs=settings.pairs, later=settings.later, **setting,
        )
        for seed in task.seeds
    ]
    for name, method in (
        ("kernel ridge", "kernel ridge"), ("linear AR", "linear"), ("persistence", "persistence"),
    ):
        options = {key: value for key, value in chosen[name].items() if key != "nmse"}
        runs[name] = [
            task.run(
                name, experiments.laser.fit_reference,
                method=method, start=first, later=settings.later, **options,
            )
        ]
    errors = {
        name: forecasting.measure(task, path(name), results)
        for name, results in runs.items()
    }
    for name, row in chosen.items():
        task.measure(
            f"{path(name)}/validation_nmse", row["nmse"], better="lower",
        )
    task.table(
        "chosen_settings",
        ["forecaster", "settings", "validation NMSE"],
        [
            [name, ", ".join(f"{k} {v:g}" for k, v in row.items() if k != "nmse"),
             f"{row['nmse']:.4f}"]
            for name, row in chosen.items()
        ],
    )
    draw(task, runs, errors)
    judge(task, runs, errors)


def path(name):
    """The name of a forecaster as part of a measurement's name: "MLP/published"."""
    return name.replace(", ", "/").replace(" ", "_")


def run_published(task, settings):
    """The runs of tasks 2.2.1 and 2.2.2, by name."""
    shared = {
        "lag": settings.lag, "units": settings.units, "folds": settings.folds,
        "validation": settings.validation, "later": settings.later,
    }
    mlp = {
        "network": "mlp", "epochs": settings.mlp_epochs, "batch_size": settings.mlp_batch_size,
        "learning_rate": settings.mlp_learning_rate,
    }
    lstm = {
        "network": "lstm", "epochs": settings.lstm_epochs, "batch_size": 1,
        "learning_rate": settings.lstm_learning_rate,
    }
    publish = experiments.forecasting.run_published
    return {
        "MLP, published": publish(task, shared | mlp, task.seeds, of="2.2.1"),
        "LSTM, published": publish(task, shared | lstm, task.seeds, of="2.2.2"),
    }


def run_corrected(task, settings, runs):
    """Choose settings for both networks, add their runs; returns the chosen rows by name."""
    choices = {
        "MLP, corrected": (
            {"network": "mlp", "batch_size": settings.mlp_batch_size},
            {"lag": settings.mlp_lags, "units": settings.mlp_units,
             "learning_rate": settings.mlp_rates, "epochs": [settings.mlp_epochs]},
        ),
        "LSTM, corrected": (
            {"network": "lstm", "batch_size": 1},
            {"lag": settings.lstm_lags, "units": [settings.units],
             "learning_rate": settings.lstm_rates, "epochs": settings.lstm_epoch_choice},
        ),
    }
    chosen = {}
    for name, (fixed, choice) in choices.items():
        chosen[name] = experiments.forecasting.choose(
            task, "train_afresh", choice, settings.origins, settings.choice_seeds, **fixed
        )[0]
        best = {key: chosen[name][key] for key in choice}
        runs[name] = [
            task.run(
                f"{name}, seed {seed}", experiments.laser.train_afresh, seed=seed,
                start=data.santafe.TRAINING_POINTS, later=settings.later, **fixed, **best,
            )
            for seed in task.seeds
        ]
    return chosen


def draw(task, runs, errors):
    train, test = data.santafe.load()
    steps = np.arange(len(train), len(train) + len(test))
    figure, panels = plots.panels(2, width=13, height=4, sharey=True)
    for axes, protocol in zip(panels, ("published", "corrected")):
        draw_forecasts(axes, steps, test, {
            name: runs[f"{name}, {protocol}"] for name in ("MLP", "LSTM")
        })
        axes.set_title(f"{protocol} protocol (D4), runs near the median")
    panels[0].set_ylabel("laser intensity")
    task.figure("fig12_santafe_prediction", figure)

    single = {
        "MLP, published": published.value("2.2.1", "nar_mlp/test_mse").value,
        "LSTM, published": published.value("2.2.2", "nar_lstm/test_mse").value,
    }
    variance = data.santafe.load()[1].var()
    figure, axes = plots.panels(2, width=11, height=4.2, sharey=True)
    axes[0].boxplot([row.mse for row in errors.values()], orientation="horizontal")
    axes[1].boxplot([row.later for row in errors.values()], orientation="horizontal")
    for place, name in enumerate(errors, start=1):
        if name in single:
            axes[0].plot(single[name], place, "D", color="C3", zorder=5,
                         label="published single run" if place == 1 else None)
    axes[0].set_yticks(range(1, 1 + len(errors)), list(errors))
    axes[0].invert_yaxis()
    axes[0].set(xscale="log", xlabel="MSE of the 100 test points (series' units squared)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
    above = axes[0].secondary_xaxis(
        "top", functions=(lambda mse: mse / variance, lambda nmse: nmse * variance)
    )
    above.set_xlabel("NMSE")
    plots.log_ticks(above.xaxis)
    axes[1].set(xscale="log", xlabel="median NMSE over later starts")
    for panel in axes:
        plots.log_ticks(panel.xaxis)
    task.figure("forecast_errors", figure)

    figure, (axes,) = plots.panels(width=10, height=4)
    draw_forecasts(axes, steps, test, {"random features": runs["random features"]})
    axes.set(ylabel="laser intensity", title="run near the median")
    task.figure("random_features_prediction", figure)


def draw_forecasts(axes, steps, test, results):
    """The test points and, for each name, the run whose test MSE is nearest to the median."""
    axes.plot(steps, test, color="k", lw=2, label="test points")
    for name, found in results.items():
        middle = median_run(found)
        axes.plot(
            steps, middle["forecast"],
            label=f"{name} (MSE {middle['mse']:.0f})",
        )
    axes.set(xlabel="time step", ylim=(-60, 340))
    axes.legend(loc="upper center", ncols=3, fontsize=8)


def median_run(results):
    """The run whose test MSE is the median, or next above it."""
    return sorted(results, key=lambda run: run["mse"])[len(results) // 2]


def judge(task, runs, errors):
    mlp, lstm = errors["MLP, published"], errors["LSTM, published"]
    wins = np.mean(np.less.outer(lstm.mse, mlp.mse))
    p_value = experiments.forecasting.compare(lstm.mse, mlp.mse)
    corrected = [np.median(errors[f"{name}, corrected"].mse) for name in ("LSTM", "MLP")]
    task.claim(
        "2.2.3-a",
        bool(np.median(lstm.mse) < np.median(mlp.mse) and corrected[0] < corrected[1]
             and np.median(lstm.later) < np.median(mlp.later)),
        f"Median test MSE {np.median(lstm.mse):.0f} (LSTM) and {np.median(mlp.mse):.0f} (MLP) "
        f"under the published protocol, {corrected[0]:.0f} and {corrected[1]:.0f} under the "
        f"corrected one; an LSTM run beats an MLP run in {wins:.0%} of all pairs "
        f"(p = {p_value:.1g}); median NMSE over later starts {np.median(lstm.later):.2f} and "
        f"{np.median(mlp.later):.2f}.",
        deviation="D4",
    )
    given = published.value("2.2.1", "nar_mlp/test_mse").value
    good = [run for run in runs["MLP, published"] if run["mse"] <= given]
    typical, theirs = parts(runs["MLP, published"]), parts(runs["LSTM, published"])
    of_these = ""
    if good:
        of_these = (
            f" The {len(good)} of {len(runs['MLP, published'])} MLP runs as good as the published "
            f"one have {parts(good)[0]:.3f} and {parts(good)[1]:.1f}."
        )
    task.claim(
        "2.2.3-b",
        bool(max(typical[0], theirs[0]) < 0.1 and typical[1] > theirs[1]),
        f"Median NMSE over the first {TWO_THIRDS} values {typical[0]:.2f} (MLP) and "
        f"{theirs[0]:.3f} (LSTM), over the others, by their own variance, {typical[1]:.1f} and "
        f"{theirs[1]:.1f}.{of_these}",
        deviation="D5",
    )


def parts(results):
    """Medians over runs of the NMSE of the first two thirds and of the rest.

    The first is over the variance of all 100 test points, the second, after the collapse of the
    oscillation, over the variance of its own points.
    """
    _, test = data.santafe.load()
    squares = np.array([(run["forecast"] - test) ** 2 for run in results])
    early, late = squares[:, :TWO_THIRDS].mean(axis=1), squares[:, TWO_THIRDS:].mean(axis=1)
    return (
        float(np.median(early) / test.var()), float(np.median(late) / test[TWO_THIRDS:].var())
    )


if __name__ == "__main__":
    command.main("2.2.3", run, PRESETS, __doc__)
