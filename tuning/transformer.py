"""The vision transformer: Table 3's grid as published, or a wider space by Hyperband.

The report trains 40 combinations of dim, depth and mlp_dim and ranks them by test accuracy; so
does ``--space table``, which task 3.3.2 runs too. The wider space (``--space wide``) adds heads,
patches, learning rate and the scale of the attention scores (D9), and looks at held-out training
images instead.
"""

from dataclasses import dataclass
from typing import Literal

from ann_keras import experiments, models
from ann_keras.data import mnist
from ann_keras.errors import UserError
from ann_keras.report import published
from tuning import oracles, outputs, search
from tuning.tuner import Tuner, project_folder

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
    learning_rate: float = 1e-3  # report: of the table's space
    batch_size: int = 128  # report
    attention_scale: Literal["model", "head"] = "model"  # report: D9, of the table's space
    source: Literal["full", "sample"] = "full"  # report
    validation: int = 5_000  # ours: last training images, held out in the wide space


PRESETS = {
    "smoke": Settings(rows=("32/4/64", "32/4/128"), max_trials=2, source="sample",
                      validation=500, wide_epochs=3),
    "quick": Settings(rows=("32/4/64", "64/4/64", "128/4/64"), source="sample", validation=500),
    "report": Settings(),
}


class Search(search.Search):
    """Table 3's rows or the wider space, by ``settings.space``.

    Args:
        settings: ``Settings``.
        train: for the table's rows, with the arguments and results of
            ``experiments.transformer.train``.
    """

    direction = "max"

    def __init__(self, settings, train=None):
        super().__init__(settings)
        self.train = train or experiments.transformer.train
        table = settings.space == "table"
        self.objective = "test_accuracy" if table else "val_accuracy"
        self.tuner = "grid" if table else "hyperband"

    @property
    def max_epochs(self):
        table = self.settings.space == "table"
        return self.settings.epochs if table else self.settings.wide_epochs

    def identity(self):
        settings = super().identity()
        table = "validation", "wide_epochs"
        wide = "rows", "epochs", "learning_rate", "attention_scale"
        for name in table if self.settings.space == "table" else wide:
            del settings[name]
        return settings

    def values(self, hp):
        if self.settings.space == "table":
            rows = list(self.settings.rows)
            row = hp.Choice("row", rows, default=rows[0])
            dim, depth, mlp_dim = experiments.grid.row_sizes(row)
            return {
                "dim": dim, "depth": depth, "mlp_dim": mlp_dim,
                "learning_rate": self.settings.learning_rate,
                "attention_scale": self.settings.attention_scale,
            }
        values = {
            "dim": hp.Choice("dim", [32, 48, 64, 96, 128, 192, 256], default=128),
            "depth": hp.Int("depth", 2, 10, step=2, default=8),
            "mlp_dim": hp.Choice("mlp_dim", [64, 128, 256, 512], default=128),
            "heads": hp.Choice("heads", [2, 4, 6, 8], default=8),
            "patch_size": hp.Choice("patch_size", [4, 7, 14], default=7),
            "learning_rate": hp.Float("learning_rate", 1e-4, 5e-3, sampling="log", default=1e-3),
            "attention_scale": hp.Choice("attention_scale", ["model", "head"], default="model"),
        }
        if values["dim"] % values["heads"]:
            search.refuse(f"{values['heads']} heads do not divide {values['dim']} features")
        return values

    def build(self, hp):
        values = self.values(hp)
        rate = values.pop("learning_rate")
        model = models.vit.vision_transformer(**values)
        experiments.transformer.compile(model, rate, self._steps())
        return model

    def factors(self, hyperparameters, settings):
        """A row of Table 3 is three factors."""
        if self.settings.space == "wide":
            return hyperparameters
        return {name: settings[name] for name in ("dim", "depth", "mlp_dim")}

    def fit(self, hp, model, *, checkpoint, epochs=None):
        epochs, settings = epochs or self.max_epochs, self.settings
        if settings.space == "table":
            run = self.train(
                **self.values(hp), epochs=epochs, seed=0, source=settings.source,
                batch_size=settings.batch_size, checkpoint=str(checkpoint),
            )
            return {
                "test_accuracy": float(run["test_accuracy"][-1]),
                "parameters": model.count_params(), "seconds": epochs * float(run["seconds"]),
            }
        (x, y), _ = mnist.load(settings.source)
        x, held = mnist.scale(x), settings.validation
        accuracy = search.train(
            model, x[:-held], y[:-held], validation_data=(x[-held:], y[-held:]), epochs=epochs,
            batch_size=settings.batch_size, checkpoint=checkpoint,
            jit_compile=epochs >= _EPOCHS_THAT_PAY_FOR_XLA and settings.source == "full",
        )["val_accuracy"]
        return {"val_accuracy": max(accuracy), "parameters": model.count_params()}

    def _steps(self):
        images = len(mnist.load(self.settings.source)[0][0])
        if self.settings.space == "wide":
            images -= self.settings.validation
        return -(-images // self.settings.batch_size)


def table_accuracies(settings, train, output, *, fresh=False):
    """Search the rows of ``settings`` and give dict of row → test accuracy, for task 3.3.2.

    ``python -m tuning transformer`` with the same settings is the same search.

    Args:
        settings: ``Settings`` with the table's space.
        train: as of ``Search``.
        output: folder of the search's tables and figures, and of its trials.
        fresh: forget the trials that there are.

    Raises:
        UserError: a trial failed; ``train``'s own errors of bad input among them.
    """
    found = Search(settings, train)
    project = project_folder(output / "search", found.tuner, found, seed=1, fresh=fresh)
    oracle = oracles.create(
        found.tuner, found, max_trials=settings.max_trials, epochs=settings.epochs, seed=1
    )
    Tuner(found, oracle, project).search(verbose=0)
    trials = outputs.rows(found, oracle.trials.values())
    outputs.save(output, found, trials, {})
    scores = {trial.hyperparameters["row"]: trial for trial in trials}
    for row in settings.rows:
        if row not in scores or scores[row].objective is None:
            reason = scores[row].message if row in scores else "not tried"
            raise UserError(f"{project} has no result for {row} ({reason}): delete it to try again")
    return {row: scores[row].objective for row in settings.rows}
