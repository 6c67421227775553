"""LSTM networks for time series."""

import keras

from ann_keras.layers.lstm import CompiledLSTM


def nar_lstm(lag=80, units=100, *, batch_size=1):
    """The stateful LSTM of task 2.2.2: last ``lag`` values at each time step → next value.

    72,501 parameters as published. The state goes on from call to call; training starts each
    sequence from a zero state, as the published loop did, so that validation and prediction after
    it go on from the end of the training sequence.

    Returns:
        A Functional model, inputs (batch_size, steps, lag), outputs (batch_size, steps, 1), for
        sequences side by side, each with its own state; ValueError for an argument below one.
    """
    if min(lag, units, batch_size) < 1:
        raise ValueError(f"all sizes must be positive, got {lag}, {units}, {batch_size}")
    inputs = keras.Input((None, lag), batch_size=batch_size, name="windows")
    x = CompiledLSTM(units, return_sequences=True, stateful=True)(inputs)
    outputs = keras.layers.Dense(1)(x)
    return _SequenceModel(inputs, outputs, name="nar_lstm")


@keras.saving.register_keras_serializable("ann_keras")
class _SequenceModel(keras.Model):
    """A model whose every training step is a sequence of its own."""

    def train_step(self, data):
        for layer in self.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()
        return super().train_step(data)
