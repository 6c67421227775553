"""L-BFGS: its gradient, its direction, its minima, and where it stands between two calls."""

import contextlib

import keras
import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from ann_keras.data import surface
from ann_keras.models.mlp import mish_regressor, surface_mlp
from ann_keras.training import lbfgs

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)) * [1, 3, 0.5, 2]
X = np.round(X * 256) / 256  # exact in float32 too, to which Keras rounds inputs
Y = X @ [[1.0], [-2.0], [0.5], [3.0]] + 0.7 + RANDOM.normal(size=(60, 1))


@contextlib.contextmanager
def without_graphs():
    """A search of a network that few tests share; its graph takes longer to trace than to step."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def compiled(model, loss="mse"):
    model.compile(loss=loss)
    return model


def linear(dtype="float64", seed=0, loss="mse", **options):
    keras.utils.set_random_seed(seed)
    layer = keras.layers.Dense(1, dtype=dtype, **options)
    return compiled(keras.Sequential([keras.Input((4,), dtype=dtype), layer]), loss)


def in_double(build):
    keras.config.set_dtype_policy("float64")
    try:
        return compiled(build())
    finally:
        keras.config.set_dtype_policy("float32")


def surface_network(*units, seed=0):
    keras.utils.set_random_seed(seed)
    return in_double(lambda: surface_mlp(*units))


def surface_data(number=9):
    x, _, heights = surface.samples(number=number)
    return x, heights


def least_squares(x, y):
    """Weights and mean squared error of the best linear fit, in closed form."""
    design = np.column_stack([x, np.ones(len(x))])
    weights, *_ = np.linalg.lstsq(design, y, rcond=None)
    return weights[:, 0], np.mean((design @ weights - y) ** 2)


def flat_weights(model):
    return np.concatenate([weight.numpy().ravel() for weight in model.trainable_variables])


def split(model, position):
    """Flat weights as ``model.set_weights`` takes them; the model has no others."""
    ends = np.cumsum([np.prod(weight.shape) for weight in model.trainable_variables])[:-1]
    return [part.reshape(weight.shape)
            for part, weight in zip(np.split(position, ends), model.trainable_variables)]


def objective(model, x, y):
    """Loss and gradient at flat weights, as NumPy sees them."""
    minimizer = lbfgs.Minimizer(model)
    dtype = model.trainable_variables[0].dtype
    x, y = tf.constant(x, dtype), tf.constant(y, dtype)

    def evaluate(position):
        loss, gradient = minimizer._objective(tf.constant(position, dtype), x, y)
        return float(loss), gradient.numpy().astype("float64")

    return evaluate


def scipy_losses(model, x, y, iterations, memory=10):
    """Loss after each iteration of SciPy's L-BFGS-B from the model's weights."""
    evaluate, losses = objective(model, x, y), []
    scipy.optimize.minimize(
        evaluate, flat_weights(model), jac=True, method="L-BFGS-B",
        callback=lambda position: losses.append(evaluate(position)[0]),
        options={"maxiter": iterations, "maxcor": memory, "ftol": 0, "gtol": 0},
    )
    return np.array(losses)


@pytest.mark.parametrize(
    "build",
    [
        lambda: surface_network(7, 5),
        lambda: in_double(lambda: mish_regressor((5, 4), ("mish", "tanh"), dropout=0.5)),
    ],
    ids=["surface_mlp", "mish_regressor with dropout"],
)
def test_gradient_equals_finite_differences(build):
    model = build()
    x, y = surface_data()
    evaluate = objective(model, x, y)
    position = flat_weights(model) + 0.05 * np.cos(np.arange(model.count_params()))
    loss, gradient = evaluate(position)
    numeric = scipy.optimize.approx_fprime(position, lambda p: evaluate(p)[0], 1e-7)
    assert np.abs(gradient).max() > 1e-2
    np.testing.assert_allclose(gradient, numeric, atol=1e-5)

    model.set_weights(split(model, position))
    assert loss == pytest.approx(np.mean((model(x).numpy() - y) ** 2), rel=1e-12)


def test_penalties_on_weights_are_minimized_too():
    model = linear(kernel_regularizer=keras.regularizers.L2(0.25), seed=1)
    position = flat_weights(model) + 1
    loss, gradient = objective(model, X, Y)(position)
    kernel, bias = position[:4, None], position[4]
    error = X @ kernel + bias - Y
    assert loss == pytest.approx(np.mean(error**2) + 0.25 * np.sum(kernel**2), rel=1e-12)
    by_hand = 2 * X.T @ error / len(X) + 2 * 0.25 * kernel
    np.testing.assert_allclose(gradient, [*by_hand[:, 0], 2 * error.mean()], rtol=1e-10)


@pytest.mark.parametrize("loss", [
    keras.losses.MeanAbsoluteError(), keras.losses.mean_absolute_error, "mae",
], ids=["object", "function", "name"])
def test_the_loss_is_that_of_the_model(loss):
    model = linear(loss=loss)
    position = flat_weights(model)
    error = X @ position[:4, None] + position[4] - Y
    assert objective(model, X, Y)(position)[0] == pytest.approx(
        np.mean(np.abs(error)), rel=1e-12)


def two_loops(gradient, pairs):
    """Algorithm 7.4 of Nocedal and Wright (2006); pairs (step, change), oldest first."""
    q, alphas = gradient.copy(), []
    for step, change in reversed(pairs):
        alphas.append(step @ q / (change @ step))
        q -= alphas[-1] * change
    if pairs:
        step, change = pairs[-1]
        q *= step @ change / (change @ change)
    for (step, change), alpha in zip(pairs, reversed(alphas)):
        q += (alpha - change @ q / (change @ step)) * step
    return -q


def state_with(gradient, memory):
    weights = len(gradient)
    zeros = tf.zeros([memory, weights], tf.float64)
    gram = tf.zeros([memory, memory], tf.float64)
    return lbfgs.State(
        tf.zeros([weights], tf.float64), tf.constant(0.0, tf.float64), tf.constant(gradient),
        steps=zeros, changes=zeros, products=gram, curvatures=gram, pairs=tf.constant(0),
        stalled=tf.constant(False), evaluations=tf.constant(1),
    )


def random_pairs(number, weights, seed):
    """Steps and the changes of gradient they bring on a random convex quadratic."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(weights, weights))
    hessian = root @ root.T + np.eye(weights)
    steps = random.normal(size=(number, weights))
    return [(step, hessian @ step) for step in steps]


@pytest.mark.parametrize("pairs", [0, 1, 2, 4, 5, 6, 13])
def test_direction_is_that_of_the_two_loop_recursion(pairs):
    memory, weights = 5, 12
    gradient = np.random.default_rng(pairs).normal(size=weights)
    history = random_pairs(pairs, weights, seed=pairs)
    state = state_with(gradient, memory)
    for step, change in history:
        state = lbfgs._remember(state, tf.constant(step), tf.constant(change))
    assert int(state.pairs) == min(pairs, memory)
    expected = two_loops(gradient, history[-memory:])
    np.testing.assert_allclose(lbfgs._direction(state), expected, rtol=1e-8, atol=1e-8)


def test_memory_drops_the_oldest_pair():
    state = state_with(np.ones(6), memory=3)
    history = random_pairs(5, 6, seed=1)
    for step, change in history:
        state = lbfgs._remember(state, tf.constant(step), tf.constant(change))
    steps, changes = (np.array(part) for part in zip(*history[-3:]))
    np.testing.assert_array_equal(state.steps, steps)
    np.testing.assert_array_equal(state.changes, changes)
    np.testing.assert_allclose(state.products, steps @ changes.T, rtol=1e-12)
    np.testing.assert_allclose(state.curvatures, changes @ changes.T, rtol=1e-12)


def test_a_pair_without_positive_curvature_is_not_remembered():
    state = state_with(np.ones(3), memory=2)
    step = np.array([1.0, 2.0, 0.0])
    for change in (-step, np.array([2.0, -1.0, 5.0]), np.zeros(3)):
        after = lbfgs._remember(state, tf.constant(step), tf.constant(change))
        assert int(after.pairs) == 0
        np.testing.assert_array_equal(lbfgs._direction(after), -np.ones(3))


def test_an_emptied_memory_leaves_steepest_descent():
    gradient = np.array([1.0, -2.0, 3.0])
    state = state_with(gradient, memory=2)
    for step, change in random_pairs(2, 3, seed=0):
        state = lbfgs._remember(state, tf.constant(step), tf.constant(change))
    assert np.abs(lbfgs._direction(state) + gradient).max() > 0.1
    np.testing.assert_array_equal(lbfgs._direction(lbfgs._forget(state)), -gradient)


@pytest.fixture(scope="module")
def linear_search():
    """(linear model as found, result) in double precision."""
    model = linear()
    with without_graphs():
        return model, lbfgs.Minimizer(model).run(X, Y, iterations=25, verbose=0)


def test_linear_regression_ends_at_the_least_squares(linear_search):
    model, result = linear_search
    weights, error = least_squares(X, Y)
    np.testing.assert_allclose(flat_weights(model), weights, rtol=1e-6)
    assert result.loss[-1] == pytest.approx(error, rel=1e-12)
    reference = scipy_losses(linear(), X, Y, iterations=25)
    assert result.loss[-1] == pytest.approx(reference[-1], rel=1e-10)


@pytest.fixture(scope="module")
def single_precision_search():
    """(minimizer, result of more iterations than float32 has use for)."""
    minimizer = lbfgs.Minimizer(linear("float32"))
    with without_graphs():
        return minimizer, minimizer.run(X, Y, iterations=200, verbose=0)


def test_single_precision_ends_at_the_least_squares_to_its_precision(single_precision_search):
    minimizer, result = single_precision_search
    weights, error = least_squares(X, Y)
    np.testing.assert_allclose(flat_weights(minimizer.model), weights, rtol=1e-3)
    assert result.loss[-1] == pytest.approx(error, rel=1e-5)
    assert (np.diff(result.loss) <= 0).all()


def test_a_stalled_search_stays_where_it_is(single_precision_search):
    minimizer, result = single_precision_search
    assert bool(result.state.stalled)
    assert int(result.state.evaluations) < 400
    with without_graphs():
        later = minimizer.run(X, Y, iterations=3, state=result.state, verbose=0)
    assert later.loss.tolist() == [result.loss[-1]] * 3
    assert later.state.evaluations == result.state.evaluations


def test_at_the_exact_minimum_the_search_stalls_and_repeats_the_loss(single_precision_search):
    minimizer, _ = single_precision_search
    weights = np.array([2.0, -1.0, 0.5, 4.0, 0.25])
    minimizer.model.set_weights([weights[:4, None], weights[4:]])
    x = np.round(X * 4) / 4  # so that no rounding occurs
    with without_graphs():
        result = minimizer.run(x, x @ weights[:4, None] + 0.25, iterations=6, verbose=0)
    assert result.initial_loss == 0 and result.loss.tolist() == [0] * 6
    assert bool(result.state.stalled)
    np.testing.assert_array_equal(flat_weights(minimizer.model), weights)


@pytest.fixture(scope="module")
def surface_search():
    """(minimizer, result of 150 iterations, data): in a graph."""
    minimizer = lbfgs.Minimizer(surface_network(10, 10))
    data = surface_data(12)
    return minimizer, minimizer.run(*data, iterations=150, verbose=0), data


def test_a_graph_changes_rounding_only(surface_search):
    _, result, data = surface_search
    with without_graphs():
        plain = lbfgs.Minimizer(surface_network(10, 10))
        losses = plain.run(*data, iterations=10, verbose=0).loss
    np.testing.assert_allclose(result.loss[:10], losses, rtol=1e-8)


def test_result_describes_the_network_left_behind(surface_search):
    minimizer, result, (x, y) = surface_search
    model = surface_network(10, 10)
    model.set_weights(split(model, result.state.position))
    assert result.loss.shape == (150,)
    left = np.mean((model(x).numpy() - y) ** 2)
    assert result.loss[-1] == pytest.approx(left, rel=1e-12)
    start = np.mean((surface_network(10, 10)(x).numpy() - y) ** 2)
    assert result.initial_loss == pytest.approx(start, rel=1e-12)
    assert result.seconds_per_iteration > 0


def test_loss_falls_at_every_iteration(surface_search):
    _, result, _ = surface_search
    assert (np.diff([result.initial_loss, *result.loss]) < 0).all()


def test_surface_network_gets_as_low_as_with_scipy(surface_search):
    _, result, data = surface_search
    reference = scipy_losses(surface_network(10, 10), *data, iterations=150)
    assert len(reference) == 150
    for iteration in (50, 100, 150):
        assert result.loss[iteration - 1] < 2 * reference[iteration - 1]
    assert result.loss[-1] < result.initial_loss / 20


def test_most_iterations_need_one_evaluation(surface_search):
    _, result, _ = surface_search
    assert 151 <= int(result.state.evaluations) < 2 * 150


class Rosenbrock(keras.layers.Layer):
    """Residuals whose mean square is Rosenbrock's function: minimum 0 at (1, 1)."""

    def __init__(self, **options):
        super().__init__(**options)
        self.point = self.add_weight(shape=(2,), name="point")
        self.point.assign([-1.2, 1.0])

    def call(self, x):
        first, second = self.point[0], self.point[1]
        curve, slope = 10 * (second - first**2), 1 - first
        return tf.sqrt(tf.constant(2.0, x.dtype)) * tf.stack([curve, slope])[None] + 0 * x


def test_rosenbrock_valley():
    def build():
        inputs = keras.Input((2,), dtype="float64")
        return compiled(keras.Model(inputs, Rosenbrock(dtype="float64")(inputs)))

    model, x, y = build(), np.zeros((1, 2)), np.zeros((1, 2))
    with without_graphs():
        result = lbfgs.Minimizer(model).run(x, y, iterations=45, verbose=0)
    assert result.initial_loss == pytest.approx(24.2)  # More, Garbow and Hillstrom's start
    np.testing.assert_allclose(flat_weights(model), [1, 1], atol=1e-6)
    reference = scipy_losses(build(), x, y, iterations=45)
    assert result.loss[-1] <= max(2 * reference[-1], 1e-12)


@pytest.fixture(scope="module")
def short_search(surface_search):
    """Result of 20 iterations from the same weights, after a search on other data."""
    minimizer, _, (x, y) = surface_search
    minimizer.model.set_weights(surface_network(10, 10, seed=1).get_weights())
    minimizer.run(x, -y, iterations=5, verbose=0)
    minimizer.model.set_weights(surface_network(10, 10).get_weights())
    result = minimizer.run(x, y, iterations=20, verbose=0)
    np.testing.assert_array_equal(flat_weights(minimizer.model), result.state.position)
    return result


def test_one_minimizer_serves_several_starts_and_data_sets(surface_search, short_search):
    np.testing.assert_array_equal(short_search.loss, surface_search[1].loss[:20])


def test_a_resumed_search_equals_an_uninterrupted_one(surface_search, short_search):
    minimizer, _, data = surface_search
    minimizer.model.set_weights(surface_network(10, 10).get_weights())
    first = minimizer.run(*data, iterations=7, verbose=0)
    minimizer.model.set_weights(surface_network(10, 10, seed=1).get_weights())
    second = minimizer.run(*data, iterations=13, state=first.state, verbose=0)
    np.testing.assert_array_equal([*first.loss, *second.loss], short_search.loss)
    np.testing.assert_array_equal(flat_weights(minimizer.model), short_search.state.position)
    assert second.initial_loss == first.loss[-1]
    for own, reference in zip(second.state, short_search.state):
        np.testing.assert_array_equal(own, reference)


def test_memory_is_the_number_of_pairs_kept():
    with without_graphs():
        minimizer = lbfgs.Minimizer(surface_network(6), memory=3)
        state = minimizer.run(*surface_data(), iterations=5, verbose=0).state
    assert state.steps.shape[0] == int(state.pairs) == 3


def test_errors(surface_search):
    model = linear()
    with pytest.raises(ValueError, match="iterations must be positive, got 0"):
        lbfgs.Minimizer(model).run(X, Y, iterations=0)
    _, other_result, _ = surface_search
    with pytest.raises(ValueError, match="another number of weights"):
        lbfgs.Minimizer(model).run(X, Y, iterations=1, state=other_result.state)
