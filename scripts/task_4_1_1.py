"""Task 4.1.1: does the pseudo-likelihood say what the likelihood says?

The report calls it a good approximation. Of a small RBM both are known exactly, after every few
iterations at several learning rates; of the RBMs of Figure 15 annealed importance sampling gives
the log-likelihood. Do both put the machines in the same order?

    python scripts/task_4_1_1.py                     about 40 seconds
    python scripts/task_4_1_1.py --preset report     about 10 minutes, with the RBMs of task 4.1.2
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared
from ann_keras.report import published


@dataclass(frozen=True)
class Settings(shared.RBM):
    sizes: tuple[tuple[int, float], ...] = published.RBMS  # report: Figure 15
    temperatures: int = 10_000  # ours: as in task 4.1.2
    small_components: int = 16  # ours: few enough to enumerate
    small_rates: tuple[float, ...] = (0.02, 0.1, 0.5)  # ours
    checkpoints: tuple[int, ...] = (1, 2, 4, 7, 10)  # ours: iterations of the small ones
    seeds: int = 3  # ours


SAMPLE = Settings(
    **shared.RBM_QUICK, sizes=((50, 0.1), (200, 0.1), (200, 0.02), (200, 0.5)),
    temperatures=1_000, small_components=10, seeds=1,
)
PRESETS = {
    "smoke": replace(
        SAMPLE, sizes=((20, 0.1), (200, 0.1)), iterations=2, temperatures=50,
        small_components=6, small_rates=(0.1,), checkpoints=(1, 2, 3),
    ),
    "quick": SAMPLE,
    "report": Settings(),
}


def run(task, settings):
    boltzmann = experiments.boltzmann
    exact = {
        rate: np.stack([small(task, settings, rate, seed) for seed in task.seeds])
        for rate in settings.small_rates
    }
    scores = {}
    for size in settings.sizes:
        runs = [boltzmann.published_rbm(task, settings, seed, of="4.1.2", size=size)
                for seed in task.seeds]
        name = f"rbm_{size[0]}_{size[1]:g}"
        found = boltzmann.scores(task, name, runs, settings, of="4.1.2")
        scores[size] = {part: values.mean() for part, values in found.items()}
    points = np.concatenate(list(exact.values())).reshape(-1, 2)
    table = np.array([
        [score["pseudo_likelihood"], score["upper"], score["lower"]] for score in scores.values()
    ])
    correlation = {
        "small": experiments.grid.rank_correlation(*points.T),
        "published": experiments.grid.rank_correlation(table[:, 0], table[:, 1:].mean(axis=1)),
    }
    for name, value in correlation.items():
        task.measure(f"rank_correlation/{name}", value)
    task.table(
        "orders", ["components", "rate", "pseudo-likelihood", "likelihood, forward",
                   "likelihood, reverse"],
        [[*size, *(f"{value:.2f}" for value in row)] for size, row in zip(scores, table)],
    )
    draw(task, exact, scores)
    judge(task, correlation, points, table, list(scores))


def small(task, settings, rate, seed):
    """Pseudo-likelihood and exact log-likelihood of test images at each checkpoint, (n, 2)."""
    boltzmann = experiments.boltzmann
    run = task.run(
        f"small RBM, rate {rate:g}, seed {seed}", boltzmann.train_rbm,
        components=settings.small_components, learning_rate=rate,
        iterations=settings.checkpoints[-1], batch_size=settings.batch_size, seed=seed,
        source=settings.source, checkpoints=list(settings.checkpoints[:-1]),
    )
    return boltzmann.exact_scores(run, settings.source)


def draw(task, exact, scores):
    figure, (left, right) = plots.panels(2, width=10.5, height=4)
    for rate, values in exact.items():
        for number, path in enumerate(values):
            left.plot(*path.T, "o-", color=f"C{list(exact).index(rate)}", ms=4,
                      label=f"rate {rate:g}" if number == 0 else None)
    left.set(title="small RBMs, along training", xlabel="pseudo-likelihood (nats)",
             ylabel="log-likelihood, exact (nats)")
    left.legend()
    for number, (size, score) in enumerate(scores.items()):
        right.plot([score["pseudo_likelihood"]] * 2, [score["lower"], score["upper"]], "_-",
                   color=f"C{number}", ms=10, label=f"{size[0]} components, rate {size[1]:g}")
    right.set(title="RBMs of Figure 15", xlabel="pseudo-likelihood (nats)",
              ylabel="log-likelihood, AIS from both sides (nats)")
    right.legend(fontsize=8)
    task.figure("pseudo_likelihood_and_likelihood", figure)


def judge(task, correlation, points, table, sizes):
    order = [sizes[place] for place in np.argsort(-table[:, 0])]
    by_likelihood = [sizes[place] for place in np.argsort(-table[:, 1:].mean(axis=1))]
    good = 0.9  # rank correlation from which on one replaces the other
    gap = float(np.mean(points[:, 0] - points[:, 1]))
    task.claim(
        "4.1.1-a", bool(min(correlation.values()) >= good),
        f"Rank correlation of pseudo-likelihood and log-likelihood: {correlation['small']:.2f} "
        f"over {len(points)} small machines, where both are exact and differ by {gap:.0f} nats on "
        f"average, and {correlation['published']:.2f} over those of Figure 15, whose order by "
        f"pseudo-likelihood is {_listed(order)} and by likelihood {_listed(by_likelihood)}. From "
        f"{good} on it counts as a good approximation.",
    )


def _listed(sizes):
    return ", ".join(f"{components}/{rate:g}" for components, rate in sizes)


if __name__ == "__main__":
    command.main("4.1.1", run, PRESETS, __doc__)
