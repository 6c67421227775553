"""Measures: likelihoods, samples, labels by a convnet, curves, forecasts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={"ais", "curves", "forecasts", "generative", "labels", "restoration", "scoreboard"},
)
