"""Task 4.1.4: digits whose 12 top rows are removed, restored by the RBM.

The report draws six digits (Figure 17), as ten free-running Gibbs steps restore them. Here a
convnet labels two thousand restored digits, by digit, free-running as published and with the known
pixels held; and the cut digits themselves, without which no share of restored ones says much.

    python scripts/task_4_1_4.py                     about 15 seconds
    python scripts/task_4_1_4.py --preset report     about a minute, with the RBM of task 4.1.2
"""

from dataclasses import dataclass

import numpy as np

from ann_keras import command, experiments, plots
from ann_keras.experiments import settings as shared
from ann_keras.errors import UserError


@dataclass(frozen=True)
class Settings(shared.RBM):
    removed: int = 12  # report: rows at the top
    steps: int = 10  # report: Gibbs steps
    shown: tuple[int, ...] = (10, 11, 12, 13, 14, 15)  # report: test images
    images: int = 2_000  # ours: test digits that are counted
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
    known = restoration.known_pixels("top", settings.removed)
    if not set(settings.shown) <= set(range(len(rows))):
        raise UserError(f"--shown must name images among the first {len(rows)} that --images asks")
    shown = rows[list(settings.shown)]
    raw, free = restoration.restore(machines[0], shown, known, settings.steps, clamped=False)
    clamped = restoration.restore(machines[0], shown, known, settings.steps, clamped=True)[1]
    restoration.draw(task, "fig17_rbm_restoration", {
        f"{settings.removed} rows cut": np.where(known, shown, 0), "reconstructed": raw,
        "merged": free, "known held": clamped,
    })

    predicted = restoration.compare(machines, judge, rows, known, settings.steps)
    by_digit = {}
    for name, guess in predicted.items():
        total, by_digit[name] = restoration.shares(guess, labels)
        task.measure(f"{name}/right_label", total, better="higher")
    task.table(
        "restored", ["digit", *by_digit],
        [[digit, *(f"{by_digit[name][digit]:.3f}" for name in by_digit)] for digit in range(10)],
    )
    draw(task, by_digit)
    nines = predicted["free"][:, labels == 9]
    judge_claim(task, settings, by_digit, np.bincount(nines.ravel(), minlength=10) / nines.size,
                judge.labels(free))


def draw(task, by_digit):
    figure, (axes,) = plots.panels(width=8.5)
    titles = {"cut": "cut, not restored", "free": "free-running", "clamped": "known pixels held"}
    width = 0.8 / len(titles)
    for number, (name, title) in enumerate(titles.items()):
        axes.bar(np.arange(10) + (number - 1) * width, by_digit[name], width, label=title)
    axes.set(xlabel="digit", ylabel="share with the right label", ylim=(0, 1.15))
    axes.set_xticks(range(10))
    axes.legend(ncols=3, loc="upper center")
    task.figure("restored_by_digit", figure)


def judge_claim(task, settings, by_digit, nines, shown):
    free, cut = by_digit["free"], by_digit["cut"]
    parts = {
        "1s are restored best": int(free.argmax()) == 1,
        "a 9 is rather taken for a 4 than for a 9": nines[4] > nines[9],
        "most 5s are right": free[5] > 0.5,
    }
    task.claim(
        "4.1.4-a", bool(all(parts.values())),
        f"Of {settings.images:,} digits, restored free-running: "
        + ", ".join(f"{digit}: {share:.0%} ({cut[digit]:.0%} when cut)"
                    for digit, share in enumerate(free))
        + f" get the right label; {nines[4]:.0%} of 9s are labelled 4. "
        + "; ".join(f"{text}: {'yes' if true else 'no'}" for text, true in parts.items())
        + f". The images of Figure 17 are labelled {', '.join(map(str, shown))}.",
    )


if __name__ == "__main__":
    command.main("4.1.4", run, PRESETS, __doc__)
