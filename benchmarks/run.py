"""Our training against the same arithmetic in PyTorch eager and in Keras' model.fit.

Both sides train the same network from the same initial weights, in turns in one process: ours,
theirs, ours, theirs. Reported is the median of the ratios of neighbouring rounds, which a slow
minute of the machine touches less than the seconds themselves. Tracing and compiling are reported
apart. Writes benchmarks/training.json and benchmarks/README.md into the results folder.

    pip install -r benchmarks/requirements.txt
    python benchmarks/run.py                          about half an hour on two cores
    python benchmarks/run.py --cases surface_sgd --rounds 3
"""

import gc
import importlib.util
import json
import os
import resource
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
from cases import CASES, KERAS_FIT, KERAS_PREDICT, LIMIT, PYTORCH, Timing

from ann_keras import command
from ann_keras.errors import UserError
from ann_keras.files import write_whole
from ann_keras.report.task import environment

PAGE = """# Training speed

Written by `python benchmarks/run.py`: {rounds} round(s), ours and theirs in turns in one process,
from the same initial weights. Seconds are medians, scaled to the epochs that the published run
has; a ratio below 1 means that ours is faster. Building is tracing and compiling together with
the first epoch, once a run and not in the ratio. PyTorch has one thread or one a core, whichever
trains faster in a trial, scikit-learn all cores. PyTorch's L-BFGS takes one iteration a call, as
the published run did, and so evaluates the loss twice an iteration where ours does once. Losses
are medians of the last training loss, of RBMs the negative pseudo-likelihood, of GANs the sum of
both losses, of the VAE the negative ELBO: near each other if both sides do the same work. The last
column is the rate of our side's matrix products and
convolutions, forward and backward, over the whole time of training, and its share of
{machine:.0f} GFLOP/s, the rate at which this machine multiplied float32 matrices of 2048 × 2048 at
the start.

| training | against | epochs | ours, s | theirs, s | ratio (range) | target | building, s \
| loss, ours / theirs | products, GFLOP/s (share) |
|---|---|---|---|---|---|---|---|---|---|
{rows}

Peak memory of the process, TensorFlow and its peers together: {memory:.0f} MiB.
{environment}.
"""


@dataclass(frozen=True)
class Options:
    cases: tuple[Literal[tuple(CASES)], ...] = tuple(CASES)
    """what to time; the results then hold these alone"""
    rounds: int = 5
    """times that each side of a case is run"""
    results: Path = Path("results")
    """folder that receives benchmarks/"""


def main(arguments=None):
    """Read the command line, time the cases, write the results; exits 2 on bad input."""
    with command.one_line_errors():
        options = command.parse(Options, description=__doc__, args=arguments)
        folder = prepare(options)
        # Targets are for the processor; TensorFlow alone would look for a graphics card.
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        command.quiet_tensorflow(threads=None)
        import keras_side

        machine = keras_side.matrix_product_rate()
        print(f"matrix products of 2048 × 2048: {machine:.0f} GFLOP/s", flush=True)
        cases = [
            {"name": name} | measure(CASES[name], options.rounds, machine)
            for name in options.cases
        ]
        save(folder, cases, options.rounds, machine)


def prepare(options):
    """The folder for the results, made; raises UserError where the run could not end well."""
    if options.rounds < 1 or not options.cases:
        raise UserError("--rounds must be at least 1, and --cases name at least one case")
    needs_torch = any(CASES[name].peer == PYTORCH for name in options.cases)
    if needs_torch and importlib.util.find_spec("torch") is None:
        raise UserError("PyTorch is missing: pip install -r benchmarks/requirements.txt")
    folder = options.results / "benchmarks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from error
    return folder


def measure(case, rounds, machine):
    """Time one case in turns and summarize it; round r has both sides start from seed r.

    machine: its rate of matrix products, in GFLOP/s.
    """
    import keras_side

    ours, theirs = [], []
    print(f"{case.title}, against {case.peer}", flush=True)
    for seed in range(rounds):
        for train, timings in zip(_sides(case), (ours, theirs)):
            gc.collect()  # one side's leftovers shall not be cleared in the other's time
            timings.append(train(case, seed))
        print(f"  round {seed + 1}: {ours[-1].seconds:.2f} s, theirs {theirs[-1].seconds:.2f} s",
              flush=True)
    return summarize(case, ours, theirs, keras_side.training_flops(case), machine)


def _sides(case):
    """The functions of (case, seed) that give our ``Timing`` and the peer's."""
    import generative_side
    import keras_side

    ours = {
        "rbm": generative_side.train_rbm, "dbm": generative_side.train_dbm,
        "ais": generative_side.anneal, "scoreboard": generative_side.score,
    }.get(case.network, keras_side.train)
    if case.peer == PYTORCH:
        import pytorch_side

        return ours, pytorch_side.train
    return ours, {
        KERAS_FIT: keras_side.train_by_fit, KERAS_PREDICT: keras_side.forecast_by_predict,
        LIMIT: _limit,
    }.get(case.peer, generative_side.train_peer)


def _limit(case, seed):
    return Timing(case.limit * case.epochs / case.published_epochs, 0.0)


def summarize(case, ours, theirs, flops_per_row, machine):
    """The timings of one case, one of each side a round, as a dict of JSON values.

    flops_per_row: of ``keras_side.training_flops``; machine: as of ``measure``.
    """
    def by_side(field):
        sides = {"ours": ours, "theirs": theirs}
        return {side: [getattr(t, field) for t in timings] for side, timings in sides.items()}

    seconds = by_side("seconds")
    ratios = [mine / other for mine, other in zip(*seconds.values(), strict=True)]
    middle, products = float(np.median(ratios)), None
    if flops_per_row is not None:
        work = flops_per_row * case.rows * case.epochs
        rate = work / float(np.median(seconds["ours"])) / 1e9
        products = {
            "flops_per_row": flops_per_row, "gflops": rate, "share_of_machine": rate / machine
        }
    return {
        "title": case.title, "peer": case.peer, "epochs": case.epochs,
        "published_epochs": case.published_epochs, "seconds": seconds,
        "ratio": {"median": middle, "min": min(ratios), "max": max(ratios), "values": ratios},
        "target": case.target, "met": None if case.target is None else middle <= case.target,
        "final_loss": by_side("loss"), "build_seconds": by_side("build_seconds"),
        "pytorch_threads": theirs[0].threads, "matrix_products": products,
    }


def save(folder, cases, rounds, machine):
    """Write training.json and README.md."""
    versions = environment()
    if importlib.util.find_spec("torch") is not None:
        versions["torch"] = metadata.version("torch")
    record = {
        "environment": versions, "cores": os.cpu_count(), "rounds": rounds,
        "machine_gflops": machine,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cases": cases,
    }
    write_whole(folder / "training.json", json.dumps(record, indent=1) + "\n")
    write_whole(folder / "README.md", page(record))
    print(f"saved to {folder}", flush=True)


def page(record):
    """The results as a Markdown page."""
    return PAGE.format(
        rounds=record["rounds"], rows="\n".join(_row(case) for case in record["cases"]),
        machine=record["machine_gflops"], memory=record["peak_memory_mib"],
        environment=", ".join(f"{key} {value}" for key, value in record["environment"].items()),
    )


def _row(case):
    scale = case["published_epochs"] / case["epochs"]
    ours, theirs = (scale * np.median(case["seconds"][side]) for side in ("ours", "theirs"))
    losses = (np.median(case["final_loss"][side]) for side in ("ours", "theirs"))
    middle, low, high = (_short(case["ratio"][name]) for name in ("median", "min", "max"))
    met = "met" if case["met"] else "missed"
    products = case["matrix_products"]
    cells = (
        case["title"], case["peer"], f"{case['published_epochs']}",
        f"{ours:.1f}", f"{theirs:.1f}", f"**{middle}** ({low}–{high})",
        "none" if case["target"] is None else f"≤ {case['target']:g}, {met}",
        f"{np.median(case['build_seconds']['ours']):.1f}",
        " / ".join(f"{loss:.2e}" for loss in losses),
        f"{products['gflops']:.1f} ({products['share_of_machine']:.0%})" if products else "–",
    )
    return f"| {' | '.join(cells)} |"


def _short(ratio):
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.1g}"


if __name__ == "__main__":
    main()
