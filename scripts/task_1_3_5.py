"""Task 1.3.5: the layers and parameters of the pooled convnet, row by row as in Table 1.

Exits with status 1 if a row or the total of 34,826 differs from the published table.

    python scripts/task_1_3_5.py                     a few seconds
"""

import sys
from dataclasses import dataclass

from ann_keras import command, models
from ann_keras.report import published, tables


@dataclass(frozen=True)
class Settings:
    seeds: int = 1  # counting needs no more


PRESETS = {"smoke": Settings(), "quick": Settings(), "report": Settings()}


def run(task, settings):
    model, table = models.cnn.pooled_convnet(), published.TABLES[1]
    rows = tables.layer_rows(model)
    differing = tables.differences(rows, table.rows)
    print(tables.text(table.columns, rows))
    task.table("table1", table.columns, rows)
    task.measure("pooled_convnet/parameters", model.count_params())
    task.decide(judge(differing, len(rows), model.count_params()))
    if differing:
        task.save()
        print(f"error: Table 1 is not reproduced: {differing}", file=sys.stderr)
        sys.exit(1)


def judge(differing, number, parameters):
    """Verdict from the rows that differ, of how many, and the network's parameters."""
    return {"1.3.5-a": (
        not differing,
        f"All {number} rows agree; {parameters:,} parameters."
        if not differing
        else f"Rows that differ: {differing}.",
    )}


if __name__ == "__main__":
    command.main("1.3.5", run, PRESETS, __doc__)
