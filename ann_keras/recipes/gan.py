"""The GAN of MNIST digits, dense or convolutional: tasks 4.2.1 to 4.2.6, and 4.3.4."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import command, data, evaluation, models, training
from ann_keras.recipes import convnet
from ann_keras.recipes.fields import adam, added

SHOWN = 100  # samples that a score keeps
WALKS, STOPS = 5, 10  # through latent space: number, and images of each
LOSSES = "generator_loss", "discriminator_loss"
WATCHED = "frechet", "coverage", "confident", "background"  # scores along training
STEADY_RATE = 2e-4  # of both optimizers in the DCGAN paper, to which the report's 1e-3 is too high
DENSE = "dense GAN, as published", "dense GAN, corrected", "dense GAN, corrected, lower rate"
AGAIN = "dense GAN, trained again"  # as published, too: by a notebook's cell that ran twice (D15)
_AGAIN = 100  # first seed of second trainings, not of any first one
_PROBED = 1_000  # images that the trained discriminator is asked about


@dataclass(frozen=True)
class Recipe:
    """How the GAN is trained; by default as published, with dense networks."""

    backbone: Literal["dense", "conv"] = "dense"  # report: dense or convolutional networks
    latent_dim: int = 10  # report: size of the generator's input
    noise: Literal["normal", "uniform"] = "normal"  # ours: of its input, N(0, 1) or from [0, 1)
    initial_weights: Literal["pytorch", "glorot"] = "pytorch"  # ours: glorot has biases of 0.01
    corrected: bool = False  # ours: real images in [-1, 1] (D12), dropout in training only (D13)
    separate_batches: bool = False  # as the report's code: real and fake normalised apart
    discriminator_steps: int = 1  # report: of the discriminator for each of the generator
    learning_rate: float = 1e-3  # report: of both networks' Adam
    beta_1: float = 0.5  # report: of both networks' Adam, decay of the mean gradient
    beta_2: float = added(0.999, before=0.999)  # report: of both networks' Adam, of the mean square
    epsilon: float = 1e-8  # report: of both networks' Adam, PyTorch's default
    epochs: int = 50  # report: passes over the images
    batch_size: int = 512  # report: real images a step
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits
    images: int | None = None  # report: None for all training images; else the first ones
    watched: int = 10  # ours: epochs between scores along training
    watched_samples: int = 10_000  # ours: samples that these scores take


QUICK = Recipe(epochs=4, batch_size=128, source="sample", watched=2, watched_samples=1_000)
SMOKE = replace(QUICK, epochs=1, images=256, watched_samples=100)
# Described in the report and never trained for it (D15). Ours: epochs, of the report's 50.
CONVOLUTIONAL = Recipe(backbone="conv", separate_batches=True, epochs=10)
CONVOLUTIONAL_QUICK = replace(QUICK, backbone="conv", separate_batches=True, epochs=2,
                              batch_size=64, images=256)
CONVOLUTIONAL_SMOKE = replace(CONVOLUTIONAL_QUICK, epochs=1, images=64)
Published = command.flat(Recipe, "backbone", "corrected")


@dataclass(frozen=True)
class Settings:
    """Of tasks 4.2.1, 4.2.3 and 4.2.4, on the dense GAN."""

    recipe: Published = Recipe()
    labelling: convnet.Judge = convnet.LABELLING  # ours: the judge
    samples: int = 10_000  # ours: that are scored
    seeds: int = 3  # ours; the report shows one run


PRESETS = {
    "smoke": Settings(SMOKE, convnet.LABELLING_SMOKE, samples=100, seeds=1),
    "quick": Settings(QUICK, convnet.LABELLING_QUICK, samples=1_000, seeds=1),
    "report": Settings(),
}


def train(recipe, seed, checkpoint=None, start=None, monitor=None):
    """Train both networks.

    Args:
        seed: of weights, order and noise.
        checkpoint: folder; an interrupted training goes on from its last epoch.
        start: a training from whose networks this one goes on, with new optimizers; None for new
            networks.
        monitor: training of the labelling convnet, by which samples are scored along training;
            None for no such scores.

    Returns:
        Dict: "generator_loss" and "discriminator_loss" (epochs,), means in nats; "seconds" an
        epoch (median); "generator" and "discriminator", all weights, flat. With a monitor,
        "watched_epochs", which are the first, every so many and the last, and for those
        "watched_frechet", "watched_coverage", "watched_confident" and "watched_background", of the
        same noise each time.

    Raises:
        UserError: a loss became NaN.
    """
    import keras

    # The convnet's initial weights must not take random numbers from the networks'.
    board = monitor and evaluation.scoreboard.board(monitor, recipe.source, recipe.watched_samples)
    keras.utils.set_random_seed(seed)
    model = _network(recipe)
    if recipe.initial_weights == "glorot":
        _start_like_glorot(model, seed)
    if start is not None:
        _restore(model, start)
    model.compile(adam(recipe), adam(recipe))
    watch = [_watch(model, board, recipe, seed)] if board else []
    history = training.resume.fit(
        model, _digits(recipe), epochs=recipe.epochs, batch_size=recipe.batch_size, seed=seed,
        callbacks=[training.finite.StopOnNaN(), *watch], checkpoint=checkpoint,
    )
    result = {name: history[name] for name in LOSSES} | {
        "seconds": np.median(history["seconds"]),
        "generator": models.weights.flatten(model.generator),
        "discriminator": models.weights.flatten(model.discriminator),
    }
    if board:
        kept = np.flatnonzero(np.isfinite(history["frechet"]))
        result["watched_epochs"] = kept + 1
        result |= {f"watched_{name}": np.array(history[name])[kept] for name in WATCHED}
    return result


def score(training, labelling, samples):
    """Score so many samples of a run of ``train``, and keep some of them.

    Returns:
        Dict: "score_…", as ``Scoreboard.score`` names them; "images" (100, 784) and "walks"
        (5, 10, 784) through latent space, uint8; "real_probability" and "fake_probability"
        (1000,), that the trained discriminator gives.
    """
    import keras

    scoreboard, recipe = evaluation.scoreboard, training.recipe
    board = scoreboard.board(labelling, recipe.source, samples)
    keras.utils.set_random_seed(training.seed)  # of a dropout that is always on
    model, noise = model_of(training), _noise(recipe, training.seed, max(samples, 2 * WALKS))
    ends, noise = noise[: 2 * WALKS], noise[:samples]
    drawn, real = model.decode(noise), _digits(recipe)[:_PROBED]
    return scoreboard.kept(board, drawn.reshape(-1, 784), SHOWN) | {
        "walks": scoreboard.to_bytes(model.decode(_walks(ends))).reshape(WALKS, STOPS, 784),
        "real_probability": real_probability(model, 2 * real - 1 if recipe.corrected else real),
        "fake_probability": real_probability(model, model.decode(noise[:_PROBED], raw=True)),
    }


def model_of(training, **changes):
    """The ``GAN`` of a training, or one whose recipe has changes, with the training's weights."""
    model = _network(replace(training.recipe, **changes))
    _restore(model, training)
    return model


def real_probability(model, images):
    """Probability of being real by the discriminator of a ``GAN`` out of training, (n,), of images
    (n, 28, 28, 1) in the range of its real ones."""
    import keras

    logits = model.discriminator(images, training=False)
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(logits))[:, 0]


def measure_parameters(task, backbone):
    """Record how many weights of either network are trained."""
    model = models.gan.GAN(backbone)
    for part in ("generator", "discriminator"):
        task.measure(f"{backbone}_gan/{part}/parameters",
                     models.weights.count_trainable(getattr(model, part)))


def dense(task, recipe, labelling):
    """Begin the trainings of the dense GAN that several tasks compare.

    Returns:
        Dict of the names ``DENSE`` → ``Results``; the recipe is that of the published one, whose
        samples the labelling convnet scores along training.
    """
    corrected = replace(recipe, corrected=True)
    lower = replace(corrected, learning_rate=STEADY_RATE)
    return {DENSE[0]: published(task, recipe, labelling),
            DENSE[1]: task.repeat(train, corrected), DENSE[2]: task.repeat(train, lower)}


def published(task, recipe, labelling):
    """Begin the trainings of the published GAN alone, as ``dense`` does: ``Results``."""
    return task.repeat(train, recipe, monitor=labelling)


def published_again(task, recipe, labelling):
    """Begin a training that goes on from each of the ``published`` ones, ``AGAIN``: ``Results``."""
    first = published(task, recipe, labelling)
    seeds = range(_AGAIN, _AGAIN + len(first))
    return task.repeat(train, recipe, seeds=seeds, start=first, monitor=labelling)


def convolutional(task, recipe, seeds):
    """Begin the trainings of the convolutional GAN that two tasks compare.

    Returns:
        Dict of name, with the epochs → ``Results``: the recipe, as the report's code has it, in
        separate batches, then one seed each in joint batches, which are ours.
    """
    joint = replace(recipe, separate_batches=False)
    variants = {"convolutional GAN": (recipe, seeds),
                "convolutional GAN, joint batches": (joint, 1),
                "convolutional GAN, joint batches, corrected": (replace(joint, corrected=True), 1)}
    return {f"{name}, {recipe.epochs} epochs": task.repeat(train, variant, seeds=number)
            for name, (variant, number) in variants.items()}


def _network(recipe):
    return models.gan.GAN(
        recipe.backbone, recipe.latent_dim, discriminator_steps=recipe.discriminator_steps,
        corrected=recipe.corrected, joint_batches=False if recipe.separate_batches else None,
        latent_noise=recipe.noise,
    )


def _restore(model, training):
    models.weights.restore(model.generator, training["generator"])
    models.weights.restore(model.discriminator, training["discriminator"])


def _start_like_glorot(model, seed):
    """Glorot's uniform weights and biases of 0.01, as the published VAE starts."""
    import keras

    kernel = keras.initializers.GlorotUniform(keras.random.SeedGenerator(seed))
    for layer in (*model.generator.layers, *model.discriminator.layers):
        if layer.weights:
            layer.kernel.assign(kernel(layer.kernel.shape))
            layer.bias.assign(keras.ops.full_like(layer.bias, 0.01))


def _digits(recipe):
    """The training digits, (n, 28, 28, 1)."""
    return data.mnist.rows(recipe.source)[0][: recipe.images].reshape(-1, 28, 28, 1)


def _noise(recipe, seed, number):
    """Latent vectors (number, latent_dim), the first of which are the same for any number."""
    random = np.random.default_rng(seed)
    draw = random.normal if recipe.noise == "normal" else random.random
    return draw(size=(number, recipe.latent_dim)).astype(np.float32)


def _watch(model, board, recipe, seed):
    """A callback that adds scores of samples to the logs of some epochs, to others NaN."""
    import keras

    noise = _noise(recipe, seed, recipe.watched_samples)

    def log(epoch, logs):
        done, found = epoch + 1, {}
        if done in (1, recipe.epochs) or done % recipe.watched == 0:
            found = board.score(model.decode(noise).reshape(-1, 784))
        logs |= {name: found.get(name, np.nan) for name in WATCHED}

    return keras.callbacks.LambdaCallback(on_epoch_end=log)


def _walks(noise):
    """Latent vectors on great circles from one sample to the next, (WALKS · STOPS, d)."""
    share = np.linspace(0, 1, STOPS)[:, np.newaxis]
    # Along the circle the length, which noise in many dimensions nearly shares, stays likely.
    parts = [np.cos(share * np.pi / 2) * first + np.sin(share * np.pi / 2) * second
             for first, second in zip(noise[::2], noise[1::2])]
    return np.concatenate(parts)
