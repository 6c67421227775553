"""Run every task of a preset: all runs side by side, each task judged once its runs are there.

A task that fails does not stop the others; the exit status is 1 if any did.

    python scripts/run_all.py                     about five minutes on two cores
    python scripts/run_all.py --preset report     hours, full data
    python scripts/run_all.py --only 1.3          the tasks of one section
    python scripts/run_all.py --plan              what would run, and for how long
"""

import gc
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from ann_keras import command
from ann_keras.errors import UserError
from ann_keras.report import published, site
from ann_keras.runs.engine import NotReady
from ann_keras.runs.run import load


@dataclass(frozen=True)
class Options(command.Engine):
    preset: command.PRESETS = "quick"
    """smoke: seconds, for tests; quick: about a minute a task; report: as published, full data"""
    results: Path = Path("results")
    """folder that receives <preset>/task_…"""
    only: str = ""
    """run only the tasks whose number starts so"""


def main():
    with command.one_line_errors():
        options = command.parse(Options, description=__doc__)
        scripts = {task: load(path) for task in published.TASKS
                   if task.startswith(options.only) and (path := script(task)).is_file()}
        if not scripts:
            raise UserError(f"no script for a task that starts with {options.only!r}")
        folder = options.results / options.preset
        with command.make_engine(options, folder, waits=False) as engine:
            if options.plan:
                command.print_plan(engine, {
                    identifier: lambda task=begin(identifier, module, options, engine),
                    module=module: module.run(task, task.settings)
                    for identifier, module in scripts.items()
                })
                return
            command.quiet_tensorflow()
            failed = run_tasks(scripts, options, engine)
        print(f"open {site.build(options.results, options.preset)}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        sys.exit(1)


def run_tasks(scripts, options, engine):
    """Run tasks, dict of number → module of the script; returns the numbers of those that failed.

    Each begins its runs until it needs what one gives; it is run again once all of them have ended.
    """
    failed, waiting, ready = [], {}, dict(scripts)
    while ready or waiting:
        for identifier, module in ready.items():
            task = begin(identifier, module, options, engine)
            try:
                module.run(task, task.settings)
                task.save()
            except NotReady:
                waiting[identifier] = task.runs
                continue
            except UserError as error:
                print(f"error in task {identifier}: {error}", file=sys.stderr)
                failed.append(identifier)
            except (Exception, SystemExit):  # whatever is wrong with one, the others still run
                traceback.print_exc()
                failed.append(identifier)
            else:
                print(f"Task {identifier}: saved to {task.folder}", flush=True)
            free_memory()
        ready = {}
        if waiting:
            ready = {identifier: scripts[identifier] for identifier in engine.wait(waiting)}
            waiting = {name: runs for name, runs in waiting.items() if name not in ready}
    return failed


def begin(identifier, module, options, engine):
    """The ``Task`` of a script, on the preset's settings."""
    from ann_keras.report.task import Task

    settings = module.PRESETS[options.preset]
    return Task(identifier, options.preset, settings, engine, options.results)


def script(task):
    return Path(__file__).with_name(f"task_{task.replace('.', '_')}.py")


def free_memory():
    import keras

    keras.backend.clear_session()
    gc.collect()


if __name__ == "__main__":
    main()
