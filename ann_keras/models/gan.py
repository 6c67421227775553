"""Generative adversarial networks for MNIST (tasks 4.2.1 to 4.2.5), dense or convolutional.

Sources: Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, with the non-saturating loss
of its section 3; batch normalisation in the convolutional networks as in Radford, Metz and
Chintala's DCGAN, ICLR 2016. The published run differs from its description in two points, D12 and
D13, which ``corrected=True`` repairs.
"""

import keras
import numpy as np
import tensorflow as tf

from ann_keras.layers.fourier import FourierConv2D, FourierConv2DTranspose
from ann_keras.layers.initializers import pytorch_uniform
from ann_keras.layers.normalization import FusedBatchNormalization
from ann_keras.models.boltzmann import check_rows, check_unit_interval

_IMAGE = (28, 28, 1)
_ROWS = 1000  # images that are generated at once


@keras.saving.register_keras_serializable(package="ann_keras")
class AlwaysOnDropout(keras.layers.Dropout):
    """Dropout that also acts outside of training, as PyTorch's ``functional.dropout`` does (D13).

    A layer of its own, since a model's ``training=False`` overrides what its layers were given.
    """

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


class GAN(keras.Model):
    """A generator and a discriminator, trained against each other.

    With D(x) the discriminator's probability that x is real, each batch is a step on
    −½ (mean log D(x) + mean log(1 − D(G(z)))) for the discriminator, then one on −mean log D(G(z))
    for the generator, on the same fake images as in PyTorch's DCGAN example.

    A step trains one network only. Batch statistics move as in PyTorch, whenever a network runs in
    training: both networks' in either step.

    Args:
        backbone: "dense" or "conv".
        latent_dim: size of the generator's input.
        discriminator_steps: updates of the discriminator for each of the generator, all on the
            same real images, with new noise (task 4.2.2); 1 as published.
        corrected: False as published; True scales the real images to the generator's [−1, 1] (D12)
            and restricts the dropout to training (D13).
        joint_batches: whether the discriminator is given real and generated images in one batch;
            None: where it has batch normalisation. Its normalised features have mean 0: of fake
            images alone they cannot say that all are fake, and the generator collapses (4.2.5).
        latent_noise: of the generator's input, "normal" as published or "uniform" in [0, 1).

    Attributes:
        generator: Functional model, noise (n, latent_dim) → tanh outputs (n, 28, 28, 1); trainable
            parameters: dense 1,463,312, convolutional 1,387,231.
        discriminator: Functional model, images (n, 28, 28, 1) in the range of its real images →
            logits (n, 1); 1,460,225 and 1,387,271.

    Raises:
        ValueError: unknown backbone, or a latent size or number of steps below one.
    """

    def __init__(self, backbone="dense", latent_dim=10, *, discriminator_steps=1, corrected=False,
                 joint_batches=None, latent_noise="normal"):
        super().__init__(name=f"{backbone}_gan")
        if backbone not in ("dense", "conv"):
            raise ValueError(f'backbone must be "dense" or "conv", got {backbone!r}')
        if min(latent_dim, discriminator_steps) < 1:
            raise ValueError("latent size and discriminator steps must be at least one, got "
                             f"{latent_dim} and {discriminator_steps}")
        if latent_noise not in ("normal", "uniform"):
            raise ValueError(f'the noise must be "normal" or "uniform", got {latent_noise!r}')
        self.latent_dim, self.latent_noise, self.corrected = latent_dim, latent_noise, corrected
        self.discriminator_steps = discriminator_steps
        self.joint_batches = backbone == "conv" if joint_batches is None else joint_batches
        if backbone == "dense":
            dropout = keras.layers.Dropout if corrected else AlwaysOnDropout
            self.generator = _dense_generator(latent_dim)
            self.discriminator = _dense_discriminator(dropout)
        else:
            self.generator = _convolutional_generator(latent_dim)
            self.discriminator = _convolutional_discriminator()
        self.seed_generator = keras.random.SeedGenerator()
        self._generator_mean = keras.metrics.Mean("generator_loss")
        self._discriminator_mean = keras.metrics.Mean("discriminator_loss")
        self.built = True

    def compile(self, generator_optimizer=None, discriminator_optimizer=None):
        """Choose two Keras optimizers; None: Adam of rate 1e-3, β₁ 0.5 and ε 1e-8, as published."""
        optimizer, self.discriminator_optimizer = (
            keras.optimizers.get(given or keras.optimizers.Adam(1e-3, beta_1=0.5, epsilon=1e-8))
            for given in (generator_optimizer, discriminator_optimizer)
        )
        # XLA on CPU makes convolutions several times slower.
        super().compile(optimizer=optimizer, jit_compile=False)
        # Here, since training loops would build the optimizer for both networks.
        self.optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def check_images(self, images):
        """Raise ValueError unless images are floats (n, 28, 28, 1) in [0, 1].

        Steps check too, but know no values inside a graph; ``compiled.fit`` calls this first.
        """
        if tuple(images.shape[1:]) != _IMAGE:
            raise ValueError(f"images must be of shape (n, 28, 28, 1), got {tuple(images.shape)}")
        if not tf.as_dtype(images.dtype).is_floating:
            raise ValueError(f"images must be floats in [0, 1], got {tf.as_dtype(images.dtype)}")
        if not tf.is_symbolic_tensor(images):
            check_unit_interval(images)

    def noise(self, count):
        """Latent vectors (count, latent_dim)."""
        draw = {"normal": keras.random.normal, "uniform": keras.random.uniform}[self.latent_noise]
        return draw((count, self.latent_dim), seed=self.seed_generator)

    def train_step(self, data):
        """``discriminator_steps`` updates of the discriminator, then one of the generator."""
        real = self._real(data)
        count = keras.ops.shape(real)[0]
        for _ in range(self.discriminator_steps - 1):
            self._train_discriminator(real, self.generator(self.noise(count), training=True))
        with tf.GradientTape() as tape:
            fake = self.generator(self.noise(count), training=True)
            with tape.stop_recording():
                self._train_discriminator(real, fake)
            if self.joint_batches:
                _, logits = self._logits(real, fake)
            else:
                logits = self.discriminator(fake, training=True)
            loss = generator_loss(logits)
        variables = self.generator.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self._generator_mean.update_state(loss, sample_weight=count)
        return self.get_metrics_result()

    def test_step(self, data):
        """Both losses out of training, on the noise that the next step is given as well.

        It leaves the random states as they are, so that evaluating does not change training.
        """
        real = self._real(data)
        count = keras.ops.shape(real)[0]
        states = [v for v in self.non_trainable_variables if v.name == "seed_generator_state"]
        kept = [tf.identity(state.value) for state in states]
        fake = self.generator(self.noise(count), training=False)
        logits = [self.discriminator(images, training=False) for images in (real, fake)]
        self._generator_mean.update_state(generator_loss(logits[1]), sample_weight=count)
        self._discriminator_mean.update_state(discriminator_loss(*logits), sample_weight=count)
        for state, value in zip(states, kept):
            state.assign(value)
        return self.get_metrics_result()

    @property
    def metrics(self):
        """The means of both losses; without Keras' "loss", of which there is no one here."""
        return [self._generator_mean, self._discriminator_mean]

    def _train_discriminator(self, real, fake):
        with tf.GradientTape() as tape:
            loss = discriminator_loss(*self._logits(real, fake))
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, variables), variables)
        self._discriminator_mean.update_state(loss, sample_weight=keras.ops.shape(real)[0])

    def _logits(self, real, fake):
        """The discriminator's of both in training, in one batch or in two."""
        if self.joint_batches:
            return tf.split(self.discriminator(tf.concat([real, fake], 0), training=True), 2)
        return self.discriminator(real, training=True), self.discriminator(fake, training=True)

    def _real(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.check_images(images)
        return 2 * images - 1 if self.corrected else images

    def sample(self, count):
        """``decode`` of so many latent vectors that are drawn."""
        return self.decode(self.noise(count))

    def decode(self, latent, *, raw=False):
        """Images of latent vectors (n, latent_dim), by the generator as it is out of training.

        Returns:
            NumPy array (n, 28, 28, 1) in [0, 1]: as published, values below 0 are clipped;
            corrected, [−1, 1] is mapped to [0, 1]; raw, the outputs in [−1, 1] themselves.
        """
        latent = np.asarray(latent, "float32")
        check_rows("latent vectors", latent, self.latent_dim)
        outputs = np.concatenate([
            self.generator(latent[first:first + _ROWS], training=False)
            for first in range(0, len(latent), _ROWS)
        ])
        if raw:
            return outputs
        return (outputs + 1) / 2 if self.corrected else np.maximum(outputs, 0)


def generator_loss(fake_logits):
    """−mean log D(G(z)), in nats, of the logits (n, 1) of generated images."""
    return keras.ops.mean(keras.ops.softplus(-fake_logits))


def discriminator_loss(real_logits, fake_logits):
    """−½ (mean log D(x) + mean log(1 − D(G(z)))), in nats, of logits (n, 1)."""
    real = keras.ops.mean(keras.ops.softplus(-real_logits))
    return 0.5 * (real + keras.ops.mean(keras.ops.softplus(fake_logits)))


def _dense_generator(latent_dim):
    inputs = x = keras.Input((latent_dim,), name="noise")
    for units in (256, 512, 1024):
        x = keras.layers.LeakyReLU(0.2)(_dense(x, units))
    outputs = keras.layers.Reshape(_IMAGE)(_dense(x, 784, activation="tanh"))
    return keras.Model(inputs, outputs, name="dense_generator")


def _dense_discriminator(dropout):
    inputs = keras.Input(_IMAGE, name="image")
    x = keras.layers.Flatten()(inputs)
    for units in (1024, 512, 256):
        x = _dense(x, units)  # before its dropout: either takes a seed
        x = dropout(0.3)(keras.layers.LeakyReLU(0.2)(x))
    return keras.Model(inputs, _dense(x, 1, name="logit"), name="dense_discriminator")


def _convolutional_generator(latent_dim):
    """Sides 1 → 5 → 7 → 14 → 28; all layers have biases, by the published parameter count."""
    inputs = keras.Input((latent_dim,), name="noise")
    x = keras.layers.Reshape((1, 1, latent_dim))(inputs)
    x = _normalized(_transposed(320, 5)(x), slope=0)
    # The largest layer here and its mirror in the discriminator take most of the time.
    x = _normalized(_transposed(160, 5, FourierConv2DTranspose, border=1)(x), slope=0)
    # Kernel 4 and stride 2 with "same": a border of 1 on each side.
    x = _normalized(_transposed(10, 4, strides=2, padding="same")(x), slope=0)
    outputs = _transposed(1, 4, strides=2, padding="same", activation="tanh")(x)
    return keras.Model(inputs, outputs, name="convolutional_generator")


def _convolutional_discriminator():
    """The generator's mirror, sides 28 → 14 → 7 → 5 → 1, then one unit on 10 features."""
    inputs = keras.Input(_IMAGE, name="image")
    x = _normalized(_convolution(1, 10, 4, strides=2, padding="same")(inputs), slope=0.2)
    x = _normalized(_convolution(10, 160, 4, strides=2, padding="same")(x), slope=0.2)
    x = _normalized(_convolution(160, 320, 5, FourierConv2D, border=1)(x), slope=0.2)
    x = _normalized(_convolution(320, 10, 5)(x), slope=0.2)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, _dense(x, 1, name="logit"), name="convolutional_discriminator")


def _dense(x, units, **options):
    return keras.layers.Dense(units, **options, **pytorch_uniform(x.shape[-1]))(x)


def _transposed(filters, kernel, layer=keras.layers.Conv2DTranspose, **options):
    # PyTorch takes the fan-in of a transposed convolution from its output channels.
    return layer(filters, kernel, **options, **pytorch_uniform(kernel**2 * filters))


def _convolution(channels, filters, kernel, layer=keras.layers.Conv2D, **options):
    return layer(filters, kernel, **options, **pytorch_uniform(kernel**2 * channels))


def _normalized(x, slope):
    x = FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return keras.layers.LeakyReLU(slope)(x) if slope else keras.layers.ReLU()(x)
