"""Contrastive divergence, persistent or not, for restricted Boltzmann machines, compiled."""

import tensorflow as tf

from ann_keras.models.boltzmann import Uniforms, draw, follow_means, over_batches


class ContrastiveDivergence:
    """Updates of an RBM's weights from mini-batches.

    The log-likelihood's gradient is ⟨h vᵀ⟩ of the data minus ⟨h vᵀ⟩ of the machine; here the
    machine is represented by chains that k Gibbs steps move in each update.

    Args:
        components, hidden_bias, visible_bias: TensorFlow variables of the machine, which change.
        chains: number of persistent chains, which begin with all hidden units off.
        bottom_up, top_down: factors on the inputs of hidden and of visible units; 2 for the first
            or the last machine of a stack that becomes a DBM, 1 otherwise.

    Attributes:
        parameters: the variables.
        pixel_offset: of centring, variable (pixels,); give it the mean of the data before.
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
        self.pixel_offset = tf.Variable(tf.zeros(pixels), trainable=False)
        self._unit_offset = tf.Variable(tf.fill([units], 0.5), trainable=False)
        self._pass = tf.function(self._pass_over)

    def pass_over(self, rows, seed, *, learning_rate, momentum, weight_decay, **options):
        """One update a mini-batch of rows (n, pixels); the last one may be smaller.

        Args:
            rows: in [0, 1].
            seed: int tensor (2,).
            options: those of ``update``; ``batch_size``; ``shuffle``; ``binarize``, to draw
                binary pixels from the rows in each update.
        """
        # As tensors, so that other values do not trace another graph.
        rates = {"learning_rate": learning_rate, "momentum": momentum,
                 "weight_decay": weight_decay}
        rates = {name: tf.constant(value, tf.float32) for name, value in rates.items()}
        self._pass(rows, seed, **rates, plain=not (momentum or weight_decay), **options)

    def update(
        self, v, uniform, *, learning_rate, momentum, weight_decay, gibbs_steps, persistent,
        centering, plain=False,
    ):
        """One step along the gradient that a mini-batch v (n, pixels) gives.

        Args, others as of ``BernoulliRBM``:
            uniform: gives uniform random numbers of a shape, as ``Uniforms``.
            persistent: move the persistent chains; otherwise chains start at v.
            plain: without momentum and decay, which saves memory traffic.
        """
        weights, _, visible_bias = self.parameters
        positive = None if persistent else self._mean_hiddens(v)
        hidden = self.chains.value() if persistent else draw(positive, uniform(tf.shape(positive)))
        for step in range(gibbs_steps):
            visible = self._top_down * tf.matmul(hidden, weights) + visible_bias
            visible = draw(tf.sigmoid(visible), uniform(tf.shape(visible)))
            if persistent and step == gibbs_steps - 1:
                # Data and chains in one product: it reads the weights only once.
                both = self._mean_hiddens(tf.concat([v, visible], 0))
                positive, negative = both[: tf.shape(v)[0]], both[tf.shape(v)[0] :]
            else:
                negative = self._mean_hiddens(visible)
            hidden = draw(negative, uniform(tf.shape(negative)))
        if persistent:
            self.chains.assign(hidden)

        pixels, units = tf.concat([v, visible], 0), tf.concat([positive, negative], 0)
        if centering:
            follow_means((self.pixel_offset, self._unit_offset), (v, positive))
            pixels, units = pixels - self.pixel_offset, units - self._unit_offset
        # The change by the gradient: mean over data minus mean over chains, times the rate.
        shares = tf.concat([
            tf.fill(tf.shape(rows)[:1], rate / tf.cast(tf.shape(rows)[0], tf.float32))
            for rows, rate in ((v, learning_rate), (visible, -learning_rate))
        ], 0)
        signed = units * shares[:, tf.newaxis]
        change = tf.matmul(signed, pixels, transpose_a=True)
        unit_change = tf.reduce_sum(signed, 0)
        pixel_change = tf.linalg.matvec(pixels, shares, transpose_a=True)
        if centering:
            # Of the plain biases, given the gradient of the centred ones: equations 15 to 17.
            unit_change -= tf.linalg.matvec(change, self.pixel_offset)
            pixel_change -= tf.linalg.matvec(change, self._unit_offset, transpose_a=True)
        if not plain:
            change -= learning_rate * weight_decay * weights
        changes = change, unit_change, pixel_change
        for parameter, velocity, change in zip(self.parameters, self._velocities, changes):
            if not plain:
                change = velocity.assign(momentum * velocity + change)
            parameter.assign_add(change)

    def _pass_over(self, rows, seed, *, batch_size, shuffle, binarize=False, **options):
        def update(batch, number):
            uniform = Uniforms(seed + tf.stack([number, 0]))
            if binarize:
                batch = draw(batch, uniform(tf.shape(batch)))
            self.update(batch, uniform, **options)

        if shuffle:
            rows = tf.random.experimental.stateless_shuffle(rows, seed)
        over_batches(rows, batch_size, update)

    def _mean_hiddens(self, visible):
        weights, hidden_bias, _ = self.parameters
        inputs = self._bottom_up * tf.matmul(visible, weights, transpose_b=True)
        return tf.sigmoid(inputs + hidden_bias)
