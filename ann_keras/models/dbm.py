"""The deep Boltzmann machine of task 4.1.6, two hidden layers, trained without outside help.

Energy E(v, h₁, h₂) = −b₀ᵀv − b₁ᵀh₁ − b₂ᵀh₂ − vᵀW₁h₁ − h₁ᵀW₂h₂, all units binary.

Sources: Salakhutdinov and Hinton, "Deep Boltzmann machines", AISTATS 2009: greedy pre-training
(section 3.1), mean field for the data and persistent chains for the machine (section 2), the bound
(section 2.2); Melchior, Fischer and Wiskott, JMLR 17:99 (2016), for centring.
"""

import json

import keras
import numpy as np
import tensorflow as tf

from ann_keras.models import boltzmann, variational
from ann_keras.models.contrastive import ContrastiveDivergence


@keras.saving.register_keras_serializable(package="ann_keras")
class DBM(keras.Model):
    """Deep Boltzmann machine with two hidden layers.

    ``pretrain(1, x)`` and ``pretrain(2, x)`` train each layer as a restricted machine, ``fit(x)``
    both together. Each call goes on from the state that the last one left, so a schedule is a
    sequence of calls with other settings.

    Args:
        layers: units of v, h₁ and h₂, two or more each; as published 928,016 parameters.
        particles: persistent chains of ``fit``.
        seed: of initial weights and of all draws.

    Attributes:
        kernels: [W₁ (v, h₁), W₂ (h₁, h₂)], arrays.
        biases: [b₀, b₁, b₂], arrays.

    Raises:
        ValueError: also from methods; a bad size or setting, or images not (n, v) in [0, 1].
    """

    def __init__(self, layers=(784, 512, 1024), *, particles=100, seed=0, **options):
        super().__init__(**options)
        layers = tuple(int(units) for units in layers)
        if len(layers) != 3 or min(layers) < 2 or particles < 1:
            raise ValueError(
                "a DBM needs three layers of two units or more, and particles, got "
                f"{layers} and {particles}"
            )
        self.sizes, self.particles, self.seed = layers, particles, seed
        self._random = np.random.default_rng(seed)
        self._kernels = [
            self.add_weight(shape=shape, initializer="zeros", name=f"kernel_{number}")
            for number, shape in enumerate(zip(layers, layers[1:]), start=1)
        ]
        self._biases = [
            self.add_weight(shape=(units,), initializer="zeros", name=f"bias_{number}")
            for number, units in enumerate(layers)
        ]
        for kernel in self._kernels:
            kernel.assign(self._random.normal(0, 0.01, kernel.shape))
        self._parameters = [weight.value for weight in (*self._kernels, *self._biases)]
        self._learners = {}
        self.built = True

    def call(self, inputs):
        """Mean-field probabilities of h₂, (n, v) → (n, h₂), after 10 updates."""
        return self._posterior(inputs, 10, 0.0)[1]

    def pretrain(
        self, layer, x, *, epochs=1, batch_size=100, learning_rate=0.05, momentum=0.0,
        weight_decay=0.0, gibbs_steps=1,
    ):
        """Train one layer as a restricted machine by CD-k; returns the machine.

        The inputs of h₁ from below are doubled while W₁ is trained, and those of h₁ from above
        while W₂ is, for the layer that is missing; so both fit together without change.

        Args:
            layer: 1 for W₁, 2 for W₂, whose data are probabilities of h₁ given x.
            x: images (n, v) in [0, 1]; binary ones are drawn from them.
            epochs: passes over x, in a new order each. Others as of ``BernoulliRBM``.
        """
        if layer not in (1, 2):
            raise ValueError(f"layers 1 and 2 are trained, got {layer}")
        rates = {"batch_size": batch_size, "learning_rate": learning_rate,
                 "gibbs_steps": gibbs_steps}
        boltzmann.check_positive(**rates)
        rows = self._check_images(x)
        if layer == 2:
            rows = tf.sigmoid(2 * tf.matmul(rows, self._parameters[0]) + self._parameters[3])
        if layer not in self._learners:
            start = (tf.transpose(self._kernels[layer - 1]), self._biases[layer],
                     self._biases[layer - 1])
            doubled = {"bottom_up": 2.0} if layer == 1 else {"top_down": 2.0}
            self._learners[layer] = ContrastiveDivergence(
                *(tf.Variable(values, trainable=False) for values in start), 1, **doubled
            )
        learner = self._learners[layer]
        for _ in range(epochs):
            learner.pass_over(
                rows, self._new_seed(), **rates, momentum=momentum, weight_decay=weight_decay,
                centering=False, shuffle=True, binarize=True, persistent=False,
            )
        components, hidden_bias, visible_bias = learner.parameters
        self._kernels[layer - 1].assign(tf.transpose(components))
        self._biases[layer].assign(hidden_bias)
        if layer == 1:
            self._biases[0].assign(visible_bias)
        return self

    def fit(
        self, x, y=None, *, epochs=1, batch_size=100, learning_rate=0.002, momentum=0.0,
        weight_decay=0.0, mean_field_updates=10, gibbs_steps=5, max_norm=np.inf, centering=False,
    ):
        """Train both layers together, by mean field and persistent chains; returns the machine.

        Args:
            x: images (n, v) in [0, 1]; binary ones are drawn from them in each update.
            epochs: passes over x, in a new order each. Those not named as of ``BernoulliRBM``.
            mean_field_updates: of h₁ and h₂, for a mini-batch.
            gibbs_steps: of the chains, an update.
            max_norm: to which a unit's incoming weights are cut back.
        """
        rates = {"batch_size": batch_size, "learning_rate": learning_rate,
                 "gibbs_steps": gibbs_steps, "max_norm": max_norm}
        boltzmann.check_positive(**rates)
        rows = self._check_images(x)
        for layer in (1, 2):
            self._learners.pop(layer, None)  # their weights are out of date from here on
        if "joint" not in self._learners:
            self._learners["joint"] = variational.JointLearner(
                self._parameters, *self._random_states(self.particles), tf.reduce_mean(rows, 0)
            )
        for _ in range(epochs):
            self._learners["joint"].pass_over(
                rows, self._new_seed(), **rates, momentum=momentum, weight_decay=weight_decay,
                mean_field_updates=mean_field_updates, centering=centering,
            )
        return self

    def chains(self):
        """States of v and h₂ of the persistent chains, two arrays; ValueError before ``fit``."""
        if "joint" not in self._learners:
            raise ValueError("there are no persistent chains before fit")
        return [chain.numpy() for chain in self._learners["joint"].chains]

    def get_state(self):
        """All that ``fit`` goes on from, as a dict of arrays for ``set_state``."""
        self.chains()  # there must be some
        arrays = {name: variable.numpy() for name, variable in self._state_variables().items()}
        return arrays | {"random": np.array(json.dumps(self._random.bit_generator.state))}

    def set_state(self, state):
        """Go on from the state that ``get_state`` gave, of a machine with the same layers."""
        self._learners = {"joint": variational.JointLearner(
            self._parameters, *self._random_states(self.particles), self._biases[0].value
        )}
        for name, variable in self._state_variables().items():
            variable.assign(state[name])
        self._random.bit_generator.state = json.loads(str(state["random"]))

    def mean_field(self, x, updates=50, tolerance=1e-4):
        """Probabilities of h₁ and h₂ given images by mean field, arrays (n, h₁) and (n, h₂)."""
        first, second = self._posterior(self._check_images(x), updates, tolerance)
        return first.numpy(), second.numpy()

    def bound(self, x, log_partition, updates=50, tolerance=1e-4):
        """Variational lower bound on log P(x) in nats, array (n,), of equation 9.

        Args:
            x: binary images (n, v).
            log_partition: log Z, as ``evaluation.ais`` estimates it.
            updates, tolerance: as of ``mean_field``.
        """
        x = self._check_images(x)
        means = self._posterior(x, updates, tolerance)
        first, second, visible_bias, *hidden_biases = self._parameters
        energy = -tf.linalg.matvec(x, visible_bias)
        energy -= tf.reduce_sum(tf.matmul(x, first) * means[0], 1)
        energy -= tf.reduce_sum(tf.matmul(means[0], second) * means[1], 1)
        entropy = 0.0
        for mean, bias in zip(means, hidden_biases, strict=True):
            energy -= tf.linalg.matvec(mean, bias)
            inputs = tf.math.log(mean + 1e-30), tf.math.log(1 - mean + 1e-30)
            entropy -= tf.reduce_sum(mean * inputs[0] + (1 - mean) * inputs[1], 1)
        return (entropy - energy).numpy().astype(np.float64) - log_partition

    def sample(self, start, steps, *, probabilities=False):
        """Images after Gibbs steps, array (n, v).

        Args:
            start: images (n, v), whose h₂ starts at its mean-field probabilities; or a number of
                images, whose chains start from random states.
            steps: Gibbs steps, at least 1.
            probabilities: give those of the last step instead of states drawn from them.
        """
        if steps < 1:
            raise ValueError(f"a chain needs at least one step, got {steps}")
        if np.ndim(start) == 0:
            v, top = self._random_states(int(start))
        else:
            v = self._check_images(start)
            top = self._posterior(v, 50, 1e-4)[1]
        states = _gibbs(self._values(), v, top, tf.constant(steps), self._new_seed())
        return states[3 if probabilities else 0].numpy()

    def filters(self, layer):
        """Weights of each unit on the pixels, array (units, v): W₁ᵀ, or (W₁W₂)ᵀ for layer 2."""
        first, second = self.kernels
        if layer not in (1, 2):
            raise ValueError(f"hidden layers are 1 and 2, got {layer}")
        return first.T if layer == 1 else (first @ second).T

    kernels = property(lambda self: [kernel.numpy() for kernel in self._kernels])
    biases = property(lambda self: [bias.numpy() for bias in self._biases])

    def get_config(self):
        return {"layers": self.sizes, "particles": self.particles, "seed": self.seed,
                "name": self.name}

    def _state_variables(self):
        owners = {"parameter": self._parameters, "joint": self._learners["joint"].variables}
        return {f"{owner}_{number}": variable for owner, variables in owners.items()
                for number, variable in enumerate(variables)}

    def _posterior(self, x, updates, tolerance):
        return _mean_field(
            self._values(), x, tf.constant(updates), tf.constant(tolerance, tf.float32)
        )

    def _values(self):
        # As tensors: a graph that is given variables cannot outlive them in other graphs.
        return [tf.convert_to_tensor(parameter) for parameter in self._parameters]

    def _random_states(self, number):
        return [
            tf.constant(self._random.random((number, units)) < 0.5, tf.float32)
            for units in self.sizes[::2]
        ]

    def _check_images(self, x):
        x = np.asarray(x, np.float32)
        boltzmann.check_rows("images", x, self.sizes[0])
        boltzmann.check_unit_interval(x)
        return tf.constant(x)

    def _new_seed(self):
        return tf.constant(self._random.integers(2**30, size=2, dtype=np.int32))


_mean_field = tf.function(variational.mean_field, reduce_retracing=True)
_gibbs = tf.function(variational.gibbs, reduce_retracing=True)
