"""Training and scoring of Boltzmann machines, tasks 4.1.1 to 4.1.7."""

import functools
import hashlib
import time

import numpy as np

from ann_keras.data import mnist
from ann_keras.errors import UserError
from ann_keras.evaluation import ais
from ann_keras.models.rbm import BernoulliRBM

BEST = 200, 0.1  # components and learning rate that the report goes on with


def digits(source):
    """Training images and test images as rows (n, 784) in [0, 1], and the test labels."""
    (x, _), (x_test, y_test) = mnist.load(source)
    rows, test_rows = (mnist.scale(images).reshape(len(images), -1) for images in (x, x_test))
    return rows, test_rows, y_test


def test_digits(source, number):
    """The first so many test images as rows (number, 784) in [0, 1], and their labels.

    Raises:
        UserError: there are fewer.
    """
    _, rows, labels = digits(source)
    if not 0 < number <= len(rows):
        raise UserError(f"--images must lie between 1 and {len(rows)}, the test digits there are")
    return rows[:number], labels[:number]


def binary(rows):
    """Binary images: a pixel is white from half grey on."""
    return (np.asarray(rows) >= 0.5).astype(np.float32)


def drawn(rows, seed=0):
    """Binary images: a pixel is white with its grey value as probability (float32).

    The binarisation of Salakhutdinov and Murray, "On the quantitative analysis of deep belief
    networks" (2008), on which the log-likelihoods of the literature stand.
    """
    uniform = np.random.default_rng(seed).random(np.shape(rows), dtype=np.float32)
    return (uniform < rows).astype(np.float32)


def unseen(rows, binarization):
    """Binary test images: "threshold" as by ``binary``, "draw" as one draw of ``drawn``."""
    return {"threshold": binary, "draw": drawn}[binarization](rows)


def train_rbm(
    *, components, learning_rate, iterations, batch_size, seed, source, checkpoints=(),
    falling=False, binarization=None, **options,
):
    """Train an RBM as published, or otherwise by ``options`` of ``BernoulliRBM``.

    Args:
        components, learning_rate, iterations, batch_size: of ``BernoulliRBM``.
        seed: of weights and chains.
        source: of MNIST.
        checkpoints: iterations after which the weights are kept too.
        falling: the learning rate falls in equal steps, towards zero after the last iteration.
        binarization: None to train on grey values as they are, "threshold" on ``binary`` images,
            "draw" on images ``drawn`` anew before each iteration.
        options: others of ``BernoulliRBM``.

    Returns:
        Dict: "components", "hidden_bias" and "visible_bias" of the trained machine, with a first
        axis (checkpoints + 1,) if there are some; "pseudo_likelihood" (iterations,) of the
        training images; "last_pseudo_likelihood", of all of them at the end; "seconds" an
        iteration (median).
    """
    rows, _, _ = digits(source)
    if binarization == "threshold":
        rows = binary(rows)
    rbm = BernoulliRBM(
        components, learning_rate, batch_size, 1, seed, warm_start=True, **options
    )
    kept, seconds = [], []
    for iteration in range(1, iterations + 1):
        start = time.perf_counter()
        if falling:
            rbm.set_params(learning_rate=learning_rate * (1 - (iteration - 1) / iterations))
        seen = drawn(rows, (seed, iteration)) if binarization == "draw" else rows
        rbm.fit(seen)
        seconds.append(time.perf_counter() - start)
        if iteration in (*checkpoints, iterations):
            kept.append((rbm.components_, rbm.intercept_hidden_, rbm.intercept_visible_))
    weights = [np.stack(values) for values in zip(*kept)]
    weights = weights if checkpoints else [values[0] for values in weights]
    names = "components", "hidden_bias", "visible_bias"
    return dict(zip(names, weights)) | {
        "pseudo_likelihood": rbm.pseudo_likelihood_, "seconds": np.median(seconds),
        "last_pseudo_likelihood": rbm.score_samples(seen).mean(),
    }


def time_scikit_learn(*, components, learning_rate, batch_size, source):
    """Seconds of one iteration of scikit-learn's BernoulliRBM, as dict {"seconds": …}.

    With one thread: NumPy's threads wait for each other in loops, and on a machine that has other
    work an iteration of small batches then takes a hundred times as long.
    """
    from sklearn.neural_network import BernoulliRBM as ScikitRBM
    from threadpoolctl import threadpool_limits

    rows = digits(source)[0]
    rbm = ScikitRBM(components, learning_rate=learning_rate, batch_size=batch_size, n_iter=1,
                    random_state=0)
    with threadpool_limits(1):
        start = time.perf_counter()
        rbm.fit(rows)
        return {"seconds": time.perf_counter() - start}


def rbm_of(run, seed=0):
    """The ``BernoulliRBM`` of a run of ``train_rbm`` without checkpoints."""
    components = run["components"]
    rbm = BernoulliRBM(len(components), random_state=seed)
    rbm.build((None, components.shape[1]))
    rbm.set_weights([components, run["hidden_bias"], run["visible_bias"]])
    return rbm


def published_rbm(task, settings, seed, *, of=None, size=BEST):
    """A run of the report's RBM, or one of Figure 15, trained here or taken from task 4.1.2."""
    components, rate = size
    return task.run(
        f"RBM {components}, rate {rate:g}, seed {seed}", train_rbm, of=of, components=components,
        learning_rate=rate, iterations=settings.iterations, batch_size=settings.batch_size,
        seed=seed, source=settings.source,
    )


def bracket(
    run, *, source, temperatures, binarization="threshold", chains=100, burn_in=1000, validation=0
):
    """Log-likelihood of the binary test images, from above by forward AIS and from below.

    Args:
        run: of ``train_rbm``.
        source: of MNIST.
        temperatures, chains: of AIS.
        binarization: of the test images, as in ``unseen``.
        burn_in: Gibbs steps from training images to states that reverse AIS starts from.
        validation: if positive, so many last training images take the place of the test images.

    Returns:
        Dict: "upper" and "lower" log-likelihood in nats an image, and the ends of three standard
        errors of the former, "low" and "high". Reverse AIS starts from chains that began at
        training images, and from the resampled ends of forward AIS; "lower" is the lower one: a
        chain that has missed a mode of the machine makes it look too likely.
    """
    rows, test_rows, _ = digits(source)
    if validation:
        rows, test_rows = rows[:-validation], rows[-validation:]
    rbm = rbm_of(run)
    machine = ais.of_rbm(rbm, rows.mean(axis=0))
    forward = ais.forward(machine, chains=chains, temperatures=temperatures)
    visible = rbm.reconstruct(unseen(rows[:chains], binarization), steps=burn_in)
    uniform = np.random.default_rng(0).random((chains, len(run["hidden_bias"])))
    starts = uniform < rbm.transform(visible), forward.resample()
    reverse = [ais.reverse(machine, start, temperatures=temperatures) for start in starts]
    energy = float(rbm.free_energy(unseen(test_rows, binarization)).mean(dtype=np.float64))
    return {
        "upper": -energy - forward.log_partition,
        "lower": -energy - max(estimate.log_partition for estimate in reverse),
        "low": -energy - forward.high,
        "high": -energy - forward.low,
    }


def sharpness(rows):
    """Mean of (2p − 1)² over pixels of rows, (n,): 1 for black and white, 0 for grey."""
    return np.mean((2 * np.asarray(rows) - 1) ** 2, axis=1)


def scores(task, name, runs, settings, *, of=None, **options):
    """Score trained RBMs on unseen digits.

    Args:
        task: that keeps the scores, under ``name``.
        runs: of ``train_rbm``, one a seed.
        settings: of the script: its source and temperatures.
        of: another task that makes the same ones.
        options: others of ``bracket``.

    Returns:
        Dict of arrays (seeds,): "pseudo_likelihood" and the AIS bracket "upper" and "lower" of
        the binary test images (nats), "error", the mean squared error a pixel of P(v | h) after
        one Gibbs step, and its ``sharpness``.
    """
    found = [
        task.run(
            f"{name}, scores, seed {seed}", functools.partial(_score, run), of=of,
            weights=digest(run["components"]), source=settings.source,
            temperatures=settings.temperatures, **options,
        )
        for seed, run in enumerate(runs)
    ]
    names = "pseudo_likelihood", "upper", "lower", "error", "sharpness"
    return {part: np.array([float(values[part]) for values in found]) for part in names}


def measure(task, name, runs, found):
    """Record the ``scores`` of trained RBMs, and the last pseudo-likelihood of training."""
    last = [run["last_pseudo_likelihood"] for run in runs]
    task.measure(f"{name}/pseudo_likelihood/last", last, better="higher")
    for part in ("upper", "lower"):
        task.measure(f"{name}/log_likelihood/{part}", found[part], better="higher", unit="nats")
    task.measure(f"{name}/reconstruction/error", found["error"], better="lower")
    task.measure(f"{name}/reconstruction/sharpness", found["sharpness"])


def _score(run, *, weights, source, binarization="threshold", **options):
    _, rows, _ = digits(source)
    rbm = rbm_of(run)
    seen = rbm.reconstruct(rows, probabilities=True)
    return bracket(run, source=source, binarization=binarization, **options) | {
        "pseudo_likelihood": rbm.score_samples(unseen(rows, binarization)).mean(),
        "error": np.mean((seen - rows) ** 2), "sharpness": sharpness(seen).mean(),
    }


def exact_scores(run, source):
    """Pseudo-likelihood and exact log-likelihood (nats) of the binary test images.

    Args:
        run: of ``train_rbm`` with checkpoints.
        source: of MNIST.

    Returns:
        Array (checkpoints + 1, 2).
    """
    rows = binary(digits(source)[1])
    names = "components", "hidden_bias", "visible_bias"
    machines = [
        rbm_of(dict(zip(names, weights))) for weights in zip(*(run[name] for name in names))
    ]
    return np.array([
        [rbm.score_samples(rows).mean(), rbm.log_likelihood(rows).mean()] for rbm in machines
    ])


def digest(weights):
    """A short text that tells trained models apart by an array of their weights."""
    return hashlib.sha256(weights.tobytes()).hexdigest()[:12]


def stays_within(curve, distance):
    """Iterations after which a curve stays so near to the mean of its last three values."""
    away = np.flatnonzero(np.abs(curve - np.mean(curve[-3:])) > distance)
    return int(away[-1]) + 2 if len(away) else 1


def iterations_to(curve, share):
    """Iterations until a curve has made that share of its way from the first value to the end.

    The end is the mean of the last third; a curve that does not rise has made it at once.
    """
    first, end = curve[0], np.mean(curve[-max(1, len(curve) // 3):])
    return int(np.argmax(curve >= min(first, end) + share * max(0.0, end - first))) + 1
