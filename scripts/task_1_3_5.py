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
    model = models.cnn.pooled_convnet()
    rows = tables.layer_rows(model)
    table = published.TABLES[1]
    print(tables.text(table.columns, rows))
    differing = tables.differences(rows, table.rows)
    task.table("table1", table.columns, rows)
    task.measure("pooled_convnet/parameters", model.count_params())
    task.claim(
        "1.3.5-a",
        "refuted" if differing else "reproduced",
        f"All {len(rows)} rows agree; {model.count_params():,} parameters."
        if not differing
        else f"Rows that differ: {differing}.",
    )
    if differing:
        task.save()
        print(f"error: Table 1 is not reproduced: {differing}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    command.main("1.3.5", run, PRESETS, __doc__)
