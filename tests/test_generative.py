"""Measures of samples, on sets with known answers."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from ann_keras.evaluation import generative


def gaussian(seed, number=4_000, mean=(0, 0, 0), scale=(1, 1, 1)):
    return np.random.default_rng(seed).normal(mean, scale, (number, 3))


def exactly(mean, covariance):
    """Points with just these moments."""
    points = np.random.default_rng(0).normal(size=(50, len(mean)))
    points -= points.mean(axis=0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
    return points @ np.linalg.cholesky(covariance).T + mean


def test_distance_of_gaussians_in_closed_form():
    # Along axes: |μ|² + Σ (σ₁ − σ₂)².
    first = exactly(np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    second = exactly(np.array([1.0, 2.0, 0.0]), np.diag([4.0, 4.0, 1.0]))
    assert generative.frechet_distance(first, second) == pytest.approx(5 + 1 + 0 + 4)


def test_distance_with_covariances_that_do_not_commute():
    random = np.random.default_rng(1)
    a, b = (part @ part.T + np.eye(3) for part in random.normal(size=(2, 3, 3)))
    expected = np.trace(a + b - 2 * sqrtm(a @ b).real)
    found = generative.frechet_distance(exactly(np.zeros(3), a), exactly(np.zeros(3), b))
    assert found == pytest.approx(expected)


def test_distance_of_a_set_to_itself_is_zero_and_of_equal_sources_small():
    points = gaussian(0)
    assert generative.frechet_distance(points, points) == pytest.approx(0, abs=1e-9)
    assert generative.frechet_distance(points, gaussian(1)) < 0.02
    assert generative.frechet_distance(points, gaussian(1, mean=(0.5, 0, 0))) > 0.2


def test_distance_with_fewer_rows_than_features_is_finite():
    random = np.random.default_rng(0)
    found = generative.frechet_distance(random.normal(size=(5, 20)), random.normal(size=(6, 20)))
    assert np.isfinite(found) and found > 0


def test_distance_with_fewer_rows_than_features_is_that_of_the_moments():
    first, second = np.random.default_rng(0).normal(size=(2, 6, 20))
    second = second[:5] * 2 + 1
    a, b = np.cov(first.T), np.cov(second.T)
    shared = np.sqrt(np.maximum(np.linalg.eigvals(a @ b).real, 0)).sum()
    gap = first.mean(axis=0) - second.mean(axis=0)
    expected = gap @ gap + np.trace(a) + np.trace(b) - 2 * shared
    assert generative.frechet_distance(first, second) == pytest.approx(expected, rel=1e-5)


def brute_force(real, samples, k):
    """The definitions, point by point."""
    def radius(points, index):
        return np.sort(np.linalg.norm(points - points[index], axis=1))[k]

    inside = np.array([[np.linalg.norm(r - s) <= radius(real, i) for s in samples]
                       for i, r in enumerate(real)])
    reached = np.array([[np.linalg.norm(r - s) <= radius(samples, j)
                         for j, s in enumerate(samples)] for r in real])
    return {"precision": inside.any(axis=0).mean(), "recall": reached.any(axis=1).mean(),
            "density": inside.sum(axis=0).mean() / k, "coverage": inside.any(axis=1).mean()}


def test_neighbourhoods_are_as_defined():
    real, samples = gaussian(0, 30), gaussian(1, 25, mean=(0.7, 0, 0))
    found = generative.neighbourhoods(real, samples, neighbours=3)
    assert found == pytest.approx(brute_force(real, samples, 3))


def test_neighbourhoods_in_chunks(monkeypatch):
    import sklearn.metrics

    real, samples = gaussian(0, 700), gaussian(1, 600, mean=(0.7, 0, 0))
    whole, chunks = generative.neighbourhoods(real, samples), []
    whole_radii, in_chunks = generative.radii(real), sklearn.metrics.pairwise_distances_chunked

    def counted(*arguments, **options):
        for chunk in in_chunks(*arguments, **options):
            chunks.append(len(chunk))
            yield chunk

    monkeypatch.setattr(sklearn.metrics, "pairwise_distances_chunked", counted)
    monkeypatch.setattr(generative, "_WORKING_MEMORY", 0.5)  # MiB: a hundred rows at a time
    assert generative.neighbourhoods(real, samples) == pytest.approx(whole)
    np.testing.assert_allclose(generative.radii(real), whole_radii)
    assert len(chunks) > 20 and max(chunks) < 120


def test_a_lost_mode_lowers_recall_and_coverage_alone():
    real = np.concatenate([gaussian(0, 400), gaussian(1, 400, mean=(20, 0, 0))])
    one = generative.neighbourhoods(real, gaussian(2, 800))
    both = generative.neighbourhoods(
        real, np.concatenate([gaussian(3, 400), gaussian(4, 400, mean=(20, 0, 0))])
    )
    assert one["precision"] > 0.9 and both["precision"] > 0.9
    assert one["coverage"] < 0.51 and both["coverage"] > 0.9
    assert one["recall"] < 0.51 and both["recall"] > 0.9
    far = generative.neighbourhoods(real, gaussian(5, 800, mean=(0, 90, 0)))
    assert far == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


@pytest.mark.parametrize("labels, expected", [
    (np.arange(10), 1.0), (np.zeros(5, int), 0.0), (np.array([0, 1] * 4), np.log10(2)),
])
def test_entropy_of_classes(labels, expected):
    assert generative.entropy_of_classes(labels) == pytest.approx(expected)


@pytest.mark.parametrize("real, samples, message", [
    (np.zeros((9, 2)), np.zeros((9, 3)), "rows of one width"),
    (np.zeros(9), np.zeros(9), "rows of one width"),
    (np.zeros((9, 2)), np.zeros((5, 2)), "6 rows or more, got 9 and 5"),
])
def test_bad_features_are_refused(real, samples, message):
    with pytest.raises(ValueError, match=message):
        generative.neighbourhoods(real, samples)


def test_other_bad_input():
    with pytest.raises(ValueError, match="no labels"):
        generative.entropy_of_classes(np.zeros(0, int))
    with pytest.raises(ValueError, match="2 rows or more"):
        generative.frechet_distance(np.zeros((1, 2)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match="one neighbour or more"):
        generative.neighbourhoods(np.zeros((9, 2)), np.zeros((9, 2)), neighbours=0)
