"""Checks of constructor parameters and sample weights, with one message template."""

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

from ._handling import HANDLINGS
from .engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from .engine.distances import RADIUS_TYPES
from .engine.dropout import DROPOUT_SCHEDULES
from .engine.losses import REGRESSION_LOSSES
from .engine.network import OUTPUT_LAYERS
from .engine.regularization import DECAYS

__all__ = ["RULES", "Number", "OneOf", "check_parameter", "check_parameters", "check_sample_weight"]


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
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
            return False
        if self.integer and not isinstance(value, Integral):
            return False
        value = float(value)
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
        return "a positive int, or a sequence of them (empty for no hidden layer)"

    def accepts(self, value):
        rule = Number(1, ends="[)", integer=True)
        if rule.accepts(value):
            return True
        is_sequence = isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) == 1
        return is_sequence and all(rule.accepts(size) for size in value)


class LayerNames:
    """One activation for each hidden layer."""

    def __str__(self):
        return "a sequence of them (one for each hidden layer)"

    def accepts(self, value):
        rule = OneOf([*KERNELS, *ACTIVATIONS])
        return isinstance(value, (list, tuple)) and all(rule.accepts(name) for name in value)


class Levels:
    """Levels of quantiles, the lowest first."""

    def __str__(self):
        return "an increasing list of them"

    def accepts(self, value):
        is_list = isinstance(value, (list, tuple)) and len(value) > 0
        return (
            is_list
            and all(WITHIN.accepts(level) for level in value)
            and all(low < high for low, high in pairwise(value))
        )


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
        if isinstance(value, list):
            return bool(value) and all(
                isinstance(each, dict) and self.accepts(each) for each in value
            )
        return isinstance(value, dict) and all(
            POSITIVE.accepts(weight) for weight in value.values()
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
COUNT = Number(1, ends="[)", integer=True)

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
    "n_jobs": [COUNT, Number(high=-1, ends="(]", integer=True), Nothing()],
    "standardize": [Boolean()],
    "solver": [OneOf(SOLVERS)],
    "learning_rate": [OneOf(SCHEDULES)],
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
    "decay": [OneOf(DECAYS)],
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
    "handle_novelty": [OneOf(HANDLINGS), Nothing()],
    "warm_start": [Boolean()],
    "checkpoint_dir": [Folder(), Nothing()],
    "checkpoint_every": [COUNT],
    "verbose": [Boolean(), Number(0, ends="[)", integer=True)],
}


def check_parameter(name, parameter, value, rules):
    """Raise a ValueError unless one of the rules for a parameter of `name` accepts the value."""
    if not any(rule.accepts(value) for rule in rules):
        *others, last = map(str, rules)
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"The {parameter!r} parameter of {name} must be {allowed}; got {value!r}.")


def check_parameters(estimator):
    """Raise a ValueError for the first parameter of `estimator` that no rule accepts.

    A parameter of the wrong type is a ValueError too, as in scikit-learn.
    """
    name = type(estimator).__name__
    for parameter, value in estimator.get_params(deep=False).items():
        check_parameter(name, parameter, value, RULES[parameter])
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
