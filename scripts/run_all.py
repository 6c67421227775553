"""Run every task of a preset, a process for each chapter; the page is renewed after each task.

A task that fails does not stop the others; the exit status is 1 if any did.

    python scripts/run_all.py                     a quarter of an hour or two
    python scripts/run_all.py --preset report     hours, full data
    python scripts/run_all.py --only 1.3          the tasks of one section
"""

import gc
import importlib.util
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from ann_keras import command
from ann_keras.errors import UserError
from ann_keras.report import page, published


LAST = "4.1.1", "4.2.1", "4.3.1", "4.3.2", "4.3.4", "4.2.6"  # take runs of tasks behind them


@dataclass(frozen=True)
class Options:
    preset: Literal["smoke", "quick", "report"] = "quick"
    results: Path = Path("results")
    only: str = ""
    """run only the tasks whose number starts so"""
    fresh: bool = False
    """repeat runs that are already saved"""


def main():
    with command.one_line_errors():
        options = command.parse(Options, description=__doc__)
        tasks = [task for task in published.TASKS if task.startswith(options.only)]
        tasks.sort(key=lambda task: LAST.index(task) if task in LAST else -1)
        scripts = {task: path for task in tasks if (path := script(task)).is_file()}
        if not scripts:
            raise UserError(f"no script for a task that starts with {options.only!r}")
        failed = []
        for chapter in dict.fromkeys(published.TASKS[task].chapter for task in scripts):
            part = {t: p for t, p in scripts.items() if published.TASKS[t].chapter == chapter}
            # TensorFlow keeps what it compiled until its process ends.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                failed += process.submit(run_tasks, part, options).result()
        for path in page.build(options.results, options.preset):
            print(f"page: {path}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        sys.exit(1)


def run_tasks(scripts, options):
    """Run some tasks, dict of task → script, one after the other; returns those that failed."""
    command.quiet_tensorflow()
    return [task for task, path in scripts.items() if not attempt(task, path, options)]


def script(task):
    return Path(__file__).with_name(f"task_{task.replace('.', '_')}.py")


def attempt(task, path, options):
    """Run one task and renew the page; True if it ended well."""
    start = time.perf_counter()
    try:
        module = load(path)
        settings = module.PRESETS[options.preset]
        task_options = command.Options(settings, options.preset, options.results, options.fresh)
        command.execute(task, module.run, task_options)
    except UserError as error:
        print(f"error in task {task}: {error}", file=sys.stderr)
        return False
    except (Exception, SystemExit):  # whatever is wrong with one task, the others still run
        traceback.print_exc()
        return False
    finally:
        free_memory()
    print(f"  {time.perf_counter() - start:.0f} s in all", flush=True)
    page.build(options.results, options.preset)
    return True


def load(path):
    """Import a script from its path as a module."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    # Before it runs: dataclasses look their module up.
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    return module


def free_memory():
    import keras

    keras.backend.clear_session()
    gc.collect()


if __name__ == "__main__":
    main()
