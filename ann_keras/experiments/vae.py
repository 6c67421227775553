"""Training and scoring of the VAEs of tasks 4.3.1 to 4.3.4."""

import functools

import keras
import numpy as np

from ann_keras.experiments import boltzmann
from ann_keras.experiments.samples import CONFIDENT, as_fields, to_bytes
from ann_keras.models import weights
from ann_keras.models.vae import VAE
from ann_keras.training import compiled, resume
from ann_keras.training.finite import StopOnNaN

SHOWN = 100  # samples that a run keeps
ACTIVE = 0.01  # variance of its posterior mean from which a dimension is active: Burda et al.
_FALL = 0.01  # share of the learning rate that is left at the end where it falls
_PART = 1_000  # images whose likelihood is one run, kept as it ends
_ELBO_DRAWS = 10  # codes of an image
_TERMS = "elbo", "reconstruction", "kl"


def trained(task, settings, board, *, of=None, name="VAE", **changes):
    """The runs of ``train`` that the script asks for, or another task's copies, one a seed.

    Args:
        task: that keeps the runs.
        settings: of the script, a ``settings.VAE``.
        board: ``samples.Scoreboard``.
        of: another task that makes the same runs.
        name: of the model.
        changes: of the arguments of ``train``, and ``seeds``; without any, the published model.
            Seed 0 alone keeps its weights.
    """
    seeds = changes.pop("seeds", task.seeds)
    names = ("latent_dim", "hidden_dim", "epochs", "batch_size", "learning_rate", "source",
             "samples", "judge_epochs")
    arguments = {argument: getattr(settings, argument) for argument in names} | {
        "beta_1": 0.5, "binarize": False, "kl_weight": 1.0, "falling": False,
    } | changes
    return [
        task.run(f"{name}, seed {seed}", functools.partial(train, board), of=of, resumable=True,
                 seed=seed, **({"keep": seed == 0} | arguments))
        for seed in seeds
    ]


def binary(task, settings, board, *, of=None, **changes):
    """The runs of ``train`` of the VAE of binary pixels, drawn anew in each step, one a seed.

    Args:
        task, board, of: as of ``trained``.
        settings: a ``settings.BinaryVAE``.
    """
    return trained(
        task, settings, board, of=of, name="VAE of binary pixels", binarize=True, falling=True,
        beta_1=0.9, latent_dim=settings.binary_latent_dim,
        hidden_dim=list(settings.binary_hidden_dim), epochs=settings.binary_epochs,
        batch_size=settings.binary_batch_size, **changes,
    )


def train(
    board, *, latent_dim, hidden_dim, epochs, batch_size, learning_rate, beta_1, binarize,
    kl_weight, falling, seed, source, samples, judge_epochs, keep, checkpoint=None,
):
    """Train a VAE on training digits by Adam, and score samples of its prior.

    Args:
        board: ``samples.Scoreboard``, whose convnet was trained for ``judge_epochs``.
        latent_dim, hidden_dim, binarize, kl_weight: of ``VAE``.
        epochs, batch_size: of the training.
        learning_rate, beta_1: of Adam.
        falling: the rate falls to a hundredth along half a cosine.
        seed: of weights, order, noise and samples.
        source: of MNIST.
        samples: that are scored, as probabilities of the pixels.
        keep: whether the weights are part of the result.
        checkpoint: folder; an interrupted run goes on from its last epoch.

    Returns:
        Dict: "elbo", "reconstruction" and "kl" (epochs,), means in nats an image while training
        goes on, and "test_…", of the test images after each epoch; "seen_…", after the last, of
        as many training images; "seconds" an epoch, training and test (median); "score_…" as
        ``Scoreboard.score`` names them, and "confident_classes" (10,), share of the samples of
        which the convnet is sure, by digit; "images" (100, 784), samples, uint8; the model's
        "latent_dim", "hidden_dim" and "binarize"; and if kept all weights, "encoder" and
        "decoder", flat. Bounds of a model that binarizes are of pixels drawn once.

    Raises:
        UserError: a loss or a weight is not finite.
    """
    rows, test_rows, _ = boltzmann.digits(source)
    keras.utils.set_random_seed(seed)
    units = tuple(np.atleast_1d(hidden_dim).tolist())
    model = VAE(latent_dim, units, binarize=binarize, kl_weight=kl_weight)
    rate = keras.optimizers.schedules.CosineDecay(
        learning_rate, epochs * -(-len(rows) // batch_size), alpha=_FALL if falling else 1.0
    )
    model.compile(keras.optimizers.Adam(rate, beta_1=beta_1))
    history = resume.fit(
        model, rows, epochs=epochs, batch_size=batch_size, seed=seed,
        validation_data=(_as_seen(test_rows, binarize), None),
        callbacks=[StopOnNaN()], checkpoint=checkpoint,
    )
    seen = compiled.evaluate(model, _as_seen(rows[: len(test_rows)], binarize))
    drawn = model.sample(samples, seed=seed)
    probabilities = board.judge.probabilities(drawn)
    sure = probabilities.argmax(axis=1)[probabilities.max(axis=1) >= CONFIDENT]
    result = {name: history[name] for name in _TERMS}
    result |= {f"test_{name}": history[f"val_{name}"] for name in _TERMS}
    result |= {f"seen_{name}": seen[name] for name in _TERMS}
    result |= as_fields(board.score(drawn))
    result |= {
        "confident_classes": np.bincount(sure, minlength=10) / samples,
        "images": to_bytes(drawn[:SHOWN]),
        "seconds": np.median(history["seconds"]),
        "latent_dim": latent_dim, "hidden_dim": units, "binarize": binarize,
    }
    if keep:
        result |= {"encoder": weights.flatten(model.encoder),
                   "decoder": weights.flatten(model.decoder)}
    return result


def vae_of(run):
    """The ``VAE`` of a run of ``train`` that kept its weights.

    Raises:
        ValueError: it kept none.
    """
    if "encoder" not in run:
        raise ValueError("this run kept no weights: those of seed 0 do")
    model = VAE(int(run["latent_dim"]), tuple(np.asarray(run["hidden_dim"]).tolist()),
                binarize=bool(run["binarize"]))
    weights.restore(model.encoder, run["encoder"])
    weights.restore(model.decoder, run["decoder"])
    return model


def likelihood(task, name, run, settings, *, of=None):
    """ELBO and importance-weighted bound of each test image, in nats.

    Images are grey, or drawn once from the grey values if the model binarizes.

    Args:
        task: that keeps the bounds, of 1,000 images at a time.
        name: of the model.
        run: of ``train`` that kept its weights.
        settings: of the script: its source, ``images``, how many, and ``codes`` of each.
        of: another task that makes the same ones.

    Returns:
        Dict of arrays (images,): "elbo", mean over ten codes, and "iwae".

    Raises:
        UserError: there are fewer test images.
    """
    number = len(boltzmann.test_digits(settings.source, settings.images)[0])
    weights = boltzmann.digest(np.append(run["encoder"], run["decoder"]))
    parts = [
        task.run(f"{name}, likelihood of images from {start}", functools.partial(_bounds, run),
                 of=of, weights=weights, source=settings.source, codes=settings.codes,
                 start=start, stop=min(start + _PART, number))
        for start in range(0, number, _PART)
    ]
    return {bound: np.concatenate([part[bound] for part in parts]) for bound in ("elbo", "iwae")}


def latent_dimensions(run, source):
    """What each latent dimension tells about the test images.

    Returns:
        Dict: "kl" (latent_dim,), KL divergence to the prior in nats, mean over images, and
        "active" (latent_dim,), whether the ``variance of means`` is above 0.01 (Burda, Grosse
        and Salakhutdinov, ICLR 2016, section 5.2).
    """
    means, deviations = vae_of(run).encode(unseen(source, run["binarize"]))
    return {"kl": kl_of_dimensions(means, deviations), "active": active_dimensions(means)}


def active_dimensions(means):
    """Whether the variance over images of posterior means (n, d) is above 0.01, (d,)."""
    return np.var(means, axis=0, dtype=np.float64) > ACTIVE


def kl_of_dimensions(means, deviations):
    """KL(N(μ, σ²) ‖ N(0, 1)) in nats, mean over images: (n, d) each → (d,)."""
    means, deviations = (np.asarray(array, np.float64) for array in (means, deviations))
    variances = deviations**2
    return np.mean(0.5 * (variances + means**2 - 1 - np.log(variances)), axis=0)


def walks(model, rows, labels, pairs, steps):
    """Images on straight lines in latent space between two test digits each.

    Args:
        model: ``VAE``.
        rows, labels: test digits (n, 784) and (n,).
        pairs: of digits; the first image of each is taken.
        steps: images of a line, its ends among them.

    Returns:
        Array (pairs, steps, 784): pixel probabilities at the codes between the mean codes.
    """
    ends = np.array([[np.argmax(labels == digit) for digit in pair] for pair in pairs])
    codes = model.encode(rows[ends.ravel()])[0].reshape(len(ends), 2, -1)
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, np.newaxis]
    lines = [(1 - share) * first + share * last for first, last in codes]
    return model.decode(np.concatenate(lines)).reshape(len(ends), steps, -1)


def losses(model, rows):
    """The reconstruction error that a VAE logs for images (n, 784), and what it could be.

    Returns:
        Dict: "logged", "squared_error" and "cross_entropy" (nats), sums over pixels, means over
        images, at one code each.
    """
    model.compile(keras.optimizers.Adam())
    means, deviations = model.encode(rows)
    noise = np.random.default_rng(0).normal(size=means.shape)
    outputs = np.clip(model.decode(means + deviations * noise), 1e-7, 1 - 1e-7)
    entropy = -(rows * np.log(outputs) + (1 - rows) * np.log1p(-outputs))
    return {
        "logged": compiled.evaluate(model, rows)["reconstruction"],
        "squared_error": np.mean(np.sum((outputs - rows) ** 2, axis=1)),
        "cross_entropy": np.mean(np.sum(entropy, axis=1)),
    }


def unseen(source, binarize):
    """The test images as a VAE is scored on them: grey, or pixels drawn once, (n, 784)."""
    return _as_seen(boltzmann.digits(source)[1], binarize)


def _as_seen(rows, binarize):
    return boltzmann.drawn(rows) if binarize else rows


def _bounds(run, *, weights, source, codes, start, stop):
    model, rows = vae_of(run), unseen(source, run["binarize"])[start:stop]
    elbo = np.mean(
        [model.elbo(rows, seed=_ELBO_DRAWS * start + draw) for draw in range(_ELBO_DRAWS)], axis=0
    )
    return {"elbo": elbo, "iwae": model.log_likelihood(rows, codes, seed=start)}
