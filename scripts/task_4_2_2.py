"""Task 4.2.2: does a discriminator that is too strong make the generator collapse?

The report expects mode collapse. Here the dense GAN's discriminator takes 1, 2, 5 and 10 steps for
each step of the generator, as many of these each time; coverage and recall say which part of the
digits the samples reach, the classes' entropy whether some digits are missing, and the share of
which a convnet is sure whether they are digits at all.

    python scripts/task_4_2_2.py                     about a minute, 4,000 digits
    python scripts/task_4_2_2.py --preset report     about two hours on two cores, full MNIST
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings(shared.GAN):
    epochs: int = 10  # ours: of the generator; the report's run has 50
    strengths: tuple[int, ...] = (1, 2, 5, 10)  # ours: discriminator steps a generator step


PRESETS = {
    "smoke": Settings(**shared.GAN_SMOKE | {"strengths": (1, 2)}),
    "quick": Settings(**shared.GAN_QUICK | {"epochs": 5, "strengths": (1, 5)}),
    "report": Settings(),
}
LOSS = 0.1  # of the classes' entropy, over that of equal shares, from which modes are lost
MEASURES = {
    "coverage": "coverage", "confident": "convnet sure", "diversity": "entropy of classes",
}


def run(task, settings):
    board = experiments.samples.scoreboard(task, settings)
    runs = {
        steps: experiments.gan.trained(task, settings, board, steps=steps, keep=False)
        for steps in settings.strengths
    }
    scores = {steps: experiments.samples.scores(group) for steps, group in runs.items()}
    for steps, found in scores.items():
        experiments.samples.measure(task, f"steps_{steps}", found)
        for network in ("generator", "discriminator"):
            task.measure(f"steps_{steps}/{network}_loss/last",
                         [run[f"{network}_loss"][-1] for run in runs[steps]])
    names = ["frechet", "recall", *MEASURES]
    task.table(
        "strengths", ["discriminator steps", *names],
        [[steps, *(f"{found[name].mean():.3f}" for name in names)]
         for steps, found in scores.items()],
    )
    floor = board.floor(task, of="4.2.3")
    draw(task, runs, scores, floor)
    judge(task, scores, floor)


def draw(task, runs, scores, floor):
    figure, (left, right) = plots.panels(2)
    for color, (name, label) in enumerate(MEASURES.items()):
        values = np.stack([found[name] for found in scores.values()])
        left.plot(list(scores), values.mean(axis=1), "o-", color=f"C{color}", label=label)
        left.plot(list(scores), values, ".", color=f"C{color}", alpha=0.5)
        left.axhline(float(floor[name]), color=f"C{color}", ls=":", lw=1)
    left.set(xscale="log", ylim=(0, 1.05), xlabel="discriminator steps a generator step",
             ylabel="measure (dotted: of test digits)")
    plots.log_ticks(left.xaxis)
    left.legend()
    for color, (steps, group) in enumerate(runs.items()):
        for network, line in (("generator", "-"), ("discriminator", "--")):
            plots.curve(right, np.stack([run[f"{network}_loss"] for run in group]),
                        label=f"{network}, {steps}", color=f"C{color}", ls=line)
    right.set(xlabel="epoch", ylabel="mean loss (nats)", yscale="log")
    right.legend(fontsize=7, ncols=2)
    task.figure("strength", figure)


def judge(task, scores, floor):
    """Coverage alone would not do: samples that are no digits cover none, of whatever variety."""
    most = max(scores)
    best = {name: np.max([found[name] for steps, found in scores.items() if steps < most], axis=0)
            for name in ("coverage", "confident", "diversity")}
    halved = {name: scores[most][name] < best[name] / 2 for name in ("coverage", "confident")}
    collapsed = (halved["coverage"] & ~halved["confident"]) | (
        scores[most]["diversity"] <= best["diversity"] - LOSS
    )
    task.claim(
        "4.2.2-a", experiments.samples.over_seeds(collapsed),
        "Coverage of the digits, share of samples of which the convnet is sure, and entropy of the "
        "classes, with " + "; ".join(
            f"{steps} discriminator steps {found['coverage'].mean():.3f}, "
            f"{found['confident'].mean():.1%}, {found['diversity'].mean():.2f}"
            for steps, found in scores.items()
        )
        + f"; of test digits {float(floor['coverage']):.3f}, {float(floor['confident']):.1%}, "
        f"{float(floor['diversity']):.2f}. Collapse, which is {LOSS:g} less entropy with {most} "
        "steps than the best of fewer, or less than half its coverage where not the convnet's "
        f"share is less than half, too: {collapsed.sum()} of {len(collapsed)} seeds.",
    )


if __name__ == "__main__":
    command.main("4.2.2", run, PRESETS, __doc__)
