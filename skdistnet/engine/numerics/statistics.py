"""Weights of rows, and weighted moments, quantiles and ranges of columns, sparse or with NaN."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from .memory import slices

#: Numbers worked on at a time where a full copy of X would be too large.
PART = 1_000_000


def has_missing(X):
    """Return whether `X` contains NaN."""
    numbers = X.data if issparse(X) else X
    return numbers.size > 0 and bool(np.isnan(numbers.min()))


def make_dense(part):
    """Return a part of X as an array."""
    return part if isinstance(part, np.ndarray) else part.toarray()


def column_range(X):
    """Return the minimum and maximum of each column, without NaN; NaN for an all-NaN column."""
    if issparse(X):
        low, high = (end.toarray().ravel() for end in (X.nanmin(axis=0), X.nanmax(axis=0)))
    else:
        low, high = X.min(axis=0), X.max(axis=0)
        if np.isnan(low).any():
            low, high = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
    # Which of 0.0 and -0.0 is the minimum depends on the order in memory; both plus 0.0 are 0.0.
    return low + 0.0, high + 0.0


def weighted_moments(X, weights):
    """Return each column's weighted mean, standard deviation and largest deviation, in float64.

    `weights` sum to 1. The mean of a constant column is exactly its value, and its deviation zero.
    NaN is left out; an all-NaN column has mean NaN and deviation zero.
    """
    low, high = (end.astype(np.float64) for end in column_range(X))
    middle = 0.5 * low + 0.5 * high
    reach = 0.5 * high - 0.5 * low
    divisor = np.where(reach > 0, reach, 1.0)  # so that no square overflows
    mean, std = np.empty_like(low), np.empty_like(low)
    for part in slices(len(low), PART // X.shape[0]):  # never a full copy of X
        columns = make_dense(X[:, part]).astype(np.float64, order="C")
        columns -= middle[part]
        columns /= divisor[part]
        center = weighted_mean(columns, weights)
        columns -= center
        np.multiply(columns, columns, out=columns)
        mean[part] = middle[part] + center * reach[part]
        std[part] = np.sqrt(weighted_mean(columns, weights)) * reach[part]
    varies = low < high
    mean[~varies] = low[~varies]
    std[~varies] = 0.0
    with np.errstate(over="ignore"):
        return mean, std, np.where(varies, np.maximum(high - mean, mean - low), 0.0)


@dataclass(frozen=True)
class ColumnStatistics:
    """Moments and range of each column, (n_columns,) in float64; see :func:`weighted_moments`."""

    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mass: np.ndarray
    """Weight of the rows in which each column is observed."""

    @classmethod
    def of(cls, X, weights):
        """Return the statistics of rows, whose weights sum to 1, as do masses."""
        low, high = (end.astype(np.float64) for end in column_range(X))
        mass = np.full(X.shape[1], weights.sum())
        if has_missing(X):
            for part in slices(X.shape[1], PART // X.shape[0]):
                mass[part] = weights @ ~np.isnan(make_dense(X[:, part]))
        mean, std, _ = weighted_moments(X, weights)
        return cls(mean, std, low, high, mass)

    @classmethod
    def merged(cls, parts):
        """Return the statistics of all rows of several parts."""
        mass = np.stack([one.mass for one in parts])
        observed = mass > 0
        low = np.fmin.reduce([one.low for one in parts])
        high = np.fmax.reduce([one.high for one in parts])
        share = mass / np.where(observed.any(axis=0), mass.sum(axis=0), 1.0)
        means = np.where(observed, [one.mean for one in parts], 0.0)
        mean = np.einsum("ij,ij->j", share, means)
        # Halves, as a difference may be beyond the range, and relative to the largest, so that no
        # square overflows.
        deviations = np.where(observed, 0.5 * means - 0.5 * mean, 0.0)
        stds = np.where(observed, [0.5 * one.std for one in parts], 0.0)
        largest = np.maximum(np.abs(deviations), stds).max(axis=0)
        divisor = np.where(largest > 0, largest, 1.0)
        squares = (deviations / divisor) ** 2 + (stds / divisor) ** 2
        std = largest * (2.0 * np.sqrt(np.einsum("ij,ij->j", share, squares)))
        varies = low < high
        mean, std = np.where(varies, mean, low), np.where(varies, std, 0.0)
        return cls(mean, std, low, high, mass.sum(axis=0))

    @property
    def reach(self):
        """The largest deviation of each column from its mean."""
        with np.errstate(over="ignore"):
            largest = np.maximum(self.high - self.mean, self.mean - self.low)
        return np.where(self.low < self.high, largest, 0.0)

    def take(self, columns):
        """Return the statistics of some columns."""
        return ColumnStatistics(*(values[columns] for values in vars(self).values()))


def weighted_mean(columns, weights):
    """Return the mean of each column over its observed values; `weights` sum to 1."""
    mean = weights @ columns
    if np.isnan(mean).any():
        missing = np.isnan(columns)
        mass = weights @ ~missing
        mean = weights @ np.where(missing, 0.0, columns) / np.where(mass > 0, mass, 1.0)
    return mean


def weighted_quantiles(columns, weights, level):
    """Return for each column the smallest value whose cumulative weight reaches `level`.

    There is one level, or one for each column. An integer weight is the same as that many rows.
    """
    order = np.argsort(columns, axis=0)
    below = np.cumsum(weights[order], axis=0, dtype=np.float64)
    # The tolerance is for the rounding of the sums.
    reached = below >= (level - 1e-9) * below[-1]
    return np.take_along_axis(columns, order, axis=0)[reached.argmax(axis=0), range(len(order[0]))]


def normalized_weights(sample_weight, n_rows, dtype):
    """Return weights of rows that sum to 1; equal ones where `sample_weight` is None."""
    if sample_weight is not None:
        weights = np.asarray(sample_weight, dtype=np.float64)
        if weights.shape != (n_rows,) or not weights.sum() > 0:
            raise ValueError(
                f"'sample_weight' must have shape {(n_rows,)} and a positive sum; "
                f"got shape {weights.shape} and sum {weights.sum()}."
            )
        # Equal weights divided by their sum could differ from no weights by rounding.
        if weights.min() != weights.max():
            return (weights / weights.sum()).astype(dtype)
    return np.full(n_rows, 1.0 / n_rows, dtype=dtype)
