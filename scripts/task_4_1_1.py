"""Task 4.1.1: does the pseudo-likelihood say what the likelihood says?

The report calls it a good approximation. Of a small RBM both are known exactly, after every few
epochs at several learning rates; of the RBMs of Figure 15 annealed importance sampling gives the
log-likelihood. Do both put the machines in the same order?

    python scripts/task_4_1_1.py                     about 20 seconds
    python scripts/task_4_1_1.py --preset report     about 10 minutes, with the RBMs of task 4.1.2
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.recipes import rbm
from ann_keras.report import decide, published

Recipe = command.flat(rbm.Recipe, "components", "learning_rate")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = rbm.Recipe()  # report
    sizes: tuple[tuple[int, float], ...] = published.RBMS  # report: components and learning rates
    temperatures: int = 10_000  # ours: of annealed importance sampling, as in task 4.1.2
    small_components: int = 16  # ours: few enough to enumerate
    small_rates: tuple[float, ...] = (0.02, 0.1, 0.5)  # ours
    snapshots: tuple[int, ...] = (1, 2, 4, 7, 10)  # ours: epochs after which they are scored
    seeds: int = 3  # ours


SAMPLE = Settings(
    rbm.QUICK, sizes=((50, 0.1), (200, 0.1), (200, 0.02), (200, 0.5)), temperatures=500,
    small_components=10, seeds=1,
)
PRESETS = {
    "smoke": replace(
        SAMPLE, recipe=rbm.SMOKE, sizes=((20, 0.1), (200, 0.1)), temperatures=50,
        small_components=6, small_rates=(0.1,), snapshots=(1, 2, 3),
    ),
    "quick": SAMPLE,
    "report": Settings(),
}


def run(task, settings):
    small = replace(settings.recipe, components=settings.small_components,
                    epochs=max(settings.snapshots))
    small_runs = {
        rate: task.repeat(rbm.train, replace(small, learning_rate=rate),
                          snapshots=settings.snapshots)
        for rate in settings.small_rates
    }
    exact = {rate: task.repeat(exact_scores, training=runs) for rate, runs in small_runs.items()}
    published_runs = {
        (components, rate): task.repeat(
            rbm.train, replace(settings.recipe, components=components, learning_rate=rate)
        )
        for components, rate in settings.sizes
    }
    scores = {size: task.repeat(rbm.score, training=runs, temperatures=settings.temperatures)
              for size, runs in published_runs.items()}

    paths = {rate: np.stack([found["pseudo_likelihood"], found["log_likelihood"]], axis=-1)
             for rate, found in exact.items()}
    points = np.concatenate(list(paths.values())).reshape(-1, 2)
    table = np.array([
        [found[part].mean() for part in ("pseudo_likelihood", "upper", "lower")]
        for found in scores.values()
    ])
    correlation = {
        "small": decide.rank_correlation(*points.T),
        "published": decide.rank_correlation(table[:, 0], table[:, 1:].mean(axis=1)),
    }
    for name, value in correlation.items():
        task.measure(f"rank_correlation/{name}", value)
    task.table(
        "orders", ["components", "rate", "pseudo-likelihood", "likelihood, forward",
                   "likelihood, reverse"],
        [[*size, *(f"{value:.2f}" for value in row)] for size, row in zip(scores, table)],
    )
    draw(task, paths, dict(zip(scores, table)))
    task.decide(judge(correlation, points, table, list(scores)))


def exact_scores(training):
    """Exact scores of a small RBM on the binary test digits.

    Args:
        training: run of ``rbm.train`` with snapshots.

    Returns:
        Dict of arrays (snapshots,), nats: "pseudo_likelihood" and "log_likelihood".
    """
    rows = data.mnist.binary(data.mnist.rows(training.recipe.source)[1])
    machines = [rbm.rbm_of(training, place) for place in range(len(training["weights"]))]
    return {
        "pseudo_likelihood": [machine.score_samples(rows).mean() for machine in machines],
        "log_likelihood": [machine.log_likelihood(rows).mean() for machine in machines],
    }


def draw(task, paths, table):
    figure, (left, right) = plots.panels(2, width=10.5, height=4)
    for color, (rate, values) in enumerate(paths.items()):
        for number, path in enumerate(values):
            left.plot(*path.T, "o-", color=f"C{color}", ms=4,
                      label=f"rate {rate:g}" if number == 0 else None)
    left.set(title="small RBMs, along training", xlabel="pseudo-likelihood (nats)",
             ylabel="log-likelihood, exact (nats)")
    left.legend()
    for number, ((components, rate), (pseudo, *bracket)) in enumerate(table.items()):
        right.plot([pseudo] * 2, bracket, "_-", color=f"C{number}", ms=10,
                   label=f"{components} components, rate {rate:g}")
    right.set(title="RBMs of Figure 15", xlabel="pseudo-likelihood (nats)",
              ylabel="log-likelihood, AIS from both sides (nats)")
    right.legend(fontsize=8)
    task.figure("pseudo_likelihood_and_likelihood", figure)


def judge(correlation, points, table, sizes):
    """Verdict from what both likelihoods are.

    Args:
        correlation: dict of the rank correlations of both, "small" and "published".
        points: pseudo-likelihood and log-likelihood of small machines (n, 2).
        table: pseudo-likelihood, upper and lower log-likelihood of the published ones (n, 3).
        sizes: components and rate of each of these.
    """
    order, by_likelihood = (
        ", ".join(f"{sizes[place][0]}/{sizes[place][1]:g}" for place in np.argsort(-values))
        for values in (table[:, 0], table[:, 1:].mean(axis=1))
    )
    good = 0.9  # rank correlation from which on one replaces the other
    gap = float(np.mean(points[:, 0] - points[:, 1]))
    return {"4.1.1-a": (
        min(correlation.values()) >= good,
        f"Rank correlation of pseudo-likelihood and log-likelihood: {correlation['small']:.2f} "
        f"over {len(points)} small machines, where both are exact and differ by {gap:.0f} nats on "
        f"average, and {correlation['published']:.2f} over those of Figure 15, whose order by "
        f"pseudo-likelihood is {order} and by likelihood {by_likelihood}. From "
        f"{good} on it counts as a good approximation.",
    )}


if __name__ == "__main__":
    command.main("4.1.1", run, PRESETS, __doc__)
