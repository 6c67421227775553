"""L-BFGS over all trainable weights of a Keras model, full batch.

Limited-memory BFGS (Liu and Nocedal 1989) in its compact form (Byrd, Nocedal and Schnabel 1994,
equation 3.1). A unit step that meets the strong Wolfe conditions is taken as it is; otherwise
TensorFlow Probability's Hager–Zhang line search finds the step. ``tfp.optimizer.lbfgs_minimize``
searches at every iteration, three evaluations where one does, and unrolls the recursion: it took
three times as long here. The loop over iterations is one compiled graph.
"""

import functools
import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tqdm import tqdm

_SECONDS_PER_CALL = 0.5  # how long the graph runs before progress is shown
_SUFFICIENT_DECREASE, _CURVATURE = 1e-4, 0.9  # Nocedal and Wright (2006), section 3.1


class State(NamedTuple):
    """Where a search stands: all that the next iteration depends on."""

    position: tf.Tensor  # flat weights (k,)
    loss: tf.Tensor
    gradient: tf.Tensor  # (k,)
    steps: tf.Tensor  # latest differences of positions (memory, k), newest last, zeros before them
    changes: tf.Tensor  # those of gradients
    products: tf.Tensor  # steps · changesᵀ (memory, memory)
    curvatures: tf.Tensor  # changes · changesᵀ
    pairs: tf.Tensor  # number of rows in use
    stalled: tf.Tensor  # whether no lower point was found even along the gradient: the end
    evaluations: tf.Tensor  # of the loss and its gradient so far


class Result(NamedTuple):
    """What a minimization found."""

    loss: np.ndarray  # after each iteration, (iterations,)
    initial_loss: float
    seconds_per_iteration: float  # of the calls after the first, which also traces the graph
    state: State  # give it to the next run on the same model and data to go on from there


class Minimizer:
    """L-BFGS for one model; tracing takes seconds, so keep it to fit the model again and again.

    Args:
        model: a built Keras model with one output after ``model.compile(loss=...)``. Its
            optimizer is not used; dropout is off and batch statistics do not move.
        memory: pairs of differences kept to approximate the curvature.
    """

    def __init__(self, model, *, memory=10):
        self.model, self.memory = model, memory
        loss = keras.losses.get(model.loss)
        self._error = loss.call if isinstance(loss, keras.losses.Loss) else loss
        self._objective = tf.function(self._loss_and_gradient)
        self._advance = tf.function(self._advance_eagerly)

    def run(self, x, y, *, iterations, state=None, verbose=1):
        """Minimize the loss on (x, y) from the present weights, leave them there: a ``Result``.

        Where no lower point is found along the direction (rounding in float32 brings that about),
        the curvature memory is emptied and the next iteration follows the gradient. If that fails
        too, the rest of the history repeats the last loss.

        Args:
            x, y: arrays of n rows.
            iterations: steps to take, at least one.
            state: of an earlier ``Result`` with this model, to go on where it ended.
            verbose: 1 shows a progress bar on a terminal, 0 nothing.
        """
        if iterations < 1:
            raise ValueError(f"iterations must be positive, got {iterations}")
        weights = self.model.trainable_variables
        x, y = tf.constant(x, weights[0].dtype), tf.constant(y, weights[0].dtype)
        position = _flatten(weights)
        if state is None:
            state = self._fresh(position, x, y)
        elif state.position.shape != position.shape:
            raise ValueError("this state belongs to a model with another number of weights")
        initial_loss = float(state.loss)

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
        for weight, value in zip(weights, _split(state.position, weights)):
            weight.assign(value)
        return Result(np.array(losses), initial_loss, seconds / max(len(losses) - 1, 1), state)

    def _loss_and_gradient(self, position, x, y):
        """Flat weights (k,) → loss and gradient (k,)."""
        variables = self.model.trainable_variables
        fixed = [variable.value for variable in self.model.non_trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(position)
            outputs, _, penalties = self.model.stateless_call(
                _split(position, variables), fixed, x, training=False, return_losses=True
            )
            # model.compute_loss would round to float32, whatever the model's type is.
            loss = tf.add_n([tf.reduce_mean(self._error(y, outputs)), *penalties])
        return loss, tape.gradient(loss, position)

    def _fresh(self, position, x, y):
        loss, gradient = self._objective(position, x, y)
        pairs = tf.zeros([self.memory, position.shape[0]], position.dtype)
        gram = tf.zeros([self.memory, self.memory], position.dtype)
        return State(
            position, loss, gradient, steps=pairs, changes=pairs, products=gram, curvatures=gram,
            pairs=tf.constant(0), stalled=tf.constant(False), evaluations=tf.constant(1),
        )

    def _advance_eagerly(self, state, x, y, count):
        table = tf.TensorArray(state.loss.dtype, count, element_shape=())
        for index in tf.range(count):
            if not state.stalled:
                state = self._iterate(state, x, y)
            table = table.write(index, state.loss)
        return state, table.stack()

    def _iterate(self, state, x, y):
        direction = _direction(state)
        slope = tf.tensordot(direction, state.gradient, 1)
        if slope >= 0:  # rounding has spoilt the memory
            direction, slope = -state.gradient, -tf.tensordot(state.gradient, state.gradient, 1)
        # With no curvature known, a step of length 1 at most (as PyTorch's first step).
        one = tf.ones_like(state.loss)
        size = one if state.pairs > 0 else tf.minimum(one, 1 / tf.norm(state.gradient, 1))
        loss, gradient = self._objective(state.position + size * direction, x, y)
        evaluations = state.evaluations + 1
        accepted = (loss <= state.loss + _SUFFICIENT_DECREASE * size * slope) & (
            tf.abs(tf.tensordot(gradient, direction, 1)) <= -_CURVATURE * slope
        )
        if not accepted:
            found = self._search(state, direction, slope, size, x, y)
            best, evaluations = found.left, evaluations + found.func_evals
            size, loss, gradient = best.x, best.f, best.full_gradient
        if loss < state.loss:
            step = size * direction
            state = _remember(state, step, gradient - state.gradient)
            state = state._replace(position=state.position + step, loss=loss, gradient=gradient)
        else:
            state = _forget(state)._replace(stalled=tf.equal(state.pairs, 0))
        return state._replace(evaluations=evaluations)

    def _search(self, state, direction, slope, size, x, y):
        """The step by Hager and Zhang's search, as TensorFlow Probability gives it."""
        def along(size):
            loss, gradient = self._objective(state.position + size * direction, x, y)
            return _Point(size, loss, tf.tensordot(gradient, direction, 1), gradient)

        return tfp.optimizer.linesearch.hager_zhang(
            along, initial_step_size=size,
            value_at_zero=_Point(tf.zeros_like(size), state.loss, slope, state.gradient),
        )


class _Point(NamedTuple):
    """A point of the line search, with the field names that TensorFlow Probability expects."""

    x: tf.Tensor
    f: tf.Tensor
    df: tf.Tensor
    full_gradient: tf.Tensor


def _direction(state):
    """Minus the inverse Hessian approximation times the gradient, shape (k,)."""
    steps, changes, gradient = state.steps, state.changes, state.gradient
    memory = steps.shape[0]
    unused = tf.cast(tf.range(memory) < memory - state.pairs, gradient.dtype)
    products = state.products + tf.linalg.diag(unused)
    upper = tf.linalg.band_part(products, 0, -1)
    newest = state.curvatures[-1, -1]
    scale = tf.where(newest > 0, products[-1, -1] / tf.where(newest > 0, newest, 1), 1)

    along_steps = tf.linalg.matvec(steps, gradient)
    along_changes = tf.linalg.matvec(changes, gradient)
    p = _solve(upper, along_steps)
    inner = tf.linalg.diag_part(products) * p + scale * (
        tf.linalg.matvec(state.curvatures, p) - along_changes
    )
    q = _solve(upper, inner, adjoint=True)
    return (
        scale * tf.linalg.matvec(changes, p, transpose_a=True)
        - scale * gradient
        - tf.linalg.matvec(steps, q, transpose_a=True)
    )


def _solve(upper, vector, adjoint=False):
    columns = vector[:, tf.newaxis]
    return tf.linalg.triangular_solve(upper, columns, lower=False, adjoint=adjoint)[:, 0]


def _remember(state, step, change):
    """The state with the newest pair in its memory, unless its curvature is not positive."""
    if tf.tensordot(step, change, 1) > 1e-10 * tf.tensordot(change, change, 1):
        steps = tf.concat([state.steps[1:], step[tf.newaxis]], 0)
        changes = tf.concat([state.changes[1:], change[tf.newaxis]], 0)
        beside = tf.linalg.matvec(changes, change)
        state = state._replace(
            steps=steps, changes=changes,
            products=_shift(
                state.products, tf.linalg.matvec(changes, step), tf.linalg.matvec(steps, change)
            ),
            curvatures=_shift(state.curvatures, beside, beside),
            pairs=tf.minimum(state.pairs + 1, steps.shape[0]),
        )
    return state


def _shift(matrix, row, column):
    """Drop the oldest row and column, append the newest."""
    upper = tf.concat([matrix[1:, 1:], column[:-1, tf.newaxis]], 1)
    return tf.concat([upper, row[tf.newaxis]], 0)


def _forget(state):
    names = ("steps", "changes", "products", "curvatures")
    empty = {name: tf.zeros_like(getattr(state, name)) for name in names}
    return state._replace(pairs=tf.zeros_like(state.pairs), **empty)


def _flatten(variables):
    return tf.concat([tf.reshape(variable.value, [-1]) for variable in variables], 0)


def _split(position, variables):
    """Flat weights (k,) as tensors of the shapes of variables."""
    parts = tf.split(position, [int(np.prod(variable.shape)) for variable in variables])
    return [tf.reshape(part, variable.shape) for part, variable in zip(parts, variables)]


@functools.cache  # tracing takes seconds and serves every seed
def of_network(network, *arguments, memory):
    """The ``Minimizer`` of the mean squared error of ``network(*arguments)``, one for all calls."""
    model = network(*arguments)
    model.compile(loss="mse")
    return Minimizer(model, memory=memory)
