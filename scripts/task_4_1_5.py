"""Task 4.1.5: more rows removed, and other regions.

The report finds about half the digits restored with 16 top rows removed, bottom, left and right
alike, and the middle harder. Here two thousand test digits are cut in each way, restored by the
RBM free-running as published and with the known pixels held, and labelled by a convnet.

    python scripts/task_4_1_5.py                     about 20 seconds
    python scripts/task_4_1_5.py --preset report     about a minute, with the RBM of task 4.1.2
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared

REGIONS = "top", "bottom", "left", "right", "middle"


@dataclass(frozen=True)
class Settings(shared.RBM):
    more: int = 16  # report: rows removed at the top
    removed: int = 12  # report, of task 4.1.4: lines removed of each region
    steps: int = 10  # report: Gibbs steps
    images: int = 2_000  # ours: test digits
    epochs: int = 10  # ours: of the labelling convnet
    seeds: int = 3  # ours: of the RBM; the report shows one


PRESETS = {
    "smoke": Settings(**shared.RBM_SMOKE, images=100, epochs=1, seeds=1),
    "quick": Settings(**shared.RBM_QUICK, images=1_000, epochs=8, seeds=1),
    "report": Settings(),
}


def run(task, settings):
    restoration = experiments.restoration
    machines, judge, rows, labels = restoration.prepare(task, settings)
    cuts = {f"{region} {settings.removed}": (region, settings.removed) for region in REGIONS}
    cuts[f"top {settings.more}"] = "top", settings.more
    first = [np.argmax(labels == digit) for digit in range(10)]
    shares, pictures = {}, {}
    for name, cut in cuts.items():
        known = restoration.known_pixels(*cut)
        predicted = restoration.compare(machines, judge, rows, known, settings.steps)
        found = {kind: restoration.shares(guess, labels)[0] for kind, guess in predicted.items()}
        for kind, share in found.items():
            if kind != "whole":
                task.measure(f"{name.replace(' ', '_')}/{kind}/right_label", share, better="higher")
        shares[name] = {kind: float(np.mean(share)) for kind, share in found.items()}
        pictures[f"{name}: cut"] = np.where(known, rows[first], 0)
        pictures[f"{name}: held"] = restoration.restore(
            machines[0], rows[first], known, settings.steps, clamped=True
        )[1]
    kinds = "cut", "free", "free_raw", "clamped"
    task.table("regions", ["removed", *kinds],
               [[name, *(f"{share[kind]:.3f}" for kind in kinds)]
                for name, share in shares.items()])
    restoration.draw(task, "restored_regions", pictures)
    draw(task, shares)
    judge_claims(task, settings, shares)


def draw(task, shares):
    figure, (axes,) = plots.panels(width=8.5)
    titles = {"cut": "cut, not restored", "free": "free-running", "clamped": "known pixels held"}
    width = 0.8 / len(titles)
    for number, (kind, title) in enumerate(titles.items()):
        axes.bar(np.arange(len(shares)) + (number - 1) * width,
                 [share[kind] for share in shares.values()], width, label=title)
    axes.set(xlabel="lines removed", ylabel="share with the right label", ylim=(0, 1.15))
    axes.set_xticks(range(len(shares)), list(shares))
    axes.legend(ncols=3, loc="upper center")
    task.figure("regions", figure)


def judge_claims(task, settings, shares):
    margin = experiments.restoration.margin
    half = shares[f"top {settings.more}"]
    about = 0.1  # how far from one half still counts as about
    task.claim(
        "4.1.5-a", bool(abs(half["free"] - 0.5) <= about),
        f"With {settings.more} rows removed {half['free']:.1%} of {settings.images:,} digits are "
        f"restored as published (± {margin(half['free'], settings.images):.1%}), "
        f"{half['clamped']:.1%} with the known pixels held; {half['cut']:.1%} are recognised "
        "without restoration.",
    )
    alike = {name: shares[f"{name} {settings.removed}"]["free"]
             for name in ("bottom", "left", "right")}
    middle = shares[f"middle {settings.removed}"]["free"]
    spread = max(alike.values()) - min(alike.values())
    task.claim(
        "4.1.5-b", bool(spread <= about and middle < min(alike.values())),
        f"Restored with {settings.removed} lines removed: "
        + ", ".join(f"{name} {share:.1%}" for name, share in alike.items())
        + f", middle {middle:.1%}, top {shares[f'top {settings.removed}']['free']:.1%}. Up to "
        f"{about:.0%} apart counts as alike.",
    )


if __name__ == "__main__":
    command.main("4.1.5", run, PRESETS, __doc__)
