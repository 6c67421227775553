"""Search the settings that the report chose by hand, with keras-tuner.

The first trial is the report's setting. A search that was interrupted goes on where it stopped.

    python -m tuning list
    python -m tuning regression
    python -m tuning regression --preset report --workers 2

On many machines the same command runs everywhere, with keras-tuner's variables
KERASTUNER_TUNER_ID (chief, worker-0, worker-1, …), KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT set; give each the number of workers.
"""

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

import tuning
from ann_keras import command
from ann_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Options:
    """What every search takes beside its own settings."""

    search: tyro.conf.Positional[str]
    """name of the search, or "list" for all of them"""
    settings: Annotated[object, tyro.conf.arg(name="")]
    preset: Literal["smoke", "quick", "report"] = "quick"
    """smoke: two trials; quick: about a minute; report: as committed"""
    tuner: Literal["random", "bayesian", "hyperband", "grid"] | None = None
    """how settings are chosen; the search's own way by default"""
    workers: int = 0
    """worker processes under a chief, all on this machine; 0: this process alone"""
    port: int | None = None
    """of the chief; a free one by default"""
    replicas: int = 1
    """devices over which MirroredStrategy spreads each model; logical ones on a CPU"""
    tensorboard: Path | None = None
    """folder for scalars and hyperparameters"""
    seed: int = 1
    """of the choices"""
    results: Path = Path("results")
    """folder that receives <preset>/tuning/NAME"""
    fresh: bool = False
    """forget the trials of this search"""


def early_replicas():
    """``--replicas`` of the command line, before its real parser can be made; 1 if unclear."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--replicas", nargs="?", default="1")
    replicas = early.parse_known_args()[0].replicas or ""
    return int(replicas) if replicas.isdecimal() else 1  # the real parser will object to it


def main():
    with command.one_line_errors():
        words = [part for part in sys.argv[1:] if not part.startswith("-")]
        if not words and not {"-h", "--help"} & set(sys.argv):
            raise UserError("name a search, or list: python -m tuning list")
        name = next((word for word in words if word in (*tuning.SEARCHES, "list")), None)
        if words and name is None:
            raise UserError(
                f"there is no search {words[0]!r}: choose from {', '.join(tuning.SEARCHES)}"
            )
        if name == "list":
            for each in tuning.SEARCHES:
                print(f"{each:16} {tuning.describe(each)}")
            return
        command.quiet_tensorflow(cpus=early_replicas(), threads=None)
        name = name or "regression"  # for --help
        presets = tuning.load(name).PRESETS
        options = command.parse_settings(presets, __doc__, Options, search=name)
        command.check(options.settings)
        from tuning import run

        run.run(options)


if __name__ == "__main__":
    main()
    # gRPC's threads would keep a finished process for a while.
    sys.stdout.flush()
    os._exit(0)
