"""Task 4.1.3: how many Gibbs steps reconstruct a digit, and how many lose it.

The report draws one 9 (Figure 16): good after one step, slightly better up to 10, then another
digit or a mean. Here a convnet labels two thousand test digits after each number of steps.

    python scripts/task_4_1_3.py                     about 15 seconds
    python scripts/task_4_1_3.py --preset report     about 4 minutes, with the RBM of task 4.1.2
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, evaluation, plots
from ann_keras.errors import UserError
from ann_keras.recipes import convnet, rbm


@dataclass(frozen=True)
class Settings:
    recipe: command.flat(rbm.Recipe) = rbm.Recipe()  # report
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    steps: tuple[int, ...] = (1, 2, 5, 10, 100, 1000)  # report: Gibbs steps
    digits: int = 2_000  # ours: test digits; the report shows one
    seeds: int = 3  # ours: of the RBM; the report shows one


PRESETS = {
    "smoke": Settings(rbm.SMOKE, convnet.LABELLING_SMOKE, steps=(1, 10, 20), digits=50, seeds=1),
    "quick": Settings(rbm.QUICK, convnet.LABELLING_QUICK, digits=500, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    if not min(settings.steps) <= 10 < max(settings.steps):
        raise UserError("--steps needs numbers up to 10, and some above")
    source = settings.recipe.source
    rows, truth = data.mnist.test_rows(source, settings.digits)
    labelling = task.run(convnet.train, replace(settings.labelling, source=source), seed=0)
    runs = task.repeat(rbm.train, settings.recipe)
    followed = task.repeat(follow, training=runs, labelling=labelling, steps=settings.steps,
                           digits=settings.digits)

    task.measure("judge/test_accuracy", labelling["test_accuracy"], better="higher")
    labels, error = followed["labels"], followed["error"]
    kept = (labels == truth).mean(axis=2)  # (seeds, steps), as error and sharpness
    for place, number in enumerate(settings.steps):
        task.measure(f"steps_{number}/same_digit", kept[:, place], better="higher")
        task.measure(f"steps_{number}/error", error[:, place], better="lower")
        task.measure(f"steps_{number}/sharpness", followed["sharpness"][:, place])
    task.measure("gibbs_steps/best", np.take(settings.steps, kept.argmax(axis=1)))
    common = np.bincount(labels[:, -1].ravel(), minlength=10) / labels[:, -1].size
    task.table("last_labels", ["label", f"share after {settings.steps[-1]} steps"],
               [[digit, f"{share:.3f}"] for digit, share in enumerate(common)])
    nines = [rows[np.argmax(truth == 9)], *followed[0]["nine"]]
    with plots.figure(task, "fig16_gibbs_steps", width=1.2 * len(nines), height=1.5) as axes:
        titles = ["image", *(f"{n} step{'s' if n > 1 else ''}" for n in settings.steps)]
        plots.mosaic(axes, np.stack(nines)[np.newaxis], columns=titles)
    with plots.figure(task, "identity", 2) as (left, right):
        left.plot(settings.steps, kept.T, "o-", color="C0", alpha=0.6)
        left.axhline(labelling["test_accuracy"], color="grey", ls=":",
                     label="of all test digits themselves")
        left.axhline(0.1, color="grey", lw=1, label="chance")
        left.set(xscale="log", ylim=(0, 1.02), xlabel="Gibbs steps",
                 ylabel="share with the same label")
        left.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
        right.plot(settings.steps, error.T, "o-", color="C0", alpha=0.6)
        right.set(xscale="log", ylim=(0, None), xlabel="Gibbs steps",
                  ylabel="squared error a pixel")
    task.decide(judge(settings.steps, kept))


def follow(training, labelling, steps, digits):
    """Test digits along the Gibbs chains of an RBM, of a run of ``rbm.train``.

    Returns:
        Dict of arrays, after each number of steps: "labels" (steps, digits) by the convnet,
        "error", the squared error a pixel, "sharpness", and "nine", the first 9 (steps, 784).
    """
    machine, judge, found = rbm.rbm_of(training), evaluation.labels.Judge(labelling), []
    rows, truth = data.mnist.test_rows(training.recipe.source, digits)
    for number in steps:
        seen = machine.reconstruct(rows, steps=number, probabilities=True)
        found.append((judge.labels(seen), np.mean((seen - rows) ** 2), rbm.sharpness(seen).mean(),
                      seen[np.argmax(truth == 9)]))
    return dict(zip(("labels", "error", "sharpness", "nine"), map(np.stack, zip(*found))))


def judge(steps, kept):
    """What the claims are judged by: shares of digits with their own label (seeds, steps)."""
    share = dict(zip(steps, kept.T))
    early, late = ([count for count in steps if (count <= 10) == few] for few in (True, False))
    first, last = early[0], early[-1]
    return {
        "4.1.3-a": {"well": share[first], "improves": {
            f"{count} steps": (share[count], share[first]) for count in early[1:]
        }},
        "4.1.3-b": {"degrades": {f"{count} steps": (share[last], share[count]) for count in late}},
    }


if __name__ == "__main__":
    command.main("4.1.3", run, PRESETS, __doc__)
