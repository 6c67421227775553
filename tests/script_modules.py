"""The scripts as modules, for tests of what is inside them."""

import functools

import run_all


@functools.cache
def load(task):
    """The module of a task's script, such as that of "1.4.2"."""
    return run_all.load(run_all.script(task))
