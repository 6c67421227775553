"""Task 4.1.2: seven settings of an RBM on MNIST, by pseudo-likelihood and by likelihood.

The report trains scikit-learn's BernoulliRBM with seven settings, draws the pseudo-likelihood
after each iteration (Figure 15) and prefers 200 components at rate 0.1, by eye. Here the same
protocol runs in a compiled loop; beside the pseudo-likelihood stand the log-likelihood of the
test images (annealed importance sampling, from both sides), the error of a one-step
reconstruction of unseen digits, and how sharp it is. Last, RBMs of 500 units whose training is
meant for likelihood: on images whose pixels are white from half grey on, and on images drawn anew
in each epoch with the grey values as probabilities, as the literature's figures are. The former
are easier to predict: likelihoods of the two are not to be compared.

    python scripts/task_4_1_2.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_1_2.py --preset report     four hours of one core, full MNIST
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.evaluation import curves
from ann_keras.recipes import rbm
from ann_keras.report import decide, published

Recipe = command.flat(rbm.Recipe)
Strong = command.group(rbm.Recipe, "binarization", "source")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = rbm.Recipe()  # report: the setting that it prefers
    sizes: tuple[tuple[int, float], ...] = published.RBMS  # report: components, learning rates
    longer: int = 60  # ours: epochs of the preferred one, to see what more bring
    strong: Strong = rbm.Recipe(
        components=500, learning_rate=0.05, falling=True, epochs=120, batch_size=100,
        centering=True, shuffle=True,
    )  # ours: for likelihood, of the size that the literature reports
    temperatures: int = 10_000  # ours: of annealed importance sampling
    seeds: int = 3  # ours; the report shows one run


REPORT = Settings()
SAMPLE = Settings(
    rbm.QUICK, sizes=((50, 0.1), (200, 0.1), (200, 0.02), (200, 0.5)), longer=24,
    strong=replace(REPORT.strong, components=100, epochs=20), temperatures=500, seeds=1,
)
PRESETS = {
    "smoke": replace(
        SAMPLE, recipe=rbm.SMOKE, sizes=((20, 0.1), (200, 0.1)), longer=3, temperatures=50,
        strong=replace(SAMPLE.strong, components=20, epochs=2),
    ),
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
    scored = {
        name: task.repeat(rbm.score, training=group, temperatures=settings.temperatures,
                          binarization=BINARIZATIONS.get(name, "threshold"))
        for name, group in runs.items()
    }
    peer = task.run(time_scikit_learn, recipe)

    scores = {key: {name: group[name] for name in SCORES} for key, group in scored.items()}
    for key, found in scores.items():
        name = label(key)
        task.measure(f"{name}/pseudo_likelihood/last", runs[key]["last_pseudo_likelihood"],
                     better="higher")
        for side in ("upper", "lower"):
            task.measure(f"{name}/log_likelihood/{side}", found[side], better="higher", unit="nats")
        task.measure(f"{name}/reconstruction/error", found["error"], better="lower")
        task.measure(f"{name}/reconstruction/sharpness", found["sharpness"])
    task.measure("rbm/parameters", runs[best][0]["weights"].size)
    task.measure("rbm/seconds_per_iteration", runs[best]["seconds"], better="lower")
    task.measure("sklearn_rbm/seconds_per_iteration", peer["seconds"])
    task.table("settings", ["machine", *SCORES],
               [[label(key), *(f"{values.mean():.4f}" for values in found.values())]
                for key, found in scores.items()])
    progress = {key: group["pseudo_likelihood"] for key, group in runs.items()}
    draw(task, progress, scores)
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


def draw(task, progress, scores):
    figure, (left, right) = plots.panels(2, width=11, height=4)
    lowest = 0.0
    for number, (key, found) in enumerate(scores.items()):
        if not isinstance(key, str):
            lowest = min(lowest, progress[key][:, 1:].min())
            plots.curve(left, progress[key], label=f"{key[0]} components, rate {key[1]:g}",
                        color=f"C{number}")
        points = [found[part].mean() for part in ("pseudo_likelihood", "upper", "lower")]
        right.plot(points[:1] * 2, points[1:], "_-", color=f"C{number}", ms=10)
        right.annotate(label(key).removeprefix("rbm_").replace("_", ", "), points[:2], fontsize=8,
                       xytext=(4, -11 if key == "longer" else 4), textcoords="offset points")
    left.set(xlabel="iteration", ylabel="pseudo-likelihood (nats an image)",
             ylim=(max(lowest, -260) - 5, None))
    left.legend(fontsize=7, ncols=2, loc="center", bbox_to_anchor=(0.52, 0.34))
    right.set(xlabel="pseudo-likelihood of the test images (nats)",
              ylabel="log-likelihood, reverse to forward AIS (nats)")
    task.figure("fig15_rbm_pseudo_likelihood", figure)


def judge(best, progress, scores):
    """Verdicts from pseudo-likelihoods (seeds, epochs) and what ``rbm.score`` gives, (seeds,).

    Both are dicts by (components, rate), or "longer"; ``best`` is the preferred machine.
    """
    number, middle = best
    sizes = [key for key in scores if not isinstance(key, str)]
    of_size = sorted(components for components, rate in sizes if rate == middle)
    rates = sorted(rate for components, rate in sizes if components == number)
    means = {key: {name: values.mean() for name, values in found.items()}
             for key, found in scores.items()}
    by_rate = {rate: progress[number, rate] for rate in rates}
    slow = {rate: iterations_to(group.mean(axis=0), 0.9) for rate, group in by_rate.items()}
    stays = [np.mean([stays_within(curve, 2.0) for curve in group]) for group in by_rate.values()]
    wobble = {rate: curves.fluctuation(group).mean() for rate, group in by_rate.items()}
    by_components = np.ptp([means[components, middle]["error"] for components in of_size])
    by_rates = np.ptp([means[number, rate]["error"] for rate in rates])
    chosen, few = means[best], means[of_size[0], middle]
    gain = {part: scores["longer"][part] - scores[best][part]
            for part in ("upper", "error", "pseudo_likelihood")}
    low, high = decide.interval(gain["upper"])
    higher = {size: means[size] for size in sizes
              if means[size]["pseudo_likelihood"] > chosen["pseudo_likelihood"]}
    worse = [found["error"] > chosen["error"] for found in higher.values()]
    enough = len(rates) > 2 and progress[best].shape[1] >= 10
    return {
        "4.1.2-a": (
            slow[rates[0]] > slow[middle] and wobble[rates[-1]] > 2 * wobble[middle]
            if enough else "undecided",
            "Iterations until the mean pseudo-likelihood has made 90% of its way from the first "
            "iteration to the mean of the last third: "
            + ", ".join(f"{slow[rate]} at rate {rate:g}" for rate in rates)
            + " (within 2 nats of the mean of the last three it stays from "
            + ", ".join(f"{iteration:.0f}" for iteration in stays)
            + " on, which fluctuation decides); standard deviation from iteration to iteration in "
            "the second half: "
            + ", ".join(f"{wobble[rate]:.2f} at {rate:g}" for rate in rates) + " nats.",
        ),
        "4.1.2-b": (
            by_components > by_rates and few["sharpness"] < chosen["sharpness"],
            f"The squared error of one-step reconstructions spans {by_components:.4f} over "
            f"{of_size[0]} to {of_size[-1]} components and {by_rates:.4f} over rates {rates[0]:g} "
            f"to {rates[-1]:g}. Sharpness {few['sharpness']:.3f} with {of_size[0]} "
            f"components, {chosen['sharpness']:.3f} with {number}.",
        ),
        "4.1.2-c": (
            True if high < 2 else False if low > 2 else "undecided",
            f"{progress['longer'].shape[1]} iterations instead of {progress[best].shape[1]} change "
            f"the log-likelihood by {gain['upper'].mean():+.1f} nats (95% interval over seeds "
            f"{low:.0f} to {high:.0f}, where 2 would count as a gain), the pseudo-likelihood by "
            f"{gain['pseudo_likelihood'].mean():+.1f} nats and the squared error by "
            f"{gain['error'].mean():+.4f}.",
        ),
        "4.1.2-d": (
            all(worse) if higher and all(worse) == any(worse) else "undecided",
            "Error (sharpness) of one-step reconstructions: "
            f"{chosen['error']:.4f} ({chosen['sharpness']:.3f}) at a pseudo-likelihood of "
            f"{chosen['pseudo_likelihood']:.1f}; of machines with a higher one: "
            + (", ".join(
                f"{components}, {rate:g} {found['error']:.4f} ({found['sharpness']:.3f}) at "
                f"{found['pseudo_likelihood']:.1f}"
                for (components, rate), found in higher.items()
            ) or "none") + ".",
        ),
    }


def stays_within(curve, distance):
    """Iterations after which a curve stays so near to the mean of its last three values."""
    away = np.flatnonzero(np.abs(curve - np.mean(curve[-3:])) > distance)
    return int(away[-1]) + 2 if len(away) else 1


def iterations_to(curve, share):
    """Iterations until a curve has made that share of its way from the first value to the end.

    The end is the mean of the last third; a curve that does not rise has made it at once.
    """
    first, end = curve[0], np.mean(curve[-max(1, len(curve) // 3):])
    return int(np.argmax(curve >= min(first, end) + share * max(0.0, end - first))) + 1


if __name__ == "__main__":
    command.main("4.1.2", run, PRESETS, __doc__)
