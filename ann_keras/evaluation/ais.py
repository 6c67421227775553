"""Annealed importance sampling of a Boltzmann machine's partition function, from both sides.

Sources: Neal, "Annealed importance sampling", Statistics and Computing 11 (2001); Salakhutdinov
and Murray, "On the quantitative analysis of deep belief networks", ICML 2008; Salakhutdinov and
Hinton, "Deep Boltzmann machines", AISTATS 2009, section 2.2; Burda, Grosse and Salakhutdinov,
"Accurate and conservative estimates of MRF log-likelihood using reverse annealing", AISTATS 2015.

A bipartite machine has energy −xᵀWy − bᵀx − cᵀy. For an RBM x are the hidden and y the visible
units; for a DBM of two hidden layers x is the first hidden layer, y are the visible and the second
hidden units together. Intermediate distributions of x, y summed out, are

    log p*_β(x) = xᵀ(βb + (1−β)b₀) + Σⱼ softplus(β(xᵀW + c)ⱼ + (1−β)c₀ⱼ)

from the base at β = 0, independent units with biases b₀ and c₀, to the machine at β = 1.

Forward annealing gives an unbiased estimate of Z, so that log Z is rather too low and a likelihood
rather too high; reverse annealing, from samples of the machine, errs the other way. Both together
are a bracket, as far as those samples are ones of the machine.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ann_keras.models.boltzmann import Uniforms, draw


class Machine(NamedTuple):
    """A bipartite Boltzmann machine and the base that annealing begins with.

    weights: W (m, n). x_bias, y_bias: b (m,) and c (n,). x_base, y_base: b₀ (m,) and c₀ (n,).
    """

    weights: np.ndarray
    x_bias: np.ndarray
    y_bias: np.ndarray
    x_base: np.ndarray
    y_base: np.ndarray


class Estimate(NamedTuple):
    """An estimate of log Z in nats.

    log_partition: the estimate. low, high: three standard errors around the mean weight; low is
    minus infinity where the weights scatter so much that the error is larger than the mean.
    log_weights: (chains,), each an estimate of its own. states: of x (chains, m) at the end.
    """

    log_partition: float
    low: float
    high: float
    log_weights: np.ndarray
    states: np.ndarray

    def resample(self, seed=0):
        """States in proportion to their weights: near samples of the machine, after ``forward``."""
        weights = np.exp(self.log_weights - self.log_weights.max())
        number = len(weights)
        chosen = np.random.default_rng(seed).choice(number, number, p=weights / weights.sum())
        return self.states[chosen]


def of_rbm(rbm, pixel_means):
    """The ``Machine`` of a ``BernoulliRBM``; its base draws pixels by their means (n_features,)."""
    hidden = rbm.intercept_hidden_
    return Machine(rbm.components_, hidden, rbm.intercept_visible_, np.zeros_like(hidden),
                   _log_odds(pixel_means, rbm.intercept_visible_))


def of_dbm(dbm, pixel_means):
    """The ``Machine`` of a ``DBM``; its base draws pixels by their means (n_features,)."""
    first, second = dbm.kernels
    visible, hidden, top = dbm.biases
    return Machine(np.concatenate([first.T, second], axis=1), hidden,
                   np.concatenate([visible, top]), np.zeros_like(hidden),
                   np.concatenate([_log_odds(pixel_means, visible), np.zeros_like(top)]))


def forward(machine, *, chains=100, temperatures=10_000, seed=0):
    """Estimate log Z by annealing from the base to the ``Machine``: ``Estimate``.

    Args:
        chains: number of independent ones.
        temperatures: values of β, evenly spaced.
        seed: of all random numbers.

    Raises:
        ValueError: fewer than two chains or temperatures.
    """
    generator = np.random.default_rng(seed)
    shares = 1 / (1 + np.exp(-np.asarray(machine.x_base, np.float64)))
    start = generator.random((chains, len(shares))) < shares
    return _estimate(machine, start, temperatures, generator, upward=True)


def reverse(machine, start, *, temperatures=10_000, seed=0):
    """Estimate log Z by annealing from the machine to the base: ``Estimate``, as ``forward``.

    Args:
        start: states of x (chains, m), samples of the machine; from a chain that has not mixed
            the estimate is no bound.

    Raises:
        ValueError: fewer than two chains or temperatures, or states of another shape.
    """
    if np.ndim(start) != 2 or np.shape(start)[1] != len(machine.x_bias):
        raise ValueError(
            f"states must have shape (chains, {len(machine.x_bias)}), got {np.shape(start)}"
        )
    return _estimate(machine, start, temperatures, np.random.default_rng(seed), upward=False)


@tf.function(reduce_retracing=True)
def _anneal(weights, x_bias, y_bias, x_base, y_base, x, betas, seed, upward):
    """Logarithms of the chains' importance weights, (chains,) float64, and their last states."""
    total = tf.zeros(tf.shape(x)[0], tf.float64)

    def fields(x):
        """Inputs of y in the machine."""
        return tf.matmul(x, weights) + y_bias

    def change(x, y_field, before, after):
        """log p*_after(x) − log p*_before(x)."""
        first = (after - before) * tf.linalg.matvec(x, x_bias - x_base)
        late, early = (tf.nn.softplus(beta * y_field + (1 - beta) * y_base)
                       for beta in (after, before))
        # Differences unit by unit: float32 would lose them in the sums.
        second = late - early
        return tf.cast(first, tf.float64) + tf.reduce_sum(tf.cast(second, tf.float64), axis=1)

    def step(x, y_field, beta, index):
        uniform = Uniforms(seed + tf.stack([index, 0]))
        y = tf.sigmoid(beta * y_field + (1 - beta) * y_base)
        y = draw(y, uniform(tf.shape(y)))
        x_field = tf.matmul(y, weights, transpose_b=True) + x_bias
        x = tf.sigmoid(beta * x_field + (1 - beta) * x_base)
        return draw(x, uniform(tf.shape(x)))

    y_field = fields(x)
    for index in tf.range(tf.shape(betas)[0] - 1):
        before, after = betas[index], betas[index + 1]
        if upward:  # weigh, then move where it has come to
            total += change(x, y_field, before, after)
            x = step(x, y_field, after, index)
            y_field = fields(x)
        else:  # the same pairs of weights and moves, backwards
            x = step(x, y_field, before, index)
            y_field = fields(x)
            total += change(x, y_field, before, after)
    return total, x


def _estimate(machine, start, temperatures, generator, upward):
    """``Estimate`` by annealing; of log Z of each chain exp(± log Z) is averaged, + upward."""
    if len(start) < 2 or temperatures < 2:
        raise ValueError(f"annealing needs two chains and temperatures or more, got {len(start)}, "
                         f"{temperatures}")
    sign = 1 if upward else -1
    betas = tf.constant(np.linspace(0, 1, temperatures)[::sign], tf.float32)
    seed = tf.constant(generator.integers(2**31 - 1, size=2, dtype=np.int32))
    tensors = [tf.constant(np.asarray(values), tf.float32) for values in (*machine, start)]
    ratios, states = (values.numpy() for values in _anneal(*tensors, betas, seed, upward))
    base = sum(np.logaddexp(0, np.asarray(biases, np.float64)).sum()
               for biases in (machine.x_base, machine.y_base))
    log_weights = base + sign * ratios
    logs = sign * log_weights
    top = logs.max()
    weights = np.exp(logs - top)
    mean, error = weights.mean(), weights.std(ddof=1) / np.sqrt(len(weights))
    with np.errstate(divide="ignore"):
        ends = sign * (top + np.log(np.maximum([mean - 3 * error, mean + 3 * error], 0)))
    estimate = float(sign * (top + np.log(mean)))
    return Estimate(estimate, *map(float, sorted(ends)), log_weights, states)


def _log_odds(means, biases):
    if np.shape(means) != biases.shape:
        raise ValueError(f"{len(biases)} pixels need as many means, got shape {np.shape(means)}")
    # Pixels that are always black would have odds of zero.
    means = np.clip(np.asarray(means, np.float64), 1e-4, 1 - 1e-4)
    return np.log(means / (1 - means))
