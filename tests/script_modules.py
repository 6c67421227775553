"""The scripts as modules, for tests of what is inside them."""

import functools

import run_all

from ann_keras.report import decide, published


@functools.cache
def load(task):
    """The module of a task's script, such as that of "1.4.2"."""
    return run_all.load(run_all.script(task))


def verdicts(found):
    """Verdicts by the rule, dict of claim → word, on what a script's ``judge`` gave."""
    return {
        claim: decide.judge(published.CLAIMS[claim],
                            *(values if isinstance(values, tuple) else (values,))).verdict
        for claim, values in found.items()
    }


def by_letter(found):
    """``verdicts`` by the last letter of the claims, which are of one task."""
    return {claim[-1]: verdict for claim, verdict in verdicts(found).items()}
