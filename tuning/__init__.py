"""Searches by keras-tuner, one a module: ``python -m tuning list`` names them."""

import ast
from importlib import import_module
from pathlib import Path

SEARCHES = (
    "regression", "timeseries_mlp", "timeseries_lstm", "autoencoder", "convnet", "transformer",
    "rbm", "vae",
)


def describe(name):
    """First line of a search's docstring, read without importing it."""
    source = Path(__file__).with_name(f"{name}.py").read_text()
    return ast.get_docstring(ast.parse(source)).splitlines()[0]


def load(name):
    """The module of a search: its ``PRESETS`` and its ``Search`` class."""
    return import_module(f"tuning.{name}")
