"""What restricted and deep Boltzmann machines share: binary units and exact sums over them."""

import numpy as np
import tensorflow as tf

MOST_UNITS = 22  # that are enumerated: four million states
OFFSET_RATE = 0.01  # of the moving means that centring subtracts (Melchior et al. 2016)


def draw(probabilities, uniforms):
    """Binary states, 1 where a uniform random number is below the probability."""
    return tf.cast(uniforms < probabilities, probabilities.dtype)


def follow_means(offsets, layers):
    """Move the offsets of centring, variables (units,), towards the means of (n, units) layers."""
    for offset, layer in zip(offsets, layers, strict=True):
        offset.assign_add(OFFSET_RATE * (tf.reduce_mean(layer, 0) - offset))


def over_batches(rows, size, update):
    """Call ``update`` with each mini-batch of rows and its number: 1, 2, …; −1 if it is smaller."""
    whole = rows.shape[0] // size
    for index in tf.range(whole):
        update(tf.slice(rows, [index * size, 0], [size, rows.shape[1]]), index + 1)
    if rows.shape[0] % size:
        update(rows[whole * size :], -1)


def binary_states(units):
    """All states of ``MOST_UNITS`` binary units or fewer, float64 (2^units, units)."""
    if units > MOST_UNITS:
        raise ValueError(f"{units} units have too many states to enumerate: {MOST_UNITS} at most")
    numbers = np.arange(2**units, dtype=np.int64)
    return (numbers[:, np.newaxis] >> np.arange(units) & 1).astype(np.float64)


def log_partition(weights, first_bias, second_bias):
    """Exact log Z of a bipartite machine, by enumeration of its smaller side, in float64.

    The energy is −xᵀWy − bᵀx − cᵀy; for an RBM x are its hidden and y its visible units, for a
    DBM of two hidden layers x is the first and y are visible and second hidden units together.

    Args:
        weights, first_bias, second_bias: arrays W (m, n), b (m,) and c (n,).

    Returns:
        log Σ exp(−energy) in nats, a float; ValueError if both sides have too many units.
    """
    weights, first, second = (
        np.asarray(values, np.float64) for values in (weights, first_bias, second_bias)
    )
    if len(first) > len(second):
        weights, first, second = weights.T, second, first
    total = -np.inf
    states = binary_states(len(first))
    for part in np.array_split(states, max(1, len(states) // 2**13)):
        terms = part @ first + np.logaddexp(0, part @ weights + second).sum(axis=1)
        total = np.logaddexp(total, np.logaddexp.reduce(terms))
    return float(total)


class Uniforms:
    """Uniform random numbers by a seed, int tensor (2,), and a count of the draws."""

    def __init__(self, seed):
        self.seed, self.draws = seed, 0

    def __call__(self, shape):
        """Uniform numbers in [0, 1), float32."""
        self.draws += 1
        return tf.random.stateless_uniform(shape, self.seed + tf.constant([0, self.draws]))


def check_positive(**settings):
    """Raise ValueError for the first setting that is not above zero."""
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")


def check_rows(name, x, width):
    """Raise ValueError unless an array is at least one row of so many values."""
    if np.ndim(x) != 2 or np.shape(x)[1] != width or not len(x):
        raise ValueError(f"{name} must be rows of shape (n, {width}), got {np.shape(x)}")


def check_unit_interval(x):
    """Raise ValueError if values lie outside [0, 1]."""
    low, high = np.min(x), np.max(x)
    if not (low >= 0 and high <= 1):
        raise ValueError(f"pixels must lie in [0, 1], found {low:g} to {high:g}")


@tf.function
def pseudo_likelihood(weights, hidden_bias, visible_bias, v, pixels):
    """n log P(pixel | others) in nats, (rows,), of one pixel in each of the rows v (rows, n).

    A free-energy difference, by what the pixel adds to the inputs of the hidden units.
    """
    hidden = tf.matmul(v, weights, transpose_b=True) + hidden_bias
    change = 1 - 2 * tf.gather(v, pixels, batch_dims=1)
    flipped = hidden + change[:, tf.newaxis] * tf.gather(tf.transpose(weights), pixels)
    difference = -change * tf.gather(visible_bias, pixels) + tf.reduce_sum(
        tf.nn.softplus(hidden) - tf.nn.softplus(flipped), axis=1
    )
    return -v.shape[1] * tf.nn.softplus(-difference)


@tf.function(reduce_retracing=True)
def chain(weights, hidden_bias, visible_bias, v, known, steps, seed):
    """Gibbs steps of an RBM's chains from states v (chains, n); ``known`` pixels keep their value.

    Returns states of the visible units, and the probabilities that they were drawn by.
    """
    given, state, mean = v, v, v
    for step in tf.range(steps):
        uniform = Uniforms(seed + tf.stack([0, 2 * step]))
        hidden = tf.sigmoid(tf.matmul(state, weights, transpose_b=True) + hidden_bias)
        hidden = draw(hidden, uniform(tf.shape(hidden)))
        mean = tf.where(known, given, tf.sigmoid(tf.matmul(hidden, weights) + visible_bias))
        state = tf.where(known, given, draw(mean, uniform(tf.shape(mean))))
    return state, mean
