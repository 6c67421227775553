"""Training runs of the stacked autoencoder, task 3.1.1."""

import functools

import keras
import numpy as np

from ann_keras import plots
from ann_keras.data import mnist
from ann_keras.models.autoencoder import StackedAutoencoder
from ann_keras.training import compiled

SAMPLE = 1_000  # test images that the published accuracy is measured on (D6)


def train(
    *,
    seed,
    hidden_units=(256, 64),
    images=6_000,
    pretraining_epochs=20,
    classifier_epochs=30,
    fine_tuning_epochs=50,
    pretraining_optimizer="sgd",
    pretraining_rate=0.1,
    learning_rate=1.0,
    batch_size=128,
    frozen=1,
    validation=0,
    source="full",
):
    """All phases of a stacked autoencoder; the defaults are the published settings.

    Args:
        seed: decides initial weights, the images of each phase, their order, and the test sample.
        hidden_units: of the encoders.
        images: training images of each phase, drawn anew for each without replacement; all of
            them if there are fewer.
        pretraining_epochs: of each encoder; 0 leaves its random initial weights.
        classifier_epochs, fine_tuning_epochs: of the other phases.
        pretraining_optimizer: name of a Keras optimizer, with learning rate ``pretraining_rate``.
        learning_rate: of SGD in the other phases.
        frozen: encoders that stand still in the classifier phase; 0 trains the whole network, so
            that without pre-training it is a network trained from random weights alone.
        validation: if positive, so many last training images take the place of the test images,
            which are not looked at.
        source: of MNIST.

    Returns:
        Dict of float arrays.
        "pretraining_1_loss", … (epochs,): MSE per pixel or code, for each encoder;
        "classifier_loss", "fine_tuning_loss" (epochs,): cross-entropy in nats;
        "classifier_accuracy", "accuracy": on all test images after either phase;
        "sample_accuracy": at the end, on a random sample of ``SAMPLE`` test images;
        "code_sd": standard deviation over test images of the last encoder's codes before the
        classifier phase, the mean over codes;
        "encoder_change": how far pre-training moved the first encoder's kernel, over its norm.

    Raises:
        ValueError: as many validation images as training images.
    """
    training, (x_test, y_test) = _digits(source, validation)
    keras.utils.set_random_seed(seed)
    stack = StackedAutoencoder(tuple(hidden_units))
    random = np.random.default_rng(seed)
    options = {"batch_size": batch_size, "fit": compiled.fit}
    result = {}

    def phase(number, fit, epochs, labelled=True, **settings):
        """Losses of one phase; its draw is made whether or not it has epochs."""
        chosen = random.permutation(len(training[0]))[:images]
        if not epochs:
            return []
        data = [array[chosen] for array in training[: 1 + labelled]]
        history = fit(*data, epochs=epochs, seed=1000 * seed + number, **settings, **options)
        return history.history["loss"]

    def accuracy(rows=slice(None)):
        predicted = np.argmax(stack.classifier(x_test[rows]), axis=1)
        return np.mean(predicted == np.argmax(y_test[rows], axis=1))

    before = stack.classifier.layers[1].kernel.numpy()
    for layer, _ in enumerate(hidden_units, start=1):
        optimizer = keras.optimizers.get(pretraining_optimizer)
        optimizer.learning_rate = pretraining_rate
        result[f"pretraining_{layer}_loss"] = phase(
            layer, functools.partial(stack.pretrain, layer), pretraining_epochs, labelled=False,
            optimizer=optimizer,
        )
    moved = stack.classifier.layers[1].kernel.numpy() - before
    result["encoder_change"] = np.linalg.norm(moved) / np.linalg.norm(before)
    result["code_sd"] = stack.encode(x_test).std(axis=0).mean()
    for number, (name, fit, epochs, settings) in enumerate(
        (
            ("classifier", stack.train_classifier, classifier_epochs, {"frozen": frozen}),
            ("fine_tuning", stack.fine_tune, fine_tuning_epochs, {}),
        ),
        start=100,
    ):
        optimizer = keras.optimizers.SGD(learning_rate)
        result[f"{name}_loss"] = phase(number, fit, epochs, optimizer=optimizer, **settings)
        result["accuracy" if name == "fine_tuning" else f"{name}_accuracy"] = accuracy()
    result["sample_accuracy"] = accuracy(random.permutation(len(x_test))[:SAMPLE])
    return result


def protocol(settings):
    """The arguments of ``train`` that the script's settings give, but for the seed."""
    names = (
        "images", "pretraining_epochs", "classifier_epochs", "fine_tuning_epochs",
        "pretraining_rate", "learning_rate", "batch_size", "source",
    )
    return {name: getattr(settings, name) for name in names} | {
        "hidden_units": list(settings.hidden_units), "pretraining_optimizer": "sgd", "frozen": 1,
    }


def repeat(task, protocol, seeds, **changes):
    """Runs of the protocol with some arguments of ``train`` changed, one a seed.

    Returns:
        Dict of what ``train`` gives, each with the seeds as its first axis.
    """
    changes = {name: value for name, value in changes.items() if protocol.get(name) != value}
    label = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())
    runs = [
        task.run(f"{label or 'published'}, seed {seed}", train, seed=seed, **(protocol | changes))
        for seed in seeds
    ]
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}


def repeat_all(task, protocol, seeds, changes):
    """Dict of ``repeat`` runs, from a dict of names and their changes."""
    return {name: repeat(task, protocol, seeds, **change) for name, change in changes.items()}


def choose_rate(task, protocol, rates, validation):
    """The learning rate with the best accuracy on held-out training images, of one run each."""
    if len(rates) == 1:
        return rates[0]
    accuracy = {}
    for rate in rates:
        run = repeat(task, protocol, [0], learning_rate=rate, validation=validation)
        accuracy[rate] = run["accuracy"][0]
        task.measure(f"validation/rate_{rate:g}/accuracy", accuracy[rate], better="higher")
    return max(rates, key=accuracy.get)


def measure(task, runs):
    """Record the accuracies of named ``repeat`` runs, and a table of them."""
    task.measure(
        "stacked_autoencoder/test_accuracy/sample", runs["published"]["sample_accuracy"],
        better="higher",
    )
    rows = []
    for name, run in runs.items():
        title = "stacked_autoencoder" if name == "published" else name
        task.measure(f"{title}/test_accuracy/all", run["accuracy"], better="higher")
        task.measure(
            f"{title}/classifier_phase/test_accuracy", run["classifier_accuracy"], better="higher"
        )
        task.measure(f"{title}/code_sd", run["code_sd"])
        accuracy, before = run["accuracy"], run["classifier_accuracy"]
        rows.append([name, len(accuracy), *np.round(
            [before.mean(), accuracy.mean(), accuracy.min(), accuracy.max()], 4
        )])
    task.table(
        "variants", ["variant", "seeds", "after classifier phase", "at the end", "lowest",
                     "highest"], rows,
    )


def draw_losses(task, stem, runs):
    """One panel a phase: the loss of named ``repeat`` runs against epoch."""
    names = [name for name in next(iter(runs.values())) if name.endswith("_loss")]
    figure, axes = plots.panels(len(names), width=3.2 * len(names), height=3.4)
    for number, (panel, name) in enumerate(zip(axes, names), start=1):
        supervised = not name.startswith("pretraining")
        for label, run in runs.items() if supervised else [next(iter(runs.items()))]:
            plots.curve(panel, run[name], label=label)
        title = name.removesuffix("_loss").replace("_", " ").replace("pret", "pre-t")
        panel.set(title=f"({number}) {title}", xlabel="epoch", ylim=(0, None))
        panel.set_ylabel("cross-entropy (nats)" if supervised else "MSE per value")
    axes[-1].legend()
    task.figure(stem, figure)


def draw_variants(task, stem, runs):
    """Test accuracy of named ``repeat`` runs before and after fine-tuning, a dot a seed."""
    figure, axes = plots.panels(2, width=11, height=1 + 0.3 * len(runs), sharey=True)
    titles = {"classifier_accuracy": "after the classifier phase", "accuracy": "at the end"}
    for panel, (name, title) in zip(axes, titles.items()):
        for row, run in enumerate(runs.values()):
            panel.plot(run[name], [row] * len(run[name]), "o", color="C0", alpha=0.5)
            panel.plot(run[name].mean(), row, "|", color="black", ms=14)
        panel.set(title=title, xlabel="test accuracy (bar: mean over seeds)")
    axes[0].set_xlim(0, 1)
    axes[0].set_yticks(range(len(runs)), list(runs))
    axes[0].invert_yaxis()
    task.figure(stem, figure)


def gain(runs, reference):
    """Mean gain in final test accuracy over other runs, and Welch's p (1 for a single seed)."""
    from scipy.stats import ttest_ind

    a, b = runs["accuracy"], reference["accuracy"]
    p = ttest_ind(a, b, equal_var=False).pvalue if min(len(a), len(b)) > 1 else 1.0
    return float(a.mean() - b.mean()), float(p)


def chance_of_sample(accuracy, at_least, *, images=10_000, sample=SAMPLE):
    """Probability that a random sample of the test images scores so high.

    Args:
        accuracy: on all test images, array (runs,); the mean over runs is returned.
        at_least: accuracy of the sample.
        images, sample: numbers of test images, in all and in the sample.
    """
    from scipy.stats import hypergeom

    right = np.round(np.asarray(accuracy) * images).astype(int)
    needed = int(np.ceil(at_least * sample - 1e-9))
    return float(np.mean(hypergeom.sf(needed - 1, images, right, sample)))


def parse_sizes(text):
    """Hidden units from text such as "256/64".

    Raises:
        ValueError: there is something else than numbers between slashes.
    """
    try:
        return [int(units) for units in text.split("/")]
    except ValueError:
        raise ValueError(f'sizes are written as "256/64", got {text!r}') from None


def parse_epochs(text):
    """Arguments of ``train`` from text such as "20/30/50".

    Raises:
        ValueError: there are not three numbers between slashes.
    """
    numbers = text.split("/")
    if len(numbers) != 3 or not all(number.isdecimal() for number in numbers):
        raise ValueError(
            f'epochs of pre-training, classifier and fine-tuning are written as "20/30/50", '
            f"got {text!r}"
        )
    names = ("pretraining_epochs", "classifier_epochs", "fine_tuning_epochs")
    return dict(zip(names, map(int, numbers)))


def _digits(source, validation):
    """Training and test images (n, 784) in [0, 1] and one-hot labels (n, 10)."""

    def prepared(images, labels):
        return mnist.scale(images).reshape(len(images), -1), mnist.one_hot(labels)

    (x, y), test = mnist.load(source)
    if not validation:
        return prepared(x, y), prepared(*test)
    if not validation < len(x):
        raise ValueError(f"{validation} validation images leave none of {len(x)} to train on")
    return prepared(x[:-validation], y[:-validation]), prepared(x[-validation:], y[-validation:])
