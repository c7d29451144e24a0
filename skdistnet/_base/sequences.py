"""Validation of sequences and of their targets, one a sequence or one a step."""

import numpy as np
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_array

from .validation import DTYPES

SHAPE = "(n_sequences, n_timesteps, n_features)"


def given_one_by_one(X):
    """Return whether sequences are given as a list, or as an array of objects."""
    is_array_of_objects = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    return isinstance(X, (list, tuple)) or is_array_of_objects


def check_sequences(estimator, X, reset=False):
    """Return sequences as an array (n_sequences, n_timesteps, n_features); shorter ones end in NaN.

    `reset` sets the number of features, which must match otherwise.
    """
    name = type(estimator).__name__
    as_array = join if given_one_by_one(X) else to_numbers
    X = as_array(X, estimator)
    if X.ndim != 3:
        advice = "pass X[:, :, np.newaxis] if rows are sequences of one feature, or X[np.newaxis] "
        advice += "if rows are the steps of one sequence"
        raise ValueError(
            f"X must have shape {SHAPE}, or be a list of arrays of shape (n_timesteps, "
            f"n_features); got shape {X.shape}" + (f": {advice}." if X.ndim == 2 else ".")
        )
    if 0 in X.shape:
        raise ValueError(
            f"X must hold at least one sequence, step and feature; got shape {X.shape} of {SHAPE}."
        )
    if reset:
        estimator.n_features_in_ = X.shape[2]
    elif X.shape[2] != estimator.n_features_in_:
        swapped = X.shape[1] == estimator.n_features_in_
        raise ValueError(
            f"X has {X.shape[2]} features, but {name} is expecting {estimator.n_features_in_} "
            "features as input."
            + (" From (n, channels, timepoints), pass X.transpose(0, 2, 1)." if swapped else "")
        )
    empty = np.flatnonzero(np.isnan(X).all(axis=(1, 2)))
    if empty.size:
        raise ValueError(
            "Each sequence of X must have at least one step, and one value that is not missing; "
            f"got none in the sequences {shortened(empty)}."
        )
    return X


def shortened(numbers):
    """Return the first of some numbers as text."""
    return f"{numbers[:5].tolist()}" + (" and others" if len(numbers) > 5 else "")


def to_numbers(X, estimator):
    """Return an array of float32 or float64, in which NaN is a missing value."""
    checks = {"dtype": DTYPES, "ensure_all_finite": "allow-nan", "ensure_2d": False}
    checks |= {"ensure_min_samples": 0, "ensure_min_features": 0, "allow_nd": True}
    return check_array(X, **checks, estimator=estimator, input_name="X")


def join(sequences, estimator):
    """Return sequences given one by one as an array, with NaN after the end of the shorter ones."""
    arrays = []
    for number, sequence in enumerate(sequences):
        array = to_numbers(sequence, estimator)
        if array.ndim != 2:
            raise ValueError(
                f"A sequence of X must have shape (n_timesteps, n_features); sequence {number} has "
                f"shape {array.shape}"
                + (": for one feature pass x[:, np.newaxis]." if array.ndim == 1 else ".")
            )
        arrays.append(array)
    widths = sorted({array.shape[1] for array in arrays})
    if len(widths) > 1:
        raise ValueError(f"All sequences of X must have the same features; got {widths} of them.")
    if not arrays:
        raise ValueError("X must hold at least one sequence; got an empty list.")
    dtype = np.result_type(*arrays)
    X = np.full((len(arrays), max(map(len, arrays)), widths[0]), np.nan, dtype)
    for array, row in zip(arrays, X):
        row[: len(array)] = array
    return X


# Targets ------------------------------------------------------------------------------------------


def check_targets(y, X, lengths, check):
    """Return `y` as an array (n_sequences,), or as a masked array (n_sequences, n_timesteps).

    The mask marks steps without a target: those that are NaN, and those after the end of a
    sequence. `lengths` are those of sequences given one by one, else None. `check(y)` returns
    validated targets of one dimension.
    """
    if y is None:
        raise ValueError("'y' must be given: a target for each sequence, or one for each step.")
    check_consistent_length(X, y)
    if given_one_by_one(y) and np.ndim(y[0]) == 1:
        y = join_targets(y, X, lengths)
    y = np.ma.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1 < X.shape[1]:
        y = column_or_1d(y.data, warn=True)
    if y.ndim == 1:
        y = np.ma.getdata(y)
        assert_all_finite(y, input_name="y")
        return check(y)
    if y.shape != X.shape[:2]:
        raise ValueError(
            "'y' must have shape (n_sequences,), a target for each sequence, or (n_sequences, "
            f"n_timesteps), one for each step; got shape {y.shape} for X of shape {X.shape}."
        )
    mask = np.ma.getmaskarray(y).copy()
    if y.dtype.kind in "fO":
        mask |= y.data != y.data  # NaN
    if lengths is not None:
        mask |= np.arange(X.shape[1]) >= np.array(lengths)[:, np.newaxis]
    without = np.flatnonzero(mask.all(axis=1))
    if without.size:
        raise ValueError(
            f"Each sequence needs a target for some step; got none for {shortened(without)}."
        )
    assert_all_finite(y.data[~mask], input_name="y")
    checked = check(y.data[~mask])
    joined = np.ma.masked_all(y.shape, checked.dtype)
    joined[~mask] = checked
    return joined


def join_targets(y, X, lengths):
    """Return targets given one by one as a masked array (n_sequences, n_timesteps)."""
    lengths = [X.shape[1]] * len(X) if lengths is None else lengths
    arrays = [np.ma.asarray(targets) for targets in y]
    for number, (array, length) in enumerate(zip(arrays, lengths)):
        if array.shape != (length,):
            raise ValueError(
                f"Targets for each step must have the lengths of the sequences; sequence {number} "
                f"has {length} steps and targets of shape {array.shape}."
            )
    joined = np.ma.masked_all(X.shape[:2], np.result_type(*arrays))
    for number, array in enumerate(arrays):
        joined[number, : len(array)] = array
    return joined
