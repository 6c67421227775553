"""A run: a function, and everything that decides what it gives."""

import dataclasses
import functools
import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ann_keras.errors import UserError

_SUPPLIED = "checkpoint"  # an argument that the engine gives, and that decides nothing


class Run:
    """A call of a function that is not made yet.

    Args:
        function: of a module or a script, called by its arguments' names; gives a dict of numbers
            and arrays. Its attribute ``version``, 1 without one, is raised by hand when what it
            gives changes its meaning.
        arguments: numbers, texts, lists and dataclasses of these, and runs or lists of runs, for
            which the function receives what they gave, a ``Finished``. Those left out are the
            function's defaults.

    Attributes:
        arguments: all of them, by name.
        dependencies: runs among the arguments.

    Raises:
        TypeError: the function has no name by which another process finds it, arguments do not fit
            it, or one is of another kind.
    """

    def __init__(self, function, **arguments):
        if function.__qualname__ != function.__name__:
            raise TypeError(f"{function.__qualname__} is not a function of a module")
        bound = inspect.signature(function).bind(**arguments)
        bound.apply_defaults()
        self.function = function
        self.arguments = {name: value for name, value in bound.arguments.items()
                          if name != _SUPPLIED}
        self.dependencies = [run for value in self.arguments.values() for run in _listed(value)
                             if isinstance(run, Run)]
        self.recipe, self.seed = self.arguments.get("recipe"), self.arguments.get("seed")

    @functools.cached_property
    def content(self):
        """What decides the outcome, as JSON values."""
        return {"function": f"{module_of(self.function)}.{self.function.__name__}",
                "version": getattr(self.function, "version", 1),
                "arguments": {name: _plain(value) for name, value in self.arguments.items()}}

    @functools.cached_property
    def text(self):
        return json.dumps(self.content, sort_keys=True, allow_nan=False)

    @functools.cached_property
    def key(self):
        """A digest of the content, 16 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @property
    def name(self):
        """Last part of the module and name of the function, such as "gan.train"."""
        return ".".join(self.content["function"].split(".")[-2:])

    @functools.cached_property
    def label(self):
        """A line for people: the name, arguments, what differs from a recipe's defaults, seed."""
        parts = [self.name]
        for name, value in self.arguments.items():
            if dataclasses.is_dataclass(value):
                changes = differences(type(value)(), value)
                parts += [f"{field.replace('_', ' ')} {value_text(new)}"
                          for field, new in changes.items()]
            elif isinstance(value, Run) and value is self.dependencies[0]:
                parts.append(f"of {value.label}")
            elif value not in (None, ()) and not any(
                isinstance(item, Run) for item in _listed(value)
            ):
                parts.append(f"{name.replace('_', ' ')} {value_text(value)}")
        # The seed last, wherever it stands among the arguments.
        return ", ".join(sorted(parts, key=lambda part: part == f"seed {self.seed}"))

    @property
    def takes_checkpoint(self):
        return _SUPPLIED in inspect.signature(self.function).parameters


class Finished(dict):
    """What a run gave, NumPy arrays by name.

    Attributes:
        recipe, seed: arguments of the run of these names, or None.
        seconds: that the run took.
    """

    def __init__(self, values, run, seconds):
        super().__init__(values)
        self.recipe, self.seed, self.seconds = run.recipe, run.seed, seconds
        self._label = run.label

    def __missing__(self, name):
        raise UserError(f"{self._label}: its {name} were not kept; --fresh repeats it")


class Result(Mapping):
    """What a run gives; reading a value waits for it.

    Args:
        run: ``Run``.
        engine: ``engine.Engine`` that computes it.
    """

    def __init__(self, run, engine):
        self.run, self._engine = run, engine
        self.recipe, self.seed = run.recipe, run.seed

    def __getitem__(self, name):
        return self._engine.read(self.run)[name]

    def __contains__(self, name):
        return name in self._engine.read(self.run)

    def __iter__(self):
        return iter(self._engine.read(self.run))

    def __len__(self):
        return len(self._engine.read(self.run))


class Results(list):
    """``Result``s, one a seed; ``results["loss"]`` is an array with seeds as its first axis."""

    def __getitem__(self, key):
        if isinstance(key, str):
            return np.stack([result[key] for result in self])
        found = super().__getitem__(key)
        return Results(found) if isinstance(key, slice) else found


def module_of(function):
    """Name of a function's module; of one in a script that is being run, the script's."""
    if function.__module__ != "__main__":
        return function.__module__
    return Path(sys.modules["__main__"].__file__).stem


def address(function):
    """(module, file, name) by which ``find`` has a function in another process."""
    return module_of(function), inspect.getfile(function), function.__name__


def find(module, file, name):
    """The function that ``address`` names; scripts, which no package holds, are read."""
    if module not in sys.modules and "." not in module:
        load(file)
    return getattr(importlib.import_module(module), name)


def load(file):
    """The module of a script's file."""
    name = Path(file).stem
    specification = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(specification)
    # Before it runs: dataclasses look their module up.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def differences(first, second, prefix=""):
    """Fields in which the second of two dataclass instances differs: dict of name → its value.

    Names of fields of nested dataclasses have dots.
    """
    found = {}
    for field in dataclasses.fields(second):
        old, new = getattr(first, field.name), getattr(second, field.name)
        if dataclasses.is_dataclass(new) and type(old) is type(new):
            found |= differences(old, new, f"{prefix}{field.name}.")
        elif old != new:
            found[prefix + field.name] = new
    return found


def value_text(value):
    """A setting's value in short."""
    if isinstance(value, (tuple, list)):
        return "/".join(map(value_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(value):
    return value if isinstance(value, (list, tuple)) else [value]


def _plain(value):
    """JSON values that tell an argument from others."""
    if isinstance(value, Run):
        return {"run": value.key}
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
            # A field that came later: with the value that earlier runs had, the key is theirs.
            if "before" not in field.metadata
            or getattr(value, field.name) != field.metadata["before"]
        }
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{value!r} cannot be an argument of a run")
