"""Joint training of a deep Boltzmann machine: mean field against persistent chains, compiled.

Source: Salakhutdinov and Hinton, "Deep Boltzmann machines", AISTATS 2009, section 2.
"""

import tensorflow as tf

from ann_keras.models.boltzmann import Uniforms, draw, follow_means, over_batches

_SEEDS = 8  # of the second number of a seed, for the draws of one update


def mean_field(parameters, v, updates, tolerance):
    """Probabilities (n, h₁) and (n, h₂) given images v, each layer updated in turn.

    Updates stop once no probability changes by more than the tolerance. Parameters, here and
    below, are W₁, W₂, b₀, b₁, b₂.
    """
    first, second, _, bias, top_bias = parameters
    below = tf.matmul(v, first) + bias
    # The missing layer above counts as one more from below.
    hidden = tf.sigmoid(2 * below - bias)
    top = tf.sigmoid(tf.matmul(hidden, second) + top_bias)
    change, index = tf.constant(1.0), tf.constant(0)
    while index < updates and change > tolerance:
        new = tf.sigmoid(below + tf.matmul(top, second, transpose_b=True))
        new_top = tf.sigmoid(tf.matmul(new, second) + top_bias)
        change = tf.maximum(
            tf.reduce_max(tf.abs(new - hidden)), tf.reduce_max(tf.abs(new_top - top))
        )
        hidden, top, index = new, new_top, index + 1
    return hidden, top


def gibbs(parameters, v, top, steps, seed):
    """States of a chain after steps, each of h₁ given v and h₂, then of v and h₂ given h₁.

    It starts from states v (n, v) and ``top`` (n, h₂).

    Returns:
        v, h₁ and h₂, and the probabilities that v was drawn by.
    """
    first, second, visible_bias, bias, top_bias = parameters
    hidden = tf.zeros((tf.shape(v)[0], tf.shape(first)[1]))
    mean = v
    for index in tf.range(steps):
        uniform = Uniforms(seed + tf.stack([index, 0]))
        inputs = tf.matmul(v, first) + tf.matmul(top, second, transpose_b=True) + bias
        hidden = draw(tf.sigmoid(inputs), uniform(tf.shape(hidden)))
        mean = tf.sigmoid(tf.matmul(hidden, first, transpose_b=True) + visible_bias)
        v = draw(mean, uniform(tf.shape(v)))
        top_mean = tf.sigmoid(tf.matmul(hidden, second) + top_bias)
        top = draw(top_mean, uniform(tf.shape(top)))
    return v, hidden, top, mean


class JointLearner:
    """Updates of all weights of a DBM from mini-batches.

    Args:
        parameters: TensorFlow variables W₁, W₂, b₀, b₁, b₂ of the machine, which change.
        v, top: states (particles, v) and (particles, h₂) that the chains start from.
        offset: mean image (v,), for centring.
    """

    def __init__(self, parameters, v, top, offset):
        self.parameters = parameters
        self.chains = [tf.Variable(states, trainable=False) for states in (v, top)]
        self._velocities = [
            tf.Variable(tf.zeros_like(value), trainable=False) for value in parameters
        ]
        halves = [tf.fill(bias.shape, 0.5) for bias in parameters[3:]]
        self._offsets = [tf.Variable(values, trainable=False) for values in (offset, *halves)]
        self._pass = tf.function(self._pass_over)

    @property
    def variables(self):
        """Chains, velocities and offsets: all that updates change beside the parameters."""
        return [*self.chains, *self._velocities, *self._offsets]

    def pass_over(self, rows, seed, *, batch_size, centering, **settings):
        """One update a mini-batch of rows (n, v), in a new order; arguments as of ``DBM.fit``."""
        # As tensors, so that other values do not trace another graph.
        whole = "mean_field_updates", "gibbs_steps"
        settings = {
            name: tf.constant(value, tf.int32 if name in whole else tf.float32)
            for name, value in settings.items()
        }
        self._pass(rows, seed, batch_size=batch_size, centering=centering, **settings)

    def update(
        self, v, seed, *, learning_rate, momentum, weight_decay, mean_field_updates, gibbs_steps,
        max_norm, centering,
    ):
        """One step along the estimated gradient of the bound; arguments as of ``DBM.fit``."""
        # Numbers that the chains' first step, which draws three times, does not use.
        v = draw(v, Uniforms(seed + tf.constant([0, 4]))(tf.shape(v)))
        data = v, *mean_field(self.parameters, v, mean_field_updates, 0.0)
        visible, _, top, _ = gibbs(
            self.parameters, *(chain.value() for chain in self.chains), gibbs_steps, seed
        )
        for chain, states in zip(self.chains, (visible, top), strict=True):
            chain.assign(states)
        # The mean of h₁ instead of a state: the same expectation, with less noise.
        first, second, _, bias, _ = self.parameters
        hidden = tf.sigmoid(
            tf.matmul(visible, first) + tf.matmul(top, second, transpose_b=True) + bias
        )
        model = visible, hidden, top
        if centering:
            follow_means(self._offsets, data)
            data, model = (
                [layer - offset for layer, offset in zip(side, self._offsets, strict=True)]
                for side in (data, model)
            )
        kernels = [
            _correlation(*data[layer : layer + 2]) - _correlation(*model[layer : layer + 2])
            for layer in (0, 1)
        ]
        biases = [
            tf.reduce_mean(mine, 0) - tf.reduce_mean(theirs, 0)
            for mine, theirs in zip(data, model, strict=True)
        ]
        if centering:
            # Of the plain biases, given the gradient of the centred ones.
            below, middle, above = self._offsets
            biases[0] -= tf.linalg.matvec(kernels[0], middle)
            biases[1] -= tf.linalg.matvec(kernels[0], below, transpose_a=True)
            biases[1] -= tf.linalg.matvec(kernels[1], above)
            biases[2] -= tf.linalg.matvec(kernels[1], middle, transpose_a=True)
        for layer in (0, 1):
            kernels[layer] -= weight_decay * self.parameters[layer]
        for parameter, velocity, gradient in zip(
            self.parameters, self._velocities, kernels + biases, strict=True
        ):
            velocity.assign(momentum * velocity + learning_rate * gradient)
            parameter.assign_add(velocity)
        for kernel in self.parameters[:2]:
            kernel.assign(kernel * tf.minimum(1.0, max_norm / tf.norm(kernel, axis=0)))

    def _pass_over(self, rows, seed, *, batch_size, **options):
        def update(batch, number):
            self.update(batch, seed + tf.stack([0, number * _SEEDS]), **options)

        rows = tf.random.experimental.stateless_shuffle(rows, seed)
        over_batches(rows, batch_size, update)


def _correlation(below, above):
    """⟨below aboveᵀ⟩ over rows."""
    return tf.matmul(below, above, transpose_a=True) / tf.cast(tf.shape(below)[0], tf.float32)
