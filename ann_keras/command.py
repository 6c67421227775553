"""The command line that every task script has."""

import argparse
import contextlib
import dataclasses
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from ann_keras.errors import UserError

PRESETS = Literal["smoke", "quick", "report"]


@dataclasses.dataclass(frozen=True)
class Engine:
    """How runs are computed."""

    fresh: bool = False
    """repeat runs that are already saved, those that they depend on too"""
    workers: int | None = None
    """processes, each with one thread; default: as many as there are cores"""
    scheduler: str | None = None
    """address of a Dask scheduler whose workers compute instead, such as tcp://10.0.0.1:8786"""
    plan: bool = False
    """show what would run and how long it takes, and run nothing"""
    tensorboard: Path | None = None
    """folder for the curves of every training that runs, for TensorBoard"""


@dataclasses.dataclass(frozen=True)
class Options(Engine):
    """What every script takes beside its own settings."""

    settings: Annotated[object, tyro.conf.arg(name="")] = None
    preset: PRESETS = "quick"
    """smoke: seconds, for tests; quick: about a minute; report: as published, full data"""
    results: Path = Path("results")
    """folder that receives <preset>/task_…"""
    show: bool = False
    """open the figures at the end"""


@dataclasses.dataclass(frozen=True)
class _Fixed:
    names: tuple[str, ...]


def flat(kind, *fixed):
    """The type of a field of settings, a recipe, whose own fields are options without a prefix.

    Args:
        kind: of the recipe.
        fixed: fields that the task sets itself; as options they are refused.
    """
    return Annotated[kind, tyro.conf.arg(name=""), _Fixed(fixed)]


def group(kind, *fixed):
    """As ``flat``, but the options have the settings' name as a prefix: ``--gan.epochs``."""
    return Annotated[kind, _Fixed(fixed)]


def main(identifier, run, presets, description):
    """Read the command line, run one task and save it; exits 2 on bad input.

    Args:
        identifier: of the task, such as "1.3.6".
        run: function of a ``Task`` and the settings.
        presets: dict of preset name → settings, a frozen dataclass.
        description: shown by ``--help``; the script's docstring.
    """
    from ann_keras.report.task import Task
    from ann_keras.runs.run import differences

    with one_line_errors():
        options = parse_settings(presets, description)
        check(options.settings)
        refuse_fixed(options.settings, presets[options.preset])
        with make_engine(options, options.results / options.preset) as engine:
            task = Task(identifier, options.preset, options.settings, engine, options.results,
                        differences(presets[options.preset], options.settings))
            print(f"Task {identifier}: {task.published.title} ({options.preset} preset)",
                  flush=True)
            if options.plan:
                print_plan(engine, {identifier: lambda: run(task, options.settings)})
                return
            quiet_tensorflow()
            run(task, options.settings)
            task.save()
        print(task.findings(), flush=True)
        if options.show:
            show(task.figures())


def make_engine(options, folder, **others):
    """The ``runs.engine.Engine`` that options, an ``Engine`` of this module, ask for.

    Args:
        folder: of the preset's results.

    Raises:
        UserError: there can be none.
    """
    from ann_keras.runs.engine import Engine

    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers must be at least 1, got {options.workers}")
    if options.workers is not None and options.scheduler is not None:
        raise UserError("--workers counts processes here: the cluster of --scheduler has its own")
    if not options.plan:
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error
    return Engine(Path(folder) / "runs", workers=options.workers, scheduler=options.scheduler,
                  fresh=options.fresh, plans=options.plan, tensorboard=options.tensorboard,
                  **others)


def print_plan(engine, tasks):
    """Print what runs are missing, what is there, and how long they take, of tasks by number, each
    a function that runs the task as far as its runs are there."""
    from ann_keras.runs.engine import NotReady

    unfinished = []
    quiet_tensorflow()
    for identifier, run in tasks.items():
        try:
            run()
        except NotReady:
            unfinished.append(identifier)
    missing = engine.open_runs()
    known = [engine.estimate(run) for run in missing]
    for run, seconds in zip(missing, known):
        print(f"  {run.label}: {'unknown' if seconds is None else f'about {seconds:.0f} s'}")
    total, parts = sum(filter(None, known)), engine.slots()
    print(f"  {engine.stored()} runs are there, {len(missing)} are missing: about {total:.0f} s of "
          f"one core, {total / parts:.0f} s with {parts} workers"
          + (f", {known.count(None)} of unknown length" if None in known else ""))
    if unfinished:
        print(f"  more may follow from their results: {', '.join(unfinished)}")


def show(figures):
    """Open pictures as the desktop does."""
    opener = {"darwin": "open", "win32": "explorer"}.get(sys.platform, "xdg-open")
    for figure in figures:
        try:
            subprocess.Popen([opener, figure], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise UserError(f"no {opener} to show figures with: {error.strerror}") from error


def quiet_tensorflow(cpus=1, threads=1):
    """Import TensorFlow with oneDNN, and without notes on processors and missing graphics cards.

    The notes come from C++ before its log level applies, so standard error is closed meanwhile.
    Where TensorFlow has begun its work, what it has is kept.

    Args:
        cpus: logical devices that the processor is to be.
        threads: that one operation may use; None for all.
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

            with contextlib.suppress(RuntimeError):  # it has begun
                if threads is not None:
                    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
                    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
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
    """``tyro.cli`` that raises a UserError of one line on bad input."""
    from tyro import _errors  # its hook for what it would print in a box; not public yet

    def refuse(event):
        argument = getattr(event, "argument", None)
        option = argument.lowered.name_or_flags[0] if argument is not None else "the options"
        if isinstance(event, _errors.UnrecognizedArgs):
            message = f"unknown options: {' '.join(event.tokens)}"
        elif isinstance(event, _errors.InvalidChoice):
            message = f"{option} is one of {', '.join(event.choices)}, got {event.value}"
        elif isinstance(event, _errors.InstantiationFailure):
            message = f"{option}: {event.message}"
        elif isinstance(event, _errors.BadValue):
            message = f"{option} needs a value"
        elif isinstance(event, _errors.MissingArgs):
            missing = (found.arg.lowered.name_or_flags[-1] for found in event.missing_arguments)
            message = f"missing: {', '.join(missing)}"
        else:
            message = f"{option}: {type(event).__name__}"
        raise UserError(message)

    with _errors.on_parse_error(refuse):
        return tyro.cli(kind, **arguments)


def check(settings, prefix="--"):
    """Settings count and measure: whole numbers from 1 on, others from 0 on, lists not empty.

    A whole number whose field is ``recipes.fields.from_zero`` may be 0. Fields that are dataclasses
    are checked as well.
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        option = prefix + field.name.replace("_", "-")
        if dataclasses.is_dataclass(value):
            check(value, prefix if _is_flat(field) else f"{option}.")
            continue
        values = value if isinstance(value, tuple) else (value,)
        if not values:
            raise UserError(f"{option} needs at least one value")
        least = field.metadata.get("least", 1)
        for number in values:
            if isinstance(number, bool):
                continue
            if isinstance(number, int) and number < least:
                raise UserError(f"{option} must be at least {least}, got {number}")
            if isinstance(number, float) and not 0 <= number < float("inf"):
                raise UserError(f"{option} must be a number from 0 on, got {number}")


def refuse_fixed(settings, preset):
    """Raise UserError where a recipe's field was changed that the task sets itself."""
    for field in dataclasses.fields(settings):
        recipe, known = getattr(settings, field.name), getattr(preset, field.name)
        for fixed in getattr(field.type, "__metadata__", ()):
            for name in getattr(fixed, "names", ()):
                if getattr(recipe, name) != getattr(known, name):
                    option = name if _is_flat(field) else f"{field.name}.{name}"
                    raise UserError(
                        f"--{option.replace('_', '-')} is no option here: the task sets it itself"
                    )


def _is_flat(field):
    parts = getattr(field.type, "__metadata__", ())
    return any(getattr(part, "name", None) == "" for part in parts)


def parse_settings(presets, description, base=Options, **given):
    """Options of a command line, a ``base``, with the settings of its preset as defaults; ``given``
    are defaults of options that have none."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--preset", nargs="?", default="quick")
    preset = early.parse_known_args()[0].preset
    preset = preset if preset in presets else "quick"  # the real parser will object to it
    settings = presets[preset]
    kind = dataclasses.make_dataclass(
        "Options", [("settings", Annotated[type(settings), tyro.conf.arg(name="")])],
        bases=(base,), frozen=True,
    )
    default = kind(settings=settings, preset=preset, **given)
    return parse(kind, default=default, description=description)
