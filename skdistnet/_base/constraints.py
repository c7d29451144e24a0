"""Rules for constructor parameters, checked with one message template."""

import sys
from collections import ChainMap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import inf
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from ..engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from ..engine.layers.distances import RADIUS_TYPES
from ..engine.optim.weight_decay import PENALTIES

#: The largest int that arrays and counters hold.
LARGEST = 2**63 - 1


def as_list(value):
    """Return the entries of a list, a tuple or a 1-D array; None for anything else."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return list(value)
    return None


def to_builtin(value):
    """Convert numbers and strings, and sequences of them, to int, float, bool, str and list."""
    entries = as_list(value)
    if entries is not None:
        return [to_builtin(entry) for entry in entries]
    kinds: list[Any] = [((bool, np.bool_), bool), (Integral, int), (Real, float), (str, str)]
    for kind, convert in kinds:
        if isinstance(value, kind):
            return convert(value)
    return value


@dataclass(frozen=True)
class OneOf:
    """One of the names in a collection, which is read when a value is checked."""

    names: Collection[str]

    def __str__(self):
        return f"one of {sorted(self.names)}"

    def accepts(self, value):
        return isinstance(value, str) and value in self.names


@dataclass(frozen=True)
class Number:
    """A number between `low` and `high`; a round bracket in `ends` excludes that end."""

    low: float = -inf
    high: float = inf
    ends: str = "[]"
    integer: bool = False

    def __str__(self):
        name = "an int" if self.integer else "a float"
        return f"{name} in {self.ends[0]}{self.low}, {self.high}{self.ends[1]}"

    def accepts(self, value):
        kind = Integral if self.integer else Real
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, kind):
            return False
        if not self.integer:
            try:
                value = float(value)
            except OverflowError:  # an int or a fraction beyond all floats
                return False
        above = value > self.low or (self.ends[0] == "[" and value == self.low)
        below = value < self.high or (self.ends[1] == "]" and value == self.high)
        return bool(above and below)


@dataclass(frozen=True)
class Rule:
    """A function that decides which values are allowed, with a description for messages."""

    description: str
    accepts: Callable[[Any], bool]

    def __str__(self):
        return self.description


POSITIVE = Number(0, ends="()")
NOT_NEGATIVE = Number(0, ends="[)")
FRACTION = Number(0, 1, "[)")
WITHIN = Number(0, 1, "()")
COUNT = Number(1, LARGEST, integer=True)
UNITS = Number(1, 2**31 - 1, integer=True)
SEED = Number(0, 2**32 - 1, integer=True)
ACTIVATION = OneOf(ChainMap(KERNELS, ACTIVATIONS))
BOOLEAN = Rule("a bool", lambda value: isinstance(value, (bool, np.bool_)))
NONE = Rule("None", lambda value: value is None)
CALLABLE = Rule("a callable", callable)


def is_sequence_of(rule, value):
    entries = as_list(value)
    return entries is not None and all(map(rule.accepts, entries))


def is_increasing(value):
    if not is_sequence_of(WITHIN, value) or not len(value):
        return False
    return all(low < high for low, high in pairwise(map(float, value)))


def is_numeric_array(value):
    if not (hasattr(value, "__array__") or isinstance(value, (list, tuple))):
        return False
    try:
        return np.asarray(value, dtype=np.float64).ndim > 0
    except (TypeError, ValueError):
        return False


def is_feature_list(value):
    entries = as_list(value)
    if entries is None:  # an index or a series of pandas may be an array
        entries = as_list(np.asarray(value))
    if entries is None:
        return False
    return any(
        all(isinstance(entry, kind) for entry in entries)
        for kind in ((bool, np.bool_), (int, np.integer), str)
    )


def is_random_state(value):
    return isinstance(value, np.random.RandomState) or value is np.random


def is_class_weights(value):
    dicts = [value] if isinstance(value, dict) else as_list(value)
    return bool(dicts) and all(
        isinstance(weights, dict) and all(map(POSITIVE.accepts, weights.values()))
        for weights in dicts
    )


#: The rules for each parameter that both estimators have; one of them must hold.
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": [
        UNITS,
        Rule("a sequence of them (empty for no hidden layer)", partial(is_sequence_of, UNITS)),
    ],
    "activation": [
        ACTIVATION,
        Rule("a sequence of them (one for each hidden layer)", partial(is_sequence_of, ACTIVATION)),
    ],
    "radius_type": [OneOf(RADIUS_TYPES)],
    "linear_part": [BOOLEAN],
    "init": [OneOf(INITIALIZERS), Rule("an array", is_numeric_array), CALLABLE],
    "init_median_activation": [OneOf(("auto",)), WITHIN, NONE],
    "n_init": [COUNT],
    "n_jobs": [COUNT, Number(-LARGEST, -1, integer=True), NONE],
    "standardize": [BOOLEAN],
    "categorical_features": [
        OneOf(("from_dtype",)),
        Rule("a mask, indices or names of features", is_feature_list),
        NONE,
    ],
    "solver": [OneOf(SOLVERS)],
    "learning_rate": [OneOf(SCHEDULES), CALLABLE],
    "learning_rate_init": [OneOf(("auto",)), POSITIVE],
    "rho": [FRACTION],
    "momentum": [FRACTION],
    "beta_1": [FRACTION],
    "beta_2": [FRACTION],
    "epsilon": [POSITIVE],
    "alpha": [NOT_NEGATIVE],
    "penalty": [OneOf(PENALTIES)],
    "dropout": [FRACTION],
    "dtype": [OneOf(("float32", "float64")), NONE],
    "batch_size": [OneOf(("auto",)), COUNT],
    "max_iter": [COUNT],
    "random_state": [SEED, Rule("a numpy.random.RandomState", is_random_state), NONE],
    "tol": [NOT_NEGATIVE],
    "n_iter_no_change": [COUNT],
    "early_stopping": [OneOf(("auto",)), BOOLEAN],
    "validation_fraction": [WITHIN],
    "scoring": [
        OneOf(("loss",)),
        Rule("a name of sklearn.metrics.get_scorer_names()", OneOf(get_scorer_names()).accepts),
        CALLABLE,
    ],
    "warm_start": [BOOLEAN],
    "checkpoint": [
        Rule("the path of a folder", lambda path: isinstance(path, (str, PathLike)) and path != ""),
        NONE,
    ],
    "verbose": [BOOLEAN, Number(0, LARGEST, integer=True)],
}


def check_parameter(name, parameter, value, rules):
    """Raise a ValueError unless one of the rules for a parameter of `name` accepts the value."""
    if not any(rule.accepts(value) for rule in rules):
        *others, last = map(str, rules)
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(
            f"The {parameter!r} parameter of {name} must be {allowed}; got {printable(value)}."
        )


def printable(value):
    """Return the repr of a value, or its type if it is an int too large for Python to print."""
    try:
        return repr(value)
    except ValueError:
        return f"{type(value).__name__} of more than {sys.get_int_max_str_digits()} digits"


def check_parameters(estimator):
    """Raise a ValueError for the first parameter that `_parameter_constraints` do not allow."""
    name = type(estimator).__name__
    for parameter, rules in estimator._parameter_constraints.items():
        check_parameter(name, parameter, getattr(estimator, parameter), rules)
    if "hidden_layer_sizes" not in estimator._parameter_constraints:
        return
    n_layers = np.size(estimator.hidden_layer_sizes)
    if not isinstance(estimator.activation, str) and len(estimator.activation) != n_layers:
        raise ValueError(
            f"The 'activation' parameter of {name} must be a name, or one for each of the "
            f"{n_layers} hidden layers; got {estimator.activation!r}."
        )
