"""Hopfield networks of section 2.1: three ways to store patterns, and the equilibria they make."""

import itertools
from typing import NamedTuple

import keras
import numpy as np
import scipy.linalg
import scipy.optimize

# Li, Michel & Porod 1989 leave both free; these are of MATLAB's newhop, as in the report's course.
TAU = 10.0
SAMPLING_TIME = 0.15

_LARGEST_ENUMERATION = 10  # units: 3^10 faces take seconds
_TOLERANCE = 1e-9


class Equilibrium(NamedTuple):
    """A state that a step leaves where it is.

    A small displacement grows by the multiplier in a step: the spectral radius of the step's
    Jacobian among the free units, 0 without any.
    """

    state: np.ndarray  # (n,)
    stable: bool  # whether every state nearby ends there
    multiplier: float
    kind: str  # "stable", "source" (every displacement grows) or "saddle" (some do)


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
        patterns: X, array (p, n) of ±1.
        rule: one of the above.
        dtype: of weights and arithmetic.

    Raises:
        ValueError: patterns that are not p ≥ 1 (for lssm 2) rows of n ≥ 1 values ±1, or an
            unknown rule.
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
            states: starts, array (batch, n).
            steps: at least 1; asynchronously each is a sweep that updates every unit once.
            synchronous: all units at once, or one at a time in an order drawn for each sweep.
            seed: decides those orders.

        Returns:
            States (steps + 1, batch, n) and energies (steps + 1, batch), the start included.

        Raises:
            ValueError: no step, or states that are not finite or not (batch, n).
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
    try:
        patterns = np.asarray(patterns, np.float64)
    except ValueError:
        raise ValueError("patterns must be numbers, in rows of one length") from None
    if patterns.ndim != 2 or not patterns.size:
        raise ValueError(f"patterns must be an array (p, n), got shape {patterns.shape}")
    if not (np.abs(patterns) == 1).all():  # so too NaN and infinity
        raise ValueError("patterns must consist of -1 and 1")
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
    called stable is). Where 1 - W_FF is singular there is no equilibrium or a continuum.

    Args:
        network: a ``Hopfield`` of rule "lssm" with at most 10 units.

    Returns:
        List of ``Equilibrium``, the stable first.

    Raises:
        ValueError: sign units, more than 10 units, or a continuum of equilibria.
    """
    if not network.saturating:
        raise ValueError(f"equilibria are listed for rule lssm only, not for {network.rule}")
    units = network.units
    if units > _LARGEST_ENUMERATION:
        raise ValueError(
            f"equilibria are listed for at most {_LARGEST_ENUMERATION} units, got {units}"
        )
    kernel = network.kernel.numpy().astype(np.float64)
    bias = network.bias.numpy().astype(np.float64)
    faces = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=units)))
    free = faces == 0
    identity = np.eye(units)
    # Rows of free units are of 1 - W, those of clamped ones say s_i = ±1.
    systems = np.where(free[:, :, None], identity - kernel, identity)
    singular = np.linalg.svd(systems, compute_uv=False)[:, -1] < _TOLERANCE
    for face in faces[singular]:
        if _has_continuum(kernel, bias, face):
            raise ValueError(f"a continuum of equilibria lies on the face {face.astype(int)}")
    faces, free, systems = faces[~singular], free[~singular], systems[~singular]
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
    if largest < 1:
        kind = "stable"
    else:
        kind = "source" if free.all() and multipliers.min() > 1 else "saddle"
    return Equilibrium(state + 0.0, kind == "stable", largest, kind)


def _has_continuum(kernel, bias, face):
    """Whether equilibria lie within a face whose equations are singular: a linear program.

    It looks for the state on the face that is farthest from the face's border; unknowns are the
    free units and that distance.
    """
    free, clamped = face == 0, face != 0
    width = np.count_nonzero(free)
    given = kernel[:, clamped] @ face[clamped] + bias
    equations = np.eye(width) - kernel[np.ix_(free, free)]
    border = np.vstack([np.eye(width), -np.eye(width)])
    held = -face[clamped, None] * kernel[np.ix_(clamped, free)]
    best = scipy.optimize.linprog(
        c=[0.0] * width + [-1.0],
        A_eq=np.column_stack([equations, np.zeros(width)]),
        b_eq=given[free],
        A_ub=np.block([
            [border, np.ones((2 * width, 1))],
            [held, np.zeros((len(held), 1))],
        ]),
        b_ub=np.concatenate([np.ones(2 * width), face[clamped] * given[clamped] - 1]),
        bounds=[(None, None)] * (width + 1),
    )
    return best.status == 0 and -best.fun > 1e-6
