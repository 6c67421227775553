"""What a stacked autoencoder makes of noise in place of codes, task 4.3.2."""

import functools
import time

import keras
import numpy as np

from ann_keras.experiments import boltzmann
from ann_keras.experiments.samples import to_bytes
from ann_keras.models.autoencoder import StackedAutoencoder
from ann_keras.training import compiled

SHOWN = 10  # images that a run keeps of each kind of codes
CODES = {  # kinds, as they are called
    "codes": "codes of test digits", "normal": "N(0, I)", "uniform": "uniform in [0, 1]",
    "fitted": "Gaussian fitted to codes",
}


def trained(task, settings, board, *, of=None, name="autoencoder", **changes):
    """The runs of ``train`` that the script asks for, one a seed.

    Args:
        task: that keeps the runs.
        settings: of the script, a ``settings.Decoding``.
        board: ``samples.Scoreboard``.
        of: another task that makes the same runs.
        name: of the model.
        changes: of the arguments of ``train``; without any, the published pre-training.
    """
    arguments = {
        "images": settings.pretraining_images, "epochs": settings.pretraining_epochs,
        "rate": settings.pretraining_rate, "batch_size": settings.pretraining_batch_size,
        "optimizer": "sgd", "hidden_units": list(settings.hidden_units),
        "source": settings.source, "samples": settings.samples,
        "judge_epochs": settings.judge_epochs,
    } | changes
    return [
        task.run(f"{name}, seed {seed}", functools.partial(train, board), of=of, seed=seed,
                 **arguments)
        for seed in task.seeds
    ]


def by_adam(task, settings, board, *, of=None):
    """The runs of ``train`` on all images by Adam, longer than published, one a seed."""
    return trained(
        task, settings, board, of=of, name="autoencoder by Adam", optimizer="adam",
        rate=settings.adam_rate, epochs=settings.adam_epochs, images=None,
    )


def train(
    board, *, hidden_units, images, epochs, optimizer, rate, batch_size, seed, source, samples,
    judge_epochs,
):
    """Pre-train a stacked autoencoder and decode codes of four kinds.

    The kinds are codes of test digits, and noise: N(0, I), uniform in [0, 1], where sigmoid codes
    lie, and a Gaussian with mean and covariance of the training images' codes.

    Args:
        board: ``samples.Scoreboard``, whose convnet was trained for ``judge_epochs``.
        hidden_units: of the encoders.
        images: training images of each layer, drawn anew for each; all if there are fewer.
        epochs, batch_size: of each layer.
        optimizer: name of a Keras optimizer, with learning rate ``rate``.
        seed: of weights, images, order and noise.
        source: of MNIST.
        samples: of each kind of noise.

    Returns:
        Dict: for each kind "codes", "normal", "uniform" and "fitted" the scores of
        ``Scoreboard.score``, named "normal_frechet" and so on, and "normal_images" (10, 784),
        uint8; of the first autoencoder "logged", the loss that Keras gives for the test images,
        and their "squared_error" and "cross_entropy" (nats), means a pixel; "error", mean
        squared error a pixel through all layers; "seconds" of the training.
    """
    rows, test_rows, _ = boltzmann.digits(source)
    keras.utils.set_random_seed(seed)
    stack = StackedAutoencoder(tuple(hidden_units))
    random = np.random.default_rng(seed)
    start = time.perf_counter()
    for layer, _ in enumerate(hidden_units, start=1):
        method = keras.optimizers.get(optimizer)
        method.learning_rate = rate
        chosen = random.permutation(len(rows))[:images]
        stack.pretrain(layer, rows[chosen], optimizer=method, epochs=epochs, fit=compiled.fit,
                       batch_size=batch_size, seed=1000 * seed + layer)
    seconds = time.perf_counter() - start
    result = losses(stack.autoencoders[0], test_rows) | {"seconds": seconds}
    codes = noise(stack.encode(rows), samples, random)
    codes["codes"] = stack.encode(test_rows[:samples])
    for kind, values in codes.items():
        drawn = stack.decode(values)
        result |= {f"{kind}_{name}": score for name, score in board.score(drawn).items()}
        result[f"{kind}_images"] = to_bytes(drawn[:SHOWN])
    seen = stack.decode(stack.encode(test_rows))
    return result | {"error": np.mean((seen - test_rows) ** 2)}


def noise(codes, number, random):
    """Codes of nothing: dict of arrays (number, d).

    Args:
        codes: (n, d) of images, to which "fitted" is fitted.
        number: of each kind.
        random: NumPy generator.
    """
    shape = number, codes.shape[1]
    # By the covariance's own factors: the codes of few images may not span all dimensions.
    values, vectors = np.linalg.eigh(np.cov(codes.T.astype(np.float64)))
    factor = vectors * np.sqrt(np.maximum(values, 0))
    kinds = {
        "normal": random.normal(size=shape), "uniform": random.random(shape),
        "fitted": codes.mean(axis=0) + random.normal(size=shape) @ factor.T,
    }
    return {kind: drawn.astype(np.float32) for kind, drawn in kinds.items()}


def losses(autoencoder, rows):
    """The loss that a compiled autoencoder logs for rows (n, d), and what it could be.

    Returns:
        Dict: "logged", "squared_error" and "cross_entropy" (nats), means a pixel.
    """
    outputs = np.clip(autoencoder.predict(rows, batch_size=1000, verbose=0), 1e-7, 1 - 1e-7)
    entropy = -(rows * np.log(outputs) + (1 - rows) * np.log1p(-outputs))
    return {
        "logged": compiled.evaluate(autoencoder, rows, rows)["loss"],
        "squared_error": np.mean((outputs - rows) ** 2), "cross_entropy": np.mean(entropy),
    }


def scores(runs, kind):
    """Scores of one kind of codes over runs of ``train``: dict of arrays (seeds, …)."""
    names = [name for name in runs[0]
             if name.startswith(f"{kind}_") and not name.endswith("_images")]
    return {name.removeprefix(f"{kind}_"): np.stack([run[name] for run in runs])
            for name in names}
