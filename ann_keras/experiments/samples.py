"""How good samples of a generative model are, by the eye of a convnet, from task 4.1.7 on."""

import functools

import numpy as np

from ann_keras.errors import UserError
from ann_keras.evaluation import generative
from ann_keras.experiments import boltzmann
from ann_keras.experiments.labels import Judge

CONFIDENT = 0.9  # probability from which on the convnet is sure of a digit
# Measures, and the sign that is better. Without precision: it is 1 where all samples are alike.
REALISM = {"frechet": -1, "confident": 1}
_ENOUGH = 3  # seeds below which no claim is decided
_NOISE = 0.01  # background level that shows; it is 0 in all but a few test digits
_NEAR = 2  # pixels from a stroke up to which its edge may reach


def quality(judge, images):
    """Numbers that stand for what samples look like.

    Args:
        judge: ``labels.Judge``.
        images: (n, 784) in [0, 1].

    Returns:
        Dict: "confident", share of images of which the convnet is sure; "diversity", entropy of
        the labels over that of ten equal shares; "specks", mean number of white parts that do not
        touch the largest; "grey", share of pixels between 0.1 and 0.9; "background", their mean
        ``background``, and "noisy", the share of images where it is above 0.01.
    """
    return _quality(judge.probabilities(images), images)


def _quality(probabilities, images):
    from scipy.ndimage import label

    touching = np.ones((3, 3))
    parts = [label(image.reshape(28, 28) >= 0.5, touching)[1] for image in images]
    behind = background(images)
    return {
        "confident": float((probabilities.max(axis=1) >= CONFIDENT).mean()),
        "diversity": generative.entropy_of_classes(probabilities.argmax(axis=1)),
        "specks": float(np.mean(np.maximum(np.array(parts) - 1, 0))),
        "grey": float(np.mean((images > 0.1) & (images < 0.9))),
        "background": float(behind.mean()),
        "noisy": float((behind > _NOISE).mean()),
    }


def background(images):
    """Mean grey away from strokes of images (n, 784), array (n,): near 0 for digits.

    Away is more than two pixels, along rows, columns or diagonals, from any pixel of at least
    0.5. Images without a pixel away from strokes count 0; so noise above 0.5 counts as strokes,
    which the specks of ``quality`` tell.
    """
    from scipy.ndimage import binary_dilation

    squares = np.reshape(images, (-1, 28, 28))
    near = binary_dilation(squares >= 0.5, np.ones((1, 3, 3)), iterations=_NEAR)
    away = ~near
    counts = away.sum(axis=(1, 2))
    return np.where(away, squares, 0).sum(axis=(1, 2)) / np.maximum(counts, 1)


def scoreboard(task, settings):
    """The ``Scoreboard`` that a script's settings ask for, a ``settings.GAN`` or ``VAE``."""
    return Scoreboard(
        task, epochs=settings.judge_epochs, source=settings.source, number=settings.samples
    )


def as_fields(found):
    """What ``Scoreboard.score`` gave, as the fields "score_…" of a run that ``scores`` reads."""
    return {f"score_{name}": value for name, value in found.items()}


def scores(runs):
    """Dict of ``Scoreboard.score``'s measures, kept by runs as "score_…", each (seeds, …)."""
    names = [name for name in runs[0] if name.startswith("score_")]
    return {name.removeprefix("score_"): np.stack([run[name] for run in runs]) for name in names}


def measure(task, name, found):
    """Record ``scores`` under the ``title`` of a name; classes are left to the figures."""
    better = {"frechet": "lower", "background": "lower", "noisy": "lower", "confident": "higher",
              "diversity": "higher", "precision": "higher", "recall": "higher",
              "density": "higher", "coverage": "higher"}
    for quantity, values in found.items():
        if quantity in better:
            task.measure(f"{title(name)}/{quantity}", values, better=better[quantity])


def title(name):
    """The name of a model as measures have it: "dense GAN, corrected", "dense_GAN/corrected"."""
    return name.replace(", ", "/").replace(" ", "_")


def more_realistic(first, second):
    """Whether samples of one model are more realistic than those of another.

    Args:
        first, second: ``scores`` of both.

    Returns:
        True if every seed of the first is better than any of the second by each measure of
        ``REALISM``, False if it is the other way round, None otherwise.
    """
    def ahead(better, worse):
        return all(np.min(sign * better[measure]) > np.max(sign * worse[measure])
                   for measure, sign in REALISM.items())

    return True if ahead(first, second) else False if ahead(second, first) else None


def decided(verdict, seeds):
    """The verdict, or "undecided" where it is None or comes from fewer than three seeds."""
    return "undecided" if verdict is None or seeds < _ENOUGH else verdict


def over_seeds(held, possible=None):
    """A verdict of something that holds or does not in each seed.

    Args:
        held: bool array (seeds,).
        possible: where it is not out of the question either; None for where it holds.

    Returns:
        True if it holds in every seed, "undecided" if it is possible in any or there are fewer
        than three seeds, False otherwise.
    """
    possible = held if possible is None else possible
    return decided(True if np.all(held) else None if np.any(possible) else False, len(held))


def counted(held):
    """In how many seeds each clause holds, for evidence: dict of text → bool array (seeds,)."""
    return "; ".join(f"{text}: {true.sum()} of {len(true)} seeds" for text, true in held.items())


def shares(classes):
    """Mean share of each digit, for evidence, of shares (seeds, 10)."""
    return ", ".join(f"{digit} {share:.1%}" for digit, share in enumerate(classes.mean(axis=0)))


def check_alike(*settings):
    """Raise UserError where settings of models in one table ask for different scores."""
    for name in ("samples", "judge_epochs", "source"):
        values = {getattr(part, name) for part in settings if hasattr(part, name)}
        if len(values) > 1:
            raise UserError(
                f"models in one table are scored alike: --….{name.replace('_', '-')} has "
                f"{', '.join(sorted(map(str, values)))}"
            )


def to_bytes(images):
    """Images in [0, 1], of any shape with 784 pixels each, as runs keep them: (n, 784), uint8."""
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8).reshape(-1, 784)


class Scoreboard:
    """Scores sets of samples against as many training digits, on the convnet's features.

    Args:
        task: that keeps the convnet's training run.
        epochs: of that; task 4.1.3's copy is taken where there is one.
        source: of MNIST.
        number: of digits and of samples.

    Attributes:
        judge: the convnet, a ``labels.Judge``.

    Raises:
        UserError: there are fewer training or test digits, or the measures need more.
    """

    def __init__(self, task, *, epochs, source, number):
        self._rows, self._test_rows, _ = boltzmann.digits(source)
        if not generative.NEIGHBOURS < number <= len(self._test_rows):
            raise UserError(
                f"samples stand beside as many of the {len(self._test_rows)} test digits, "
                f"more than {generative.NEIGHBOURS}: {number} cannot be"
            )
        self.judge = Judge(task, epochs=epochs, source=source, of="4.1.3")
        self.number = number
        self._settings = {"number": number, "epochs": epochs, "source": source}

    def floor(self, task, of=None):
        """What ``score`` gives for as many test digits; kept by the task."""
        return task.run(
            "scores of test digits", lambda **_: self.score(self._test_rows[: self.number]),
            of=of, **self._settings,
        )

    def score(self, images):
        """All measures of images (n, 784) in [0, 1].

        Returns:
            Dict: what ``quality`` gives; "frechet", the squared Fréchet distance to the digits;
            "precision", "recall", "density" and "coverage" of ``generative.neighbourhoods``;
            "classes" (10,), share of each label.

        Raises:
            ValueError: there are not ``number`` images.
        """
        if len(images) != self.number:
            raise ValueError(f"{self.number} images are scored at a time, got {len(images)}")
        features, probabilities = self.judge.features(images), self.judge.probabilities(images)
        shares = np.bincount(probabilities.argmax(axis=1), minlength=10) / len(images)
        return _quality(probabilities, images) | {
            "frechet": generative.frechet_distance(self._digits, features),
            **generative.neighbourhoods(self._digits, features, real_radii=self._radii),
            "classes": shares,
        }

    @functools.cached_property
    def _digits(self):
        return self.judge.features(self._rows[: self.number])

    @functools.cached_property
    def _radii(self):
        return generative.radii(self._digits)
