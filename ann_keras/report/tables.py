"""The report's tables of layers, read off a Keras model."""


def layer_rows(model, *, activations=False):
    """Rows of a table of layers in the report's form, the total last.

    Args:
        model: a built Keras model with one input.
        activations: a column of activations, and no row for the input, as in Table 2; otherwise
            shapes with the input as first row, as in Table 1.

    Returns:
        List of tuples (layer, shape, parameters), or (layer, shape, activation, parameters).
    """
    rows = []
    for layer in model.layers:
        kind = type(layer).__name__
        if activations:
            if kind != "InputLayer":
                name = layer.activation.__name__
                name = "(None)" if name == "linear" else name
                rows.append((kind, f"({layer.units})", name, layer.count_params()))
        else:
            shape = layer.output.shape[1:]
            kind = "(Input)" if kind == "InputLayer" else kind
            rows.append((kind, str(tuple(shape)), layer.count_params()))
    return [*rows, ("Total", *[""] * (1 + activations), model.count_params())]


def differences(rows, published_rows):
    """Pairs (ours, published) of rows that are not equal, missing rows as None."""
    length = max(len(rows), len(published_rows))
    ours = [*map(tuple, rows), *[None] * (length - len(rows))]
    theirs = [*map(tuple, published_rows), *[None] * (length - len(published_rows))]
    return [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]


def text(columns, rows):
    """A table as aligned plain text."""
    cells = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])
