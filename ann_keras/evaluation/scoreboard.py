"""How good samples of a generative model are, by the eye of the labelling convnet."""

import functools

import numpy as np

from ann_keras import data
from ann_keras.errors import UserError
from ann_keras.evaluation import generative

CONFIDENT = 0.9  # probability from which on the convnet is sure of a digit
COLUMNS = ("frechet", "precision", "recall", "density", "coverage", "confident", "diversity",
           "background", "noisy")
_NOISE = 0.01  # background level that shows; it is 0 in all but a few test digits
_NEAR = 2  # pixels from a stroke up to which its edge may reach
_LOWER_IS_BETTER = "frechet", "background", "noisy"


class Scoreboard:
    """Scores sets of so many samples against as many digits, on the features of a ``labels.Judge``.

    Raises:
        UserError: there are fewer training or test digits, or the measures need more.
    """

    def __init__(self, judge, source, number):
        rows, test_rows, _ = data.mnist.rows(source)
        if not generative.NEIGHBOURS < number <= len(test_rows):
            raise UserError(
                f"samples stand beside as many of the {len(test_rows)} test digits, "
                f"more than {generative.NEIGHBOURS}: {number} cannot be"
            )
        self.judge, self.number = judge, number
        self._rows = rows[:number]

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
        return quality(probabilities, images) | {
            "frechet": generative.frechet_distance(self._digits, features),
            **generative.neighbourhoods(self._digits, features, real_radii=self._radii),
            "classes": np.bincount(probabilities.argmax(axis=1), minlength=10) / len(images),
        }

    @functools.cached_property
    def _digits(self):
        return self.judge.features(self._rows)

    @functools.cached_property
    def _radii(self):
        return generative.radii(self._digits)


def board(labelling, source, number):
    """The ``Scoreboard`` of a training of the labelling convnet, made once a process."""
    global _last
    key = source, number, labelling["weights"].tobytes()
    if _last[0] != key:
        from ann_keras.evaluation import labels

        _last = key, Scoreboard(labels.Judge(labelling), source, number)
    return _last[1]


_last = None, None  # what the digits' features, half a minute of work, were made for; and they


def floor(labelling, source, samples):
    """``Scoreboard.score`` of as many test digits, below which no model can be expected to come."""
    rows, _ = data.mnist.test_rows(source, samples)
    return board(labelling, source, samples).score(rows)


def quality(probabilities, images):
    """Numbers that stand for what images (n, 784) in [0, 1] look like.

    Returns:
        Dict: "confident", share of images of which the convnet is sure by its probabilities (n, 10)
        of digits; "diversity", entropy of the labels over that of ten equal shares; "specks", mean
        number of white parts that do not touch the largest; "grey", share of pixels between 0.1
        and 0.9; "background", mean ``background``, and "noisy", the share where it is above 0.01.
    """
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
    counts = (~near).sum(axis=(1, 2))
    return np.where(near, 0, squares).sum(axis=(1, 2)) / np.maximum(counts, 1)


def to_bytes(images):
    """Images in [0, 1], of any shape with 784 pixels each, as runs keep them: (n, 784), uint8."""
    return np.round(255 * np.clip(images, 0, 1)).astype(np.uint8).reshape(-1, 784)


def kept(board, images, shown=10):
    """What a run keeps of samples (n, 784): "score_…" of each measure, and the first "images"."""
    found = {f"score_{name}": value for name, value in board.score(images).items()}
    return found | {"images": to_bytes(images[:shown])}


def scores(results):
    """Dict of measures that runs of one model, one a seed, have ``kept``: arrays (seeds, …)."""
    return {name.removeprefix("score_"): results[name] for name in results[0]
            if name.startswith("score_")}


def first(results, field):
    """A field, such as "images", of the first seed, by name, of ``Results`` by name."""
    return {name: runs[0][field] for name, runs in results.items()}


def report(task, scored, floor):
    """Record and save the ``scores`` of ``Results`` by name, which are returned by name."""
    found = {name: scores(runs) for name, runs in scored.items()}
    for name, values in found.items():
        measure(task, name, values)
    table(task, found, floor)
    return found


def measure(task, name, found):
    """Record ``scores`` under the ``title`` of a name; classes are left to the figures."""
    for quantity, values in found.items():
        if quantity in COLUMNS:
            better = "lower" if quantity in _LOWER_IS_BETTER else "higher"
            task.measure(f"{title(name)}/{quantity}", values, better=better)


def table(task, scores, floor, **columns):
    """Save scores by name, dicts of arrays (seeds,), with those of test digits last; and further
    columns, each a dict of texts by name, where names may lack."""
    rows = [[name, len(found["frechet"]), *(f"{found[column].mean():.4f}" for column in COLUMNS),
             *(texts.get(name, "") for texts in columns.values())]
            for name, found in scores.items()]
    digits = [f"{floor[column]:.4f}" for column in COLUMNS]
    task.table("scores", ["samples", "seeds", *COLUMNS, *columns],
               [*rows, ["test digits", "", *digits, *[""] * len(columns)]])


def title(name):
    """The name of a model as measures have it: "dense GAN, corrected", "dense_GAN/corrected"."""
    return name.replace(", ", "/").replace(" ", "_")


def beside_others(classes, digit):
    """The share of a digit beside that of each other one, of shares (seeds, 10): dict of pairs."""
    return {f"{other}s": (classes[:, digit], classes[:, other])
            for other in range(10) if other != digit}
