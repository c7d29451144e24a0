"""Conversion of constructor parameters from NumPy's and other types to Python's own."""

from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = ["as_list", "plain"]

#: Types, narrower ones first, and the functions that convert them to Python's own.
CONVERSIONS: list[tuple[Any, Any]] = [
    ((bool, np.bool_), bool),
    (Integral, int),
    (Real, float),
    (str, str),
]


def as_list(value):
    """Return the entries of a list, a tuple or a 1-D array; None for anything else."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return list(value)
    return None


def plain(value):
    """Convert numbers and strings, and sequences of them, to int, float, bool, str and list."""
    entries = as_list(value)
    if entries is not None:
        return [plain(entry) for entry in entries]
    for kind, convert in CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return value
