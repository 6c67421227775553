"""Task 4.2.2: does a discriminator that is too strong make the generator collapse?

The report expects mode collapse. Here the dense GAN's discriminator takes 1, 2, 5 and 10 steps for
each step of the generator, as many of these each time. The claim is judged by the number of kinds
of digits among the samples, the exponential of their labels' entropy. Coverage and recall, which
part of the digits the samples reach, also fall where samples are no digits, as the share of which a
convnet is sure tells.

    python scripts/task_4_2_2.py                     about 30 seconds, 4,000 digits
    python scripts/task_4_2_2.py --preset report     about two hours on two cores, full MNIST
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, plots
from ann_keras.evaluation import scoreboard
from ann_keras.recipes import convnet, gan

Recipe = command.flat(gan.Recipe, "discriminator_steps")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = gan.Recipe(epochs=10)  # ours: epochs; the report's run has 50
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    strengths: tuple[int, ...] = (1, 2, 5, 10)  # ours: discriminator steps a generator step
    samples: int = 10_000  # ours: that are scored
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(gan.SMOKE, convnet.LABELLING_SMOKE, (1, 2), samples=100, seeds=1),
    "quick": Settings(replace(gan.QUICK, epochs=3), convnet.LABELLING_QUICK, (1, 5),
                      samples=1_000, seeds=1),
    "report": Settings(),
}
MEASURES = {"coverage": "coverage", "confident": "convnet sure", "diversity": "entropy of classes"}


def run(task, settings):
    settings, scoring, floor = convnet.begin(task, settings)
    runs = {steps: task.repeat(gan.train, replace(settings.recipe, discriminator_steps=steps))
            for steps in settings.strengths}
    scored = {steps: task.repeat(gan.score, training=group, **scoring)
              for steps, group in runs.items()}
    scores = {steps: scoreboard.scores(group) for steps, group in scored.items()}
    for steps, found in scores.items():
        scoreboard.measure(task, f"steps_{steps}", found)
        for loss in gan.LOSSES:
            task.measure(f"steps_{steps}/{loss}/last", runs[steps][loss][:, -1])
    names = ["frechet", "recall", *MEASURES]
    rows = [[steps, *(f"{found[name].mean():.3f}" for name in names)]
            for steps, found in scores.items()]
    task.table("strengths", ["discriminator steps", *names], rows)
    with plots.figure(task, "strength", 2) as (left, right):
        for color, (name, label) in enumerate(MEASURES.items()):
            values = np.stack([found[name] for found in scores.values()])
            left.plot(list(scores), values.mean(axis=1), "o-", color=f"C{color}", label=label)
            left.plot(list(scores), values, ".", color=f"C{color}", alpha=0.5)
            left.axhline(floor[name], color=f"C{color}", ls=":", lw=1)
        left.set(xscale="log", ylim=(0, 1.05), xlabel="discriminator steps a generator step",
                 ylabel="measure (dotted: of test digits)")
        plots.log_ticks(left.xaxis)
        left.legend()
        for color, (steps, group) in enumerate(runs.items()):
            for loss, line in zip(gan.LOSSES, ("-", "--")):
                plots.curves(right, {f"{loss.removesuffix('_loss')}, {steps}": group[loss]},
                             color=f"C{color}", ls=line)
        right.set(xlabel="epoch", ylabel="mean loss (nats)", yscale="log")
        right.legend(fontsize=7, ncols=2)
    task.decide(judge(scores))


def judge(scores):
    """What the claim is judged by, from scores by number of steps, dicts of arrays (seeds,)."""
    kinds = {steps: 10 ** found["diversity"] for steps, found in scores.items()}
    return {"4.2.2-a": {"kinds": (kinds[min(kinds)], kinds[max(kinds)])}}


if __name__ == "__main__":
    command.main("4.2.2", run, PRESETS, __doc__)
