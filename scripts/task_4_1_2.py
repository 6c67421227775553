"""Task 4.1.2: seven settings of an RBM on MNIST, by pseudo-likelihood and by likelihood.

The report draws the pseudo-likelihood after each iteration (Figure 15) and prefers 200 components
at rate 0.1, by eye. Here stand beside it the log-likelihood of the test images (annealed importance
sampling, from both sides), the error of a one-step reconstruction of unseen digits, and how sharp
it is. The published curves were monitored on the same pixels in every iteration (D18), ours on
pixels drawn anew: the trained machines are scored on both. Last, RBMs of 500 units whose training
is meant for likelihood: on pixels that are white from half grey on, and, as in the literature, on
pixels drawn anew in each epoch, which are harder to predict: the two are not to be compared.

    python scripts/task_4_1_2.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_1_2.py --preset report     four hours of one core, full MNIST
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.evaluation import curves
from ann_keras.recipes import rbm
from ann_keras.report import published

Strong = command.group(rbm.Recipe, "binarization", "source")


@dataclass(frozen=True)
class Settings:
    recipe: command.flat(rbm.Recipe) = rbm.Recipe()  # report: the setting that it prefers
    sizes: tuple[tuple[int, float], ...] = published.RBMS  # report: components, learning rates
    longer: int = 60  # ours: epochs of the preferred one, to see what more bring
    strong: Strong = rbm.Recipe(
        components=500, learning_rate=0.05, falling=True, epochs=120, batch_size=100,
        centering=True, shuffle=True,
    )  # ours: for likelihood, of the size that the literature reports
    temperatures: int = 10_000  # ours: of annealed importance sampling
    seeds: int = 3  # ours; the report shows one run


REPORT = Settings()
SAMPLE = Settings(rbm.QUICK, sizes=((50, 0.1), (200, 0.1), (200, 0.02), (200, 0.5)), longer=24,
                  strong=replace(REPORT.strong, components=100, epochs=20), temperatures=500,
                  seeds=1)
PRESETS = {
    "smoke": replace(SAMPLE, recipe=rbm.SMOKE, sizes=((20, 0.1), (200, 0.1)), longer=3,
                     temperatures=50, strong=replace(SAMPLE.strong, components=20, epochs=2)),
    "quick": SAMPLE,
    "report": REPORT,
}
BINARIZATIONS = {"for likelihood": "threshold", "for likelihood, drawn": "draw"}
SCORES = "pseudo_likelihood", "upper", "lower", "error", "sharpness"


def run(task, settings):
    recipe = settings.recipe
    best = recipe.components, recipe.learning_rate
    recipes = {  # the best among them, whatever sizes are asked for
        (components, rate): replace(recipe, components=components, learning_rate=rate)
        for components, rate in (*settings.sizes, best)
    } | {"longer": replace(recipe, epochs=settings.longer)} | {
        name: replace(settings.strong, binarization=binarization, source=recipe.source)
        for name, binarization in BINARIZATIONS.items()
    }
    runs = {name: task.repeat(rbm.train, setting) for name, setting in recipes.items()}
    scored = {name: task.repeat(rbm.score, training=group, temperatures=settings.temperatures,
                                binarization=BINARIZATIONS.get(name, "threshold"))
              for name, group in runs.items()}
    monitored = {key: task.repeat(rbm.monitor, training=group)
                 for key, group in runs.items() if not isinstance(key, str)}
    along = task.run(rbm.monitor_along, recipe, seed=0)
    peer = task.run(time_scikit_learn, recipe)

    scores = {key: {name: group[name] for name in SCORES} for key, group in scored.items()}
    for key, found in scores.items():
        name = label(key)
        task.measure(f"{name}/pseudo_likelihood/last", runs[key]["last_pseudo_likelihood"],
                     better="higher", deviation="D18")
        for side in ("upper", "lower"):
            task.measure(f"{name}/log_likelihood/{side}", found[side], better="higher", unit="nats")
        task.measure(f"{name}/reconstruction/error", found["error"], better="lower")
        task.measure(f"{name}/reconstruction/sharpness", found["sharpness"])
    for key, found in monitored.items():
        task.measure(f"{label(key)}/pseudo_likelihood/monitored", found["published"],
                     better="higher")
    task.measure("rbm/parameters", runs[best][0]["weights"].size)
    task.measure("rbm/seconds_per_iteration", runs[best]["seconds"], better="lower")
    task.measure("sklearn_rbm/seconds_per_iteration", peer["seconds"])
    task.table("settings", ["machine", *SCORES],
               [[label(key), *(f"{values.mean():.4f}" for values in found.values())]
                for key, found in scores.items()])
    task.table("monitored_pixels", ["machine", "published value", "by the published pixels",
                                    "by pixels drawn anew", "sd of a draw"],
               [[label(key), known(key), *(f"{found[name].mean():.2f}"
                                           for name in ("published", "fresh", "draw_sd"))]
                for key, found in monitored.items()])
    progress = {key: group["pseudo_likelihood"] for key, group in runs.items()}
    draw(task, progress, scores, {key: found["published"] for key, found in monitored.items()})
    with plots.figure(task, "monitored_pixels") as axes:  # of one training (D18)
        plots.curves(axes, {"20,000 random images, pixels drawn anew (ours)": progress[best][0],
                            "all images, pixels drawn anew": along["fresh"],
                            "all images, the published pixels": along["published"]})
        axes.set(xlabel="iteration", ylabel="pseudo-likelihood (nats an image)")
    task.decide(judge(best, progress, scores))


def time_scikit_learn(recipe):
    """Seconds of one epoch of scikit-learn's BernoulliRBM, as dict {"seconds": …}.

    With one thread: NumPy's threads wait for each other in loops, and on a machine that has other
    work an epoch of small batches then takes a hundred times as long.
    """
    from sklearn.neural_network import BernoulliRBM
    from threadpoolctl import threadpool_limits

    rows, _, _ = data.mnist.rows(recipe.source)
    machine = BernoulliRBM(recipe.components, learning_rate=recipe.learning_rate,
                           batch_size=recipe.batch_size, n_iter=1, random_state=0)
    with threadpool_limits(1):
        start = time.perf_counter()
        machine.fit(rows)
        return {"seconds": time.perf_counter() - start}


def label(key):
    return key if isinstance(key, str) else f"rbm_{key[0]}_{key[1]:g}"


def known(key):
    """The last pseudo-likelihood of Figure 15, or an empty text."""
    value = published.VALUES.get(("4.1.2", f"{label(key)}/pseudo_likelihood/monitored"))
    return value.value if value else ""


def draw(task, progress, scores, monitored):
    lowest = 0.0
    with plots.figure(task, "fig15_rbm_pseudo_likelihood", 2, 2, width=8.4,
                      height=8.4) as (left, right):
        for number, (key, found) in enumerate(scores.items()):
            color = f"C{number}"
            if not isinstance(key, str):
                lowest = min(lowest, progress[key][:, 1:].min())
                plots.curves(left, {f"{key[0]} components, rate {key[1]:g}": progress[key]},
                             color=color)
                end = progress[key].shape[1] + 1
                left.plot(end, monitored[key].mean(), "_", color=color, ms=9)
                if value := known(key):
                    left.plot(end + 1, value, "x", color=color, ms=5)
            points = [found[part].mean() for part in ("pseudo_likelihood", "upper", "lower")]
            right.plot(points[:1] * 2, points[1:], "_-", color=color, ms=10)
            right.annotate(label(key).removeprefix("rbm_").replace("_", ", "), points[:2],
                           fontsize=8, xytext=(4, -11 if key == "longer" else 4),
                           textcoords="offset points")
        left.plot([], [], "_", color="black", ms=9, label="the last by the published pixels (D18)")
        left.plot([], [], "x", color="black", ms=5, label="published")
        left.set(xlabel="iteration", ylabel="pseudo-likelihood (nats an image)",
                 ylim=(max(lowest, -260) - 5, None))
        left.legend(fontsize=8, ncols=3, loc="center", bbox_to_anchor=(0.5, 0.37))
        right.set(xlabel="pseudo-likelihood of the test images (nats)",
                  ylabel="log-likelihood, reverse to forward AIS (nats)")


def judge(best, progress, scores):
    """What the claims are judged by, of machines by (components, rate), and "longer".

    Args:
        best: components and rate of the preferred one.
        progress, scores: pseudo-likelihoods (seeds, epochs), and what ``rbm.score`` gives.
    """
    number, middle = best
    sizes = [key for key in scores if not isinstance(key, str)]
    of_size = sorted(components for components, rate in sizes if rate == middle)
    rates = sorted(rate for components, rate in sizes if components == number)
    error = {key: found["error"] for key, found in scores.items()}
    low, high = (number, rates[0]), (number, rates[-1])
    speed, size, looks = {}, {}, {}
    if low != best:
        third = progress[best].shape[1] // 3 or 1
        speed["slow"] = tuple(iterations_converging(progress[key]) for key in (low, best))
        speed["behind"] = tuple(progress[key][:, :third].mean(axis=1) for key in (best, low))
    if high != best:
        speed["oscillates"] = tuple(curves.fluctuation(progress[key]) for key in (high, best))
    if len(rates) > 1 and len(of_size) > 1:
        size["most"] = tuple(np.ptp([error[key] for key in keys], axis=0) for keys in (
            [(components, middle) for components in of_size], [(number, rate) for rate in rates]))
    if of_size[0] < number:
        size["blur"] = tuple(1 - scores[key]["sharpness"]
                             for key in ((of_size[0], middle), best))
    if higher := [key for key in sizes if scores[key]["pseudo_likelihood"].mean()
                  > scores[best]["pseudo_likelihood"].mean()]:
        looks["better"] = {f"{key[0]} components, rate {key[1]:g}": (error[key], error[best])
                           for key in higher}
    return {"4.1.2-a": speed, "4.1.2-b": size,
            "4.1.2-c": {"gain": (error[best], error["longer"])}, "4.1.2-d": looks}


def iterations_converging(progress):
    """Iterations until curves (seeds, epochs) first have made 90% of their way, (seeds,).

    From the first value to the mean of the last third; one that does not rise has made it at once.
    """
    start, end = progress[:, :1], progress[:, 2 * progress.shape[1] // 3:]
    reached = progress >= 0.1 * start + 0.9 * end.mean(axis=1, keepdims=True)
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, progress.shape[1])


if __name__ == "__main__":
    command.main("4.1.2", run, PRESETS, __doc__)
