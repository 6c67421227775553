"""The variational autoencoder of task 4.3, with TensorFlow Probability's distributions.

Prior p(z) = N(0, I), posterior q(z|x) = N(mean(x), diag(exp(log_variance(x)))), likelihood
p(x|z) = Π Bernoulli(x_i; sigmoid(logits_i(z))); all bounds are in nats an image.

Sources: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, for the bound; Burda,
Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, for its estimate by many
samples (equation 8) and for pixels drawn anew in each step.
"""

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tqdm import tqdm

from ann_keras.models.boltzmann import check_rows, check_unit_interval

_ROWS = 1000  # images at once outside training: about 30 MiB


@keras.saving.register_keras_serializable(package="ann_keras")
class VAE(keras.Model):
    """Variational autoencoder of Bernoulli pixels, 784–1024–(300, 300) and 300–1024–784.

    With the defaults the encoder has 1,418,840 and the decoder 1,111,824 parameters. Kernels
    start Glorot-uniform, biases at 0.01 as published. Compile it with an optimizer alone, Adam
    with rate 1e-3 and beta_1 0.5 as published; training logs "elbo", "reconstruction" (negative
    log-likelihood) and "kl". A step itself does not check the range of the images.

    Args:
        latent_dim: components of a code.
        hidden_dim: units of the hidden layer of either network; or a tuple, units of each hidden
            layer of the encoder, which the decoder has in reverse order.
        pixels: of an image.
        binarize: draw black and white pixels from the grey values in each training step; values
            in evaluation stay as they are. As published, a grey value x counts as is, by
            x log p + (1 − x) log(1 − p).
        kl_weight: factor of the KL term in what training minimises; 0 leaves the reconstruction
            alone. What is logged stays the bound itself.

    Attributes:
        encoder: Functional model, images (n, pixels) → mean and log-variance, (n, latent_dim) each.
        decoder: Functional model, codes (n, latent_dim) → logits (n, pixels).

    Raises:
        ValueError: a size below one, or a negative weight.
    """

    def __init__(self, latent_dim=300, hidden_dim=1024, *, pixels=784, binarize=False,
                 kl_weight=1.0, **options):
        super().__init__(**options)
        units = (hidden_dim,) if np.ndim(hidden_dim) == 0 else tuple(hidden_dim)
        if min(latent_dim, pixels, *units) < 1:
            raise ValueError("latent_dim, hidden_dim and pixels must be at least 1, got "
                             f"{latent_dim}, {hidden_dim} and {pixels}")
        if not 0 <= kl_weight < float("inf"):
            raise ValueError(f"kl_weight must be a number from 0 on, got {kl_weight}")
        self.latent_dim, self.hidden_dim, self.pixels = latent_dim, hidden_dim, pixels
        self.binarize, self.kl_weight = binarize, kl_weight
        self.encoder = _network(
            pixels, units, {"mean": latent_dim, "log_variance": latent_dim}, "encoder"
        )
        self.decoder = _network(latent_dim, units[::-1], {"logits": pixels}, "decoder")
        self._noise = keras.random.SeedGenerator()  # by keras.utils.set_random_seed
        self._trackers = {name: keras.metrics.Mean(name=name)
                          for name in ("elbo", "reconstruction", "kl")}
        self.built = True

    @property
    def metrics(self):
        return list(self._trackers.values())

    @property
    def prior(self):
        """p(z), a distribution of codes (latent_dim,)."""
        return tfp.distributions.MultivariateNormalDiag(tf.zeros(self.latent_dim))

    def posterior(self, x):
        """q(z|x) of images, tensor (n, pixels): a batch of n distributions of codes."""
        mean, log_variance = self.encoder(x)
        return tfp.distributions.MultivariateNormalDiag(mean, tf.exp(log_variance / 2))

    def likelihood(self, codes):
        """p(x|z) of codes, tensor (..., latent_dim): a batch (...) of distributions of images."""
        logits = self.decoder(tf.reshape(codes, (-1, self.latent_dim)))
        logits = tf.reshape(logits, tf.concat([tf.shape(codes)[:-1], [self.pixels]], axis=0))
        return tfp.distributions.Independent(tfp.distributions.Bernoulli(logits), 1)

    def call(self, inputs):
        """Probabilities of the pixels at the mean code, (n, pixels) → (n, pixels)."""
        return tf.sigmoid(self.decoder(self.encoder(inputs)[0]))

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        if self.binarize:
            uniform = tf.random.stateless_uniform(tf.shape(x), self._new_seed(), dtype=x.dtype)
            x = tf.cast(uniform < x, x.dtype)
        with tf.GradientTape() as tape:
            reconstruction, kl = self._terms(x, self._new_seed())
            loss = tf.reduce_mean(reconstruction + self.kl_weight * kl)
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, [w.value for w in weights]), weights)
        return self._log(reconstruction, kl)

    def test_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self._log(*self._terms(x, self._new_seed()))

    def check_images(self, x):
        """Raise ValueError unless there are images, an array (n, pixels), in [0, 1]."""
        check_rows("images", x, self.pixels)
        check_unit_interval(x)

    def elbo(self, x, seed=0):
        """Evidence lower bound of images by one sampled code each, array (n,) in nats.

        Images are (n, pixels) in [0, 1], or ValueError; the same seed gives the same codes.
        """
        return _in_blocks(self._elbo, self._check(x), _ROWS, seed)

    def log_likelihood(self, x, samples=5000, chunk=5000, seed=0):
        """Importance-weighted lower bound of log p(x) of images as of ``elbo``, (n,) in nats.

        log 1/k Σ p(x|z) p(z) / q(z|x) over k codes of each image (IWAE, equation 8); on average
        it rises with k, towards log p(x).

        Args:
            samples: k, codes of an image; ValueError below one, as of ``chunk``.
            chunk: codes decoded at once. Memory grows with it alone: with the default sizes
                at most 0.03 MiB a code, 150 MiB in all.
            seed: of the codes; the same seed and chunk give the same numbers.
        """
        if samples < 1 or chunk < 1:
            raise ValueError(f"samples and chunk must be at least 1, got {samples} and {chunk}")
        x = self._check(x)
        draws = -(-samples // -(-samples // chunk))  # parts of about the same size

        def bound(block, seed):
            return self._importance_bound(block, seed, draws, tf.constant(samples))

        return _in_blocks(bound, x, max(1, chunk // draws), seed, "importance sampling")

    def encode(self, x):
        """Mean and standard deviation of q(z|x), two arrays (n, latent_dim), of images x."""
        return _in_blocks(self._encode, self._check(x), _ROWS)

    def decode(self, codes):
        """Probabilities of the pixels, array (n, pixels), of codes (n, latent_dim)."""
        codes = np.asarray(codes, np.float32)
        check_rows("codes", codes, self.latent_dim)
        return _in_blocks(self._decode, codes, _ROWS)

    def sample(self, n, seed=0):
        """``decode`` of n codes drawn from the prior by the seed; ValueError if n is below one."""
        if n < 1:
            raise ValueError(f"the number of samples must be at least 1, got {n}")
        return self.decode(self.prior.sample(n, seed=[seed, 0]))

    def get_config(self):
        names = "name", "latent_dim", "hidden_dim", "pixels", "binarize", "kl_weight"
        return {name: getattr(self, name) for name in names}

    def _terms(self, x, seed):
        """−log p(x|z) at one code z of q(z|x), and KL(q(z|x) ‖ p(z)); tensors (n,)."""
        posterior = self.posterior(x)
        reconstruction = -self.likelihood(posterior.sample(seed=seed)).log_prob(x)
        return reconstruction, posterior.kl_divergence(self.prior)

    def _log(self, reconstruction, kl):
        values = {"elbo": -reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
        for name, value in values.items():
            self._trackers[name].update_state(value)
        return self.get_metrics_result()

    @tf.function
    def _elbo(self, x, seed):
        reconstruction, kl = self._terms(x, seed)
        return -reconstruction - kl

    @tf.function
    def _encode(self, x, seed):
        posterior = self.posterior(x)
        return posterior.mean(), posterior.stddev()

    @tf.function
    def _decode(self, codes, seed):
        return tf.sigmoid(self.decoder(codes))

    @tf.function
    def _importance_bound(self, x, seed, draws, samples):
        posterior, prior = self.posterior(x), self.prior
        total = tf.fill([x.shape[0]], -np.inf)
        for part in tf.range((samples + draws - 1) // draws):
            codes = posterior.sample(draws, tf.random.experimental.stateless_fold_in(seed, part))
            log_weights = (self.likelihood(codes).log_prob(x) + prior.log_prob(codes)
                           - posterior.log_prob(codes))  # (draws, n)
            # The last part may be shorter; what it draws too much has no weight.
            counts = part * draws + tf.range(draws) < samples
            log_weights = tf.where(counts[:, tf.newaxis], log_weights, -np.inf)
            total = tf.reduce_logsumexp(tf.concat([total[tf.newaxis], log_weights], 0), axis=0)
        return total - tf.math.log(tf.cast(samples, total.dtype))

    def _new_seed(self):
        return tf.cast(self._noise.next(), tf.int32)

    def _check(self, x):
        """Images as a float32 array."""
        x = np.asarray(x, np.float32)
        self.check_images(x)
        return x


def _network(inputs, units, heads, name):
    """ReLU layers, and linear outputs of the names and sizes in the dict ``heads``."""
    start = {"kernel_initializer": "glorot_uniform",
             "bias_initializer": keras.initializers.Constant(0.01)}
    first = x = keras.Input((inputs,))
    for count in units:
        x = keras.layers.Dense(count, activation="relu", **start)(x)
    outputs = [keras.layers.Dense(count, name=head, **start)(x) for head, count in heads.items()]
    return keras.Model(first, outputs if len(outputs) > 1 else outputs[0], name=name)


def _in_blocks(function, x, rows, seed=0, progress=None):
    """What a graph of (rows, seed) gives for some rows of x at a time, as arrays.

    All blocks have the same shape, so that one graph serves them: the last is filled with zeros.
    """
    rows = min(rows, len(x))
    starts = range(0, len(x), rows)
    results = []
    for start in tqdm(starts, desc=progress, disable=None if progress else True):
        block = x[start:start + rows]
        block = np.pad(block, [(0, rows - len(block)), (0, 0)])
        results.append(function(tf.constant(block), tf.constant([seed, start])))
    return tf.nest.map_structure(lambda *parts: np.concatenate(parts)[:len(x)], *results)
