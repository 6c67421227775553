"""How a Keras model is fitted when ``keras.Model.fit`` is not enough."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "compiled", "finite", "lbfgs", "metrics", "progress", "resume", "ridge", "rollout",
        "tensorboard",
    },
)
