"""The restricted Boltzmann machine of task 4.1: scikit-learn's names, a compiled training loop.

Energy E(v, h) = −bᵀv − cᵀh − hᵀWv, v and h binary.

Sources: Smolensky 1986; Hinton, "Training products of experts by minimizing contrastive
divergence", Neural Computation 14 (2002), for CD-k; Tieleman, "Training restricted Boltzmann
machines using approximations to the likelihood gradient", ICML 2008, for PCD, which scikit-learn
and the report use; Melchior, Fischer and Wiskott, "How to center deep Boltzmann machines",
JMLR 17:99 (2016), for centring.
"""

import keras
import numpy as np
import tensorflow as tf
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from ann_keras.models import boltzmann
from ann_keras.models.contrastive import ContrastiveDivergence

_MONITORED = 20_000  # rows: more would take over a tenth of the training's time


@keras.saving.register_keras_serializable(package="ann_keras")
class BernoulliRBM(TransformerMixin, BaseEstimator, keras.Model):
    """Restricted Boltzmann machine with binary units, trained by PCD or CD-k.

    With the defaults an update is scikit-learn's: persistent chains, as many as a mini-batch has
    rows, move by one Gibbs step; pixels count as probabilities; rows keep their order.

    Args:
        n_components: hidden units.
        learning_rate: of the mean gradient of a mini-batch.
        batch_size: rows a mini-batch.
        n_iter: passes over the training data.
        random_state: seed, ``RandomState`` or None, as in scikit-learn; decides weights and draws.
        method: "pcd", persistent chains, or "cd", chains that start at the data.
        gibbs_steps: k, Gibbs steps an update.
        momentum: share of the last change that is added to a change.
        weight_decay: L2 penalty; the gradient loses so many times the weights.
        centering: subtract moving means of visible and hidden units in the gradient.
        shuffle: a new order of the rows in each iteration.
        monitor: take the pseudo-likelihood of the training rows after each iteration.
        warm_start: ``fit`` goes on from where it was; so settings can change from pass to pass.
        verbose: 1 prints the pseudo-likelihood.

    Attributes:
        components_: weights W (n_components, n_features).
        intercept_hidden_, intercept_visible_: biases c (n_components,) and b (n_features,).
        h_samples_: hidden states of the chains (batch_size, n_components).
        pseudo_likelihood_: list, after each iteration that was monitored: mean of
            ``score_samples`` over the training rows, 20,000 random ones if there are more.
        n_features_in_: visible units.
    """

    def __init__(
        self, n_components=200, learning_rate=0.1, batch_size=10, n_iter=30, random_state=None, *,
        method="pcd", gibbs_steps=1, momentum=0.0, weight_decay=0.0, centering=False,
        shuffle=False, monitor=True, warm_start=False, verbose=0, **options,
    ):
        super().__init__(**options)
        self.n_components, self.learning_rate = n_components, learning_rate
        self.batch_size, self.n_iter, self.random_state = batch_size, n_iter, random_state
        self.method, self.gibbs_steps = method, gibbs_steps
        self.momentum, self.weight_decay = momentum, weight_decay
        self.centering, self.shuffle, self.monitor = centering, shuffle, monitor
        self.warm_start, self.verbose = warm_start, verbose

    def build(self, input_shape):
        """Make weights of zero, for ``fit`` to draw or for others to be loaded."""
        self.n_features_in_ = int(input_shape[-1])
        units, pixels = self.n_components, self.n_features_in_
        self._components = self.add_weight((units, pixels), "zeros", name="components")
        self._hidden_bias = self.add_weight((units,), "zeros", name="intercept_hidden")
        self._visible_bias = self.add_weight((pixels,), "zeros", name="intercept_visible")
        self._random = check_random_state(self.random_state)
        self._learner = ContrastiveDivergence(
            self._components.value, self._hidden_bias.value, self._visible_bias.value,
            self.batch_size,
        )
        self.pseudo_likelihood_ = []
        super().build(input_shape)

    def call(self, inputs):
        """Hidden probabilities P(h = 1 | v), (n, n_features) → (n, n_components)."""
        return tf.sigmoid(self._hidden_inputs(inputs))

    def fit(self, X, y=None):
        """Train for ``n_iter`` passes over rows X (n, n_features) in [0, 1]; returns the machine.

        Raises:
            ValueError: bad settings, values outside [0, 1], or with ``warm_start`` another width.
        """
        options = self._training_options()
        rows = self._training_rows(X, anew=not (self.built and self.warm_start))
        for _ in range(self.n_iter):
            self._learner.pass_over(rows, self._new_seed(), **options)
            if self.monitor:
                shown = rows
                if len(rows) > _MONITORED:
                    shown = tf.gather(rows, self._random.randint(len(rows), size=_MONITORED))
                mean = float(self._score(shown, self._new_seed()).mean())
                self.pseudo_likelihood_.append(mean)
                if self.verbose:
                    print(f"iteration {len(self.pseudo_likelihood_)}: pseudo-likelihood {mean:.2f}",
                          flush=True)
        return self

    def partial_fit(self, X, y=None):
        """One update with rows X (n, n_features) as mini-batch; returns the machine itself."""
        options = self._training_options()
        rows = self._training_rows(X, anew=not self.built)
        self._learner.pass_over(rows, self._new_seed(), **options | {"batch_size": len(rows)})
        return self

    def transform(self, X):
        """Hidden probabilities P(h = 1 | v), array (n, n_components), of rows X."""
        return tf.sigmoid(self._hidden_inputs(self._rows(X))).numpy()

    def gibbs(self, v):
        """One Gibbs step from rows v (n, n_features): booleans of the same shape."""
        return self.reconstruct(v) > 0

    def score_samples(self, X):
        """Pseudo-likelihood of rows X, array (n,), as scikit-learn's: of one random pixel each.

        log P(pixel | all others) times the number of pixels; the pixel is drawn anew in each call,
        the same ones if ``random_state`` is a number.
        """
        return self._score(self._rows(X), _seed(check_random_state(self.random_state)))

    def free_energy(self, X):
        """F(v) = −log Σ_h exp(−E(v, h)) of rows X in nats, array (n,)."""
        v = self._rows(X)
        hidden = tf.reduce_sum(tf.nn.softplus(self._hidden_inputs(v)), axis=1)
        return (-tf.linalg.matvec(v, self._visible_bias.value) - hidden).numpy()

    def log_likelihood(self, X):
        """Exact log P(v) of rows X in nats, array (n,), by enumeration of hidden states."""
        check_is_fitted(self)
        total = boltzmann.log_partition(
            self.components_, self.intercept_hidden_, self.intercept_visible_
        )
        return -self.free_energy(X).astype(np.float64) - total

    def reconstruct(self, v, known=None, steps=1, *, probabilities=False):
        """States that a chain reaches from rows v, array (n, n_features).

        Args:
            v: rows (n, n_features).
            known: boolean (n_features,) or (n, n_features); those pixels are set back to v after
                each step, and the chain samples the others given them. None lets all run free.
            steps: Gibbs steps; ValueError below one, or if ``known`` has another shape.
            probabilities: give P(v = 1 | h) of the last step instead of states drawn from it.
        """
        if steps < 1:
            raise ValueError(f"a chain needs at least one step, got {steps}")
        v = self._rows(v)
        known = np.broadcast_to(np.asarray(False if known is None else known, bool), v.shape)
        states = boltzmann.chain(
            *self._learner.parameters, v, tf.constant(known), tf.constant(steps), self._new_seed()
        )
        return states[1 if probabilities else 0].numpy()

    def sample(self, n_samples, steps=1000, *, probabilities=False):
        """States of chains after many steps from random states, array (n_samples, n_features)."""
        check_is_fitted(self)
        start = self._random.uniform(size=(n_samples, self.n_features_in_)) < 0.5
        return self.reconstruct(start, steps=steps, probabilities=probabilities)

    components_ = property(lambda self: self._components.numpy())
    intercept_hidden_ = property(lambda self: self._hidden_bias.numpy())
    intercept_visible_ = property(lambda self: self._visible_bias.numpy())
    h_samples_ = property(lambda self: self._learner.chains.numpy())

    def get_config(self):
        """Settings for ``keras.saving``; a ``RandomState`` is not kept."""
        config = self.get_params(deep=False)
        if not isinstance(self.random_state, (int, np.integer, type(None))):
            config["random_state"] = None
        return {"name": self.name} | config

    def __sklearn_is_fitted__(self):
        return self.built

    def _hidden_inputs(self, v):
        return tf.matmul(v, self._components.value, transpose_b=True) + self._hidden_bias.value

    def _score(self, v, seed):
        """Pseudo-likelihood of rows, by the one free-energy difference that a pixel makes."""
        generator = np.random.default_rng(seed.numpy())
        pixels = generator.integers(v.shape[1], size=v.shape[0], dtype=np.int32)
        scores = boltzmann.pseudo_likelihood(*self._learner.parameters, v, tf.constant(pixels))
        return scores.numpy()

    def _training_rows(self, X, anew):
        """Rows as a tensor; anew of any width, for weights drawn by scikit-learn's numbers."""
        X = self._check_rows(X, anew)
        if anew:
            if self.built:
                for weight in self.weights:
                    self._untrack_variable(weight)
                self._tracker.unlock()  # else Keras lets no model be built twice
            self.build(X.shape)
            self._components.assign(self._random.normal(0, 0.01, self._components.shape))
            self._learner.pixel_offset.assign(X.mean(axis=0))
        return tf.constant(X)

    def _training_options(self):
        settings = {"learning_rate": self.learning_rate, "batch_size": self.batch_size,
                    "gibbs_steps": self.gibbs_steps}
        boltzmann.check_positive(n_components=self.n_components, **settings)
        if not (0 <= self.momentum < 1 and self.weight_decay >= 0):
            raise ValueError(
                "momentum must lie in [0, 1) and weight_decay be at least 0, got "
                f"{self.momentum} and {self.weight_decay}"
            )
        if self.method not in ("pcd", "cd"):
            raise ValueError(f'method must be "pcd" or "cd", got {self.method!r}')
        return settings | {
            "momentum": self.momentum, "weight_decay": self.weight_decay,
            "persistent": self.method == "pcd", "centering": self.centering,
            "shuffle": self.shuffle,
        }

    def _check_rows(self, X, anew=False):
        X = validate_data(self, X, reset=anew, dtype=np.float32)
        boltzmann.check_unit_interval(X)
        return X

    def _rows(self, X):
        """Rows for a machine that is fitted, as a tensor."""
        check_is_fitted(self)
        return tf.constant(self._check_rows(X))

    def _new_seed(self):
        return _seed(self._random)


def _seed(generator):
    return tf.constant(generator.randint(2**31 - 1, size=2), tf.int32)
