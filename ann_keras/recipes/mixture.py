"""A mixture of Bernoulli distributions, which task 4.2.6 sets beside the report's models."""

import time
from dataclasses import dataclass, replace
from typing import Literal

from ann_keras import data, evaluation, models


@dataclass(frozen=True)
class Recipe:
    """How the mixture is fitted, by expectation maximisation; all of it ours."""

    components: int = 100  # ours: products that are mixed
    epochs: int = 30  # ours: iterations
    source: Literal["full", "sample"] = "full"  # report: MNIST, or the sample of 4,000 digits


QUICK = Recipe(components=50, source="sample")
SMOKE = replace(QUICK, components=10)


def train(recipe, seed):
    """Fit a mixture to the training digits, whose greys count as that share of a white pixel.

    Args:
        seed: of the digits that components start from.

    Returns:
        Dict: "shares" (components,) and "means" (components, 784); "log_likelihood" of the test
        digits with pixels drawn, nats an image; "seconds" of the fit.
    """
    rows, test_rows, _ = data.mnist.rows(recipe.source)
    mixture = models.mixture.BernoulliMixture(recipe.components, recipe.epochs, random_state=seed)
    start = time.perf_counter()
    mixture.fit(rows)
    return {"seconds": time.perf_counter() - start, "shares": mixture.weights_,
            "means": mixture.means_, "log_likelihood": mixture.score(data.mnist.drawn(test_rows))}


def score(training, labelling, samples):
    """Score so many samples of a run of ``train``, the pixel probabilities of their components.

    Returns:
        Dict: "score_…" as ``Scoreboard.score`` names them, and "images" (10, 784), uint8.
    """
    recipe, scoreboard = training.recipe, evaluation.scoreboard
    mixture = models.mixture.BernoulliMixture(recipe.components, random_state=training.seed)
    mixture.weights_, mixture.means_ = training["shares"], training["means"]
    images = mixture.sample(samples, probabilities=True)
    return scoreboard.kept(scoreboard.board(labelling, recipe.source, samples), images)
