"""Task 3.3.2: a grid of vision transformers on MNIST, all 40 rows of Table 3.

The report trains each row once for 20 epochs and ranks the rows by test accuracy (D10), with
scores scaled by the model's dimension (D9). Here all rows have an equal budget of fewer epochs
(``--epochs``); the best published row of each of three dimensions also runs for the published 20,
and over seeds.

    python scripts/task_3_3_2.py                     about 30 seconds
    python scripts/task_3_3_2.py --preset report     about 2 hours
"""

from dataclasses import dataclass, replace

import numpy as np

from ann_keras import command, models, plots
from ann_keras.errors import UserError
from ann_keras.recipes import transformer
from ann_keras.report import decide, published

# Rows of Table 3 by dim/depth/mlp_dim: rank, dim, depth, mlp_dim, accuracy, seconds.
TABLE_3 = {"/".join(map(str, row[1:4])): row for row in published.TABLES[3].rows}
SIZES = {name: row[1:4] for name, row in TABLE_3.items()}
PUBLISHED = {name: row[4] for name, row in TABLE_3.items()}
CROSSED = [row for row in SIZES if np.all(np.less_equal(SIZES[row], (128, 8, 256)))]  # 27 rows
MARGIN = 0.003  # half the 95% interval of a difference of two accuracies over 10,000 images
Recipe = command.flat(transformer.Recipe, "dim", "depth", "mlp_dim")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = transformer.Recipe(epochs=1)  # ours: of every row; report 20
    rows: tuple[str, ...] = tuple(TABLE_3)  # report: of Table 3, dim/depth/mlp_dim
    long_rows: tuple[str, ...] = ("128/8/128", "64/8/128", "32/8/128")  # ours: best of three dims
    long_epochs: int = 20  # report: of the long rows, which also repeat over seeds
    seeds: int = 3  # ours; the report shows one run


QUICK = Settings(transformer.Recipe(epochs=1, source="sample"), seeds=1, long_epochs=3,
                 rows=("32/4/64", "64/4/64"), long_rows=("32/4/64",))
SMOKE = replace(QUICK, recipe=replace(QUICK.recipe, batch_size=250), long_epochs=1,
                rows=("32/4/64", "32/4/128"), long_rows=("32/4/64",))
PRESETS = {"smoke": SMOKE, "quick": QUICK, "report": Settings()}


def run(task, settings):
    for row in settings.rows + settings.long_rows:
        if row not in settings.rows or row not in TABLE_3:
            raise UserError(f"{row} is no row of Table 3, such as 128/8/128, or not among --rows")
    recipe, first = settings.recipe, settings.long_rows[0]
    recipes = {row: transformer.sized(recipe, row) for row in settings.rows}
    long = {
        row: task.run(transformer.train, replace(recipes[row], epochs=settings.long_epochs), seed=0)
        for row in settings.long_rows
    }
    short = {row: task.run(transformer.train, recipes[row], seed=0) for row in settings.rows}
    seeds = {row: task.repeat(transformer.train, recipes[row]) for row in settings.long_rows}
    other = "head" if recipe.attention_scale == "model" else "model"
    scaled = task.repeat(transformer.train, replace(recipes[first], attention_scale=other))
    attended = task.run(transformer.attend, training=long[first])
    timed = task.run(transformer.time_epochs, recipe, rows=settings.rows)

    accuracy = {row: float(result["test_accuracy"][-1]) for row, result in short.items()}
    repeats = {row: group["test_accuracy"][:, -1] for row, group in seeds.items()}
    seconds = dict(zip(settings.rows, timed["seconds"].tolist()))
    order = decide.rank_correlation([PUBLISHED[row] for row in accuracy], [*accuracy.values()])
    write(task, long, accuracy, repeats, seconds, order, recipe.epochs)
    draw_row(task, first, long[first], attended)
    draw_rows(task, accuracy, repeats, seconds, recipe.epochs)
    task.decide(judge_training(long, accuracy, repeats, scaled, order, recipe.epochs))
    task.decide(judge_sizes(accuracy, seconds, recipe.epochs))


def epochs(number):
    return f"{number} epoch{'s' if number > 1 else ''}"


def write(task, long, accuracy, repeats, seconds, order, few):
    """Measurements and the table of all rows."""
    names = {row: "vit_" + row.replace("/", "_") for row in TABLE_3}
    first, losses = next((row, result["loss"]) for row, result in long.items())
    for epoch in (1, 2, 3, 5, 10, 20):
        if epoch <= len(losses):
            task.measure(f"{names[first]}/train_loss/epoch_{epoch}", losses[epoch - 1])
    last = {row: result["test_accuracy"][-1] for row, result in long.items()}
    for row, result in long.items():
        task.measure(f"{names[row]}/test_accuracy", last[row], better="higher")
        task.measure(f"{names[row]}/seconds", len(losses) * result["seconds"], better="lower")
    task.measure("best/test_accuracy", max(last.values()), better="higher")
    rows, ranked = [], sorted(accuracy, key=accuracy.get, reverse=True)
    for row, value in accuracy.items():
        name = f"{few}_epochs/{names[row]}"
        task.measure(f"{name}/test_accuracy", value, better="higher")
        task.measure(f"{name}/seconds_per_epoch", seconds[row], better="lower")
        rank, *sizes, known, known_seconds = TABLE_3[row]
        rows.append([*sizes, rank, known, known_seconds, 1 + ranked.index(row),
                     f"{value:.4f}", f"{seconds[row]:.1f}",
                     f"{last[row]:.4f}" if row in long else ""])
    for row, values in repeats.items():
        task.measure(f"{few}_epochs/seeds/{names[row]}/test_accuracy", values, better="higher")
    for row in ("64/6/128", "128/8/128"):
        count = models.vit.vision_transformer(*SIZES[row]).count_params()
        task.measure(f"{names[row]}/parameters", count)
    task.measure(f"{few}_epochs/rank_correlation", order)
    task.table("table3", [
        "dim", "depth", "mlp_dim", "published rank", "published accuracy (20 epochs)",
        "published seconds", f"rank ({epochs(few)})", f"accuracy ({epochs(few)})",
        "seconds an epoch, training", f"accuracy ({epochs(len(losses))})",
    ], rows)


def draw_row(task, row, result, attended):
    """Losses of one row; its class token's attention to patches of digits, in three blocks."""
    figure, (axes,) = plots.panels(width=8)
    losses, steps = result["step_loss"].ravel(), result["step_loss"].shape[1]
    axes.plot(np.arange(1, 1 + len(losses)), losses, lw=0.4, alpha=0.6, label="mini-batch")
    axes.plot(steps * np.arange(1, 1 + len(result["loss"])), result["loss"], "o-", color="C1",
              label="mean of the epoch")
    axes.set(yscale="log", xlabel="training step", ylabel="cross-entropy (nats)",
             ylim=(max(losses.min(), 1e-5), None), title=f"dim/depth/mlp_dim {row}")
    axes.legend()
    task.figure("fig14_vit_training_loss", figure)

    attention, side = attended["attention"], round(attended["attention"].shape[-1] ** 0.5)
    figure = plots.overlays(attended["digits"], {
        f"block {block + 1}": attention[block].reshape(-1, side, side)
        for block in (0, len(attention) // 2, len(attention) - 1)
    })
    figure.suptitle(f"{row}: attention of the class token, mean over heads", fontsize=11)
    task.figure("attention_maps", figure)


def draw_rows(task, accuracy, repeats, seconds, few):
    figure, (left, right) = plots.panels(2, width=10, height=4)
    dims = sorted({SIZES[row][0] for row in accuracy})
    for dim, color in zip(dims, plots.shades(len(dims)), strict=True):
        rows = [row for row in accuracy if SIZES[row][0] == dim]
        left.plot([*map(PUBLISHED.get, rows)], [*map(accuracy.get, rows)], "o", color=color,
                  label=f"dim {dim}")
        right.plot([SIZES[row][1] for row in rows], [*map(seconds.get, rows)], "o", color=color)
    for number, values in enumerate(repeats.values()):
        left.axhspan(min(values), max(values), color="grey", alpha=0.15, lw=0,
                     label="seeds of one row" if number == 0 else None)
    left.set(xlabel="published test accuracy (20 epochs)", ylabel=f"test accuracy ({epochs(few)})")
    left.legend(fontsize=8)
    right.set(xlabel="depth (colour: dim)", ylabel="seconds an epoch, training", yscale="log")
    right.set_xticks(sorted({SIZES[row][1] for row in accuracy}))
    plots.log_ticks(right.yaxis)
    task.figure("table3", figure)


def judge_training(long, accuracy, repeats, scaled, order, few):
    """Verdicts on accuracies and losses.

    By row: ``long`` is what ``transformer.train`` gave in many epochs, ``accuracy`` and
    ``repeats`` are after few, a number or (seeds,). ``scaled`` is of the first long row with the
    other scale; ``order`` is the rank correlation of ``accuracy`` with the published ones.
    """
    row, result = next(iter(long.items()))
    losses, steps = result["loss"], result["step_loss"]
    many, whole = epochs(len(losses)), len(losses) == 20
    last = {row: result["test_accuracy"][-1] for row, result in long.items()}
    between = np.ptp([*last.values()])
    wobble = max(np.ptp(result["test_accuracy"][-5:]) for result in long.values())
    spread = [f"{group.mean():.4f} ± {group.std(ddof=len(group) > 1):.4f}"
              for group in (repeats[row], scaled["test_accuracy"][:, -1])]
    variation = np.median(steps.std(axis=1) / steps.mean(axis=1))
    return {
        "3.3.2-a": (
            bool(abs(last[row] - PUBLISHED[row]) <= MARGIN)
            if row == "128/8/128" and whole else "undecided",
            f"After {many}, test accuracy (published): "
            + ", ".join(f"{row} {value:.4f} ({PUBLISHED[row]})" for row, value in last.items())
            + f"; {MARGIN} is the 95% margin of a difference over 10,000 images. Whether it is the "
            f"best of 40 is D10. After {epochs(few)} {row} scores {spread[0]} as published and "
            f"{spread[1]} with the other scale of scores (seeds: {len(repeats[row])}).",
            "D9",
        ),
        "3.3.2-b": (
            bool(between < 0.02) if whole and long.keys() == TABLE_3.keys() else "undecided",
            f"After {many} the {len(long)} rows that ran so long lie within {between:.4f}, while "
            f"one row changes by up to {wobble:.4f} over its last five epochs; the 40 published "
            f"ones lie within {np.ptp([*PUBLISHED.values()]):.4f}, so their order means little. "
            f"After {epochs(few)} the {len(accuracy)} rows lie within "
            f"{np.ptp([*accuracy.values()]):.4f}, seeds of one row within "
            f"{max(map(np.ptp, repeats.values())):.4f}, and the rank correlation with the "
            f"published accuracies is {order:.2f}. All 40 rows for 20 epochs would decide.",
            "D10",
        ),
        "3.3.2-e": (
            bool(variation > 0.3 and losses[-1] < 0.5 * losses[0]),
            "Within an epoch the losses of mini-batches have a standard deviation of "
            f"{variation:.0%} of their mean (median over epochs), while the mean falls from "
            f"{losses[0]:.4f} to {losses[-1]:.4f}.",
        ),
    }


def judge_sizes(accuracy, seconds, few):
    """Verdicts on what sizes do, from dicts of row → test accuracy and seconds an epoch."""
    whole = accuracy.keys() == TABLE_3.keys()  # parts of the table decide nothing about it
    ratios, times = steps_of_dim(seconds, np.divide, ".2f")
    verdict, text = "undecided", f"{len(accuracy)} of the 40 rows decide nothing about it"
    if whole:
        (first, theirs), (second, ours) = effect_of_dim(PUBLISHED), effect_of_dim(accuracy)
        verdict = first if first == second else "undecided"
        text = f"published: {theirs}. After {epochs(few)}: {ours}"
    return {
        "3.3.2-c": (
            bool(ratios and min(ratios) > 1) if whole else "undecided",
            "Time of an epoch in rows of equal depth and mlp_dim, median ratio: "
            f"{times or 'no such rows'}. Rows were timed one after another on one machine, the "
            "fastest of three rounds each.",
            "D10",
        ),
        "3.3.2-d": (verdict, f"{text}.", "D10"),
    }


def effect_of_dim(accuracy):
    """Whether dim explains most of all rows' accuracies and more of it is better; and in words."""
    values, sizes = np.array([accuracy[row] for row in CROSSED]), [SIZES[row] for row in CROSSED]
    shares = {  # of the variance that the means of the levels explain
        name: np.var([values[column == level].mean() for level in column]) / values.var()
        for name, column in zip(("dim", "depth", "mlp_dim"), np.transpose(sizes))
    }
    gains, text = steps_of_dim(accuracy, np.subtract, "+.4f")
    return max(shares, key=shares.get) == "dim" and min(gains) > 0, (
        ", ".join(f"{name} explains {share:.0%}" for name, share in shares.items())
        + f" of the variance in the crossed rows; in rows of equal depth and mlp_dim {text}"
    )


def steps_of_dim(values, compare, form):
    """Median changes of a value to the next dim in rows of equal depth and mlp_dim; in words."""
    sizes = {SIZES[row]: value for row, value in values.items()}
    dims, found = sorted({dim for dim, _, _ in sizes}), {}
    for low, high in zip(dims, dims[1:]):
        changes = [compare(sizes[high, *rest], value) for (dim, *rest), value in sizes.items()
                   if dim == low and (high, *rest) in sizes]
        if changes:
            found[f"from dim {low} to {high}"] = np.median(changes)
    return [*found.values()], ", ".join(f"{step:{form}} {name}" for name, step in found.items())


if __name__ == "__main__":
    command.main("3.3.2", run, PRESETS, __doc__)
