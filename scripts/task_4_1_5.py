"""Task 4.1.5: more rows removed, and other regions.

The report finds about half the digits restored with 16 top rows removed, bottom, left and right
alike, and the middle harder. Here two thousand test digits are cut in each way, restored by the
RBM free-running as published and with the known pixels held, and labelled by a convnet.

    python scripts/task_4_1_5.py                     about 20 seconds
    python scripts/task_4_1_5.py --preset report     about a minute, with the RBM of task 4.1.2
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ann_keras import command, data, plots
from ann_keras.evaluation import restoration
from ann_keras.recipes import convnet, rbm

REGIONS = "top", "bottom", "left", "right", "middle"
KINDS = "cut", "free", "free_raw", "clamped"


@dataclass(frozen=True)
class Settings:
    recipe: command.flat(rbm.Recipe) = rbm.Recipe()  # report
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    more: int = 16  # report: rows removed at the top
    removed: int = 12  # report, of task 4.1.4: lines removed of each region
    steps: int = 10  # report: Gibbs steps
    digits: int = 2_000  # ours: test digits
    seeds: int = 5  # ours: of the RBM; the report shows one


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
        shares[name] = {kind: right[kind].mean(axis=1) for kind in KINDS}  # (seeds,)
        for kind, values in shares[name].items():
            task.measure(f"{name.replace(' ', '_')}/{kind}/right_label", values, better="higher")
        pictures[f"{name}: cut"] = results[0]["cut_images"]
        pictures[f"{name}: held"] = results[0]["clamped_images"]
    task.table("regions", ["removed", *KINDS],
               [[name, *(f"{values.mean():.3f}" for values in share.values())]
                for name, share in shares.items()])
    plots.sample_rows(task, "restored_regions", pictures)
    plots.grouped_bars(task, "regions", {
        title: [share[kind].mean() for share in shares.values()]
        for kind, title in restoration.KINDS.items()
    }, list(shares), xlabel="lines removed", ylabel="share with the right label")
    free = [shares[f"{region} {settings.removed}"]["free"] for region in REGIONS]
    task.decide(judge(dict(zip(REGIONS, free)), shares[f"top {settings.more}"]["free"]))


def judge(free, more):
    """What the claims are judged by: shares of restored digits with the right label, (seeds,), by
    region, and with more rows removed at the top."""
    sides = "bottom", "left", "right"
    return {
        "4.1.5-a": {"half": more},
        "4.1.5-b": {"alike": {f"{one} minus {other}": (free[one], free[other])
                              for one, other in combinations(sides, 2)},
                    "middle": {side: (free[side], free["middle"]) for side in sides}},
    }


if __name__ == "__main__":
    command.main("4.1.5", run, PRESETS, __doc__)
