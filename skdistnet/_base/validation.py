"""What X may be: a dense or sparse matrix of numbers, and of NaN where distances can do without."""

import numpy as np
from sklearn.utils.validation import validate_data

from ..engine import KERNELS
from ..engine.numerics.statistics import has_missing

__all__ = ["is_plain", "takes_missing", "validate_rows"]

DTYPES = [np.float64, np.float32]


def takes_missing(estimator):
    """Whether the first layer measures distances, which can do without a feature.

    Of a fitted estimator that is the layer it was fitted with, whatever its parameters are now.
    """
    sizes, activations, output_layer = estimator._layers()
    first = activations[:1] if sizes else (output_layer,)
    return any(isinstance(name, str) and name in (*KERNELS, "distance") for name in first)


def validate_rows(estimator, X, *y, **options):
    """X, and y if it is given, as scikit-learn's `validate_data` hands them back; sparse X by rows.

    Raises
    ------
    ValueError
        For what is no matrix of numbers, for infinity, and for NaN where the first layer takes dot
        products.
    """
    validated = validate_data(
        estimator,
        X,
        *y,
        accept_sparse="csr",
        dtype=DTYPES,
        ensure_all_finite="allow-nan",
        **options,
    )
    rows = validated[0] if y else validated
    if not takes_missing(estimator) and has_missing(rows):
        sizes, activations, _ = estimator._layers()
        raise ValueError(
            f"X contains NaN, which {type(estimator).__name__} takes for missing only where the "
            f"first layer measures distances: choose a radial 'activation' for it, one of "
            f"{sorted(KERNELS)}, or impute; got hidden layers of {sizes} units with activations "
            f"{activations}."
        )
    return validated


def is_plain(X, n_features):
    """Whether X is a matrix of rows that validation would hand back as it is.

    A sum of large numbers may overflow: then this says no, though they are finite; and so it does
    where a number is missing.
    """
    matrix = type(X) is np.ndarray and X.dtype in DTYPES and X.ndim == 2
    if not matrix or X.shape[1] != n_features or not len(X):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(X.sum()))
