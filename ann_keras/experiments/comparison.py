"""Samples of the models that the other tasks of Chapter 4 do not sample alike, for task 4.2.6."""

import functools
import time

from ann_keras.experiments import boltzmann
from ann_keras.experiments.samples import as_fields, to_bytes
from ann_keras.models.mixture import BernoulliMixture

SHOWN = 10  # samples that a run keeps


def chains(task, name, machine, board, settings, *, weights, steps):
    """Scores of the ends of long Gibbs chains from random states, as pixel probabilities.

    Args:
        task: that keeps the scores, under ``name``.
        machine: ``BernoulliRBM`` or ``DBM``.
        board: ``samples.Scoreboard``.
        settings: of samples and scoreboard, a ``settings.GAN``.
        weights: digest that tells the machine from others.
        steps: Gibbs steps.

    Returns:
        Dict: "score_…" as ``Scoreboard.score`` names them, and "images" (10, 784), uint8.
    """
    return task.run(
        f"samples of {name}", functools.partial(_sample, machine, board), weights=weights,
        steps=steps, samples=settings.samples, source=settings.source,
        judge_epochs=settings.judge_epochs,
    )


def _sample(machine, board, *, steps, samples, **_):
    images = machine.sample(samples, steps, probabilities=True)
    return _scored(board, images)


def _scored(board, images):
    return as_fields(board.score(images)) | {"images": to_bytes(images[:SHOWN])}


def mixtures(task, board, settings, *, components):
    """The runs of ``train_mixture``, one a seed; arguments as of ``chains``."""
    return [
        task.run(
            f"mixture of {components}, seed {seed}", functools.partial(train_mixture, board),
            components=components, seed=seed, samples=settings.samples, source=settings.source,
            judge_epochs=settings.judge_epochs,
        )
        for seed in task.seeds
    ]


def train_mixture(board, *, components, seed, samples, source, judge_epochs):
    """Fit a mixture of Bernoulli distributions to training digits and score its samples.

    Args:
        board: ``samples.Scoreboard``, whose convnet was trained for ``judge_epochs``.
        components, seed: of ``BernoulliMixture``.
        samples: pixel probabilities that are scored.
        source: of MNIST.

    Returns:
        Dict: "score_…" and "images" as ``chains`` gives them; "log_likelihood" of the test images
        with pixels drawn, nats an image; "seconds" of the fit.
    """
    rows, test_rows, _ = boltzmann.digits(source)
    mixture = BernoulliMixture(components, random_state=seed)
    start = time.perf_counter()
    mixture.fit(rows)
    seconds = time.perf_counter() - start
    return _scored(board, mixture.sample(samples, probabilities=True)) | {
        "seconds": seconds, "log_likelihood": mixture.score(boltzmann.drawn(test_rows)),
    }
