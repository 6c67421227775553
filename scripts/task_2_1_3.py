"""Task 2.1.3: restoring noisy MNIST digits with a Hopfield network that stores ten of them.

The report says that 100 iterations restore the digits up to noise 5, that 7 often becomes 3, and
that noise 5 takes at least 40 iterations and noise 1 only 4. It looks at one picture a noise
level: a noisy copy of each digit. Here each level has 200, under its rule (LSSM) and two others.
A copy is restored when every pixel has the digit's sign, and clean when no pixel is off by more
than a tenth of the grey range; both are counted by pictures, as in the report, and by copies.

    python scripts/task_2_1_3.py                     about 10 seconds
    python scripts/task_2_1_3.py --preset report     about 20 seconds
"""

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ann_keras import command, plots
from ann_keras.recipes import hopfield

RULES = {"lssm": "LSSM", "hebb": "Hebb", "projection": "projection"}
CLEAN = 0.2  # a tenth of the range from -1 to 1
NEARLY_ALL = 0.99  # of copies
MOST = 0.5  # of pictures


@dataclass(frozen=True)
class Settings:
    noise_levels: tuple[float, ...] = tuple(float(level) for level in range(11))  # ours: sd
    iterations: int = 100  # report: synchronous steps
    shown: tuple[int, ...] = (4, 40, 100)  # report: iterations it looks at
    few_noise: float = 1.0  # report: the noise it needs 4 iterations for
    much_noise: float = 5.0  # report: the noise it needs 40 iterations for
    draws: int = 200  # ours: noisy copies of a digit; the report shows one
    source: Literal["full", "sample"] = "full"  # report: of MNIST
    seeds: int = 1  # ours: of the noise


PRESETS = {
    "smoke": Settings(noise_levels=(0.0, 1.0, 3.0, 4.0, 5.0, 10.0), draws=10, source="sample"),
    "quick": Settings(draws=100, source="sample"),
    "report": Settings(),
}


def run(task, settings):
    levels = sorted({*settings.noise_levels, settings.few_noise, settings.much_noise})
    runs = {(rule, noise): task.repeat(
        hopfield.recall, rule=rule, noise=noise, draws=settings.draws, source=settings.source,
        clean=CLEAN, iterations=settings.iterations, shown=settings.shown,
    ) for rule in RULES for noise in levels}
    measure(task, settings, runs, levels)
    pooled = {key: hopfield.pool(results) for key, results in runs.items()}
    lssm = {noise: pooled["lssm", noise] for noise in levels}
    task.table("recall", ["rule", "noise", *hopfield.DIGITS, "all"], [
        [RULES[rule], f"{noise:g}", *(f"{share:.3f}" for share in (*shares, shares.mean()))]
        for (rule, noise), result in pooled.items() for shares in [result["restored"][-1]]
    ])
    task.table("criteria", ["noise", "copies restored", "pictures with all ten restored"], [
        [f"{noise:g}", f"{result['restored'][-1].mean():.3f}", f"{result['all_ten']:.3f}"]
        for noise, result in lssm.items()
    ])
    draw(task, pooled, levels)
    draw_examples(task, settings, lssm)
    task.decide(judge(settings, lssm))


def restored_up_to(shares, enough):
    """The highest noise up to which shares are enough, or 0; of dict of noise, rising, → share."""
    return max(itertools.takewhile(lambda noise: shares[noise] >= enough, shares), default=0.0)


def steps_to_share(curve, share):
    """Steps until a rising curve first is at a share of its last value; all, if that is 0."""
    return int(np.argmax(curve >= share * curve[-1])) + 1 if curve[-1] else len(curve)


def iterations_of_pictures(clean, draws):
    """Iterations until a picture, a copy of each digit, is as clean as it gets, array (draws,).

    Of so many copies of each digit ``clean`` is the share that are clean, (iterations, 10). They
    are independent of each other, so any of one digit can stand beside any of another.
    """
    counts = np.maximum.accumulate(np.rint(draws * clean).astype(int))
    columns = []
    for column in counts.T:
        needed = np.repeat(np.arange(len(column)) + 1, np.diff(column, prepend=0))
        never = np.ones(draws - len(needed), int)  # a copy that stays noisy delays no picture
        columns.append(np.concatenate([needed, never]))
    return np.random.default_rng(0).permuted(columns, axis=1).max(0)


def measure(task, settings, runs, levels):
    restored = {key: results["restored"][:, -1].mean(1) for key, results in runs.items()}
    for (rule, noise), values in restored.items():
        path = "" if rule == "lssm" else f"{rule}/"
        task.measure(f"{path}noise_{noise:g}/restored", values, better="higher")
    lssm = {noise: runs["lssm", noise] for noise in levels}
    for name, enough, shares in (
        ("noise_restored", MOST, [results["all_ten"] for results in lssm.values()]),
        ("noise_restored/of_copies", NEARLY_ALL, [restored["lssm", noise] for noise in levels]),
    ):
        highest = [restored_up_to(dict(zip(levels, values)), enough) for values in zip(*shares)]
        task.measure(f"iterations_{settings.iterations}/{name}", highest, better="higher")
    for noise in (settings.few_noise, settings.much_noise):
        results = lssm[noise]
        task.measure(f"noise_{noise:g}/all_ten_restored", results["all_ten"], better="higher")
        pictures = [np.median(iterations_of_pictures(clean, settings.draws))
                    for clean in results["clean"]]
        task.measure(f"noise_{noise:g}/iterations_needed", pictures, better="lower")
        for name, reached in (("of_copies", "clean"), ("of_signs", "restored")):
            needed = [steps_to_share(curve, NEARLY_ALL) for curve in results[reached].mean(-1)]
            task.measure(f"noise_{noise:g}/iterations_needed/{name}", needed, better="lower")


def draw(task, runs, levels):
    with plots.figure(task, "recall", 3, width=12, sharey=True) as axes:
        for panel, (rule, title) in zip(axes, RULES.items()):
            rates = np.array([runs[rule, noise]["restored"].mean(1) for noise in levels])
            borders = np.arange(rates.shape[1] + 1) + 0.5, np.arange(len(levels) + 1) - 0.5
            image = panel.pcolormesh(*borders, rates, vmin=0, vmax=1)
            none = "" if rates.any() else ": no digit is a fixed point"
            panel.set(title=title + none, xlabel="iteration", xscale="log")
            panel.set_yticks(range(len(levels)), [f"{level:g}" for level in levels])
            panel.xaxis.set_major_formatter("{x:g}")
            panel.grid(False)
        axes[0].set_ylabel("noise (standard deviation)")
        panel.figure.colorbar(image, ax=axes, label="share of copies restored")

    labels = {"clean": "share of copies clean", "traces": "mean distance of a pixel"}
    with plots.figure(task, "traces", 2) as axes:
        for panel, (name, label) in zip(axes, labels.items()):
            plots.curves(panel, {f"{noise:g}": runs["lssm", noise][name].mean(1)
                                 for noise in levels}, shaded=True)
            panel.set(xscale="log", xlabel="iteration", ylabel=f"{label} (LSSM)")
            panel.xaxis.set_major_formatter("{x:g}")
        axes[1].legend(title="noise", ncols=2)

    with plots.figure(task, "confusion", 3, width=10.5, height=4.4, sharey=True) as axes:
        for panel, (rule, title) in zip(axes, RULES.items()):
            counts = runs[rule, levels[-1]]["ended"]
            plots.percentages(panel, counts / counts.sum(1, keepdims=True))
            panel.set(title=f"{title}, noise {levels[-1]:g}: % of copies", xlabel="ended at",
                      yticks=hopfield.DIGITS)
            panel.set_xticks(range(len(hopfield.DIGITS) + 1), [*hopfield.DIGITS, "none"])
        axes[0].set_ylabel("digit")


def draw_examples(task, settings, lssm):
    """Noisy digits and what becomes of them, for three noise levels one under the other."""
    levels = dict.fromkeys([settings.few_noise, settings.much_noise, max(lssm)])
    images = np.concatenate([lssm[noise]["examples"] for noise in levels])
    names = [name for noise in levels
             for name in (f"noise {noise:g}", *(f"after {count}" for count in settings.shown))]
    much = lssm[settings.much_noise]["all_ten"]
    with plots.figure(task, "restored_digits", height=7) as axes:
        plots.mosaic(axes, (images + 1) / 2, names)
        axes.set_xlabel(f"one draw (LSSM); at noise {settings.much_noise:g} all ten return in "
                        f"{much:.0%} of draws")


def judge(settings, lssm):
    """What the claims are judged by, from what ``recall`` gave by LSSM, pooled, by noise."""
    few, much, fewest = settings.few_noise, settings.much_noise, settings.shown[0]
    draws = settings.draws * settings.seeds
    above = [noise for noise in lssm if noise > much] or [max(lssm)]
    whole = {noise: first_of(draws * result["all_ten"], draws) for noise, result in lssm.items()}
    needed = {noise: iterations_of_pictures(lssm[noise]["clean"], draws) for noise in (few, much)}
    ended = np.sum([lssm[noise]["ended"] for noise in above], axis=0)
    back, copies = np.diag(ended), ended[7].sum()
    changed = ended[7, :10].sum() - back[7]
    return {
        "2.1.3-a": {
            "restored": {f"noise {noise:g}": whole[noise] for noise in lssm if noise <= much},
            "above": {f"noise {noise:g}": ~whole[noise] for noise in above},
        },
        "2.1.3-b": {
            "less robust": (first_of(back.sum() - back[7], 9 * copies), first_of(back[7], copies)),
            "three": first_of(ended[7, 3], changed) if changed else {},
        },
        "2.1.3-c": {"noise 1": needed[few], "noise 5": needed[much]},
        "2.1.3-d": {"traces": needed[much] > fewest},
    }


def first_of(true, number):
    """So many truth values, of which so many, rounded, are true."""
    return np.arange(number) < np.rint(true)


if __name__ == "__main__":
    command.main("2.1.3", run, PRESETS, __doc__)
