"""Task 4.1.5: more rows removed, and other regions.

The report finds about half the digits restored with 16 top rows removed, bottom, left and right
alike, and the middle harder. Here two thousand test digits are cut in each way, restored by the
RBM free-running as published and with the known pixels held, and labelled by a convnet.

    python scripts/task_4_1_5.py                     about 20 seconds
    python scripts/task_4_1_5.py --preset report     about a minute, with the RBM of task 4.1.2
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, data, plots
from ann_keras.evaluation import restoration
from ann_keras.recipes import convnet, rbm
from ann_keras.report import decide

Recipe, Labelling = command.flat(rbm.Recipe), command.group(convnet.Recipe, "source")
REGIONS = "top", "bottom", "left", "right", "middle"
KINDS = "cut", "free", "free_raw", "clamped"


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = rbm.Recipe()  # report
    labelling: Labelling = convnet.LABELLING  # ours: the judge
    more: int = 16  # report: rows removed at the top
    removed: int = 12  # report, of task 4.1.4: lines removed of each region
    steps: int = 10  # report: Gibbs steps
    digits: int = 2_000  # ours: test digits
    seeds: int = 3  # ours: of the RBM; the report shows one


PRESETS = {
    "smoke": Settings(rbm.SMOKE, convnet.LABELLING_SMOKE, digits=100, seeds=1),
    "quick": Settings(rbm.QUICK, convnet.LABELLING_QUICK, digits=1_000, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    source = settings.recipe.source
    _, truth = data.mnist.test_rows(source, settings.digits)
    labelling = task.run(convnet.train, replace(settings.labelling, source=source), seed=0)
    runs = task.repeat(rbm.train, settings.recipe)
    cuts = [(region, settings.removed) for region in REGIONS] + [("top", settings.more)]
    restored = {
        f"{region} {lines}": task.repeat(
            rbm.restore, training=runs, labelling=labelling, region=region, lines=lines,
            steps=settings.steps, digits=settings.digits,
            shown=[np.argmax(truth == digit) for digit in range(10)],
        )
        for region, lines in cuts
    }

    shares, pictures = {}, {}
    for name, results in restored.items():
        right = restoration.right(results, truth)
        shares[name] = {
            kind: task.measure(f"{name.replace(' ', '_')}/{kind}/right_label",
                               right[kind].mean(axis=1), better="higher")
            for kind in KINDS
        }
        pictures[f"{name}: cut"] = results[0]["cut_images"]
        pictures[f"{name}: held"] = results[0]["clamped_images"]
    task.table("regions", ["removed", *KINDS],
               [[name, *(f"{value:.3f}" for value in share.values())]
                for name, share in shares.items()])
    plots.sample_rows(task, "restored_regions", pictures)
    figure, (axes,) = plots.panels(width=8.5)
    plots.grouped_bars(axes, {title: [share[kind] for share in shares.values()]
                              for kind, title in restoration.KINDS.items()}, list(shares))
    axes.set(xlabel="lines removed", ylabel="share with the right label", ylim=(0, 1.15))
    task.figure("regions", figure)
    task.decide(judge(shares, settings.removed, settings.more, len(truth)))


def judge(shares, removed, more, number):
    """Verdicts from shares of right labels among so many digits, by "top 12" and so on and kind.

    ``removed`` counts lines of every region, ``more`` rows of the top.
    """
    half = shares[f"top {more}"]
    about = 0.1  # how far from one half still counts as about
    alike = {name: shares[f"{name} {removed}"]["free"] for name in ("bottom", "left", "right")}
    middle = shares[f"middle {removed}"]["free"]
    spread = max(alike.values()) - min(alike.values())
    return {
        "4.1.5-a": (
            abs(half["free"] - 0.5) <= about,
            f"With {more} rows removed {half['free']:.1%} of {number:,} digits are restored as "
            f"published (± {decide.share_margin(half['free'], number):.1%}), "
            f"{half['clamped']:.1%} with the known pixels held; {half['cut']:.1%} are recognised "
            "without restoration.",
        ),
        "4.1.5-b": (
            spread <= about and middle < min(alike.values()),
            f"Restored with {removed} lines removed: "
            + ", ".join(f"{name} {share:.1%}" for name, share in alike.items())
            + f", middle {middle:.1%}, top {shares[f'top {removed}']['free']:.1%}. Up to "
            f"{about:.0%} apart counts as alike.",
        ),
    }


if __name__ == "__main__":
    command.main("4.1.5", run, PRESETS, __doc__)
