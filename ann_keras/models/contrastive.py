"""Contrastive divergence, persistent or not, for restricted Boltzmann machines, compiled."""

import tensorflow as tf

from ann_keras.models.boltzmann import Uniforms, draw

_OFFSET_RATE = 0.01  # of the moving means that centring subtracts (Melchior et al. 2016)


class ContrastiveDivergence:
    """Updates of an RBM's weights from mini-batches.

    The log-likelihood's gradient is ⟨h vᵀ⟩ of the data minus ⟨h vᵀ⟩ of the machine; here the
    machine is represented by chains that k Gibbs steps move in each update.

    Args:
        components, hidden_bias, visible_bias: TensorFlow variables of the machine, which change.
        chains: number of persistent chains.
        bottom_up, top_down: factors on the inputs of hidden and of visible units; 2 for the first
            or the last machine of a stack that becomes a DBM, 1 otherwise.
    """

    def __init__(
        self, components, hidden_bias, visible_bias, chains, *, bottom_up=1.0, top_down=1.0
    ):
        self.parameters = components, hidden_bias, visible_bias
        self._bottom_up, self._top_down = bottom_up, top_down
        self._velocities = [
            tf.Variable(tf.zeros_like(value), trainable=False) for value in self.parameters
        ]
        units, pixels = components.shape
        self.chains = tf.Variable(tf.zeros((chains, units)), trainable=False)
        self._pixel_offset = tf.Variable(tf.zeros(pixels), trainable=False)
        self._unit_offset = tf.Variable(tf.zeros(units), trainable=False)
        self._pass = tf.function(self._pass_over)

    def reset(self, mean):
        """Begin anew: chains of zeros, no velocity, offsets at the data's mean and at 1/2."""
        for variable in (*self._velocities, self.chains):
            variable.assign(tf.zeros_like(variable))
        self._pixel_offset.assign(mean)
        self._unit_offset.assign(tf.fill(self._unit_offset.shape, 0.5))

    def pass_over(self, rows, seed, *, learning_rate, momentum, weight_decay, **options):
        """One update a mini-batch of rows (n, pixels); arguments as of ``update``.

        Args:
            rows: all mini-batches; a last one that is smaller counts its own mean.
            seed: int tensor (2,).
            options: also ``batch_size`` and ``shuffle``.
        """
        # As tensors, so that other values do not trace another graph.
        rates = {"learning_rate": learning_rate, "momentum": momentum,
                 "weight_decay": weight_decay}
        rates = {name: tf.constant(value, tf.float32) for name, value in rates.items()}
        self._pass(rows, seed, **rates, plain=not (momentum or weight_decay), **options)

    def update(
        self, v, uniform, *, learning_rate, momentum, weight_decay, gibbs_steps, persistent,
        centering, binarize, plain=False, **_,
    ):
        """One step along the estimated gradient.

        Args:
            v: mini-batch (n, pixels) in [0, 1].
            uniform: gives uniform random numbers of a shape, as ``Uniforms``.
            learning_rate, momentum, weight_decay, gibbs_steps, centering, binarize: as of
                ``BernoulliRBM``.
            persistent: move the persistent chains; otherwise chains start at v.
            plain: without momentum and decay, which saves memory traffic.
        """
        weights, _, visible_bias = self.parameters
        if binarize:
            v = draw(v, uniform(tf.shape(v)))
        positive = self._mean_hiddens(v)
        hidden = self.chains.value() if persistent else draw(positive, uniform(tf.shape(positive)))
        for _ in range(gibbs_steps):
            visible = self._top_down * tf.matmul(hidden, weights)
            visible = tf.sigmoid(visible + visible_bias)
            visible = draw(visible, uniform(tf.shape(visible)))
            negative = self._mean_hiddens(visible)
            hidden = draw(negative, uniform(tf.shape(negative)))
        if persistent:
            self.chains.assign(hidden)

        if centering:
            for offset, batch in ((self._pixel_offset, v), (self._unit_offset, positive)):
                offset.assign_add(_OFFSET_RATE * (tf.reduce_mean(batch, 0) - offset))
            v, visible = v - self._pixel_offset, visible - self._pixel_offset
            positive, negative = positive - self._unit_offset, negative - self._unit_offset
        # Both halves in one product, with the signs and the numbers of their rows.
        share = 1 / tf.cast(tf.shape(v)[0], tf.float32), 1 / hidden.shape[0]
        units = tf.concat([share[0] * positive, -share[1] * negative], 0)
        gradient = tf.matmul(units, tf.concat([v, visible], 0), transpose_a=True)
        unit_gradient = tf.reduce_sum(units, 0)
        pixel_gradient = share[0] * tf.reduce_sum(v, 0) - share[1] * tf.reduce_sum(visible, 0)
        if centering:
            # Of the plain biases, given the gradient of the centred ones: equations 15 to 17.
            unit_gradient -= tf.linalg.matvec(gradient, self._pixel_offset)
            pixel_gradient -= tf.linalg.matvec(gradient, self._unit_offset, transpose_a=True)
        gradients = gradient, unit_gradient, pixel_gradient
        if plain:
            for parameter, change in zip(self.parameters, gradients, strict=True):
                parameter.assign_add(learning_rate * change)
            return
        decayed = gradient - weight_decay * weights, *gradients[1:]
        for parameter, velocity, change in zip(
            self.parameters, self._velocities, decayed, strict=True
        ):
            velocity.assign(momentum * velocity + learning_rate * change)
            parameter.assign_add(velocity)

    def _pass_over(self, rows, seed, *, batch_size, shuffle, **options):
        number = rows.shape[0]
        if shuffle:
            rows = tf.random.experimental.stateless_shuffle(rows, seed)
        for index in tf.range(number // batch_size):
            batch = tf.slice(rows, [index * batch_size, 0], [batch_size, rows.shape[1]])
            self.update(batch, Uniforms(seed + tf.stack([index + 1, 0])), **options)
        if number % batch_size:
            self.update(
                rows[number - number % batch_size :], Uniforms(seed - tf.constant([1, 0])),
                **options,
            )

    def _mean_hiddens(self, visible):
        weights, hidden_bias, _ = self.parameters
        inputs = self._bottom_up * tf.matmul(visible, weights, transpose_b=True)
        return tf.sigmoid(inputs + hidden_bias)
