"""Hopfield networks of section 2.1: three ways to store patterns, and the equilibria they make."""

import itertools
from typing import NamedTuple

import keras
import numpy as np
import scipy.linalg

# Li, Michel & Porod 1989 leave both free; these are of MATLAB's newhop, as in the report's course.
TAU = 10.0
SAMPLING_TIME = 0.15

_MOST_UNITS = 10  # units: 3^10 faces take seconds
_TOLERANCE = 1e-9


class Equilibrium(NamedTuple):
    """A state that a step leaves where it is.

    A small displacement grows by the multiplier in a step: the spectral radius of the step's
    Jacobian among the free units, 0 without any.
    """

    state: np.ndarray  # (n,)
    multiplier: float
    kind: str  # "stable" (states nearby end there), "source" (all displacements grow), "saddle"


class Hopfield(keras.Model):
    """A Hopfield network that stores ``patterns`` in its non-trainable kernel W and bias b.

    Rules:
        "lssm": the linear system in a saturated mode of Li, Michel and Porod, "Analysis and
            synthesis of a class of neural networks: linear systems operating on a closed
            hypercube", IEEE Trans. Circuits Syst. 36 (1989), sampled as MATLAB's newhop does;
            saturating linear units, s ← clip(Ws + b, -1, 1).
        "hebb": W = XᵀX / n without its diagonal (Hopfield 1982), s ← sign(Ws).
        "projection": W = pinv(X) X, the projector onto the patterns (Personnaz, Guyon and
            Dreyfus 1985), s ← sign(Ws).

    A sign unit whose input is zero keeps its state.

    Args:
        patterns: X, array (p, n) of ±1; ValueError where p or n are below 1, for lssm p below 2.
        rule: one of the above.
        dtype: of weights and arithmetic.
    """

    def __init__(self, patterns, rule="lssm", dtype="float64"):
        super().__init__(dtype=dtype, name=f"hopfield_{rule}")
        if rule not in RULES:
            raise ValueError(f"unknown rule {rule!r}: choose one of {', '.join(RULES)}")
        patterns = _checked_patterns(patterns, at_least=2 if rule == "lssm" else 1)
        self.rule, self.units = rule, patterns.shape[1]
        self.saturating = rule == "lssm"
        self.diagonal, self.factor, bias = RULES[rule](patterns)
        kernel = self.diagonal * np.eye(self.units) + self.factor.T @ self.factor
        if rule == "hebb":
            np.fill_diagonal(kernel, 0.0)  # but for rounding it is
        for name, values in (("kernel", kernel), ("bias", bias)):
            start = keras.initializers.Constant(values)
            setattr(self, name, self.add_weight(values.shape, start, trainable=False, name=name))
        self.built = True

    def call(self, states):
        """One synchronous step of states (batch, n)."""
        inputs = keras.ops.matmul(states, self.kernel) + self.bias
        if self.saturating:
            return keras.ops.clip(inputs, -1, 1)
        silent = keras.ops.abs(inputs) < _zero(self.compute_dtype)
        return keras.ops.where(silent, states, keras.ops.sign(inputs))

    def simulate(self, states, steps, synchronous=True, seed=0):
        """Run the network and keep all it goes through.

        Energy never rises on synchronous lssm steps from inside the cube (they are projected
        gradient steps), nor on asynchronous steps of sign units from states ±1.

        Args:
            states: starts, array (batch, n); ValueError unless finite and of this shape.
            steps: ValueError below 1; asynchronously each is a sweep that updates every unit once.
            synchronous: all units at once, or one at a time in an order drawn for each sweep.
            seed: decides those orders.

        Returns:
            States (steps + 1, batch, n) and energies (steps + 1, batch), the start included.
        """
        if steps < 1:
            raise ValueError(f"a simulation needs at least 1 step, got {steps}")
        states = self._checked_states(states)
        path = np.empty((steps + 1, *states.shape), states.dtype)
        energies = np.empty((steps + 1, len(states)), states.dtype)
        kernel, bias = self.kernel.numpy(), self.bias.numpy()
        orders = np.random.default_rng(seed)
        path[0] = states
        for step in range(steps + 1):
            inputs = path[step] @ kernel + bias
            energies[step] = _energy(path[step], inputs, bias)
            if step == steps:
                return path, energies
            if synchronous:
                path[step + 1] = activate(inputs, path[step], self.saturating)
            else:
                path[step + 1] = path[step]
                for unit in orders.permutation(self.units):
                    inputs = path[step + 1] @ kernel[unit] + bias[unit]
                    path[step + 1, :, unit] = activate(
                        inputs, path[step + 1, :, unit], self.saturating
                    )

    def energy(self, states):
        """E(s) = -½ sᵀWs - sᵀb + ½ sᵀs of states (batch, n), array (batch,)."""
        states = self._checked_states(states)
        bias = self.bias.numpy()
        return _energy(states, states @ self.kernel.numpy() + bias, bias)

    def _checked_states(self, states):
        states = np.asarray(states, self.compute_dtype)
        if states.ndim != 2 or states.shape[1] != self.units:
            raise ValueError(
                f"states of shape {states.shape}, but the network takes (batch, {self.units})"
            )
        if not np.isfinite(states).all():
            raise ValueError("states must be finite")
        return states


def activate(inputs, states, saturating):
    """New states of units from their inputs and old states, arrays of one shape."""
    if saturating:
        return np.clip(inputs, -1, 1)
    return np.where(np.abs(inputs) < _zero(inputs.dtype), states, np.sign(inputs))


def low_rank_step(network):
    """A synchronous step of a ``Hopfield`` network without its kernel, in its own dtype.

    The kernel is a number times 1 plus FᵀF with a row of F for each pattern or so: for ten digits
    40 times fewer multiplications. Returns a function of states, a NumPy array (batch, n).
    """
    dtype = network.compute_dtype
    factor, bias = (np.asarray(a, dtype) for a in (network.factor, network.bias.numpy()))
    diagonal = np.asarray(network.diagonal, dtype)

    def step(states):
        inputs = (states @ factor.T) @ factor
        inputs += bias
        inputs += diagonal * states
        return activate(inputs, states, network.saturating)

    return step


def _zero(dtype):
    """Inputs below this are zero but for rounding; a Hebbian input is a multiple of 1/n."""
    return float(np.finfo(dtype).eps) ** (2 / 3)


def _energy(states, inputs, bias):
    return 0.5 * np.einsum("bi,bi->b", states, states - inputs - bias)


def _checked_patterns(patterns, at_least):
    patterns = np.asarray(patterns, np.float64)
    if patterns.ndim != 2 or not patterns.size or not (np.abs(patterns) == 1).all():
        raise ValueError(f"patterns must be rows of -1 and 1, (p, n), got shape {patterns.shape}")
    if len(patterns) < at_least:
        raise ValueError(f"rule lssm needs at least {at_least} patterns, got {len(patterns)}")
    return patterns


# Each rule gives a number d, a matrix F (r, n) of few rows and b, with W = d·1 + FᵀF.


def _lssm(patterns):
    """W = exp(hT) and b = ∫₀ʰ exp(ρT) dρ I with T = P - τ(1 - P) and I = x - Tx.

    P projects onto the differences between patterns, x is the last one. As T has two eigenvalues,
    both integrals are sums of P and 1 - P; I = (1 + τ)(1 - P)x has no part in P.
    """
    last, basis = patterns[-1], _row_space(patterns[:-1] - patterns[-1])
    growth, decay = np.exp(SAMPLING_TIME), np.exp(-TAU * SAMPLING_TIME)
    offset = last - basis.T @ (basis @ last)
    bias = (1 - decay) / TAU * (1 + TAU) * offset
    return float(decay), np.sqrt(growth - decay) * basis, bias


def _hebb(patterns):
    number, units = patterns.shape
    return -number / units, patterns / np.sqrt(units), np.zeros(units)


def _projection(patterns):
    return 0.0, _row_space(patterns), np.zeros(patterns.shape[1])


RULES = {"lssm": _lssm, "hebb": _hebb, "projection": _projection}


def _row_space(matrix):
    """Orthonormal basis (rank, n) of what the rows of a matrix (m, n) span."""
    basis = scipy.linalg.orth(matrix.T).T
    # Any basis spans the whole space; this one does so without rounding.
    return np.eye(len(basis)) if len(basis) == matrix.shape[1] else basis


def equilibria(network):
    """All equilibria of a saturating linear network s ← clip(Ws + b, -1, 1), proved by enumeration.

    In each unit the state is at -1, at 1 or between: 3ⁿ faces of the cube. On one face the clamped
    units C are known and the free ones F solve (1 - W_FF) s_F = W_FC s_C + b_F; that is an
    equilibrium if |s_F| < 1 and clamped units are held, (Ws + b)_i s_i ≥ 1.

    A clamped unit with an input of exactly ±1 is held, but free to move inwards: it counts as free
    for the multiplier, which is exact for one such unit and on the safe side for more (a state
    called stable is). No patterns make 1 - W_FF singular; a kernel that does raises ValueError.

    Args:
        network: a ``Hopfield`` of rule "lssm" with at most 10 units; ValueError for another.

    Returns:
        List of ``Equilibrium``, the stable first.
    """
    if not network.saturating:
        raise ValueError(f"equilibria are listed for rule lssm only, not for {network.rule}")
    units = network.units
    if units > _MOST_UNITS:
        raise ValueError(f"equilibria are listed for at most {_MOST_UNITS} units, got {units}")
    kernel, bias = (weight.numpy().astype(np.float64) for weight in (network.kernel, network.bias))
    faces = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=units)))
    free = faces == 0
    identity = np.eye(units)
    # Rows of free units are of 1 - W, those of clamped ones say s_i = ±1.
    systems = np.where(free[:, :, None], identity - kernel, identity)
    singular = np.linalg.svd(systems, compute_uv=False)[:, -1] < _TOLERANCE
    if singular.any():
        raise ValueError(f"no single equilibrium solves the face {faces[singular][0].astype(int)}")
    states = np.linalg.solve(systems, np.where(free, bias, faces)[..., None])[..., 0]
    inputs = states @ kernel.T + bias
    inside = (np.abs(states) < 1 - _TOLERANCE) & free
    held = (inputs * states >= 1 - _TOLERANCE) & ~free
    found = [
        _equilibrium(state, kernel, np.abs(drive) <= 1 + _TOLERANCE)
        for state, drive in zip(*(values[(inside | held).all(1)] for values in (states, inputs)))
    ]
    return sorted(found, key=lambda point: (point.multiplier, *point.state))


def _equilibrium(state, kernel, free):
    multipliers = np.abs(np.linalg.eigvals(kernel[np.ix_(free, free)]))
    largest = float(multipliers.max(initial=0.0))
    kind = "source" if free.all() and multipliers.min() > 1 else "saddle"
    return Equilibrium(state + 0.0, largest, "stable" if largest < 1 else kind)
