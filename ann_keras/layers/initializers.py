"""Initial weights of another framework, where the published runs used it."""

import keras


def pytorch_uniform(inputs):
    """Initialisers as of PyTorch's ``Linear``: kernel and bias uniform on ±1/√inputs.

    Source: ``torch.nn.Linear.reset_parameters``.

    Args:
        inputs: features that the layer is given.

    Returns:
        Dict with "kernel_initializer" and "bias_initializer", arguments of a Dense layer.
    """
    limit = inputs**-0.5
    return {
        "kernel_initializer": keras.initializers.RandomUniform(-limit, limit),
        "bias_initializer": keras.initializers.RandomUniform(-limit, limit),
    }
