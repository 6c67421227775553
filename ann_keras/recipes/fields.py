"""Fields of recipes and settings that need more than a default."""

import dataclasses
from dataclasses import field


def from_zero(default):
    """A whole number that may be 0; others begin at 1 on a command line."""
    return field(default=default, metadata={"least": 0})


def added(default, before):
    """A field that came after runs were stored, which all had the value ``before``.

    With that value the key of a run is what it was without the field.
    """
    return field(default=default, metadata={"before": before})


def adam(recipe, rate=None, **options):
    """Keras' Adam of a recipe: by its learning rate, or a schedule in its place, and its decays."""
    import keras

    return keras.optimizers.Adam(recipe.learning_rate if rate is None else rate, recipe.beta_1,
                                 recipe.beta_2, recipe.epsilon, **options)


def one_source(settings):
    """Settings whose recipes all read the MNIST that ``settings``, or its ``recipe``, names."""
    source = getattr(settings, "source", None) or settings.recipe.source
    recipes = {name: value for name, value in vars(settings).items()
               if dataclasses.is_dataclass(value)}
    return dataclasses.replace(settings, **{
        name: dataclasses.replace(recipe, source=source) for name, recipe in recipes.items()
    })
