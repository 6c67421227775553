"""Task 3.3.2: a grid of vision transformers on MNIST, all 40 rows of Table 3.

The report trains each row once for 20 epochs on one of two machines and ranks the rows by test
accuracy (D10; four were run twice, D16), with scores scaled by the model's dimension (D9). Here the
best published row of each of three dimensions trains as long, and all rows for fewer epochs
(``--short-epochs``), some over seeds.

    python scripts/task_3_3_2.py                     about 30 seconds
    python scripts/task_3_3_2.py --preset report     about 2 hours
"""

import itertools
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
# D16: what the rows that were run twice scored in the run that the table does not show.
OTHER_RUN = {"128/6/128": 0.9867, "64/4/64": 0.9778, "64/6/256": 0.9841, "32/6/256": 0.9799}
SECOND_MACHINE = [  # D10
    row for row, (dim, depth, mlp_dim) in SIZES.items()
    if dim == 256 or depth == 10 or mlp_dim == 512 or row in OTHER_RUN
]
LEVELS = {"dim": (32, 64, 128), "depth": (4, 6, 8), "mlp_dim": (64, 128, 256)}
CROSSED = ["/".join(map(str, sizes)) for sizes in itertools.product(*LEVELS.values())]  # 27 rows
BEST = "128/8/128"
Recipe = command.flat(transformer.Recipe, "dim", "depth", "mlp_dim")


@dataclass(frozen=True)
class Settings:
    recipe: Recipe = transformer.Recipe()
    rows: tuple[str, ...] = tuple(TABLE_3)  # report: of Table 3, dim/depth/mlp_dim
    long_rows: tuple[str, ...] = (BEST, "64/8/128", "32/8/128")  # ours: that train to the end
    long_seeds: int = 1  # ours: of these trainings
    short_epochs: int = 1  # ours: of a short training of every row
    seeds: int = 3  # ours: of short trainings of the long rows; the report shows one run


QUICK = Settings(transformer.Recipe(epochs=3, source="sample"), seeds=1,
                 rows=("32/4/64", "64/4/64"), long_rows=("32/4/64",))
SMOKE = replace(QUICK, recipe=replace(QUICK.recipe, batch_size=250, epochs=1),
                rows=("32/4/64", "32/4/128"))
PRESETS = {"smoke": SMOKE, "quick": QUICK, "report": Settings()}


def run(task, settings):
    for row in settings.rows + settings.long_rows:
        if row not in settings.rows or row not in TABLE_3:
            raise UserError(f"{row} is no row of Table 3, such as 128/8/128, or not among --rows")
    recipe, rows, first = settings.recipe, settings.long_rows, settings.long_rows[0]
    few, train = settings.short_epochs, transformer.train
    long = {row: task.repeat(train, transformer.sized(recipe, row), seeds=settings.long_seeds)
            for row in rows}
    recipes = {row: transformer.sized(replace(recipe, epochs=few), row) for row in settings.rows}
    short = {row: task.repeat(train, sized, seeds=None if row in rows else 1)
             for row, sized in recipes.items()}
    other = "head" if recipe.attention_scale == "model" else "model"
    scaled = task.repeat(train, replace(recipes[first], attention_scale=other))
    attended = task.run(transformer.attend, training=long[first][0])
    timed = task.run(transformer.time_epochs, replace(recipe, epochs=few), rows=settings.rows)

    last, early = ({row: group["test_accuracy"][:, -1] for row, group in groups.items()}
                   for groups in (long, short))
    seconds = dict(zip(settings.rows, timed["seconds"].tolist()))
    measure(task, long, last, early, seconds, few)
    task.measure(f"{few}_epochs/seeds/{name_of(first)}_scaled_by_{other}/test_accuracy",
                 scaled["test_accuracy"][:, -1], better="higher", deviation="D9")
    write(task, last, early, seconds, epochs(few), epochs(recipe.epochs))
    draw_row(task, first, long[first][0], attended)
    draw_rows(task, early, seconds, few)
    task.decide(judge(long, last, seconds))


def epochs(number):
    return f"{number} epoch{'s' if number > 1 else ''}"


def name_of(row):
    return "vit_" + row.replace("/", "_")


def measure(task, long, last, early, seconds, few):
    """Losses, accuracies, times and sizes of rows."""
    first = next(iter(long))
    losses = long[first]["loss"]
    for epoch in (1, 2, 3, 5, 10, 20):
        if epoch <= losses.shape[1]:
            task.measure(f"{name_of(first)}/train_loss/epoch_{epoch}", losses[:, epoch - 1])
    for row, group in long.items():
        task.measure(f"{name_of(row)}/test_accuracy", last[row], better="higher")
        task.measure(f"{name_of(row)}/seconds", losses.shape[1] * group["seconds"], better="lower")
    task.measure("best/test_accuracy", max(last.values(), key=np.mean), better="higher")
    for row, values in early.items():
        name = f"{few}_epochs/{name_of(row)}"
        task.measure(f"{name}/test_accuracy", values[0], better="higher")
        task.measure(f"{name}/seconds_per_epoch", seconds[row], better="lower")
        if row in long:
            task.measure(f"{few}_epochs/seeds/{name_of(row)}/test_accuracy", values,
                         better="higher")
    for row in ("64/6/128", BEST):
        count = models.vit.vision_transformer(*SIZES[row]).count_params()
        task.measure(f"{name_of(row)}/parameters", count)
    task.measure(f"{few}_epochs/rank_correlation", decide.rank_correlation(
        [PUBLISHED[row] for row in early], [values[0] for values in early.values()]
    ))
    again = np.array([PUBLISHED[row] - OTHER_RUN[row] for row in OTHER_RUN])
    task.measure("published_twice/sd", np.sqrt(np.mean(again**2) / 2), deviation="D16")


def write(task, last, early, seconds, few, many):
    """Tables of all rows, of those that were run twice and of what sizes do."""
    rows, ranked = [], sorted(early, key=lambda row: early[row][0], reverse=True)
    for row, values in early.items():
        rank, *sizes, known, known_seconds = TABLE_3[row]
        rows.append([*sizes, rank, known, known_seconds, 1 + (row in SECOND_MACHINE),
                     1 + ranked.index(row), f"{values[0]:.4f}", f"{seconds[row]:.1f}",
                     f"{last[row].mean():.4f}" if row in last else ""])
    task.table("table3", [
        "dim", "depth", "mlp_dim", "published rank", "published accuracy (20 epochs)",
        "published seconds", "published machine", f"rank ({few})", f"accuracy ({few})",
        "seconds an epoch, training", f"accuracy ({many})",
    ], rows)
    task.table("run_twice", ["dim/depth/mlp_dim", "accuracy in Table 3", "in the other run"],
               [[row, PUBLISHED[row], value] for row, value in OTHER_RUN.items()])
    known = {"published": PUBLISHED, few: {row: values[0] for row, values in early.items()},
             many: {row: values.mean() for row, values in last.items()}}
    grids = {title: grid(values) for title, values in known.items()
             if values.keys() >= set(CROSSED)}
    task.table("effects", ["size", "from", "to", *(f"gain, {title}" for title in grids)], [
        [size, *levels[step : step + 2],
         *(f"{np.diff(values, axis=axis).take(step, axis).mean():+.4f}"
           for values in grids.values())]
        for axis, (size, levels) in enumerate(LEVELS.items()) for step in range(2)
    ])


def draw_row(task, row, result, attended):
    """Losses of one row; its class token's attention to patches of digits, in three blocks."""
    losses, steps = result["step_loss"].ravel(), result["step_loss"].shape[1]
    with plots.figure(task, "fig14_vit_training_loss", width=8) as axes:
        axes.plot(np.arange(1, 1 + len(losses)), losses, lw=0.4, alpha=0.6, label="mini-batch")
        axes.plot(steps * np.arange(1, 1 + len(result["loss"])), result["loss"], "o-",
                  label="mean of the epoch")
        axes.set(yscale="log", xlabel="training step", ylabel="cross-entropy (nats)",
                 ylim=(max(losses.min(), 1e-5), None), title=f"dim/depth/mlp_dim {row}")
    digits, attention = attended["digits"], attended["attention"]
    side = round(attention.shape[-1] ** 0.5)
    blocks = [0, len(attention) // 2, len(attention) - 1]
    cell = np.ones([digits.shape[-1] // side] * 2)
    heat = np.kron(attention[blocks].reshape(3, -1, side, side), cell).reshape(3, len(digits), -1)
    rows = ["image", *(f"block {block + 1}" for block in blocks)]
    images = np.repeat(digits.reshape(1, len(digits), -1), len(rows), axis=0)
    with plots.figure(task, "attention_maps", width=len(digits) + 1, height=len(rows)) as axes:
        plots.mosaic(axes, images, rows, cmap="gray_r", vmin=None, vmax=None)
        above = np.full_like(heat[:1], np.nan)  # nothing, over the images themselves
        shades = plots.mosaic(axes, np.concatenate([above, heat]), rows, cmap="viridis",
                              vmax=heat.max(), alpha=0.65)
        axes.figure.colorbar(shades, ax=axes, shrink=0.8)
        axes.set_title(f"{row}: attention of the class token, mean over heads", fontsize=11)


def draw_rows(task, early, seconds, few):
    dims = sorted({SIZES[row][0] for row in early})
    with plots.figure(task, "table3", 2, width=10, height=4) as (left, right):
        for dim, color in zip(dims, plots.shades(len(dims)), strict=True):
            rows = [row for row in early if SIZES[row][0] == dim]
            left.plot([*map(PUBLISHED.get, rows)], [early[row][0] for row in rows], "o",
                      color=color, label=f"dim {dim}")
            right.plot([SIZES[row][1] for row in rows], [*map(seconds.get, rows)], "o", color=color)
        repeated = [values for values in early.values() if len(values) > 1]
        for number, values in enumerate(repeated):
            left.axhspan(min(values), max(values), color="grey", alpha=0.15, lw=0,
                         label="" if number else "seeds of one row")
        left.set(xlabel="published test accuracy (20 epochs)",
                 ylabel=f"test accuracy ({epochs(few)})")
        right.set(xlabel="depth (colour: dim)", ylabel="seconds an epoch, training", yscale="log",
                  xticks=sorted({SIZES[row][1] for row in early}))
        plots.log_ticks(right.yaxis)


def judge(long, last, seconds):
    """What the claims are judged by, of rows: runs that trained to the end, their final test
    accuracies (seeds,), and seconds of an epoch here."""
    found = {f"3.3.2-{letter}": {} for letter in "abcde"}
    if BEST in last:
        found["3.3.2-a"]["accuracy"] = last[BEST]
    if last.keys() == TABLE_3.keys():  # parts of the table decide nothing about it
        found["3.3.2-a"]["best"] = {row: (last[BEST], values) for row, values in last.items()
                                    if row != BEST}
        means = np.array([values.mean() for values in last.values()])
        found["3.3.2-b"]["distance"] = np.abs(means - means.mean())
        found["3.3.2-d"] = effects_of_sizes(grid(last))
    found["3.3.2-c"]["published"] = {
        f"{machine} machine": widest_ratios({row: entry[5] for row, entry in TABLE_3.items()
                                             if (row in SECOND_MACHINE) == second})
        for second, machine in enumerate(("first", "second"))
    }
    if ratios := widest_ratios(seconds):
        found["3.3.2-c"]["here"] = ratios
    steps = [group["step_loss"] for group in long.values()]
    found["3.3.2-e"] = {
        "varies": np.concatenate([(s.std(axis=2) / s.mean(axis=2)).mean(axis=1) for s in steps]),
        "learns": np.concatenate([group["loss"][:, 0] / group["loss"][:, -1]
                                  for group in long.values()]),
    }
    return found


def grid(values):
    """Values of the crossed rows, numbers or arrays (seeds,): (dims, depths, mlp_dims, seeds)."""
    return np.reshape([values[row] for row in CROSSED], (*map(len, LEVELS.values()), -1))


def effects_of_sizes(accuracy):
    """Clauses on what sizes do to accuracies (dims, depths, mlp_dims, seeds).

    No two values of a comparison have a row in common, so that each is drawn anew.
    """
    dim, depth, mlp_dim = (accuracy.take(-1, axis) - accuracy.take(0, axis) for axis in range(3))
    # Of equal mlp_dim and of equal depth; what falls with a size matters as much as what rises.
    depth, mlp_dim = (gain.mean(axis=0) * np.sign(gain.mean()) for gain in (depth, mlp_dim))
    return {"bigger": {"64 minus 32": (accuracy[1] - accuracy[0]).ravel(),
                       "128 minus 64": (accuracy[2] - accuracy[1]).ravel()},
            "biggest": {"depth": (dim.mean(axis=0) - depth).ravel(),
                        "mlp_dim": (dim.mean(axis=1) - mlp_dim).ravel()}}


def widest_ratios(seconds):
    """Times at the largest over the smallest dim, a list with one for each depth and mlp_dim."""
    groups = {}
    for row, value in seconds.items():
        dim, *rest = SIZES[row]
        groups.setdefault(tuple(rest), {})[dim] = value
    return [group[max(group)] / group[min(group)] for group in groups.values() if len(group) > 1]


if __name__ == "__main__":
    command.main("3.3.2", run, PRESETS, __doc__)
