"""Weighted moments and ranges of columns, sparse or with missing values."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["PART", "column_range", "has_missing", "make_dense", "weighted_moments"]

#: Numbers worked on at a time where a copy of X as a whole would be too large.
PART = 1_000_000


def has_missing(X):
    """Whether a number of `X` is NaN."""
    numbers = X.data if issparse(X) else X
    return bool(np.isnan(np.min(numbers, initial=0.0)))


def make_dense(part):
    """A part of X as an array."""
    return part if isinstance(part, np.ndarray) else part.toarray()


def column_range(X):
    """Least and largest number of each column, NaN aside; NaN for a column of nothing else."""
    if issparse(X):
        low, high = (end.toarray().ravel() for end in (X.nanmin(axis=0), X.nanmax(axis=0)))
    else:
        low, high = X.min(axis=0), X.max(axis=0)
        if np.isnan(low).any():
            low, high = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
    # Which of 0.0 and -0.0 is the least hangs on the order in memory.
    return low + 0.0, high + 0.0


def weighted_moments(X, weights):
    """Weighted mean, standard deviation and largest deviation of each column, in float64.

    A column that is constant has its value as the mean, exactly, and standard deviation zero.
    `weights` sum to 1. Columns are divided by their reach first, so that no square overflows.
    What is missing, NaN, is left out; a column of nothing else has mean NaN and spread zero.
    """
    low, high = (end.astype(np.float64) for end in column_range(X))
    middle = 0.5 * low + 0.5 * high
    reach = 0.5 * high - 0.5 * low
    divisor = np.where(reach > 0, reach, 1.0)
    mean, std = np.empty_like(low), np.empty_like(low)
    width = max(1, PART // X.shape[0])  # columns at a time, so that X is never copied whole
    for start in range(0, len(low), width):
        part = slice(start, start + width)
        columns = make_dense(X[:, part]).astype(np.float64, order="C")
        columns -= middle[part]
        columns /= divisor[part]
        center = weighted_mean(columns, weights)
        columns -= center
        np.multiply(columns, columns, out=columns)
        mean[part] = middle[part] + center * reach[part]
        std[part] = np.sqrt(weighted_mean(columns, weights)) * reach[part]
    spreads = low < high
    mean[~spreads] = low[~spreads]
    std[~spreads] = 0.0
    with np.errstate(over="ignore"):
        return mean, std, np.where(spreads, np.maximum(high - mean, mean - low), 0.0)


def weighted_mean(columns, weights):
    """Mean of each column over the numbers that are there; `weights` sum to 1."""
    mean = weights @ columns
    if np.isnan(mean).any():
        missing = np.isnan(columns)
        mass = weights @ ~missing
        mean = weights @ np.where(missing, 0.0, columns) / np.where(mass > 0, mass, 1.0)
    return mean
