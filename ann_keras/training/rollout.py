"""Closed-loop prediction as one compiled graph: each prediction is fed back as the latest value.

A loop around ``model.predict`` costs 60 to 130 ms a step; here the loop is in the graph.
"""

import keras
import numpy as np
import tensorflow as tf


class ClosedLoop:
    """Forecasts of autoregressive networks; tracing takes a second, so keep it to forecast again.

    Args:
        networks: one Keras model, or several of one lag, that map the last ``lag`` values to the
            next: inputs (n, lag), or (n, steps, lag) for stateful recurrent ones, which are first
            run over the whole history.
        average: feed the mean prediction of all networks back to each of them, as one forecaster;
            otherwise each network follows its own predictions.

    Raises:
        ValueError: there is no network, or their lags differ.
    """

    def __init__(self, networks, *, average=False):
        self.networks = [networks] if isinstance(networks, keras.Model) else list(networks)
        lags = {network.input_shape[-1] for network in self.networks}
        if len(lags) != 1:
            raise ValueError(f"networks of one lag are needed, got the lags {sorted(lags)}")
        (self.lag,) = lags
        self._average = average
        self._single = average or isinstance(networks, keras.Model)
        self._run = tf.function(self._run_eagerly)

    def forecast(self, history, steps):
        """Predict the values that follow each history.

        Args:
            history: (starts, points), in the units that the networks were trained on; at least
                ``lag`` points. Networks without a state see the last ``lag`` of them.
            steps: how many values to predict.

        Returns:
            Array (networks, starts, steps), or (starts, steps) for one network or an average.

        Raises:
            ValueError: steps below one, a history that is too short, not finite or not
                two-dimensional, or a stateful network built for another number of sequences.
        """
        history = np.asarray(history, np.float64)
        if steps < 1:
            raise ValueError(f"steps must be positive, got {steps}")
        if history.ndim != 2 or history.shape[1] < self.lag:
            raise ValueError(
                f"history must be (starts, points) with at least {self.lag} points, "
                f"got shape {history.shape}"
            )
        if not np.isfinite(history).all():
            raise ValueError("the history holds values that are not finite")
        for network in self.networks:
            sequences = network.input_shape[0]
            if sequences not in (None, len(history)):
                raise ValueError(
                    f"{network.name} was built for {sequences} sequence(s), got {len(history)}"
                )
        dtype = self.networks[0].input.dtype
        values = self._run(tf.constant(history, dtype), tf.constant(steps)).numpy()
        return values[0] if self._single else values

    def _run_eagerly(self, history, steps):
        first = []
        for network in self.networks:
            if _is_recurrent(network):
                _reset(network)
                windows = tf.signal.frame(history, self.lag, 1)  # (starts, points − lag + 1, lag)
                first.append(network(windows, training=False)[:, -1, 0])
            else:
                first.append(network(history[:, -self.lag :], training=False)[:, 0])
        values = self._mix(tf.stack(first))
        windows = tf.stack([history[:, -self.lag :]] * len(self.networks))
        table = tf.TensorArray(values.dtype, steps, element_shape=values.shape)
        table = table.write(0, values)
        for step in tf.range(1, steps):
            windows = tf.concat([windows[:, :, 1:], values[:, :, tf.newaxis]], 2)
            values = self._mix(tf.stack([
                self._next(network, window)
                for network, window in zip(self.networks, tf.unstack(windows))
            ]))
            table = table.write(step, values)
        return tf.transpose(table.stack(), [1, 2, 0])

    def _next(self, network, window):
        """The next values (starts,) from the last ones (starts, lag)."""
        if _is_recurrent(network):
            return network(window[:, tf.newaxis], training=False)[:, 0, 0]
        return network(window, training=False)[:, 0]

    def _mix(self, values):
        if self._average:
            return tf.ones_like(values) * tf.reduce_mean(values, 0, keepdims=True)
        return values


def forecast(networks, history, steps, *, average=False):
    """Forecast once: ``ClosedLoop(networks, average=average).forecast(history, steps)``."""
    return ClosedLoop(networks, average=average).forecast(history, steps)


def _is_recurrent(network):
    return len(network.input_shape) == 3


def _reset(network):
    for layer in network.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()
