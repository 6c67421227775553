"""A mixture of Bernoulli distributions: the simplest generative model of binary images.

Source: McLachlan and Peel, "Finite mixture models", Wiley 2000; expectation maximisation as in
Bishop, "Pattern recognition and machine learning", section 9.3.3. scikit-learn has mixtures of
Gaussians only.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_array, check_is_fitted, check_random_state

from ann_keras.models.boltzmann import check_unit_interval

_SMOOTHING = 1.0  # images of all grey that each component has seen before: no pixel is certain


class BernoulliMixture(DensityMixin, BaseEstimator):
    """Mixture of products of Bernoulli distributions, by expectation maximisation.

    Args:
        n_components: products that are mixed.
        max_iter: iterations.
        random_state: seed, ``RandomState`` or None; decides the images that components start from.

    Attributes:
        weights_, means_: shares (n_components,), and pixels' probabilities (…, n_features).
        log_likelihood_: list, of the training rows before each iteration, mean, nats.
    """

    def __init__(self, n_components=100, max_iter=30, random_state=None):
        self.n_components, self.max_iter = n_components, max_iter
        self.random_state = random_state

    def fit(self, X, y=None):
        """Fit rows X (n, n_features) in [0, 1]; greys count as that share of a white pixel.

        Raises:
            ValueError: values outside [0, 1], or fewer rows than components.
        """
        X = check_array(X, dtype=np.float32)
        check_unit_interval(X)
        if not 1 <= self.n_components <= len(X):
            raise ValueError(
                f"1 to {len(X)} components can be fitted to as many rows, got {self.n_components}"
            )
        random = check_random_state(self.random_state)
        chosen = random.choice(len(X), self.n_components, replace=False)
        self.means_ = (0.5 * X[chosen] + 0.25).astype(np.float64)
        self.weights_ = np.full(self.n_components, 1 / self.n_components)
        self.log_likelihood_ = []
        for _ in range(self.max_iter):
            joint = self._joint(X)
            total = logsumexp(joint, axis=1, keepdims=True)
            self.log_likelihood_.append(float(total.mean()))
            share = np.exp(joint - total)
            counts = share.sum(axis=0)
            self.means_ = (share.T @ X + _SMOOTHING / 2) / (counts + _SMOOTHING)[:, np.newaxis]
            self.weights_ = counts / len(X)
        return self

    def score_samples(self, X):
        """log P(x) of rows X in nats, array (n,)."""
        check_is_fitted(self)
        X = check_array(X, dtype=np.float32)
        if X.shape[1] != self.means_.shape[1]:
            raise ValueError(f"rows must have {self.means_.shape[1]} features, got {X.shape[1]}")
        return logsumexp(self._joint(X), axis=1)

    def score(self, X, y=None):
        """Mean log-likelihood of rows X, nats."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, *, probabilities=False):
        """Rows of the mixture, (n_samples, n_features), or probabilities of their components."""
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        shares = self.weights_ / self.weights_.sum()
        means = self.means_[random.choice(self.n_components, n_samples, p=shares)]
        if probabilities:
            return means.astype(np.float32)
        return (random.uniform(size=means.shape) < means).astype(np.float32)

    def _joint(self, X):
        """log P(component) P(x | component), (n, n_components)."""
        on, off = np.log(self.means_), np.log1p(-self.means_)
        with np.errstate(divide="ignore"):  # a component may have died out
            weights = np.log(self.weights_)
        return X @ (on - off).T.astype(np.float32) + (off.sum(axis=1) + weights)
