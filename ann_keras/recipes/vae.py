"""The VAE of tasks 4.3.1 to 4.3.4, and a model of binary pixels to set beside the literature."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import data, evaluation, models, training
from ann_keras.recipes.fields import adam

SHOWN = 100  # samples that a score keeps
_FALL = 0.01  # share of the learning rate that is left at the end where it falls
TERMS = {"elbo": "higher", "reconstruction": "lower", "kl": None}  # of the loss; what is better
_ELBO_DRAWS = 10  # codes of an image
_PART = 1_000  # images whose likelihood is one run, kept as it ends


@dataclass(frozen=True)
class Recipe:
    """How a VAE is trained on digits; by default the report's."""

    latent_dim: int = 300  # report: components of a code
    hidden_dim: tuple[int, ...] = (1024,)  # report: units of the encoder; the decoder mirrors them
    epochs: int = 100  # report: passes over the training images
    batch_size: int = 3_000  # report: images a step
    learning_rate: float = 1e-3  # report: of Adam
    beta_1: float = 0.5  # report: of Adam, decay of the mean gradient
    beta_2: float = 0.999  # report: of Adam, decay of the mean squared gradient
    epsilon: float = 1e-7  # ours: of Adam, Keras' default; report 1e-8, for which none was repeated
    falling: bool = False  # ours: the rate falls to a hundredth along half a cosine
    binarize: bool = False  # ours: pixels are white with their grey value as probability, each step
    kl_weight: float = 1.0  # report: of the KL term in the loss; 0 leaves it out
    source: Literal["full", "sample"] = "full"  # report: of MNIST
    images: int | None = None  # report: training images, the first ones; None for all


QUICK = replace(Recipe(), latent_dim=50, hidden_dim=(400,), epochs=15, batch_size=100,
                source="sample")
SMOKE = replace(QUICK, latent_dim=5, hidden_dim=(20,), epochs=2, batch_size=500)
BINARY = replace(  # ours, all of it; near the literature's network
    Recipe(), latent_dim=50, hidden_dim=(500, 500), epochs=200, batch_size=128, beta_1=0.9,
    falling=True, binarize=True,
)
BINARY_QUICK = replace(BINARY, hidden_dim=(200, 200), epochs=15, batch_size=100, source="sample")
BINARY_SMOKE = replace(BINARY_QUICK, latent_dim=5, hidden_dim=(20, 20), epochs=1, batch_size=500)


def train(recipe, seed, checkpoint=None):
    """Train a VAE on training digits by Adam.

    Args:
        seed: of weights, order and noise.
        checkpoint: folder; an interrupted run goes on from its last epoch.

    Returns:
        Dict: "elbo", "reconstruction" and "kl" (epochs,), means in nats an image while training
        goes on, and "test_…", of the test images after each epoch; "seen_…", after the last, of
        as many training images; "seconds" an epoch, training and test (median); "encoder" and
        "decoder", all weights, flat. Bounds of a model that binarizes are of pixels drawn once.

    Raises:
        UserError: a loss or a weight is not finite.
    """
    import keras

    rows, test_rows, _ = data.mnist.rows(recipe.source)
    rows = rows[:recipe.images]
    keras.utils.set_random_seed(seed)
    model = _model(recipe)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate, recipe.epochs * -(-len(rows) // recipe.batch_size),
        alpha=_FALL if recipe.falling else 1.0,
    )
    model.compile(adam(recipe, rate))
    history = training.resume.fit(model, rows, epochs=recipe.epochs, batch_size=recipe.batch_size,
                                  seed=seed, validation_data=(_as_seen(test_rows, recipe), None),
                                  callbacks=[training.finite.StopOnNaN()], checkpoint=checkpoint)
    seen = training.compiled.evaluate(model, _as_seen(rows[:len(test_rows)], recipe))
    result = {name: history[name] for name in TERMS}
    result |= {f"test_{name}": history[f"val_{name}"] for name in TERMS}
    result |= {f"seen_{name}": seen[name] for name in TERMS}
    return result | {"seconds": np.median(history["seconds"]),
                     "encoder": models.weights.flatten(model.encoder),
                     "decoder": models.weights.flatten(model.decoder)}


def vae_of(run):
    """The ``models.vae.VAE`` of a run of ``train``."""
    model = _model(run.recipe)
    for part in ("encoder", "decoder"):
        models.weights.restore(getattr(model, part), run[part])
    return model


def score(training, labelling, samples=10_000):
    """Score so many samples of the prior of a run of ``train``, as probabilities of the pixels.

    Returns:
        Dict: "score_…" as ``Scoreboard.score`` names them; "confident_classes" (10,), share of
        the samples of which the convnet is sure, by digit; "images" (100, 784), samples, uint8.
    """
    scoreboard = evaluation.scoreboard
    board = scoreboard.board(labelling, training.recipe.source, samples)
    drawn = vae_of(training).sample(samples, seed=training.seed)
    probabilities = board.judge.probabilities(drawn)
    sure = probabilities.argmax(axis=1)[probabilities.max(axis=1) >= scoreboard.CONFIDENT]
    shares = {"confident_classes": np.bincount(sure, minlength=10) / samples}
    return scoreboard.kept(board, drawn, SHOWN) | shares


def likelihood(training, codes, start, stop):
    """ELBO and importance-weighted bound of the test images from start to stop, in nats.

    Images are grey, or drawn once from the grey values if the model binarizes.

    Returns:
        Dict of arrays (stop − start,): "elbo", mean over ten codes, and "iwae", by so many codes.

    Raises:
        UserError: there are fewer test images.
    """
    recipe = training.recipe
    rows = _as_seen(data.mnist.test_rows(recipe.source, stop)[0], recipe)[start:]
    model = vae_of(training)
    elbo = np.mean(
        [model.elbo(rows, seed=_ELBO_DRAWS * start + draw) for draw in range(_ELBO_DRAWS)], axis=0
    )
    return {"elbo": elbo, "iwae": model.log_likelihood(rows, codes, seed=start)}


def likelihoods(task, run, digits, codes):
    """Begin the runs of ``likelihood`` of the first test images, so many: a list, a run a thousand.
    """
    return [task.run(likelihood, training=run, codes=codes, start=start,
                     stop=min(start + _PART, digits)) for start in range(0, digits, _PART)]


def bounds(parts):
    """Dict of "elbo" and "iwae" (digits,) of what ``likelihoods`` began."""
    return {name: np.concatenate([part[name] for part in parts]) for name in ("elbo", "iwae")}


def unseen(recipe):
    """The test images as a VAE is scored on them: grey, or pixels drawn once, (n, 784)."""
    return _as_seen(data.mnist.rows(recipe.source)[1], recipe)


def _as_seen(rows, recipe):
    return data.mnist.drawn(rows) if recipe.binarize else rows


def _model(recipe):
    return models.vae.VAE(recipe.latent_dim, recipe.hidden_dim, binarize=recipe.binarize,
                          kl_weight=recipe.kl_weight)
