"""Validation of X, sample weights and scorers."""

from contextlib import contextmanager
from functools import partial
from inspect import signature
from numbers import Real

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_array, check_X_y, validate_data

from ..engine import KERNELS
from ..engine.numerics.statistics import has_missing
from .categories import (
    as_columns,
    encode,
    find_categories,
    find_levels,
    has_dtypes,
    with_new_levels,
)

DTYPES = [np.float64, np.float32]


def accepts_missing(estimator):
    """Return whether the first layer is a distance layer, which can leave out missing features."""
    sizes, activations, output_layer = estimator._layers()
    first = activations[:1] if sizes else (output_layer,)
    return any(isinstance(name, str) and name in (*KERNELS, "distance") for name in first)


def validate_rows(estimator, X, *y, reset=False, learn=False, **options):
    """Return validated X, and y if given; NaN is an error if the first layer is dot-product.

    In columns of categories X has the codes of levels. `reset` finds these columns and sets their
    levels; `learn` adds levels that are new.
    """
    checks = {"accept_sparse": "csr", "dtype": DTYPES, "ensure_all_finite": "allow-nan"}
    levels = first_levels(estimator, X) if reset else estimator._levels_
    if levels is None:
        with advice_on_strings(X, reset):
            validated = validate_data(estimator, X, *y, reset=reset, **checks, **options)
    else:
        X = as_columns(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if reset or learn:
            levels = estimator._levels_ = levels if reset else with_new_levels(X, levels)
        check = partial(check_array, **checks, estimator=estimator, input_name="X")
        with advice_on_strings(X, reset):
            X = encode(X, levels, partial(check, ensure_min_samples=0))
        validated = check_X_y(X, *y, **checks, **options, estimator=estimator) if y else check(X)
    rows = validated[0] if y else validated
    if not accepts_missing(estimator) and has_missing(rows):
        sizes, activations, _ = estimator._layers()
        raise ValueError(
            f"X contains NaN, which {type(estimator).__name__} accepts as missing values only if "
            f"the first layer is a distance layer: set its 'activation' to one of "
            f"{sorted(KERNELS)}, or impute; got hidden layers of {sizes} units with activations "
            f"{activations}."
        )
    return validated


@contextmanager
def advice_on_strings(X, reset):
    """Add advice to scikit-learn's error for strings among numbers of X."""
    try:
        yield
    except ValueError as error:
        is_of_strings = str(error).startswith("could not convert string to float")
        if not is_of_strings or np.asarray(X).dtype.kind not in "OUS":
            raise
        advice = "The column held numbers when the estimator was fitted"
        if reset:
            advice = (
                "Columns of strings must be categories: list them in 'categorical_features', or "
                "pass a data frame and set it to 'from_dtype'"
            )
        raise ValueError(f"{error}. {advice}.") from error


def first_levels(estimator, X):
    """Return the levels of each column of X as `categorical_features` says, or None."""
    by_dtype = isinstance(estimator.categorical_features, str)
    if estimator.categorical_features is None or (by_dtype and not has_dtypes(X)):
        return None
    X = as_columns(X)
    mask = find_categories(X, estimator.categorical_features, type(estimator).__name__)
    return None if mask is None else find_levels(X, mask)


@contextmanager
def naming_validation_set():
    """Add to errors that they are in the validation set."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        name = "the validation set (X_val, y_val, sample_weight_val)"
        raise kind(f"In {name}: {error}") from error


def is_validated(X, n_features):
    """Return whether validation would return X unchanged; False if this is not certain."""
    matrix = type(X) is np.ndarray and X.dtype in DTYPES and X.ndim == 2
    if not matrix or X.shape[1] != n_features or not len(X):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(X.sum()))


def check_sample_weight(sample_weight, n_rows):
    """Return the weights as float64, or None; they must be non-negative, and not all zero."""
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


def accepts_sample_weight(scorer):
    """Return whether a scorer's signature has `sample_weight`; True if it cannot be read."""
    try:
        # scikit-learn's scorers all accept it and pass it to their score function, which may not.
        parameters = signature(getattr(scorer, "_score_func", scorer))
    except (TypeError, ValueError):
        return True
    try:
        parameters.bind_partial(sample_weight=None)
    except TypeError:
        return False
    return True


def check_scorer(estimator, weights):
    """Return the scorer of an estimator, and its keyword arguments for rows of these weights."""
    scorer = check_scoring(estimator, scoring=estimator.scoring)
    if weights is None:
        return scorer, {}
    if not accepts_sample_weight(scorer):
        raise ValueError(
            f"The 'scoring' parameter of {type(estimator).__name__}, {estimator.scoring!r}, takes "
            "no 'sample_weight', but rows have weights from 'sample_weight' or 'class_weight': "
            "pass a scorer that takes it."
        )
    return scorer, {"sample_weight": weights}
