"""Task 4.1.4: digits whose 12 top rows are removed, restored by the RBM.

The report draws six digits (Figure 17), as ten free-running Gibbs steps restore them. Here a
convnet labels two thousand restored digits, by digit, free-running as published and with the known
pixels held; and the cut digits themselves, without which no share of restored ones says much.

    python scripts/task_4_1_4.py                     about 15 seconds
    python scripts/task_4_1_4.py --preset report     about a minute, with the RBM of task 4.1.2
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.errors import UserError
from ann_keras.evaluation import restoration
from ann_keras.recipes import convnet, rbm

Recipe, Labelling = command.flat(rbm.Recipe), command.group(convnet.Recipe, "source")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = rbm.Recipe()  # report
    labelling: Labelling = convnet.LABELLING  # ours: the judge
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
    by_digit = {kind: np.array([values[:, truth == digit].mean() for digit in range(10)])
                for kind, values in right.items()}
    task.table("restored", ["digit", *by_digit],
               [[digit, *(f"{share:.3f}" for share in shares)]
                for digit, shares in enumerate(zip(*by_digit.values()))])
    figure, (axes,) = plots.panels(width=8.5)
    plots.grouped_bars(axes, {title: by_digit[kind] for kind, title in restoration.KINDS.items()},
                       range(10))
    axes.set(xlabel="digit", ylabel="share with the right label", ylim=(0, 1.15))
    task.figure("restored_by_digit", figure)
    nines = restored["free"][:, truth == 9]
    shares = np.bincount(nines.ravel(), minlength=10) / nines.size
    shown = restored[0]["free"][list(settings.shown)]
    task.decide(judge(by_digit["free"], by_digit["cut"], shares, len(truth), shown))


def judge(free, cut, nines, number, shown):
    """Verdict from shares (10,): of right labels, restored and cut, and of labels among 9s.

    ``number`` counts digits; ``shown`` are the labels of those of Figure 17.
    """
    parts = {
        "1s are restored best": free.argmax() == 1,
        "a 9 is rather taken for a 4 than for a 9": nines[4] > nines[9],
        "most 5s are right": free[5] > 0.5,
    }
    return {"4.1.4-a": (
        all(parts.values()),
        f"Of {number:,} digits, restored free-running: "
        + ", ".join(f"{digit}: {share:.0%} ({cut[digit]:.0%} when cut)"
                    for digit, share in enumerate(free))
        + f" get the right label; {nines[4]:.0%} of 9s are labelled 4. "
        + "; ".join(f"{text}: {'yes' if true else 'no'}" for text, true in parts.items())
        + f". The images of Figure 17 are labelled {', '.join(map(str, shown))}.",
    )}


if __name__ == "__main__":
    command.main("4.1.4", run, PRESETS, __doc__)
