"""Fixed random features whose inner products approach a kernel."""

import keras
import numpy as np


@keras.saving.register_keras_serializable("ann_keras")
class OrthogonalFourierFeatures(keras.layers.Layer):
    """Cosines and sines at random frequencies, whose inner products are near a Gaussian kernel.

    φ(x)·φ(y) → exp(−gamma ‖x − y‖²) as the number of pairs grows (Rahimi and Recht 2007). The
    frequencies come in orthogonal blocks, which lowers the variance (Yu et al. 2016).

    Args:
        pairs: of a cosine and a sine; the outputs have twice as many columns.
        gamma: of the kernel.
        seed: of the frequencies.
    """

    def __init__(self, pairs, gamma, seed=0, **options):
        super().__init__(**({"trainable": False} | options))
        if pairs < 1 or gamma <= 0:
            raise ValueError(f"pairs and gamma must be positive, got {pairs} and {gamma}")
        self.pairs, self.gamma, self.seed = pairs, gamma, seed

    def build(self, input_shape):
        self.frequencies = self.add_weight(
            shape=(input_shape[-1], self.pairs), name="frequencies",
            initializer=lambda shape, dtype: keras.ops.convert_to_tensor(
                _orthogonal_frequencies(*shape, self.gamma, self.seed), dtype
            ),
        )

    def call(self, inputs):
        phase = keras.ops.matmul(inputs, self.frequencies)
        waves = keras.ops.concatenate([keras.ops.cos(phase), keras.ops.sin(phase)], axis=-1)
        return waves / np.sqrt(self.pairs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * self.pairs)

    def get_config(self):
        own = {"pairs": self.pairs, "gamma": self.gamma, "seed": self.seed}
        return super().get_config() | own


def _orthogonal_frequencies(inputs, pairs, gamma, seed):
    """Columns of sd √(2 gamma): orthogonal within each block of ``inputs``, (inputs, pairs)."""
    generator = np.random.default_rng(seed)
    blocks = -(-pairs // inputs)
    directions, _ = np.linalg.qr(generator.normal(size=(blocks, inputs, inputs)))
    lengths = np.sqrt(generator.chisquare(inputs, size=(blocks, 1, inputs)))
    columns = np.moveaxis(directions * lengths, 0, 1).reshape(inputs, blocks * inputs)
    return np.sqrt(2 * gamma) * columns[:, :pairs]
