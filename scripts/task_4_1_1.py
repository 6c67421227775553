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


SAMPLE = Settings(rbm.QUICK, sizes=((50, 0.1), (200, 0.1), (200, 0.02), (200, 0.5)),
                  temperatures=500, small_components=10, seeds=1)
PRESETS = {
    "smoke": replace(SAMPLE, recipe=rbm.SMOKE, sizes=((20, 0.1), (200, 0.1)), temperatures=50,
                     small_components=6, small_rates=(0.1,), snapshots=(1, 2, 3)),
    "quick": SAMPLE,
    "report": Settings(),
}


def run(task, settings):
    small = replace(settings.recipe, components=settings.small_components,
                    epochs=max(settings.snapshots))
    exact, scores = {}, {}
    for rate in settings.small_rates:
        runs = task.repeat(rbm.train, replace(small, learning_rate=rate),
                           snapshots=settings.snapshots)
        exact[rate] = task.repeat(exact_scores, training=runs)
    for components, rate in settings.sizes:
        runs = task.repeat(rbm.train,
                           replace(settings.recipe, components=components, learning_rate=rate))
        scores[components, rate] = task.repeat(rbm.score, training=runs,
                                               temperatures=settings.temperatures)

    # Arrays (machines, 2, seeds): the pseudo-likelihood, and the log-likelihood.
    small = np.concatenate([
        np.stack([found["pseudo_likelihood"], found["log_likelihood"]]).transpose(2, 0, 1)
        for found in exact.values()
    ])
    large = np.array([[found["pseudo_likelihood"], (found["upper"] + found["lower"]) / 2]
                      for found in scores.values()])
    for name, machines in (("small", small), ("published", large)):
        task.measure(f"rank_correlation/{name}", correlations(machines))
    task.measure("small/pseudo_minus_log_likelihood", (small[:, 0] - small[:, 1]).mean(axis=0),
                 unit="nats")
    table = {size: [found[part].mean() for part in ("pseudo_likelihood", "upper", "lower")]
             for size, found in scores.items()}
    task.table("orders", ["components", "rate", "pseudo-likelihood", "likelihood, forward",
                          "likelihood, reverse"],
               [[*size, *(f"{value:.2f}" for value in row)] for size, row in table.items()])
    draw(task, exact, table)
    task.decide(judge(small, large))


def exact_scores(training):
    """Exact scores of a small RBM, of a run of ``rbm.train``, on the binary test digits.

    Returns:
        Dict of arrays (snapshots,), nats: "pseudo_likelihood" and "log_likelihood".
    """
    rows = data.mnist.binary(data.mnist.rows(training.recipe.source)[1])
    machines = [rbm.rbm_of(training, place) for place in range(len(training["weights"]))]
    return {"pseudo_likelihood": [machine.score_samples(rows).mean() for machine in machines],
            "log_likelihood": [machine.log_likelihood(rows).mean() for machine in machines]}


def correlations(machines):
    """Spearman's correlation over machines (n, 2, seeds) of both likelihoods, (seeds,)."""
    return np.array([decide.rank_correlation(*pair) for pair in machines.T])


def draw(task, exact, table):
    with plots.figure(task, "pseudo_likelihood_and_likelihood", 2, width=10.5,
                      height=4) as (left, right):
        for number, (rate, found) in enumerate(exact.items()):
            lines = left.plot(found["pseudo_likelihood"].T, found["log_likelihood"].T, "o-",
                              color=f"C{number}", ms=4)
            lines[0].set_label(f"rate {rate:g}")
        left.set(title="small RBMs, along training", xlabel="pseudo-likelihood (nats)",
                 ylabel="log-likelihood, exact (nats)")
        for (components, rate), (pseudo, *bracket) in table.items():
            right.plot([pseudo] * 2, bracket, "_-", ms=10,
                       label=f"{components} components, rate {rate:g}")
        right.set(title="RBMs of Figure 15", xlabel="pseudo-likelihood (nats)",
                  ylabel="log-likelihood, AIS from both sides (nats)")


def judge(small, published):
    """What the claim is judged by, from both likelihoods of the machines, (n, 2, seeds)."""
    return {"4.1.1-a": {"small": correlations(small), "published": correlations(published)}}


if __name__ == "__main__":
    command.main("4.1.1", run, PRESETS, __doc__)
