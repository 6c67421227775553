"""Keras metrics that the report's figures need and Keras does not have."""

import keras


class LastBatchError(keras.metrics.Metric):
    """Mean squared error of the latest mini-batch alone, not averaged over the epoch.

    Read at the end of an epoch it is the value that the published runs of task 1.3.4 recorded.
    """

    def __init__(self, name="last_batch_mse", **options):
        super().__init__(name=name, **options)
        self.error = self.add_variable((), initializer="zeros", name="error")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Replace the value by the error of this batch, targets and outputs of shape (n, k)."""
        y_true = keras.ops.cast(y_true, y_pred.dtype)
        self.error.assign(keras.ops.mean(keras.ops.square(y_true - y_pred)))

    def result(self):
        """The error of the latest batch."""
        return keras.ops.convert_to_tensor(self.error)


class BatchLosses(keras.metrics.Metric):
    """Loss of every mini-batch of an epoch; the result is their mean.

    Args:
        loss: function of targets (n, ...) and outputs (n, ...), one value a row.
        steps: mini-batches an epoch.

    Attributes:
        values: variable (steps,), the losses in the order of the epoch.
        previous: variable (steps,), those before the last reset. Fit resets metrics between
            training and validation, so at the end of an epoch these are of training.
    """

    def __init__(self, loss, steps, name="batch_losses", **options):
        super().__init__(name=name, **options)
        self.loss, self.steps = loss, steps
        self.values = self.add_variable((steps,), initializer="zeros", name="values")
        self.previous = self.add_variable((steps,), initializer="zeros", name="previous")
        self.step = self.add_variable((), initializer="zeros", dtype="int32", name="step")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Keep the loss of this batch."""
        loss = keras.ops.cast(keras.ops.mean(self.loss(y_true, y_pred)), self.values.dtype)
        place = keras.ops.cast(keras.ops.arange(self.steps) == self.step, loss.dtype)
        self.values.assign_add(place * loss)
        self.step.assign_add(1)

    def reset_state(self):
        """Begin anew; the losses so far become the previous ones."""
        self.previous.assign(self.values)
        self.values.assign(keras.ops.zeros_like(self.values))
        self.step.assign(0)

    def result(self):
        """Mean of the losses so far."""
        count = keras.ops.maximum(keras.ops.cast(self.step, self.values.dtype), 1.0)
        return keras.ops.sum(self.values) / count
