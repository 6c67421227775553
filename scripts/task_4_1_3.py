"""Task 4.1.3: how many Gibbs steps reconstruct a digit, and how many lose it.

The report draws one 9 after 1 to 1000 Gibbs steps (Figure 16): good after one, slightly better up
to 10, then another digit or a mean. Here a convnet labels a thousand and more test digits after
each number of steps: how many still show the digit that they began as.

    python scripts/task_4_1_3.py                     about 15 seconds
    python scripts/task_4_1_3.py --preset report     about 4 minutes, with the RBM of task 4.1.2
"""

import functools
from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared


@dataclass(frozen=True)
class Settings(shared.RBM):
    steps: tuple[int, ...] = (1, 2, 5, 10, 100, 1000)  # report
    images: int = 2_000  # ours: test digits; the report shows one
    epochs: int = 10  # ours: of the labelling convnet
    seeds: int = 3  # ours: of the RBM; the report shows one


PRESETS = {
    "smoke": Settings(**shared.RBM_SMOKE, steps=(1, 10, 20), images=50, epochs=1, seeds=1),
    "quick": Settings(**shared.RBM_QUICK, images=500, epochs=8, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    boltzmann = experiments.boltzmann
    judge = experiments.labels.Judge(task, epochs=settings.epochs, source=settings.source)
    task.measure("judge/test_accuracy", judge.test_accuracy, better="higher")
    rows, labels = boltzmann.test_digits(settings.source, settings.images)
    results = []
    for seed in task.seeds:
        trained = boltzmann.published_rbm(task, settings, seed, of="4.1.2")
        results.append(task.run(
            f"Gibbs steps, seed {seed}", functools.partial(follow, trained, judge, rows, labels),
            weights=boltzmann.digest(trained["components"]), steps=list(settings.steps),
            images=len(rows), source=settings.source, epochs=settings.epochs,
        ))
    result = {name: np.stack([found[name] for found in results]) for name in results[0]}
    kept = (result["labels"] == labels).mean(axis=2)  # (seeds, steps)
    for place, number in enumerate(settings.steps):
        task.measure(f"steps_{number}/same_digit", kept[:, place], better="higher")
        task.measure(f"steps_{number}/error", result["error"][:, place], better="lower")
        task.measure(f"steps_{number}/sharpness", result["sharpness"][:, place])
    lost = [number for number, share in zip(settings.steps, kept.mean(axis=0)) if share < 0.5]
    task.measure("gibbs_steps/until_degrading", (lost or settings.steps[-1:])[0])
    draw(task, settings, rows[np.argmax(labels == 9)], result, kept,
         float(np.mean(judge.labels(rows) == labels)))
    judge_claims(task, settings, result, kept)


def follow(trained, judge, rows, labels, *, steps, **_):
    """Label of each image, and mean error and sharpness, after each number of steps."""
    boltzmann = experiments.boltzmann
    rbm, found = boltzmann.rbm_of(trained), []
    for number in steps:
        seen = rbm.reconstruct(rows, steps=number, probabilities=True)
        found.append((judge.labels(seen), np.mean((seen - rows) ** 2),
                      boltzmann.sharpness(seen).mean(), seen[np.argmax(labels == 9)]))
    return dict(zip(("labels", "error", "sharpness", "nine"), map(np.stack, zip(*found))))


def draw(task, settings, nine, result, kept, whole):
    figure, axes = plots.image_grid(1, 1 + len(settings.steps), size=1.2)
    titles = ["image", *(f"{number} step{'s' if number > 1 else ''}" for number in settings.steps)]
    for panel, image, title in zip(axes[0], [nine, *result["nine"][0]], titles, strict=True):
        panel.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        panel.set_title(title, fontsize=9)
    task.figure("fig16_gibbs_steps", figure)
    figure, (left, right) = plots.panels(2)
    for panel, values in ((left, kept), (right, result["error"])):
        panel.plot(settings.steps, values.T, "o-", color="C0", alpha=0.6)
    left.axhline(whole, color="grey", ls=":", label="of the digits themselves")
    left.axhline(0.1, color="grey", lw=1, label="chance")
    left.set(xscale="log", ylim=(0, 1.02), xlabel="Gibbs steps",
             ylabel="share with the same label")
    left.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
    right.set(xscale="log", ylim=(0, None), xlabel="Gibbs steps", ylabel="squared error a pixel")
    task.figure("identity", figure)


def judge_claims(task, settings, result, kept):
    number = result["labels"].shape[-1]
    share = dict(zip(settings.steps, kept.mean(axis=0)))
    error = dict(zip(settings.steps, result["error"].mean(axis=0)))
    sharp = dict(zip(settings.steps, result["sharpness"].mean(axis=0)))
    early = [steps for steps in settings.steps if steps <= 10]
    first, last, best = early[0], early[-1], max(early, key=share.get)
    margin = {steps: experiments.restoration.margin(share[steps], number) for steps in early}
    task.claim(
        "4.1.3-a",
        bool(share[first] > 0.9 and share[best] - share[first] > margin[best]),
        f"Of {number:,} test digits the convnet sees the same digit in "
        + ", ".join(f"{share[steps]:.1%} after {steps}" for steps in early)
        + f" steps (± {margin[last]:.1%}); the squared error goes from {error[first]:.4f} to "
        f"{error[last]:.4f}.",
    )
    late = [steps for steps in settings.steps if steps > 10]
    common = np.bincount(result["labels"][:, -1].ravel(), minlength=10)
    end = settings.steps[-1]
    task.claim(
        "4.1.3-b",
        bool(min(share[steps] for steps in late) < share[last] - 2 * margin[last]),
        f"Same digit: {share[last]:.1%} after {last} steps, "
        + ", ".join(f"{share[steps]:.1%} after {steps}" for steps in late)
        + f". At the end the most frequent label is {common.argmax()} "
        f"({common.max() / common.sum():.0%}); sharpness, which a mean of digits would lose, is "
        f"{sharp[end]:.2f} then and {sharp[first]:.2f} after {first}.",
    )


if __name__ == "__main__":
    command.main("4.1.3", run, PRESETS, __doc__)
