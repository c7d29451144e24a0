"""Validation of X, sample weights and scorers."""

from inspect import signature
from numbers import Real

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_array, validate_data

from ..engine import KERNELS
from ..engine.numerics.statistics import has_missing

DTYPES = [np.float64, np.float32]


def accepts_missing(estimator):
    """Return whether the first layer is a distance layer, which can leave out missing features."""
    sizes, activations, output_layer = estimator._layers()
    first = activations[:1] if sizes else (output_layer,)
    return any(isinstance(name, str) and name in (*KERNELS, "distance") for name in first)


def validate_rows(estimator, X, *y, **options):
    """Return validated X, and y if given; NaN is an error if the first layer is dot-product."""
    options |= {"accept_sparse": "csr", "dtype": DTYPES, "ensure_all_finite": "allow-nan"}
    validated = validate_data(estimator, X, *y, **options)
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
