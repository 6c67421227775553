"""The report's tables of layers, read off a Keras model."""

import sys
from itertools import zip_longest

from ann_keras.report import published


def insist(task, claim, number, name, model, **options):
    """Judge, record and print whether a model's layers, by ``layer_rows``, are a published table's.

    The task receives "table<number>", "<name>/parameters" and the claim.

    Raises:
        SystemExit: rows differ; the task is saved before, and the status is 1.
    """
    rows, table = layer_rows(model, **options), published.TABLES[number]
    differing = differences(rows, table.rows)
    print(text(table.columns, rows))
    task.table(f"table{number}", table.columns, rows)
    task.measure(f"{name}/parameters", model.count_params())
    task.decide({claim: {"rows": not differing}})
    if differing:
        task.save()
        sys.exit(f"error: Table {number} is not reproduced: {differing}")


def layer_rows(model, *, activations=False):
    """Rows of a table of layers of a built Keras model in the report's form, the total last.

    They are (layer, shape, parameters), the input first, as in Table 1, or, with activations,
    (layer, shape, activation, parameters) without the input, as in Table 2.
    """
    rows = []
    for layer in model.layers:
        kind, parameters = type(layer).__name__, layer.count_params()
        if not activations:
            kind = "(Input)" if kind == "InputLayer" else kind
            rows.append((kind, str(tuple(layer.output.shape[1:])), parameters))
        elif kind != "InputLayer":
            name = layer.activation.__name__
            name = "(None)" if name == "linear" else name
            rows.append((kind, f"({layer.units})", name, parameters))
    return [*rows, ("Total", *[""] * (1 + activations), model.count_params())]


def differences(rows, published_rows):
    """Pairs (ours, published) of rows that are not equal, missing rows as None."""
    pairs = zip_longest(map(tuple, rows), map(tuple, published_rows))
    return [pair for pair in pairs if pair[0] != pair[1]]


def text(columns, rows):
    """A table as aligned plain text."""
    cells = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
