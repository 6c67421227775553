"""Fields of recipes and settings that need more than a default."""

from dataclasses import field


def from_zero(default):
    """A whole number that may be 0; others begin at 1 on a command line."""
    return field(default=default, metadata={"least": 0})


def added(default, before):
    """A field that came after runs were stored, which all had the value ``before``.

    With that value the key of a run is what it was without the field.
    """
    return field(default=default, metadata={"before": before})
