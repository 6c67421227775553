"""The RBM on MNIST, tasks 4.1.1 to 4.1.7: its training, and what is measured of a trained one."""

import time
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import data, evaluation, models
from ann_keras.training import progress

_PIXELS = 784


@dataclass(frozen=True)
class Recipe:
    """How the RBM is trained; by default as published, by scikit-learn's update."""

    components: int = 200  # report: hidden units
    learning_rate: float = 0.1  # report: of the mean gradient of a mini-batch
    falling: bool = False  # ours: lower the rate in equal steps, to 0 after the last epoch
    epochs: int = 30  # report: passes over the digits, which it calls iterations
    batch_size: int = 10  # report: digits a step, and chains
    method: Literal["pcd", "cd"] = "pcd"  # report: chains persist, or (cd) begin at the digits
    gibbs_steps: int = 1  # report: of the chains, a step
    momentum: float = 0.0  # report: share of the last change that is added to a change
    weight_decay: float = 0.0  # report: L2 penalty
    centering: bool = False  # ours: subtract moving means of all units in the gradient
    shuffle: bool = False  # ours: a new order of the digits in each epoch
    # report: none, greys count as probabilities; pixels can be white from half grey on instead, or
    # be drawn anew in each epoch with grey as probability
    binarization: Literal["none", "threshold", "draw"] = "none"
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits


QUICK = replace(Recipe(), epochs=12, source="sample")
SMOKE = replace(QUICK, epochs=2)


def train(recipe, seed, snapshots=()):
    """Train an RBM.

    Args:
        seed: of weights, chains and drawn pixels.
        snapshots: epochs after which the weights are kept, beside those of the last.

    Returns:
        Dict: "weights", flat, those of each epoch with a first axis if there are snapshots;
        "pseudo_likelihood" (epochs,), nats, of the training digits; "last_pseudo_likelihood", of
        all of them at the end; "seconds" an epoch (median).
    """
    rows, _, _ = data.mnist.rows(recipe.source)
    rbm = models.rbm.BernoulliRBM(
        recipe.components, recipe.learning_rate, recipe.batch_size, 1, seed, warm_start=True,
        method=recipe.method, gibbs_steps=recipe.gibbs_steps, momentum=recipe.momentum,
        weight_decay=recipe.weight_decay, centering=recipe.centering, shuffle=recipe.shuffle,
    )
    kept, seconds = [], []
    for epoch in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        if recipe.falling:
            rbm.set_params(learning_rate=recipe.learning_rate * (1 - (epoch - 1) / recipe.epochs))
        if epoch == 1 or recipe.binarization == "draw":  # anew in each epoch
            seen = data.mnist.binarized(rows, recipe.binarization, (seed, epoch))
        rbm.fit(seen)
        seconds.append(time.perf_counter() - start)
        if epoch in (*snapshots, recipe.epochs):
            kept.append(models.weights.flatten(rbm))
        progress.report(epoch, recipe.epochs)
    return {"weights": np.stack(kept) if snapshots else kept[0],
            "pseudo_likelihood": np.array(rbm.pseudo_likelihood_),
            "last_pseudo_likelihood": rbm.score_samples(seen).mean(),
            "seconds": np.median(seconds)}


def rbm_of(run, snapshot=None):
    """The ``BernoulliRBM`` of a run of ``train``; its draws begin at seed 0.

    Args:
        snapshot: position of the weights, of a run with some.
    """
    rbm = models.rbm.BernoulliRBM(run.recipe.components, random_state=0)
    rbm.build((None, _PIXELS))
    weights = run["weights"]
    models.weights.restore(rbm, weights if snapshot is None else weights[snapshot])
    return rbm


def score(training, temperatures=10_000, binarization="threshold", chains=100, burn_in=1_000):
    """Score a run of ``train`` on the test digits.

    Returns:
        Dict: what ``bracket`` gives; "pseudo_likelihood" of the binary test digits, nats; "error",
        the mean squared error a pixel of P(v | h) after one Gibbs step, and its ``sharpness``.
    """
    rows, test_rows, _ = data.mnist.rows(training.recipe.source)
    rbm = rbm_of(training)
    seen = rbm.reconstruct(test_rows, probabilities=True)
    binary = data.mnist.binarized(test_rows, binarization)
    found = bracket(rbm_of(training), rows, test_rows, temperatures=temperatures,
                    binarization=binarization, chains=chains, burn_in=burn_in)
    return found | {"pseudo_likelihood": rbm.score_samples(binary).mean(),
                    "error": np.mean((seen - test_rows) ** 2), "sharpness": sharpness(seen).mean()}


def monitor(training, draws=4):
    """Pseudo-likelihood of the training digits by the published pixels and by others.

    It flips one random pixel of each image. scikit-learn draws them by the machine's seed, so that
    the published machines, of seed 10, saw the same ones in each iteration (D18).

    Returns:
        Dict, nats an image, of a run of ``train`` on grey digits: "published"; "fresh", the mean
        over draws of pixels; "draw_sd", the standard deviation of one draw, from that of images.
    """
    rows, _, _ = data.mnist.rows(training.recipe.source)
    return _monitor(rbm_of(training), rows, np.random.default_rng(0), draws)


def monitor_along(recipe, seed):
    """What ``monitor`` gives, with one draw, after each epoch of a training on grey digits."""
    rows, _, _ = data.mnist.rows(recipe.source)
    found = train(recipe, seed, snapshots=range(1, recipe.epochs + 1))
    rbm, random = models.rbm.BernoulliRBM(recipe.components), np.random.default_rng(0)
    rbm.build((None, _PIXELS))
    each = []
    for weights in found["weights"]:
        models.weights.restore(rbm, weights)
        each.append(_monitor(rbm, rows, random, draws=1))
    return {name: np.array([values[name] for values in each]) for name in each[0]}


def _monitor(rbm, rows, random, draws):
    published, *others = (
        models.boltzmann.pseudo_likelihood(
            rbm.components_, rbm.intercept_hidden_, rbm.intercept_visible_, rows,
            pixels.astype(np.int32),
        ).numpy()
        for pixels in (np.random.RandomState(10).randint(0, _PIXELS, len(rows)),
                       *(random.integers(_PIXELS, size=len(rows)) for _ in range(draws)))
    )
    return {"published": published.mean(), "fresh": np.mean(others),
            "draw_sd": np.std(others) / np.sqrt(len(rows))}


def bracket(rbm, rows, unseen, *, temperatures, binarization, chains, burn_in):
    """Log-likelihood of binary images, from above by forward AIS and from below by reverse AIS.

    Args:
        rows: training images (n, 784), whose means AIS begins with.
        unseen: images (m, 784), whose likelihood is estimated.
        temperatures, chains: of AIS.
        binarization: of the images, as of ``data.mnist.binarized``.
        burn_in: Gibbs steps from training images to states that reverse AIS starts from.

    Returns:
        Dict: "upper" and "lower" log-likelihood in nats an image, and the ends of three standard
        errors of the former, "low" and "high". Reverse AIS starts from chains that began at
        training images, and from the resampled ends of forward AIS; "lower" is the lower one: a
        chain that has missed a mode of the machine makes it look too likely.
    """
    ais, binarized = evaluation.ais, data.mnist.binarized
    machine = ais.of_rbm(rbm, rows.mean(axis=0))
    forward = ais.forward(machine, chains=chains, temperatures=temperatures)
    visible = rbm.reconstruct(binarized(rows[:chains], binarization), steps=burn_in)
    uniform = np.random.default_rng(0).random((chains, rbm.n_components))
    starts = uniform < rbm.transform(visible), forward.resample()
    reverse = [ais.reverse(machine, start, temperatures=temperatures) for start in starts]
    energy = float(rbm.free_energy(binarized(unseen, binarization)).mean(dtype=np.float64))
    return {"upper": -energy - forward.log_partition,
            "lower": -energy - max(estimate.log_partition for estimate in reverse),
            "low": -energy - forward.high,
            "high": -energy - forward.low}


def sharpness(rows):
    """Mean of (2p − 1)² over pixels of rows, (n,): 1 for black and white, 0 for grey."""
    return np.mean((2 * np.asarray(rows) - 1) ** 2, axis=1)


def restore(training, labelling, region, lines, steps, digits, shown=()):
    """What ``evaluation.restoration.compare`` gives of the first test digits, of which lines of a
    region, as of ``known_pixels``, are removed and restored by a run of ``train``."""
    restoration, judge = evaluation.restoration, evaluation.labels.Judge(labelling)
    rows, _ = data.mnist.test_rows(training.recipe.source, digits)
    known = restoration.known_pixels(region, lines)
    return restoration.compare(rbm_of(training), judge, rows, known, steps, shown)
