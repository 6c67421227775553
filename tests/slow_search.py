"""A search without a network, whose trials take their time: for processes that are killed.

    python slow_search.py OPTIONS

is ``python -m tuning`` with it. A trial goes on from the step at which it was interrupted.
"""

import dataclasses
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import tuning
from tuning import search

PAUSE = 0.2  # seconds of a step


@dataclasses.dataclass(frozen=True)
class Settings:
    max_trials: int = 3
    steps: int = 5


PRESETS = {"smoke": Settings(), "quick": Settings()}


class Search(search.Search):
    objective = "depth"

    def values(self, hp):
        return {"x": hp.Float("x", 0, 10, default=5.0)}

    def build(self, values):
        return SimpleNamespace(count_params=lambda: 0)

    def fit(self, values, model, checkpoint, epochs):
        for step in range(self.settings.steps):
            search.kept(checkpoint, f"step_{step}", self.step)
        return {"depth": values["x"]}

    def step(self):
        time.sleep(PAUSE)
        return {"seconds": PAUSE}


def known(patch=setattr):
    """Let the command line know this search alone; ``patch`` as ``setattr``."""
    import slow_search  # under this name, where the module runs as a script

    patch(tuning, "SEARCHES", ("slow_search",))
    patch(tuning, "load", lambda name: slow_search)


if __name__ == "__main__":
    known()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.argv.insert(1, "slow_search")
    runpy.run_module("tuning", run_name="__main__")
