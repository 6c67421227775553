"""Task 4.1.4: digits whose 12 top rows are removed, restored by the RBM.

The report draws six digits (Figure 17), as ten free-running Gibbs steps restore them. Here a
convnet labels two thousand restored digits, by digit, free-running as published and with the known
pixels held; and the cut digits themselves, of which it knows some without any restoration.

    python scripts/task_4_1_4.py                     about 15 seconds
    python scripts/task_4_1_4.py --preset report     about a minute, with the RBM of task 4.1.2
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.errors import UserError
from ann_keras.evaluation import restoration
from ann_keras.recipes import convnet, rbm


@dataclass(frozen=True)
class Settings:
    recipe: command.flat(rbm.Recipe) = rbm.Recipe()  # report
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    removed: int = 12  # report: rows at the top
    steps: int = 10  # report: Gibbs steps
    shown: tuple[int, ...] = (10, 11, 12, 13, 14, 15)  # report: test images
    digits: int = 2_000  # ours: test digits that are counted
    seeds: int = 3  # ours: of the RBM; the report shows one


PRESETS = {
    "smoke": Settings(rbm.SMOKE, convnet.LABELLING_SMOKE, digits=100, seeds=1),
    "quick": Settings(rbm.QUICK, convnet.LABELLING_QUICK, digits=1_000, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    if not set(settings.shown) <= set(range(settings.digits)):
        raise UserError(f"--shown must name some of the first {settings.digits} test digits")
    source = settings.recipe.source
    _, truth = data.mnist.test_rows(source, settings.digits)
    restored = task.repeat(
        rbm.restore, training=task.repeat(rbm.train, settings.recipe),
        labelling=task.run(convnet.train, replace(settings.labelling, source=source), seed=0),
        region="top", lines=settings.removed, steps=settings.steps, digits=settings.digits,
        shown=settings.shown,
    )

    plots.sample_rows(task, "fig17_rbm_restoration", {
        f"{settings.removed} rows cut": restored[0]["cut_images"],
        "reconstructed": restored[0]["free_raw_images"],
        "merged": restored[0]["free_images"],
        "known held": restored[0]["clamped_images"],
    }, columns=len(settings.shown))
    right = restoration.right(restored, truth)
    for kind, values in right.items():
        task.measure(f"{kind}/right_label", values.mean(axis=1), better="higher")
    by_digit = {  # (10, seeds)
        kind: np.array([values[:, truth == digit].mean(axis=1) for digit in range(10)])
        for kind, values in right.items()
    }
    nines = labels_of_nines(restored["free"], truth)
    task.table("restored", ["digit", *by_digit, "9s labelled so"],
               [[digit, *(f"{share[digit].mean():.3f}" for share in (*by_digit.values(), nines))]
                for digit in range(10)])
    plots.grouped_bars(task, "restored_by_digit", {
        title: by_digit[kind].mean(axis=1) for kind, title in restoration.KINDS.items()
    }, range(10), xlabel="digit", ylabel="share with the right label")
    shown = restored["free"][:, list(settings.shown)]
    task.table("shown", ["test image", "digit", *(f"label, seed {seed}" for seed in task.seeds)],
               [[image, truth[image], *labels] for image, labels in zip(settings.shown, shown.T)])
    task.decide(judge(by_digit["free"], nines))


def labels_of_nines(labels, truth):
    """Share of 9s with each label, (10, seeds), of labels (seeds, n)."""
    return np.array([(labels[:, truth == 9] == digit).mean(axis=1) for digit in range(10)])


def judge(right, nines):
    """What the claim is judged by, (10, seeds): shares of each digit that are right when restored,
    and of 9s with each label."""
    return {"4.1.4-a": {
        "ones": {f"{digit}s": (right[1], right[digit]) for digit in range(10) if digit != 1},
        "nines": (nines[4], nines[9]),
        "fives": right[5],
    }}


if __name__ == "__main__":
    command.main("4.1.4", run, PRESETS, __doc__)
