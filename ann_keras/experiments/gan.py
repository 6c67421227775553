"""Training runs of the GANs, tasks 4.2.1 to 4.2.6."""

import functools

import keras
import numpy as np

from ann_keras.experiments import boltzmann
from ann_keras.experiments.samples import as_fields, to_bytes
from ann_keras.experiments.settings import DENSE_GANS
from ann_keras.models import weights
from ann_keras.models.gan import GAN, adam
from ann_keras.training import compiled, resume
from ann_keras.training.finite import StopOnNaN

SHOWN = 100  # samples that a run keeps
WALKS, STOPS = 5, 10  # through latent space: number, and images of each
LOSSES = "generator_loss", "discriminator_loss"
WATCHED = "frechet", "coverage", "confident", "background"  # scores along training
_AGAIN = 100  # seed of a second training, not of any first one
_PROBED = 1_000  # images that the trained discriminator is asked about


def trained(
    task, settings, board, *, backbone="dense", corrected=False, steps=1, of=None, **changes
):
    """The runs of ``train`` that the script asks for, or another task's copies, one a seed.

    Args:
        task: that keeps the runs.
        settings: of the script, a ``settings.GAN``.
        board: ``samples.Scoreboard``.
        backbone, corrected: of ``GAN``; steps: its ``discriminator_steps``.
        of: another task that makes the same runs.
        changes: of the settings, ``seeds`` among them; or ``learning_rate``, ``keep`` or
            ``joint_batches`` of ``train``.
    """
    seeds = changes.pop("seeds", task.seeds)
    name = f"{'corrected ' if corrected else ''}{backbone} GAN"
    name += f", {steps} discriminator steps" if steps > 1 else ""
    name += f", rate {changes['learning_rate']:g}" if "learning_rate" in changes else ""
    name += "" if changes.get("joint_batches", True) else ", separate batches"
    return [
        task.run(
            f"{name}, seed {seed}", functools.partial(train, board), of=of, resumable=True,
            backbone=backbone, corrected=corrected, discriminator_steps=steps, seed=seed,
            **{"keep": seed == 0} | _arguments(settings) | changes,
        )
        for seed in seeds
    ]


def trained_again(task, settings, board, first, *, of=None):
    """The run of ``train`` that goes on from the published dense GAN of seed 0.

    As when the training cell of a notebook runs twice: same networks, new optimizers.

    Args:
        task, settings, board, of: as of ``trained``.
        first: the run of seed 0, which kept its weights.
    """
    return task.run(
        "dense GAN of seed 0, trained again", functools.partial(train, board, start=first),
        of=of, resumable=True, backbone="dense", corrected=False, discriminator_steps=1,
        seed=_AGAIN, keep=False, **_arguments(settings),
    )


def dense(task, settings, board):
    """Copies of the runs of ``trained`` of tasks 4.2.3 and 4.2.4: dict by ``DENSE_GANS``."""
    corrected = {"corrected": True, "of": "4.2.4"}
    variants = {"of": "4.2.3"}, corrected, corrected | {"learning_rate": settings.lower_rate}
    return {
        name: trained(task, settings, board, **changes)
        for name, changes in zip(DENSE_GANS, variants, strict=True)
    }


def convolutional(task, settings, board, *, of=None):
    """The runs of ``trained`` of the convolutional GAN: dict by variant, with the epochs.

    Args:
        task, board, of: as of ``trained``.
        settings: of the script, a ``settings.ConvGAN``.
    """
    variants = {"as published": {}, "corrected": {"corrected": True},
                "separate batches": {"joint_batches": False}}
    return {
        f"convolutional GAN, {name}, {settings.conv_epochs} epochs": trained(
            task, settings, board, backbone="conv", of=of, watched=1, keep=False,
            epochs=settings.conv_epochs, images=settings.conv_images,
            seeds=range(settings.conv_seeds), **changes,
        )
        for name, changes in variants.items()
    }


def _arguments(settings):
    names = ("epochs", "batch_size", "watched", "source", "images", "samples", "judge_epochs")
    return {name: getattr(settings, name) for name in names}


def train(
    board, *, backbone, corrected, discriminator_steps, epochs, batch_size, watched, seed,
    source, images, samples, judge_epochs, keep, learning_rate=1e-3, joint_batches=None,
    start=None, checkpoint=None,
):
    """Train a GAN on training digits and score its samples.

    Args:
        board: ``samples.Scoreboard``, whose convnet was trained for ``judge_epochs``.
        backbone, corrected, discriminator_steps: of ``GAN``.
        epochs: passes over the images.
        batch_size: of the published run 512.
        watched: epochs between scores; they are taken of the same noise each time.
        seed: of weights, order and noise.
        source: of MNIST.
        images: training images, the first ones; None for all.
        samples: that are scored.
        keep: whether the weights are part of the result.
        learning_rate: of both optimizers.
        joint_batches: of ``GAN``.
        start: a run that kept its weights, from which both networks go on; None for new ones.
        checkpoint: folder; an interrupted run goes on from its last epoch.

    Returns:
        Dict: "generator_loss" and "discriminator_loss" (epochs,), means in nats; "seconds" an
        epoch (median); "watched_epochs" and for those epochs "watched_frechet",
        "watched_coverage", "watched_confident" and "watched_background"; "score_…" of the last
        epoch, as ``Scoreboard.score`` names them; "images" (100, 784) and "walks"
        (5, 10, 784) through latent space, uint8; "real_probability" and "fake_probability"
        (1000,), that the trained discriminator gives; "generator" and "discriminator", all
        weights, flat, if kept.

    Raises:
        UserError: a loss became NaN.
    """
    rows = _digits(source, images)
    keras.utils.set_random_seed(seed)
    model = GAN(backbone, discriminator_steps=discriminator_steps, corrected=corrected,
                joint_batches=joint_batches)
    if start is not None:
        _restore(model, start)
    model.compile(adam(learning_rate), adam(learning_rate))
    random = np.random.default_rng(seed)
    noise = random.normal(size=(max(samples, 2 * WALKS), model.latent_dim)).astype(np.float32)
    ends, noise = noise[: 2 * WALKS], noise[:samples]
    watch = _Watch(board, noise, every=watched)
    history = resume.fit(
        model, rows, epochs=epochs, batch_size=batch_size, seed=seed,
        callbacks=[StopOnNaN(), watch], checkpoint=checkpoint,
    )
    drawn = model.decode(noise)
    final = board.score(drawn.reshape(-1, 784))
    kept = np.flatnonzero(history["watched"])
    result = {name: history[name] for name in LOSSES}
    result |= {
        f"watched_{name}": [*(history[name][epoch] for epoch in kept), final[name]]
        for name in WATCHED
    }
    result |= as_fields(final)
    result |= {
        "watched_epochs": [*(kept + 1), epochs],
        "seconds": np.median(history["seconds"]),
        "images": to_bytes(drawn[:SHOWN]),
        "walks": to_bytes(model.decode(_walks(ends))).reshape(WALKS, STOPS, 784),
        "real_probability": _real(model, 2 * rows[:_PROBED] - 1 if corrected else rows[:_PROBED]),
        "fake_probability": _real(model, model.decode(noise[:_PROBED], raw=True)),
    }
    if keep:
        result |= {"generator": weights.flatten(model.generator),
                   "discriminator": weights.flatten(model.discriminator)}
    return result


class _Watch(keras.callbacks.Callback):
    """Adds scores of samples to the logs of some epochs.

    After the first epoch and every so many, but for the last, whose samples are scored anyway.
    """

    def __init__(self, board, noise, every):
        super().__init__()
        self.board, self.noise, self.every = board, noise, every

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        logs["watched"] = (done == 1 or done % self.every == 0) and done < self.params["epochs"]
        found = {}
        if logs["watched"]:
            found = self.board.score(self.model.decode(self.noise).reshape(-1, 784))
        logs |= {name: found.get(name) for name in WATCHED}


def _walks(noise):
    """Latent vectors on great circles from one sample to the next, (WALKS · STOPS, d)."""
    share = np.linspace(0, 1, STOPS)[:, np.newaxis]
    # Along the circle the length, which noise in many dimensions nearly shares, stays likely.
    parts = [np.cos(share * np.pi / 2) * first + np.sin(share * np.pi / 2) * second
             for first, second in zip(noise[::2], noise[1::2])]
    return np.concatenate(parts)


def without_dropout(run, source):
    """What D13 does: a discriminator of the published dense GAN with and without its dropout.

    Args:
        run: of ``train`` that kept its weights.
        source: of MNIST.

    Returns:
        Dict of name → probabilities of being real, out of training, (1000,): "real" and "fake",
        with the dropout that is always on, "real_plain" and "fake_plain", without.
    """
    keras.utils.set_random_seed(0)
    published, plain = GAN(), GAN(corrected=True)
    for model in (published, plain):
        _restore(model, run)
    noise = np.random.default_rng(0).normal(size=(_PROBED, published.latent_dim))
    images = {"real": _digits(source, _PROBED),
              "fake": published.decode(noise, raw=True)}
    found = {}
    for model, suffix in ((published, ""), (plain, "_plain")):
        found |= {name + suffix: _real(model, part) for name, part in images.items()}
    return found


def first_losses(start, noise, *, epochs, batch_size, seed, source, images):
    """Losses of the published dense GAN from other initial weights and noise.

    The published run's are not known.

    Args:
        start: "PyTorch", its default, as in ``train``; or "Glorot": uniform, biases 0.01, as the
            published VAE starts.
        noise: "normal", as in ``train``, or "uniform" in [0, 1).
        epochs, batch_size, seed, source, images: as of ``train``.

    Returns:
        Dict: "generator_loss" and "discriminator_loss" (epochs,), means in nats.

    Raises:
        UserError: a loss became NaN.
    """
    keras.utils.set_random_seed(seed)
    model = GAN() if noise == "normal" else _UniformGAN()
    if start == "Glorot":
        kernel = keras.initializers.GlorotUniform(keras.random.SeedGenerator(seed))
        for layer in (*model.generator.layers, *model.discriminator.layers):
            if layer.weights:
                layer.kernel.assign(kernel(layer.kernel.shape))
                layer.bias.assign(keras.ops.full_like(layer.bias, 0.01))
    model.compile()
    history = compiled.fit(
        model, _digits(source, images), epochs=epochs, batch_size=batch_size, seed=seed,
        callbacks=[StopOnNaN()],
    ).history
    return {name: history[name] for name in LOSSES}


def _restore(model, run):
    weights.restore(model.generator, run["generator"])
    weights.restore(model.discriminator, run["discriminator"])


def _digits(source, images):
    """The first training digits, all for None, (n, 28, 28, 1)."""
    return boltzmann.digits(source)[0][:images].reshape(-1, 28, 28, 1)


class _UniformGAN(GAN):
    def noise(self, count):
        return keras.random.uniform((count, self.latent_dim), seed=self.seed_generator)


def _real(model, images):
    """Probability of being real by the discriminator out of training, (n,)."""
    logits = model.discriminator(images, training=False)
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(logits))[:, 0]
