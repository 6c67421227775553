"""The command line that every task script has."""

import argparse
import contextlib
import dataclasses
import io
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from ann_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Options:
    """What every script takes beside its own settings."""

    settings: Annotated[object, tyro.conf.arg(name="")]
    preset: Literal["smoke", "quick", "report"] = "quick"
    """smoke: seconds, for tests; quick: about a minute; report: as published, full data"""
    results: Path = Path("results")
    """folder that receives <preset>/task_…"""
    fresh: bool = False
    """repeat runs that are already saved there"""
    tensorboard: Path | None = None
    """folder for the curves of every training that runs, for TensorBoard"""


def main(identifier, run, presets, description):
    """Read the command line, run one task and save it; exits 2 on bad input.

    Args:
        identifier: of the task, such as "1.3.6".
        run: function of a ``Task`` and the settings.
        presets: dict of preset name → settings, a frozen dataclass.
        description: shown by ``--help``; the script's docstring.
    """
    with one_line_errors():
        options = parse_settings(presets, description)
        quiet_tensorflow()
        execute(identifier, run, options)


def execute(identifier, run, options):
    """Run one task with given options and save it; returns the saved ``Task``."""
    check(options.settings)
    from ann_keras.report.task import Task

    task = Task(
        identifier, options.preset, options.settings, options.results, options.fresh,
        options.tensorboard,
    )
    print(f"Task {identifier}: {task.published.title} ({options.preset} preset)", flush=True)
    run(task, options.settings)
    task.save()
    if task.reused:
        print(f"  {task.reused} finished runs reused; --fresh repeats them", flush=True)
    print(f"  saved to {task.folder}", flush=True)
    return task


def quiet_tensorflow(cpus=1):
    """Import TensorFlow with oneDNN, and without notes on processors and missing graphics cards.

    The notes come from C++ before its log level applies, so standard error is closed meanwhile.

    Args:
        cpus: logical devices that the processor is to be; later it is too late to ask.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow's own choice where there is AVX-512 VNNI; faster without as well.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as sink:
            os.dup2(sink.fileno(), 2)
            import tensorflow

            if cpus > 1:
                tensorflow.config.set_logical_device_configuration(
                    tensorflow.config.list_physical_devices("CPU")[0],
                    [tensorflow.config.LogicalDeviceConfiguration()] * cpus,
                )
            tensorflow.config.list_logical_devices()  # looks for graphics cards, noisily
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def one_line_errors():
    """Turn a ``UserError`` into one line on standard error and exit status 2.

    So too a ValueError, by which models and training reject settings; ``python -X dev`` shows
    where it comes from.
    """
    try:
        yield
    except (UserError, ValueError) as error:
        if sys.flags.dev_mode:
            raise
        print(f"error: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted: finished runs are kept, run the command again to go on",
              file=sys.stderr)
        sys.exit(130)


def parse(kind, **arguments):
    """``tyro.cli`` with its boxed error messages cut down to one line, as a UserError."""
    captured = io.StringIO()
    try:
        with contextlib.redirect_stderr(captured):
            return tyro.cli(kind, **arguments)
    except SystemExit as stop:
        if stop.code != 2:
            raise
        raise UserError(_first_sentence(captured.getvalue())) from None


def check(settings, prefix="--"):
    """Settings count and measure: whole numbers from 1 on, others from 0 on, lists not empty."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        option = prefix + field.name.replace("_", "-")
        if dataclasses.is_dataclass(value):
            check(value, f"{option}.")
            continue
        values = value if isinstance(value, tuple) else (value,)
        if not values:
            raise UserError(f"{option} needs at least one value")
        for number in values:
            if isinstance(number, int) and number < 1:
                raise UserError(f"{option} must be at least 1, got {number}")
            if isinstance(number, float) and not 0 <= number < float("inf"):
                raise UserError(f"{option} must be a number from 0 on, got {number}")


def parse_settings(presets, description, base=Options, **given):
    """Options of a command line, with the settings of its preset as defaults.

    Args:
        presets: as of ``main``.
        description: shown by ``--help``.
        base: class of the options; has ``settings`` and ``preset``.
        given: defaults of options without one.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--preset", nargs="?", default="quick")
    preset = early.parse_known_args()[0].preset
    preset = preset if preset in presets else "quick"  # the real parser will object to it
    settings = presets[preset]
    kind = dataclasses.make_dataclass(
        "Options",
        [("settings", Annotated[type(settings), tyro.conf.arg(name="")])],
        bases=(base,),
        frozen=True,
    )
    default = kind(settings=settings, preset=preset, **given)
    return parse(kind, default=default, description=description)


def _first_sentence(boxed):
    """The message inside tyro's box: its lines up to the first rule, joined."""
    lines = []
    for line in boxed.splitlines()[1:]:
        text = line.strip("│╭╰─╮╯ ")
        if not text:
            break
        lines.append(text)
    return " ".join(lines) or boxed.strip()
