"""How near samples of a generative model come to real ones, on features of both.

Sources: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash
equilibrium", NIPS 2017, for the Fréchet distance; Kynkäänniemi et al., "Improved precision and
recall metric for assessing generative models", NeurIPS 2019; Naeem et al., "Reliable fidelity and
diversity metrics for generative models", ICML 2020, for density and coverage.

Every measure depends on the number of samples; so each belongs beside its value for as many real
ones that are not among the digits compared with.
"""

import numpy as np

NEIGHBOURS = 5  # that decide how far a neighbourhood reaches: Naeem et al.'s number
_WORKING_MEMORY = 256  # MiB of distances at once, instead of scikit-learn's 1024


def frechet_distance(first, second):
    """Squared Fréchet distance of the Gaussians with the moments of features (n, d) and (m, d).

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)

    Raises:
        ValueError: fewer than two rows, or widths that differ.
    """
    first, second = _check(first, second, at_least=2)
    gap = first.mean(axis=0) - second.mean(axis=0)
    # Scaled so that each covariance is XᵀX.
    scaled = [(features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
              for features in (first, second)]
    if max(len(first), len(second)) <= first.shape[1]:
        # The eigenvalues of Σ₁Σ₂ are the squared singular values of X₁X₂ᵀ, smaller then.
        shared = np.linalg.svd(scaled[0] @ scaled[1].T, compute_uv=False).sum()
    else:
        covariances = [features.T @ features for features in scaled]
        # They are also those of Σ₁^½ Σ₂ Σ₁^½, which is symmetric.
        values, vectors = np.linalg.eigh(covariances[0])
        root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
        product = np.linalg.eigvalsh(root @ covariances[1] @ root)
        shared = np.sqrt(np.maximum(product, 0)).sum()
    traces = sum(np.sum(features**2) for features in scaled)
    return float(max(gap @ gap + traces - 2 * shared, 0))


def radii(points, neighbours=NEIGHBOURS):
    """Distance of each point (n, d) to its k-th nearest neighbour, itself left out, (n,)."""
    from sklearn.metrics import pairwise_distances_chunked

    def reduce(distances, start):
        return np.partition(distances, neighbours, axis=1)[:, neighbours]

    points = np.asarray(points, np.float64)
    found = pairwise_distances_chunked(points, reduce_func=reduce, working_memory=_WORKING_MEMORY)
    return np.concatenate(list(found))


def neighbourhoods(real, samples, neighbours=NEIGHBOURS, *, real_radii=None):
    """Precision, recall, density and coverage of samples.

    The neighbourhood of a point is the ball that reaches its k-th nearest neighbour of its own set.

    Args:
        real, samples: features (n, d) and (m, d).
        neighbours: k.
        real_radii: ``radii`` of the real points, if they are known already.

    Returns:
        Dict: "precision", share of samples in the neighbourhood of a real point; "recall", share
        of real points in that of a sample; "density", mean number of real neighbourhoods that a
        sample lies in, over k; "coverage", share of real points with a sample in their
        neighbourhood.

    Raises:
        ValueError: k below one, fewer than k + 1 rows in either set, or widths that differ.
    """
    from sklearn.metrics import pairwise_distances_chunked

    if neighbours < 1:
        raise ValueError(f"a neighbourhood needs one neighbour or more, got {neighbours}")
    real, samples = _check(real, samples, at_least=neighbours + 1)
    if real_radii is None:
        real_radii = radii(real, neighbours)
    sample_radii = radii(samples, neighbours)
    inside = np.zeros(len(samples))
    covered, recalled = [], []
    # In chunks of rows: all distances at once would not fit.
    for distances in pairwise_distances_chunked(real, samples, working_memory=_WORKING_MEMORY):
        begin = sum(map(len, covered))
        within = distances <= real_radii[begin : begin + len(distances), np.newaxis]
        inside += within.sum(axis=0)
        covered.append(within.any(axis=1))
        recalled.append((distances <= sample_radii).any(axis=1))
    return {"precision": float(np.mean(inside > 0)),
            "recall": float(np.concatenate(recalled).mean()),
            "density": float(inside.mean() / neighbours),
            "coverage": float(np.concatenate(covered).mean())}


def entropy_of_classes(labels, classes=10):
    """Entropy of the labels' histogram over that of equal shares: 0 for one class, 1 for all.

    Raises:
        ValueError: there is no label.
    """
    if not len(labels):
        raise ValueError("there is no entropy of no labels")
    shares = np.bincount(labels, minlength=classes) / len(labels)
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)) / np.log(classes))


def _check(first, second, at_least):
    first, second = (np.asarray(features, np.float64) for features in (first, second))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            f"features must be rows of one width, got {first.shape} and {second.shape}"
        )
    if min(len(first), len(second)) < at_least:
        raise ValueError(
            f"this measure needs {at_least} rows or more, got {len(first)} and {len(second)}"
        )
    return first, second
