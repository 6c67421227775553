"""Task 4.1.3: how many Gibbs steps reconstruct a digit, and how many lose it.

The report draws one 9 after 1 to 1000 Gibbs steps (Figure 16): good after one, slightly better up
to 10, then another digit or a mean. Here a convnet labels a thousand and more test digits after
each number of steps: how many still show the digit that they began as.

    python scripts/task_4_1_3.py                     about 15 seconds
    python scripts/task_4_1_3.py --preset report     about 4 minutes, with the RBM of task 4.1.2
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import command, experiments, plots


@dataclass(frozen=True)
class Settings:
    iterations: int = 30  # report: of the RBM's training
    batch_size: int = 10  # report
    source: Literal["full", "sample"] = "full"  # report
    steps: tuple[int, ...] = (1, 2, 5, 10, 100, 1000)  # report
    images: int = 2_000  # ours: test digits; the report shows one
    epochs: int = 10  # ours: of the labelling convnet
    seeds: int = 1  # of the RBM; the report shows one


PRESETS = {
    "smoke": Settings(iterations=2, source="sample", steps=(1, 10, 20), images=50, epochs=1),
    "quick": Settings(iterations=12, source="sample", images=500, epochs=8),
    "report": Settings(),
}


def run(task, settings):
    boltzmann = experiments.boltzmann
    trained = boltzmann.published_rbm(task, settings, of="4.1.2")
    judge = experiments.labels.Judge(task, epochs=settings.epochs, source=settings.source)
    task.measure("judge/test_accuracy", judge.test_accuracy, better="higher")
    _, rows, labels = boltzmann.digits(settings.source)
    rows, labels = rows[: settings.images], labels[: settings.images]

    def follow(*, weights, steps, images, source, convnet):
        """Label, error and sharpness of each image after each number of steps."""
        rbm, found = boltzmann.rbm_of(trained), []
        for number in steps:
            seen = rbm.reconstruct(rows, steps=number, probabilities=True)
            found.append((judge.labels(seen), np.mean((seen - rows) ** 2, axis=1),
                          boltzmann.sharpness(seen), seen[np.argmax(labels == 9)]))
        return dict(zip(("labels", "error", "sharpness", "nine"), map(np.stack, zip(*found))))

    result = task.run(
        "Gibbs steps", follow, weights=boltzmann.digest(trained), steps=list(settings.steps),
        images=settings.images, source=settings.source, convnet=judge.test_accuracy,
    )
    whole = judge.labels(rows)
    kept = (result["labels"] == labels).mean(axis=1)
    for number, share, error, sharp in zip(settings.steps, kept, result["error"].mean(axis=1),
                                           result["sharpness"].mean(axis=1)):
        task.measure(f"steps_{number}/same_digit", share, better="higher")
        task.measure(f"steps_{number}/error", error, better="lower")
        task.measure(f"steps_{number}/sharpness", sharp)
    lost = [number for number, share in zip(settings.steps, kept) if share < 0.5]
    task.measure("gibbs_steps/until_degrading", settings.steps[-1] if not lost else lost[0])
    nine = rows[np.argmax(labels == 9)]
    draw(task, settings, nine, result, kept, float(np.mean(whole == labels)))
    judge_claims(task, settings, result, kept, labels)


def draw(task, settings, nine, result, kept, whole):
    figure, axes = plots.image_grid(1, 1 + len(settings.steps), size=1.2)
    titles = ["image", *(f"{number} step{'s' if number > 1 else ''}" for number in settings.steps)]
    for panel, image, title in zip(axes[0], [nine, *result["nine"]], titles, strict=True):
        panel.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        panel.set_title(title, fontsize=9)
    task.figure("fig16_gibbs_steps", figure)
    figure, (left, right) = plots.panels(2)
    left.plot(settings.steps, kept, "o-")
    left.axhline(whole, color="grey", ls=":", label="of the digits themselves")
    left.axhline(0.1, color="grey", lw=1, label="chance")
    left.set(xscale="log", ylim=(0, 1.02), xlabel="Gibbs steps",
             ylabel="share with the same label")
    left.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
    right.plot(settings.steps, result["error"].mean(axis=1), "o-")
    right.set(xscale="log", ylim=(0, None), xlabel="Gibbs steps", ylabel="squared error a pixel")
    task.figure("identity", figure)


def judge_claims(task, settings, result, kept, labels):
    margin = experiments.restoration.margin
    share, error = dict(zip(settings.steps, kept)), result["error"].mean(axis=1)
    number = len(labels)
    best = max((steps for steps in settings.steps if steps <= 10), key=share.get)
    gain = share[best] - share[settings.steps[0]]
    good = share[settings.steps[0]] > 0.9
    better = best > settings.steps[0] and gain > margin(share[best], number)
    task.claim(
        "4.1.3-a", bool(good and better),
        f"Of {number:,} test digits the convnet sees the same digit in "
        + ", ".join(f"{value:.1%} after {steps}" for steps, value in share.items() if steps <= 10)
        + f" steps (± {margin(share[best], number):.1%}); the squared error goes from "
        f"{error[0]:.4f} to {error[sum(steps <= 10 for steps in settings.steps) - 1]:.4f}.",
    )
    late = {steps: value for steps, value in share.items() if steps > 10}
    at_ten = share[max(steps for steps in settings.steps if steps <= 10)]
    mean = result["labels"][-1]
    common = np.bincount(mean, minlength=10)
    task.claim(
        "4.1.3-b",
        bool(min(late.values()) < at_ten - 2 * margin(at_ten, number)) if late else "undecided",
        f"Same digit: {at_ten:.1%} after 10 steps, "
        + ", ".join(f"{value:.1%} after {steps}" for steps, value in late.items())
        + f"; at the end the most frequent label is {common.argmax()} "
        f"({common.max() / number:.0%}), and sharpness {result['sharpness'][-1].mean():.2f} "
        f"instead of {result['sharpness'][0].mean():.2f} says that it is "
        f"{'another digit' if result['sharpness'][-1].mean() > 0.7 else 'a mean'}.",
    )


if __name__ == "__main__":
    command.main("4.1.3", run, PRESETS, __doc__)
