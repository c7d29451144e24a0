"""Checks of constructor parameters and sample weights, with one message template."""

import sys
from collections import ChainMap
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils.validation import check_array

from ..engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from ..engine.layers.distances import RADIUS_TYPES
from ..engine.layers.dropout import DROPOUT_SCHEDULES
from ..engine.losses import REGRESSION_LOSSES
from ..engine.network import OUTPUT_LAYERS
from ..engine.optim.weight_decay import PENALTIES
from .parameters import as_list

__all__ = [
    "COUNT",
    "RULES",
    "Number",
    "OneOf",
    "check_parameter",
    "check_parameters",
    "check_sample_weight",
]

#: The largest int that arrays and counters hold, and the most units that a layer may have.
LARGEST, MOST_UNITS = 2**63 - 1, 2**31 - 1


@dataclass(frozen=True)
class OneOf:
    """One of a few strings."""

    names: Iterable[str]

    def __str__(self):
        return f"one of {sorted(self.names)}"

    def accepts(self, value):
        return isinstance(value, str) and value in self.names


@dataclass(frozen=True)
class Number:
    """A number between `low` and `high`, which an open end leaves out."""

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


class Boolean:
    """True or False."""

    def __str__(self):
        return "a bool"

    def accepts(self, value):
        return isinstance(value, (bool, np.bool_))


class Nothing:
    """None."""

    def __str__(self):
        return "None"

    def accepts(self, value):
        return value is None


class LayerSizes:
    """Units of each hidden layer."""

    def __str__(self):
        return f"an int in [1, {MOST_UNITS}], or a sequence of them (empty for no hidden layer)"

    def accepts(self, value):
        rule, sizes = Number(1, MOST_UNITS, integer=True), as_list(value)
        return all(map(rule.accepts, [value] if sizes is None else sizes))


class LayerNames:
    """One activation for each hidden layer."""

    def __str__(self):
        return "a sequence of them (one for each hidden layer)"

    def accepts(self, value):
        rule, names = OneOf([*KERNELS, *ACTIVATIONS]), as_list(value)
        return names is not None and all(map(rule.accepts, names))


class Levels:
    """Levels of quantiles, the lowest first."""

    def __str__(self):
        return "an increasing sequence of them"

    def accepts(self, value):
        levels = as_list(value)
        if not levels or not all(map(WITHIN.accepts, levels)):
            return False
        return all(low < high for low, high in pairwise(map(float, levels)))


class Array:
    """A matrix of centroids; its shape is checked against X in fit."""

    def __str__(self):
        return "an array"

    def accepts(self, value):
        if not (hasattr(value, "__array__") or isinstance(value, (list, tuple))):
            return False
        try:
            return np.asarray(value, dtype=np.float64).ndim > 0
        except (TypeError, ValueError):
            return False


class Callable:
    """A function."""

    def __str__(self):
        return "a callable"

    def accepts(self, value):
        return callable(value)


class Scorer:
    """The name of one of scikit-learn's scorers."""

    def __str__(self):
        return "a name of sklearn.metrics.get_scorer_names()"

    def accepts(self, value):
        return isinstance(value, str) and value in get_scorer_names()


class RandomState:
    """What scikit-learn's check_random_state takes."""

    def __str__(self):
        return "an int in [0, 4294967295], a numpy.random.RandomState or None"

    def accepts(self, value):
        seed = Number(0, 2**32 - 1, integer=True)
        is_generator = isinstance(value, np.random.RandomState) or value is np.random
        return value is None or is_generator or seed.accepts(value)


class ClassWeights:
    """Weights by label; whether they cover the classes is checked against y in fit."""

    def __str__(self):
        return "a dict of positive floats by label, a list of such dicts (one for each output)"

    def accepts(self, value):
        dicts = [value] if isinstance(value, dict) else as_list(value)
        return bool(dicts) and all(
            isinstance(weights, dict) and all(map(POSITIVE.accepts, weights.values()))
            for weights in dicts
        )


class Folder:
    """The path of a folder; whether it can be made is found in fit."""

    def __str__(self):
        return "the path of a folder"

    def accepts(self, value):
        return isinstance(value, (str, PathLike)) and value != ""


POSITIVE = Number(0, ends="()")
NOT_NEGATIVE = Number(0, ends="[)")
FRACTION = Number(0, 1, "[)")
WITHIN = Number(0, 1, "()")
COUNT = Number(1, LARGEST, integer=True)

#: For each parameter, what is allowed: any one of the rules.
RULES: dict[str, list[Any]] = {
    "hidden_layer_sizes": [LayerSizes()],
    "activation": [OneOf(ChainMap(KERNELS, ACTIVATIONS)), LayerNames()],
    "output_layer": [OneOf(OUTPUT_LAYERS)],
    "radius_type": [OneOf(RADIUS_TYPES)],
    "loss": [OneOf(REGRESSION_LOSSES)],
    "huber_delta": [POSITIVE],
    "quantile": [WITHIN, Levels()],
    "init": [OneOf(INITIALIZERS), Array(), Callable()],
    "init_median_activation": [WITHIN, Nothing()],
    "n_init": [COUNT],
    "n_jobs": [COUNT, Number(-LARGEST, -1, integer=True), Nothing()],
    "standardize": [Boolean()],
    "solver": [OneOf(SOLVERS)],
    "learning_rate": [OneOf(SCHEDULES), Callable()],
    "learning_rate_init": [OneOf(("auto",)), POSITIVE],
    "power_t": [NOT_NEGATIVE],
    "decay_rate": [NOT_NEGATIVE],
    "rho": [FRACTION],
    "momentum": [FRACTION],
    "nesterovs_momentum": [Boolean()],
    "beta_1": [FRACTION],
    "beta_2": [FRACTION],
    "epsilon": [POSITIVE],
    "alpha": [NOT_NEGATIVE],
    "decay": [OneOf(PENALTIES)],
    "dropout": [FRACTION],
    "dropout_schedule": [OneOf(DROPOUT_SCHEDULES)],
    "label_smoothing": [FRACTION],
    "class_weight": [OneOf(("balanced",)), ClassWeights(), Nothing()],
    "dtype": [OneOf(("float32", "float64")), Nothing()],
    "batch_size": [OneOf(("auto",)), COUNT],
    "max_iter": [COUNT],
    "shuffle": [Boolean()],
    "random_state": [RandomState()],
    "tol": [NOT_NEGATIVE],
    "n_iter_no_change": [COUNT],
    "early_stopping": [Boolean()],
    "validation_fraction": [WITHIN],
    "scoring": [OneOf(("loss",)), Scorer(), Callable()],
    "false_alarm_rate": [WITHIN],
    "handle_novelty": [OneOf(("prior",)), Nothing()],
    "warm_start": [Boolean()],
    "checkpoint_dir": [Folder(), Nothing()],
    "checkpoint_every": [COUNT],
    "verbose": [Boolean(), Number(0, LARGEST, integer=True)],
}


def check_parameter(name, parameter, value, rules):
    """Raise a ValueError unless one of the rules for a parameter of `name` accepts the value."""
    if not any(rule.accepts(value) for rule in rules):
        *others, last = map(str, rules)
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(
            f"The {parameter!r} parameter of {name} must be {allowed}; got {shown(value)}."
        )


def shown(value):
    """Return the repr of a value, or its type if it is an int too large for Python to print."""
    try:
        return repr(value)
    except ValueError:
        return f"{type(value).__name__} of more than {sys.get_int_max_str_digits()} digits"


def check_parameters(estimator):
    """Raise a ValueError for the first parameter of `estimator` that no rule accepts.

    A parameter of the wrong type is a ValueError too, as in scikit-learn.
    """
    name = type(estimator).__name__
    for parameter in estimator._own_defaults:  # those of a subclass are for the subclass to check
        check_parameter(name, parameter, getattr(estimator, parameter), RULES[parameter])
    n_layers = np.size(estimator.hidden_layer_sizes)
    if not isinstance(estimator.activation, str) and len(estimator.activation) != n_layers:
        raise ValueError(
            f"The 'activation' parameter of {name} must be a name, or one for each of the "
            f"{n_layers} hidden layers; got {estimator.activation!r}."
        )


def check_sample_weight(sample_weight, n_rows):
    """Weights as float64, or None where all rows count alike.

    Raises
    ------
    ValueError
        For weights of the wrong shape, negative, not finite, or all zero.
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_rows, sample_weight)
    weights = check_array(
        sample_weight,
        dtype=np.float64,
        order="C",  # sums of a view with negative strides differ in the last bit
        ensure_2d=False,
        input_name="sample_weight",
    )
    if weights.ndim != 1 or len(weights) != n_rows:
        raise ValueError(
            f"'sample_weight' must have shape ({n_rows},), a weight for each row of X; "
            f"got {weights.shape}."
        )
    if weights.min() < 0:
        raise ValueError(f"'sample_weight' must not be negative; got {weights.min()}.")
    largest = weights.max()
    if largest == 0:
        raise ValueError("'sample_weight' must not be zero for every row.")
    # Their sum must not overflow, and only their ratios matter.
    return weights if largest < 1e150 and largest > 1e-150 else weights / largest
