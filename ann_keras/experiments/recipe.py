"""A training recipe for MNIST convnets that beats the published accuracies, task 3.2.2.

What the published protocol lacks: augmentation (small random rotations, shifts and changes of
size; Simard, Steinkraus and Platt, ICDAR 2003, drew such images for MNIST), a learning rate that
falls to zero along a cosine (Loshchilov and Hutter, ICLR 2017), and weights averaged over the last
steps (Polyak and Juditsky, SIAM J. Control Optim. 30:838, as an exponential average). Probabilities
are means over augmented copies of the test image (Krizhevsky, Sutskever and Hinton, NIPS 2012). No
epoch is chosen: the weights at the end count.
"""

import keras
import numpy as np

from ann_keras.data import mnist
from ann_keras.experiments.convnet import NETWORKS
from ann_keras.training import compiled

AVERAGING = 0.995  # share of the averaged weights that a step keeps: about the last 200 steps


def train(
    *, network, seed, validation_images, epochs, batch_size, learning_rate, rotation, shift, zoom,
    copies, source,
):
    """Train a convnet by the recipe, and score it once, at the end.

    Args:
        network: "strided_convnet" or "pooled_convnet".
        seed: decides held-out images, initial weights, augmentation and order.
        validation_images: random ones of the training set, held out; 0 trains on all.
        epochs, batch_size: of the training.
        learning_rate: of Adam in the first step; it ends at 0.
        rotation: largest one in degrees, either way.
        shift: largest one in pixels, in each direction.
        zoom: largest change of size, as a share, each direction for itself.
        copies: augmented ones of a scored image, whose probabilities are averaged.
        source: of ``mnist.load``.

    Returns:
        Dict: "loss" (epochs,) on augmented images, "parameters", "test_accuracy" on the whole
        test set, "test_accuracy_plain" of the images as they are, and "val_accuracy", NaN without
        held-out images.

    Raises:
        ValueError: an unknown network, or no image left to train on.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}: choose from {sorted(NETWORKS)}")
    (x, y), test = mnist.load(source)
    if not 0 <= validation_images < len(x):
        raise ValueError(f"{validation_images} validation images: there must be 0 to {len(x) - 1}")
    order = np.random.default_rng(seed).permutation(len(x))
    held_out, kept = order[:validation_images], order[validation_images:]
    keras.utils.set_random_seed(seed)
    model = NETWORKS[network]()
    inputs = keras.Input(model.input_shape[1:])
    augment = augmentation(rotation, shift, zoom)
    trainer = keras.Model(inputs, model(augment(inputs)), name=network)
    steps = epochs * -(-len(kept) // batch_size)
    trainer.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, steps),
            use_ema=True, ema_momentum=AVERAGING,
        ),
        loss="categorical_crossentropy",
    )
    history = compiled.fit(
        trainer, mnist.scale(x[kept]), mnist.one_hot(y[kept]), epochs=epochs,
        batch_size=batch_size, seed=seed,
    )
    return {
        "loss": history.history["loss"],
        "parameters": model.count_params(),
        "val_accuracy": _accuracy(model, augment, copies, x[held_out], y[held_out]),
        "test_accuracy": _accuracy(model, augment, copies, *test),
        "test_accuracy_plain": _accuracy(model, lambda images, training: images, 1, *test),
    }


def augmentation(rotation, shift, zoom):
    """Keras layers that move images at random in training, and leave them alone otherwise.

    Args:
        rotation, shift, zoom: as of ``train``.

    Returns:
        A ``keras.Sequential``, (n, 28, 28, 1) → the same; what moves in is black.
    """
    black = {"fill_mode": "constant", "fill_value": 0.0}
    return keras.Sequential([
        keras.layers.RandomRotation(rotation / 360, **black),
        keras.layers.RandomTranslation(shift / 28, shift / 28, **black),
        keras.layers.RandomZoom(zoom, zoom, **black),
    ], name="augmentation")


def choose(task, texts, *, validation_images, **protocol):
    """The augmentation with the best validation accuracy, of one run of the pooled convnet each.

    Args:
        task: that keeps the runs.
        texts: as of ``parse``; a single one is taken without a run.
        validation_images: held out.
        protocol: the other arguments of ``train``, but network and seed.

    Returns:
        One of the texts.
    """
    if len(texts) == 1:
        return texts[0]
    accuracy = {}
    for text in texts:
        run = task.run(
            f"augmentation {text}", train, network="pooled_convnet", seed=0,
            validation_images=validation_images, **parse(text), **protocol,
        )
        accuracy[text] = run["val_accuracy"]
        task.measure(f"augmentation/{text}/val_accuracy", accuracy[text], better="higher")
    return max(accuracy, key=accuracy.get)


def parse(text):
    """Arguments of ``augmentation`` from text such as "10/2/0.1": degrees, pixels, share.

    Raises:
        ValueError: there are not three numbers from 0 up between slashes.
    """
    try:
        rotation, shift, zoom = map(float, text.split("/"))
    except ValueError:
        rotation = shift = zoom = -1.0
    if not (0 <= rotation <= 180 and 0 <= shift <= 28 and 0 <= zoom < 1):
        raise ValueError(
            "an augmentation is rotation (degrees)/shift (pixels)/zoom (share), such as 10/2/0.1, "
            f"got {text!r}"
        )
    return {"rotation": rotation, "shift": shift, "zoom": zoom}


def _accuracy(model, augment, copies, images, labels):
    """Share of images whose highest mean probability, over augmented copies, is their label's."""
    if not len(images):
        return np.nan
    batches = np.array_split(mnist.scale(images), -(-len(images) // 1000))
    outputs = [
        sum(model(augment(batch, training=True), training=False) for _ in range(copies))
        for batch in batches
    ]
    return np.mean(np.concatenate(outputs).argmax(axis=1) == labels)
