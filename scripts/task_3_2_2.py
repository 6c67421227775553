"""Task 3.2.2: the strided convnet on MNIST, and what each part of it is worth.

The report reaches 99.0%, the best of 20 epochs on the 2,000 test images by which the network was
chosen (D8). Here that score stands beside the accuracy on the full test set at the epoch that
validation images choose. Each factor that the report names is then changed alone; paired
differences of validation accuracy over seeds, with 95% intervals, judge what it says of them.
Last, a recipe (augmentation, falling rate, averaged weights and outputs) on all training images,
for this network and the smaller one of task 1.3.5; validation images choose how much to augment.

    python scripts/task_3_2_2.py                     about 25 seconds, 1,000 digits
    python scripts/task_3_2_2.py --preset report     about three hours of runs, full MNIST
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ann_keras import command, experiments, models, plots
from ann_keras.experiments import ablation
from ann_keras.report import published

FACTORS = (
    "filters", "kernel size", "dropout", "depth", "pooling", "activation", "batch norm"
)


@dataclass(frozen=True)
class Settings:
    training_images: int = 10_000  # report
    test_images: int = 2_000  # report: drawn at random, for the published score
    epochs: int = 20  # report
    batch_size: int = 100  # report
    learning_rate: float = 0.001  # report: of Adam
    mnist: Literal["full", "sample"] = "full"  # report
    validation_images: int = 10_000  # ours: of the training images that are left
    all_images: int = 55_000  # ours: nearly all training images
    all_validation_images: int = 5_000  # ours: the rest of them
    factors: tuple[str, ...] = FACTORS  # ours: of the ablation, one changed at a time
    ablation_epochs: int = 15  # ours: at most
    ablation_seeds: int = 4  # ours: at most
    augmentations: tuple[str, ...] = (  # ours: rotation (°)/shift (pixels)/zoom, to choose from
        "0/0/0", "10/1/0.1", "15/2/0.15",
    )
    recipe_epochs: int = 20  # ours
    recipe_rate: float = 0.003  # ours: of Adam, at first
    recipe_copies: int = 16  # ours: augmented ones of a test image, averaged
    seeds: int = 5  # ours; the report shows one run


SAMPLE = Settings(
    training_images=1_000, test_images=500, epochs=5, mnist="sample", validation_images=1_000,
    all_images=3_000, all_validation_images=1_000, seeds=1,
    factors=("dropout", "depth", "pooling", "batch norm"), augmentations=("10/1/0.1",),
    recipe_epochs=6, recipe_copies=4,
)
PRESETS = {
    "smoke": replace(
        SAMPLE, training_images=200, epochs=2, validation_images=100, all_images=400,
        all_validation_images=100, factors=("dropout",), recipe_epochs=1,
    ),
    "quick": SAMPLE,
    "report": Settings(),
}


def run(task, settings):
    common = {"test_images": settings.test_images, "batch_size": settings.batch_size,
              "learning_rate": settings.learning_rate, "source": settings.mnist}
    few = common | {"training_images": settings.training_images,
                    "validation_images": settings.validation_images}
    many = common | {"training_images": settings.all_images,
                     "validation_images": settings.all_validation_images}
    convnet = experiments.convnet
    runs = {
        name: convnet.run_seeds(
            task, name, task.seeds, network="strided_convnet", epochs=settings.epochs, **images
        )
        for name, images in (("published", few), ("all images", many))
    }
    variants = convnet.run_ablation(
        task, few | {"epochs": min(settings.epochs, settings.ablation_epochs)},
        settings.factors, task.seeds[: settings.ablation_seeds], runs["published"],
    )
    recipes = train_by_recipe(task, settings)
    scores = {
        "best": runs["published"]["subset_test_accuracy"].max(axis=1),
        "chosen_by_validation": ablation.chosen(runs["published"], "test_accuracy"),
        "all_images/chosen_by_validation": ablation.chosen(runs["all images"], "test_accuracy"),
    }
    for name, values in scores.items():
        task.measure(f"strided_convnet/test_accuracy/{name}", values, better="higher")
    ablation.measure(task, variants)
    ablation.draw(task, variants)
    judge_network(task, settings, scores, recipes)
    for claim, judge in (
        ("3.2.2-c", ablation.judge_ranking), ("3.2.2-d", ablation.judge_depth),
        ("3.2.2-e", ablation.judge_dropout), ("3.2.2-f", ablation.judge_pooling),
        ("3.2.2-g", ablation.judge_activation), ("3.2.2-h", ablation.judge_batch_norm),
    ):
        task.claim(claim, *judge(variants))
    draw(task, settings, runs, variants)


def train_by_recipe(task, settings):
    """Test accuracies (seeds,) of both convnets, trained by the recipe on all training images."""
    recipe = experiments.recipe
    protocol = {"epochs": settings.recipe_epochs, "batch_size": settings.batch_size,
                "learning_rate": settings.recipe_rate, "copies": settings.recipe_copies,
                "source": settings.mnist}
    chosen = recipe.choose(
        task, settings.augmentations, validation_images=settings.validation_images, **protocol
    )
    accuracy = {}
    for network in experiments.convnet.NETWORKS:
        runs = [
            task.run(
                f"recipe, {network}, seed {seed}", recipe.train, network=network, seed=seed,
                validation_images=0, **recipe.parse(chosen), **protocol,
            )
            for seed in task.seeds
        ]
        accuracy[network] = np.array([run["test_accuracy"] for run in runs])
        task.measure(f"recipe/{network}/test_accuracy", accuracy[network], better="higher")
        plain = [run["test_accuracy_plain"] for run in runs]
        task.measure(f"recipe/{network}/test_accuracy_plain", plain, better="higher")
        task.measure(f"recipe/{network}/parameters", runs[0]["parameters"])
    return accuracy


def judge_network(task, settings, scores, recipes):
    model = models.cnn.strided_convnet()
    flat = next(layer for layer in model.layers if layer.name.startswith("flatten"))
    trainable = models.weights.count_trainable(model)
    for name, value in (("dense_inputs", flat.output.shape[-1]),
                        ("parameters", model.count_params()), ("trainable_parameters", trainable)):
        task.measure(f"strided_convnet/{name}", value)
    known = published.value("3.2.2", "strided_convnet/dense_inputs").value
    task.claim(
        "3.2.2-a", flat.output.shape[-1] == known,
        f"The four blocks end in {' × '.join(map(str, flat.input.shape[1:]))} = "
        f"{flat.output.shape[-1]} values; {trainable:,} trainable parameters.",
    )
    given = published.value("3.2.2", "strided_convnet/test_accuracy/best").value
    enough = given - 0.0005  # what rounds to 99.0%
    best, honest, full = (scores[name] for name in (
        "best", "chosen_by_validation", "all_images/chosen_by_validation"
    ))
    # The report has one run: a seed that reaches its number on its images explains it.
    verdict = "refuted"
    if honest.mean() >= enough:
        verdict = "reproduced"
    elif best.max() >= enough:
        verdict = "artefact"
    if verdict == "refuted" and settings.mnist == "sample":
        verdict = "undecided"  # too few images to say
    task.claim(
        "3.2.2-b", verdict,
        f"{settings.training_images:,} images, best epoch on {settings.test_images:,} test "
        f"images: {best.mean():.2%}, the best of {len(task.seeds)} seeds {best.max():.2%}; all "
        f"test images, epoch chosen by validation: {honest.mean():.2%}, and {full.mean():.2%} "
        f"with {settings.all_images:,} images. By the recipe "
        + " and ".join(f"{name} {accuracy.mean():.2%}" for name, accuracy in recipes.items())
        + ".",
        deviation="D8",
    )


def draw(task, settings, runs, variants):
    figure, (left, right) = plots.panels(2, width=10.5, height=4, sharey=True)

    def curve(axes, runs_drawn, name, label):
        plots.curve(axes, 1 - runs_drawn[f"{name}_accuracy"], label=label)

    curve(left, runs["published"], "subset_test", "part of the test images")
    curve(left, runs["published"], "test", "all test images")
    curve(left, runs["all images"], "test", f"all, trained on {settings.all_images:,}")
    for label in ("published", "no dropout", "pooling"):
        if label in variants:
            curve(right, variants[label], "val", label)
    left.set(xlabel="epoch", ylabel="error (share of images)", title="test, published network",
             yscale="log")
    right.set(xlabel="epoch", title="validation, ablation")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
    task.figure("error", figure)


if __name__ == "__main__":
    command.main("3.2.2", run, PRESETS, __doc__)
