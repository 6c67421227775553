"""Task 1.3.5: the layers and parameters of the pooled convnet, row by row as in Table 1.

Exits with status 1 if a row or the total of 34,826 differs from the published table.

    python scripts/task_1_3_5.py                     a few seconds
"""

from dataclasses import dataclass

from ann_keras import command, models
from ann_keras.report import tables


@dataclass(frozen=True)
class Settings:
    seeds: int = 1  # counting needs no more


PRESETS = {"smoke": Settings(), "quick": Settings(), "report": Settings()}


def run(task, settings):
    tables.insist(task, "1.3.5-a", 1, "pooled_convnet", models.cnn.pooled_convnet())


if __name__ == "__main__":
    command.main("1.3.5", run, PRESETS, __doc__)
