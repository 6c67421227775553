"""An LSTM layer that is fast on CPU."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ann_keras")
class CompiledLSTM(keras.layers.LSTM):
    """``keras.layers.LSTM`` whose recurrence and its gradient are two compiled loops.

    Same arguments, weights and results. The input projection of all time steps is one matrix
    product outside the loop, and so is the gradient of the recurrent kernel, since neither depends
    on the recurrence; only h_{t−1} U and the gates stay in it (Hochreiter and Schmidhuber 1997
    with the forget gate of Gers et al. 2000). Keras' own loop runs where this one does not apply:
    masks, recurrent dropout, ``implementation=1``, other activations than tanh and sigmoid, a
    number of time steps unknown to the graph, backends other than TensorFlow. Second derivatives
    are not supported.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not self._applies(sequences, mask):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        if training and self.dropout:
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        inputs = tf.transpose(tf.convert_to_tensor(sequences), [1, 0, 2])
        if self.go_backwards:
            inputs = tf.reverse(inputs, [0])
        steps, features = inputs.shape[0], inputs.shape[2]
        # As one matrix: the gradient of a batched product takes ten times as long.
        inputs = tf.matmul(tf.reshape(inputs, [-1, features]), self.cell.kernel.value)
        if self.use_bias:
            inputs += self.cell.bias.value
        hidden, cell = (tf.convert_to_tensor(state) for state in initial_state)
        inputs = tf.reshape(inputs, [steps, -1, 4 * self.units])
        inputs = tf.ensure_shape(inputs, [steps, hidden.shape[0], 4 * self.units])
        outputs, cell = _recurrence(inputs, self.cell.recurrent_kernel.value, hidden, cell)
        last = outputs[-1]
        # Keras asks for the whole sequence only where it is returned.
        sequence = tf.transpose(outputs, [1, 0, 2]) if self.return_sequences else last[:, None]
        return last, sequence, [last, cell]

    def _applies(self, sequences, mask):
        return (
            keras.backend.backend() == "tensorflow"
            and all(part is None for part in tf.nest.flatten(mask))
            and sequences.shape[1] is not None
            and not self.recurrent_dropout
            and self.cell.implementation == 2
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
        )


@tf.custom_gradient
def _recurrence(inputs, recurrent_kernel, hidden, cell):
    """Hidden states (steps, batch, units) and last cell state, from projected inputs.

    Args:
        inputs: x W + b, (steps, batch, 4 units): input, forget, candidate and output gate.
        recurrent_kernel: (units, 4 units).
        hidden, cell: initial states (batch, units).
    """
    # An eager tape would ask the compiled loop for arrays that it cannot hand over.
    unwatched = map(tf.stop_gradient, (inputs, recurrent_kernel, hidden, cell))
    outputs, cells, gates = _forward(*unwatched)

    def gradient(outputs_gradient, last_cell_gradient):
        gates_gradient, hidden_gradient, cell_gradient = _backward(
            outputs_gradient, last_cell_gradient, cells, gates, recurrent_kernel, cell
        )
        before = tf.concat([hidden[tf.newaxis], outputs[:-1]], 0)
        units, steps = recurrent_kernel.shape[0], gates.shape[0] * tf.shape(hidden)[0]
        kernel_gradient = tf.matmul(
            tf.reshape(before, [steps, units]),
            tf.reshape(gates_gradient, [steps, 4 * units]),
            transpose_a=True,
        )
        return gates_gradient, kernel_gradient, hidden_gradient, cell_gradient

    return (outputs, cells[-1]), gradient


@tf.function(jit_compile=True, autograph=False)
def _forward(inputs, recurrent_kernel, hidden, cell):
    steps = inputs.shape[0]
    arrays = tuple(tf.TensorArray(inputs.dtype, steps) for _ in range(3))

    def step(time, hidden, cell, outputs, cells, gates):
        logits = inputs[time] + tf.matmul(hidden, recurrent_kernel)
        i, f, g, o = tf.split(logits, 4, axis=1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        cell = f * cell + i * g
        hidden = o * tf.tanh(cell)
        return (
            time + 1, hidden, cell, outputs.write(time, hidden), cells.write(time, cell),
            gates.write(time, tf.concat([i, f, g, o], 1)),
        )

    _, _, _, *arrays = tf.while_loop(
        lambda time, *_: time < steps, step, (0, hidden, cell, *arrays), maximum_iterations=steps
    )
    return tuple(array.stack() for array in arrays)


@tf.function(jit_compile=True, autograph=False)
def _backward(outputs_gradient, cell_gradient, cells, gates, recurrent_kernel, first_cell):
    """Gradients of the gates' logits (steps, batch, 4 units) and of both initial states."""
    steps = gates.shape[0]
    before = tf.concat([first_cell[tf.newaxis], cells[:-1]], 0)
    i, f, g, o = tf.split(gates, 4, axis=2)
    squashed = tf.tanh(cells)
    # What does not depend on later time steps is computed for all of them at once.
    hidden_to_cell = o * (1 - squashed**2)
    to_logits = tf.concat(
        [g * i * (1 - i), before * f * (1 - f), i * (1 - g**2), squashed * o * (1 - o)], 2
    )

    def step(time, hidden_gradient, cell_gradient, logits_gradients):
        hidden_gradient += outputs_gradient[time]
        cell_gradient += hidden_gradient * hidden_to_cell[time]
        logits_gradient = to_logits[time] * tf.concat([cell_gradient] * 3 + [hidden_gradient], 1)
        return (
            time - 1,
            tf.matmul(logits_gradient, recurrent_kernel, transpose_b=True),
            cell_gradient * f[time],
            logits_gradients.write(time, logits_gradient),
        )

    _, hidden_gradient, cell_gradient, logits_gradients = tf.while_loop(
        lambda time, *_: time >= 0, step,
        (steps - 1, tf.zeros_like(first_cell), cell_gradient, tf.TensorArray(gates.dtype, steps)),
        maximum_iterations=steps,
    )
    return logits_gradients.stack(), hidden_gradient, cell_gradient
