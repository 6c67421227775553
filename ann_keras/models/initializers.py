"""Initial weights of another framework, where the published runs used it."""

import keras


def pytorch_dense(units, inputs, **options):
    """A Dense layer that starts as PyTorch's ``Linear`` does.

    Kernel and bias are uniform on ±1/√inputs (``torch.nn.Linear.reset_parameters``).

    Args:
        units: outputs of the layer.
        inputs: features it will be given, which bound the initial weights.
        options: further arguments of ``keras.layers.Dense``.
    """
    limit = inputs**-0.5
    return keras.layers.Dense(
        units,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        **options,
    )
