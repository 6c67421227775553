"""L-BFGS over all trainable weights of a Keras model, full batch.

Limited-memory quasi-Newton steps (Nocedal 1980; Liu and Nocedal 1989) with the Hager–Zhang line
search, both from TensorFlow Probability. The loop over iterations is one compiled graph.
"""

import time
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tqdm import tqdm

_SECONDS_PER_CALL = 0.5  # how long the graph runs before progress is shown


class Result(NamedTuple):
    """What a minimization found.

    loss: loss after each iteration, array of shape (iterations,).
    initial_loss: loss before the first of them.
    seconds_per_iteration: of the calls after the first, which also traces the graph.
    state: give it to the next run on the same model and data to go on where this one ended.
    """

    loss: np.ndarray
    initial_loss: float
    seconds_per_iteration: float
    state: tuple


def minimize(model, x, y, *, iterations, **options):
    """Fit a Keras model once: ``Minimizer(model).run(x, y, iterations=iterations, **options)``."""
    return Minimizer(model).run(x, y, iterations=iterations, **options)


class Minimizer:
    """L-BFGS for one model; tracing takes seconds, so keep it to fit the model again and again.

    Args:
        model: a built Keras model after ``model.compile(loss=...)``. Its optimizer is not used;
            dropout is off and batch statistics do not move.
        memory: pairs of differences kept to approximate the curvature.
        jit_compile: compile the loss and its gradient by XLA (measure before choosing).
    """

    def __init__(self, model, *, memory=10, jit_compile=False):
        self.model = model
        self.memory = memory
        self._objective = tf.function(self._loss_and_gradient, jit_compile=jit_compile)
        self._advance = tf.function(self._advance_eagerly)

    def run(self, x, y, *, iterations, state=None, verbose=1):
        """Minimize the model's loss on (x, y) from its present weights; leave it fitted.

        Where the line search finds no lower point (rounding in float32 brings that about), the
        curvature memory is emptied and the search starts afresh from the point reached. If the
        step after that fails too, the rest of the history repeats the last loss.

        Args:
            x, y: arrays of n rows.
            iterations: steps to take.
            state: of an earlier ``Result``, to go on where it ended.
            verbose: 1 shows a progress bar on a terminal, 0 nothing.

        Returns:
            A ``Result``.

        Raises:
            ValueError: no iteration is asked for, or the state is of another model.
        """
        if iterations < 1:
            raise ValueError(f"iterations must be positive, got {iterations}")
        weights = self.model.trainable_variables
        x, y = tf.constant(x, weights[0].dtype), tf.constant(y, weights[0].dtype)
        position = _flatten(weights)
        if state is None:
            state = self._fresh(position, x, y), tf.constant(0)
        elif state[0].position.shape != position.shape:
            raise ValueError("this state belongs to a model with another number of weights")
        initial_loss = float(state[0].objective_value)

        losses, seconds, count = [], 0.0, 1
        disable = None if verbose else True
        with tqdm(total=iterations, desc="L-BFGS", unit="step", disable=disable) as bar:
            while len(losses) < iterations:
                begin = time.perf_counter()
                state, table = self._advance(state, x, y, tf.constant(count))
                losses.extend(table.numpy().tolist())
                bar.update(count)
                if len(losses) > 1:
                    seconds += time.perf_counter() - begin
                    count = int(_SECONDS_PER_CALL * (len(losses) - 1) / seconds)
                count = min(max(count, 1), iterations - len(losses))
        _assign(weights, state[0].position)
        return Result(np.array(losses), initial_loss, seconds / max(len(losses) - 1, 1), state)

    def _loss_and_gradient(self, position, x, y):
        """Flat weights (k,) → loss and gradient (k,)."""
        variables = self.model.trainable_variables
        fixed = [variable.value for variable in self.model.non_trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(position)
            parts = tf.split(position, [int(np.prod(v.shape)) for v in variables])
            weights = [tf.reshape(part, v.shape) for part, v in zip(parts, variables)]
            outputs, _ = self.model.stateless_call(weights, fixed, x, training=False)
            loss = self.model.compute_loss(x=x, y=y, y_pred=outputs)
        return loss, tape.gradient(loss, position)

    def _search(self, x, y, **options):
        return tfp.optimizer.lbfgs_minimize(
            lambda position: self._objective(position, x, y),
            tolerance=0,
            num_correction_pairs=self.memory,
            **options,
        )

    def _fresh(self, position, x, y):
        return self._search(x, y, initial_position=position, max_iterations=0)

    def _advance_eagerly(self, state, x, y, count):
        search, age = state  # age: steps since the curvature memory was last empty
        table = tf.TensorArray(search.objective_value.dtype, count, element_shape=())
        for index in tf.range(count):
            if search.failed and age > 1:
                search, age = self._fresh(search.position, x, y), 0
            search = self._search(
                x,
                y,
                initial_position=None,
                previous_optimizer_results=search,
                max_iterations=search.num_iterations + 1,
            )
            age += 1
            table = table.write(index, search.objective_value)
        return (search, age), table.stack()


def _flatten(variables):
    return tf.concat([tf.reshape(variable.value, [-1]) for variable in variables], 0)


def _assign(variables, position):
    parts = tf.split(position, [int(np.prod(variable.shape)) for variable in variables])
    for variable, part in zip(variables, parts):
        variable.assign(tf.reshape(part, variable.shape))
