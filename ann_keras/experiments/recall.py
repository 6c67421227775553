"""Noisy digits restored by Hopfield networks, task 2.1.3."""

import functools

import numpy as np

from ann_keras.data import mnist
from ann_keras.models import hopfield

DIGITS = 10


@functools.cache
def digits(source):
    """The first training image of each class of MNIST, ten rows of 784 pixels ±1.

    A pixel is 1 if its grey value is above half of 255, which no grey value is exactly.
    """
    (images, labels), _ = mnist.load(source)
    first = images[[np.flatnonzero(labels == digit)[0] for digit in range(DIGITS)]]
    return np.sign(2.0 * first.reshape(DIGITS, -1) / 255 - 1)


def low_rank_step(network):
    """A synchronous step of ``network`` without its kernel, in its own dtype.

    The kernel is a number times 1 plus FᵀF with a row of F for each pattern or so; for ten digits
    that is 40 times fewer multiplications.
    """
    dtype = network.compute_dtype
    factor, bias = (np.asarray(a, dtype) for a in (network.factor, network.bias.numpy()))
    diagonal = np.asarray(network.diagonal, dtype)

    def step(states):
        inputs = (states @ factor.T) @ factor
        inputs += bias
        inputs += diagonal * states
        return hopfield.activate(inputs, states, network.saturating)

    return step


def recall(*, seed, source, rule, noise, draws, iterations, shown, clean):
    """Restore noisy digits: the ten digits plus N(0, noise²), clipped to [-1, 1], many draws.

    Args:
        seed: decides the noise, which is the same for each rule and drawn anew for each level.
        source: of MNIST.
        rule: of the network that stores the ten digits.
        noise: standard deviation.
        draws: noisy copies of each digit.
        iterations: synchronous steps.
        shown: iterations whose states are kept for the first draw.
        clean: largest distance of a pixel from the digit that counts as no trace.

    Returns:
        Dict: "restored" (iterations, 10), share of draws in which every pixel has the digit's
        sign; "clean" (iterations, 10), share in which no pixel is farther than ``clean``;
        "traces" (iterations, 10), mean distance of a pixel; "all_ten", share of the draws in which
        all ten digits are restored at the end; "ended" (10, 11), draws of a digit whose signs end
        at each digit, or none of them in the last column; "nearest" (10, 10), draws by the digit
        closest to their end; "examples" (1 + len(shown), 10, 784), noisy and restored.

    Raises:
        ValueError: an iteration to show is not among those that are run.
    """
    if not all(1 <= when <= iterations for when in shown):
        raise ValueError(f"shown iterations are from 1 to {iterations}, got {list(shown)}")
    patterns = digits(source).astype(np.float32)
    network = hopfield.Hopfield(patterns, rule, dtype="float32")
    step = low_rank_step(network)
    shares = {name: np.zeros((iterations, DIGITS)) for name in ("restored", "clean", "traces")}
    ended = np.zeros((DIGITS, DIGITS + 1), int)
    nearest = np.zeros((DIGITS, DIGITS), int)
    examples = np.zeros((1 + len(shown), *patterns.shape), np.float32)
    every_digit = np.ones(draws, bool)
    # One digit at a time, so that its draws stay in the processor's cache.
    for digit, pattern in enumerate(patterns):
        generator = np.random.default_rng([seed, digit, round(1e6 * noise)])
        shape = draws, len(pattern)
        states = pattern + np.float32(noise) * generator.standard_normal(shape, np.float32)
        states = np.clip(states, -1, 1)
        examples[0, digit] = states[0]
        for iteration in range(iterations):
            before, states = states, step(states)
            agreement = states * pattern  # 1 less the distance from ±1
            least = agreement.min(1)
            shares["restored"][iteration, digit] = np.mean(least > 0)
            shares["clean"][iteration, digit] = np.mean(least >= 1 - clean)
            shares["traces"][iteration, digit] = 1 - agreement.mean(dtype=np.float64)
            for place, when in enumerate(shown, 1):
                if iteration + 1 == when:
                    examples[place, digit] = states[0]
            if (states == before).all():  # nothing changes any more
                for values in shares.values():
                    values[iteration + 1:, digit] = values[iteration, digit]
                for place, when in enumerate(shown, 1):
                    if when > iteration + 1:
                        examples[place, digit] = states[0]
                break
        every_digit &= least > 0
        overlap = np.where(states > 0, 1, -1) @ patterns.T.astype(int)
        same = overlap == len(pattern)
        ended[digit] = [*same.sum(0), np.count_nonzero(~same.any(1))]
        nearest[digit] = np.bincount((states @ patterns.T).argmax(1), minlength=DIGITS)
    return shares | {
        "all_ten": every_digit.mean(), "ended": ended, "nearest": nearest, "examples": examples,
    }


def pool(results):
    """Results of ``recall`` over several seeds as one: means of shares, sums of counts."""
    return {
        name: (np.sum if name in ("ended", "nearest") else np.mean)(
            [result[name] for result in results], axis=0
        )
        for name in results[0] if name != "examples"
    } | {"examples": results[0]["examples"]}


def restored_up_to(results):
    """Highest noise up to which at least 99% of all copies are restored.

    Args:
        results: of ``recall``, dict by noise in rising order.
    """
    highest = 0.0
    for noise, result in results.items():
        if result["restored"][-1].mean() < 0.99:
            break
        highest = noise
    return highest


def iterations_needed(reached, share):
    """Iterations until ``share`` of those copies are there that are at the end.

    Args:
        reached: share of copies that are there, array (iterations, 10).

    Returns:
        A count, all iterations where no copy ever is there.
    """
    curve = reached.mean(1)
    return int(np.argmax(curve >= share * curve[-1])) + 1 if curve[-1] else len(curve)
