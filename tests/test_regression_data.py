"""The regression exercise: Hwang's functions, a student's own target, and the split."""

import numpy as np
import pytest

from ann_keras.data import regression
from ann_keras.errors import UserError

NUMBER = 13_600
DIGITS = np.array([9, 8, 4, 2, 1])


@pytest.fixture(scope="module")
def course(shared_data):
    """The course's table: rows X1, X2, T1 to T5."""
    return np.loadtxt(shared_data / "regression.csv", delimiter=",")


def index_of(rows, points):
    """Position in ``points`` of each row of ``rows``, which must all occur there."""
    positions = {point.tobytes(): index for index, point in enumerate(points)}
    assert len(positions) == len(points)
    return [positions[row.tobytes()] for row in rows]


def test_functions_equal_the_course_file(course):
    x1, x2, *values = course
    np.testing.assert_allclose(regression.functions(x1, x2), np.transpose(values), atol=5e-5)


# Points at which brackets, sines and exponentials take values that can be found by hand.
@pytest.mark.parametrize(
    "x1, x2, expected",
    [
        (0.6, 0.9, [0.80136, 42.659 * 0.11621, 24.234 * 0.17 * 0.58, 10.391 * 0.42, 2.565]),
        (0.5, 0.5, [None, 4.2659, 0, 10.391 * 0.35, None]),
        (0, 0, [None, 42.659 * 0.2, 24.234 * 0.125, 10.391 * 0.6, 2.565]),
        (1, 1, [None, 0, 24.234 * 0.125, 10.391 * 0.6, None]),
        # Both sines of the additive function are 1, then those of the complicated one.
        (
            0.6 - 6**-0.5,
            0.9 - 8**-0.5,
            [
                1.3356 * (0.6 + 1.5 * 6**-0.5 + np.exp(0.2 - 2 * 6**-0.5)
                          + np.exp(1.2 - 3 * 8**-0.5)),
                None, None, None, None,
            ],
        ),
        (
            0.6 - (np.pi / 26) ** 0.5,
            np.pi / 14,
            [None, None, None, None, 2.565 + 1.9 * np.exp(0.6 - (np.pi / 26)**0.5 - np.pi / 14)],
        ),
    ],
)
def test_functions_equal_values_found_by_hand(x1, x2, expected):
    values = regression.functions(x1, x2)
    assert values.shape == (5,)
    for value, hand in zip(values, expected):
        assert hand is None or value == pytest.approx(hand, rel=1e-12, abs=1e-12)


def test_functions_take_arrays_of_points():
    x1, x2 = np.random.default_rng(0).uniform(size=(2, 7))
    together = regression.functions(x1, x2)
    one_by_one = [regression.functions(a, b) for a, b in zip(x1, x2)]
    assert together.shape == (7, len(regression.FUNCTIONS))
    np.testing.assert_allclose(together, one_by_one, rtol=1e-12)


@pytest.mark.parametrize(
    "student, expected",
    [
        ("R1012984", (9, 8, 4, 2, 1)),
        ("r0123456", (6, 5, 4, 3, 2)),
        (99999, (9, 9, 9, 9, 9)),
        ("0-0-1-0-0", (1, 0, 0, 0, 0)),
    ],
)
def test_weights_are_the_five_largest_digits(student, expected):
    assert regression.weights(student) == expected


@pytest.mark.parametrize(
    "student, words",
    [
        ("R1234", "'R1234' needs five digits"),
        ("", "'' needs five digits"),
        ("R¹²³⁴⁵٣", "needs five digits"),
        ("R0000000", "'R0000000' needs five digits, not all of them 0"),
    ],
)
def test_weights_refuse_numbers_without_five_digits(student, words):
    for refuse in (
        lambda: regression.weights(student),
        lambda: regression.target(0.5, 0.5, student),
        lambda: regression.split(student_number=student),
    ):
        with pytest.raises(UserError, match=words) as caught:
            refuse()
        assert "\n" not in str(caught.value)


def test_target_is_the_mean_weighted_by_digits():
    x1, x2 = np.random.default_rng(1).uniform(size=(2, 50))
    values = regression.functions(x1, x2)
    target = regression.target(x1, x2)
    assert target.shape == (50,)
    np.testing.assert_allclose(target, values @ DIGITS / DIGITS.sum(), rtol=1e-12)
    np.testing.assert_allclose(regression.target(x1, x2, "R33333"), values.mean(1), rtol=1e-12)
    np.testing.assert_allclose(regression.target(x1, x2, "R00007"), values[:, 0], rtol=1e-12)


def test_points_are_uniform_on_the_unit_square():
    points = regression.points()
    assert points.shape == (NUMBER, 2)
    assert points.min() >= 0 and points.max() <= 1
    counts, _, _ = np.histogram2d(*points.T, bins=4, range=[(0, 1), (0, 1)])
    # 850 expected in each of 16 squares, with standard deviation 28.
    assert np.abs(counts - NUMBER / 16).max() < 5 * np.sqrt(NUMBER * 15 / 256)


def test_points_are_decided_by_the_seed():
    np.testing.assert_array_equal(regression.points(3), regression.points(3))
    assert regression.points(3, number=5).shape == (5, 2)
    assert not np.isin(regression.points(3), regression.points(4)).any()


def test_split_has_the_published_sizes():
    (x_train, y_train), (x_test, y_test) = regression.split()
    assert x_train.shape == (2_000, 2) and y_train.shape == (2_000, 1)
    assert x_test.shape == (1_000, 2) and y_test.shape == (1_000, 1)
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype("float32")}


def test_split_draws_disjoint_points_that_belong_to_their_targets():
    (x_train, y_train), (x_test, y_test) = regression.split(seed=5, student_number="R54321")
    points = regression.points(5)
    train, test = (index_of(x, points.astype(np.float32)) for x in (x_train, x_test))
    assert len(set(train) | set(test)) == 3_000
    targets = regression.functions(*points.T) @ [5, 4, 3, 2, 1] / 15
    np.testing.assert_allclose(y_train[:, 0], targets[train], rtol=1e-6)
    np.testing.assert_allclose(y_test[:, 0], targets[test], rtol=1e-6)


def test_split_takes_points_in_random_order():
    (x_train, _), _ = regression.split(training_points=500)
    order = index_of(x_train, regression.points(0).astype(np.float32))
    assert max(order) > 0.9 * NUMBER
    assert order != sorted(order)


def test_split_can_use_up_all_points():
    (x_train, _), (x_test, _) = regression.split(training_points=13_000, test_points=600)
    together = np.concatenate([x_train, x_test])
    assert sorted(index_of(together, regression.points(0).astype(np.float32))) == list(
        range(NUMBER)
    )


def test_split_is_decided_by_the_seed():
    for part, again, other in zip(*(regression.split(seed=seed) for seed in (1, 1, 2))):
        for a, b, c in zip(part, again, other):  # points, then targets
            np.testing.assert_array_equal(a, b)
            assert (a != c).any()


def test_split_of_the_course_file(course, shared_data, monkeypatch):
    monkeypatch.setenv("ANN_KERAS_DATA", str(shared_data))
    (x_train, y_train), (x_test, y_test) = regression.split(seed=4, source="course")
    assert x_train.shape == (2_000, 2) and x_test.shape == (1_000, 2)
    points = course[:2].T.astype(np.float32)
    both = np.concatenate([x_train, x_test])
    rows = index_of(both, points)
    assert len(set(rows)) == 3_000
    targets = DIGITS @ course[2:] / DIGITS.sum()
    np.testing.assert_allclose(np.concatenate([y_train, y_test])[:, 0], targets[rows], rtol=1e-6)
    (other, _), _ = regression.split(seed=3, source="course")
    assert set(index_of(other, points)) != set(rows[:2_000])


def test_the_course_file_keeps_its_columns_apart(course, shared_data, monkeypatch):
    monkeypatch.setenv("ANN_KERAS_DATA", str(shared_data))
    points, values = regression.course_file()
    np.testing.assert_array_equal(points, course[:2].T)
    np.testing.assert_array_equal(values, course[2:].T)


def refusal(**options):
    with pytest.raises(UserError) as caught:
        regression.split(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_too_many_points_are_refused():
    regression.split(training_points=12_600)
    message = refusal(training_points=12_601)
    assert message == "12601 + 1000 points asked for; there are 13600"


def test_an_unknown_source_is_answered_with_the_known_ones():
    message = refusal(source="file")
    assert message == "unknown source 'file': choose 'closed form' or 'course'"


def test_the_course_source_needs_a_folder(monkeypatch):
    monkeypatch.delenv("ANN_KERAS_DATA", raising=False)
    assert "ANN_KERAS_DATA" in refusal(source="course")


def test_the_course_source_needs_the_file(monkeypatch, tmp_path):
    monkeypatch.setenv("ANN_KERAS_DATA", str(tmp_path))
    assert f"cannot read {tmp_path / 'regression.csv'}" in refusal(source="course")


@pytest.mark.parametrize(
    "content, words",
    [
        ("0.1,0.2\n0.3\n", "cannot read"),
        ("0.1,0.2\n0.3,x\n", "cannot read"),
        ("0.1,0.2\n0.3,0.4\n", "has shape (2, 2); the course's has (7, 13600)"),
    ],
)
def test_another_file_in_its_place_is_named(monkeypatch, tmp_path, content, words):
    (tmp_path / "regression.csv").write_text(content)
    monkeypatch.setenv("ANN_KERAS_DATA", str(tmp_path))
    message = refusal(source="course")
    assert str(tmp_path / "regression.csv") in message and words in message
