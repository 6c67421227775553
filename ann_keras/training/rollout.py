"""Closed-loop prediction as one compiled graph: each prediction is fed back as the latest value.

A loop around ``model.predict`` costs 60 to 130 ms a step; here the loop is in the graph.
"""

import numpy as np
import tensorflow as tf


class ClosedLoop:
    """Forecasts of an autoregressive network; tracing takes a second: keep it to forecast again.

    Args:
        network: Keras model that maps the last ``lag`` values to the next: inputs (n, lag), or
            (n, steps, lag) of a stateful recurrent one, which first runs over the whole history.
    """

    def __init__(self, network):
        self.network, self.lag = network, network.input_shape[-1]
        self._run = tf.function(self._run_eagerly)

    def forecast(self, history, steps):
        """Predict the values that follow each history.

        Args:
            history: (starts, points), in the units that the network was trained on; at least
                ``lag`` points. A network without a state sees the last ``lag`` of them.
            steps: how many values to predict, array (starts, steps).

        Raises:
            ValueError: steps below one, a history that is too short, not finite or not
                two-dimensional, or a stateful network built for another number of sequences.
        """
        history = np.asarray(history, np.float64)
        if steps < 1:
            raise ValueError(f"steps must be positive, got {steps}")
        if history.ndim != 2 or history.shape[1] < self.lag or not np.isfinite(history).all():
            raise ValueError(
                f"history must be finite, (starts, points) with at least {self.lag} points, "
                f"got shape {history.shape}"
            )
        sequences = self.network.input_shape[0]
        if sequences not in (None, len(history)):
            raise ValueError(
                f"{self.network.name} was built for {sequences} sequence(s), got {len(history)}"
            )
        history = tf.constant(history, self.network.input.dtype)
        return self._run(history, tf.constant(steps)).numpy()

    def _run_eagerly(self, history, steps):
        window = history[:, -self.lag :]
        if self._is_recurrent:
            for layer in self.network.layers:
                if getattr(layer, "stateful", False):
                    layer.reset_state()
            values = self._next(tf.signal.frame(history, self.lag, 1))
        else:
            values = self._next(window)
        table = tf.TensorArray(values.dtype, steps, element_shape=values.shape)
        table = table.write(0, values)
        for step in tf.range(1, steps):
            window = tf.concat([window[:, 1:], values[:, tf.newaxis]], 1)
            values = self._next(window[:, tf.newaxis] if self._is_recurrent else window)
            table = table.write(step, values)
        return tf.transpose(table.stack())

    @property
    def _is_recurrent(self):
        return len(self.network.input_shape) == 3

    def _next(self, windows):
        """The values (starts,) after windows (starts, lag), or after the last of (…, n, lag)."""
        outputs = self.network(windows, training=False)
        return outputs[:, -1, 0] if self._is_recurrent else outputs[:, 0]


def forecast(network, history, steps):
    """Forecast once: ``ClosedLoop(network).forecast(history, steps)``."""
    return ClosedLoop(network).forecast(history, steps)
