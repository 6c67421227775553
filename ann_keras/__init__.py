"""A university report on artificial neural networks, rebuilt in Keras 3.

Sub-packages load on first use, so that ``--help`` answers before TensorFlow is imported.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "command", "data", "errors", "evaluation", "files", "layers", "models",
        "plots", "recipes", "report", "runs", "training",
    },
)
