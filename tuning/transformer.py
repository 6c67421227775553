"""The vision transformer: Table 3's grid as published, or a wider space by Hyperband.

The report trains 40 combinations of dim, depth and mlp_dim and ranks them by test accuracy; so
does ``--space table``, as task 3.3.2 does. The wider space (``--space wide``) adds heads, patches,
learning rate and the scale of the attention scores (D9), and looks at held-out training images
instead.
"""

from dataclasses import dataclass
from typing import Literal

from ann_keras.data import mnist
from ann_keras.recipes import transformer
from ann_keras.report import published
from tuning import search

PUBLISHED = transformer.Recipe()
TABLE_3 = tuple(f"{dim}/{depth}/{mlp_dim}"
                for _, dim, depth, mlp_dim, *_ in published.TABLES[3].rows)
_EPOCHS_THAT_PAY_FOR_XLA = 2


@dataclass(frozen=True)
class Settings:
    space: Literal["table", "wide"] = "table"
    rows: tuple[str, ...] = TABLE_3  # report: dim/depth/mlp_dim of the table's space
    max_trials: int = 40  # report
    epochs: int = 1  # ours: of a row of the table; report 20
    wide_epochs: int = 9  # ours: of a trial of the wide space, at most
    batch_size: int = PUBLISHED.batch_size  # report
    source: Literal["full", "sample"] = PUBLISHED.source  # report
    validation: int = 5_000  # ours: last training images, held out in the wide space


PRESETS = {
    "smoke": Settings(rows=("8/1/8", "16/1/8"), max_trials=2, source="sample",
                      validation=500, wide_epochs=3),
    "quick": Settings(rows=("32/4/64", "64/4/64", "128/4/64"), source="sample", validation=500),
    "report": Settings(),
}


class Search(search.Search):
    """Table 3's rows or the wider space, by ``settings.space``."""

    published = PUBLISHED
    direction = "max"

    def __init__(self, settings):
        super().__init__(settings)
        self.wide = settings.space == "wide"
        self.objective = "val_accuracy" if self.wide else "test_accuracy"
        self.tuner = "hyperband" if self.wide else "grid"

    @property
    def max_epochs(self):
        return self.settings.wide_epochs if self.wide else self.settings.epochs

    def identity(self):
        settings = super().identity()
        for name in ("rows", "epochs") if self.wide else ("validation", "wide_epochs"):
            del settings[name]
        return settings

    def values(self, hp):
        if not self.wide:
            rows = list(self.settings.rows)
            row = transformer.sized(PUBLISHED, hp.Choice("row", rows, default=rows[0]))
            return {"dim": row.dim, "depth": row.depth, "mlp_dim": row.mlp_dim}
        values = self.searched(
            hp, dim=[32, 48, 64, 96, 128, 192, 256], depth=range(2, 11, 2),
            mlp_dim=[64, 128, 256, 512], heads=[2, 4, 6, 8], patch_size=[4, 7, 14],
            learning_rate=(1e-4, 5e-3), attention_scale=["model", "head"],
        )
        if values["dim"] % values["heads"]:
            search.refuse(f"{values['heads']} heads do not divide {values['dim']} features")
        return values

    def build(self, values):
        images = len(mnist.load(self.settings.source)[0][0])
        images -= self.settings.validation if self.wide else 0
        steps = -(-images // self.settings.batch_size)
        return transformer.build(self.recipe(**values), steps)

    def factors(self, hyperparameters, values):
        """A row of Table 3 is three factors, its sizes."""
        return hyperparameters if self.wide else values

    def fit(self, values, model, checkpoint, epochs):
        recipe = self.recipe(epochs=epochs, **values)
        if not self.wide:
            run = transformer.train(recipe, 0, str(checkpoint))
            return {"test_accuracy": float(run["test_accuracy"][-1]),
                    "seconds": epochs * float(run["seconds"])}
        (x, y), _ = mnist.load(recipe.source)
        x, held = mnist.scale(x), self.settings.validation
        accuracy = search.train(
            model, x[:-held], y[:-held], validation_data=(x[-held:], y[-held:]), epochs=epochs,
            batch_size=recipe.batch_size, checkpoint=checkpoint,
            jit_compile=epochs >= _EPOCHS_THAT_PAY_FOR_XLA and recipe.source == "full",
        )["val_accuracy"]
        return {"val_accuracy": max(accuracy)}
