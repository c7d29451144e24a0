"""Norms of rows, and how large a residual to expect at a given norm.

A row of small norm has a small residual: a dim image lies near any subspace. Where the residuals of
the training data grow with the norm, a small row is as novel at a shorter distance as a large one.
"""

from dataclasses import dataclass

import numpy as np

from .ppca import FARTHEST

BACKGROUND_SHARE = 0.1  # of a column's rows, two at least, have the value that is its background
LEVELS = np.linspace(0.0, 1.0, 21)  # of quantiles, one of which is any value of such a share
MIN_NORM = 1e-3  # squared norms are clipped here, as a share of their median


@dataclass(frozen=True)
class Norms:
    """Expected log of the squared residual, linear in the log of the squared norm."""

    background: np.ndarray  # where norms are measured from
    median: float  # squared norm above which the expectation no longer grows
    slope: float

    @classmethod
    def fit(cls, rows, log_residual):
        """Fit to rows, NaN where missing, and the logs of their squared residuals."""
        values = background(np.clip(rows, -FARTHEST, FARTHEST))
        squared = squared_norms(rows, values)
        median = float(np.median(squared))
        small = squared <= median
        logs = log_relative(squared[small], median)
        deviations = logs - logs.mean()
        spread = deviations @ deviations
        slope = deviations @ log_residual[small] / spread if spread > 0 else 0.0
        return cls(values, median, float(np.clip(slope, 0.0, 1.0)))

    def expected(self, rows):
        """Return the expected log of each row's squared residual, up to a constant."""
        return self.slope * log_relative(squared_norms(rows, self.background), self.median)


def background(rows):
    """Return each column's most frequent value, its median if none is frequent, NaN if all are."""
    ordered = np.sort(rows, axis=0)
    last = np.maximum((~np.isnan(rows)).sum(axis=0) - 1, 0)
    ranks = np.rint(LEVELS[:, np.newaxis] * last).astype(np.intp)
    candidates = np.take_along_axis(ordered, ranks, axis=0)
    counts = np.stack([np.count_nonzero(rows == values, axis=0) for values in candidates])
    frequent = counts.max(axis=0) >= np.maximum(2, BACKGROUND_SHARE * (last + 1))
    chosen = np.where(frequent, counts.argmax(axis=0), len(LEVELS) // 2)
    return candidates[chosen, np.arange(rows.shape[1])]


def squared_norms(rows, values):
    """Return squared distances to the background, scaled up where values are missing."""
    centered = np.clip(rows, -FARTHEST, FARTHEST)
    centered -= values
    missing, share = np.isnan(centered), 1.0
    if missing.any():
        centered[missing] = 0.0
        share = np.maximum((~missing).sum(axis=1), 1) / rows.shape[1]
    return np.einsum("ij,ij->i", centered, centered) / share


def log_relative(squared, median):
    """Return logs of squared norms relative to their median, at most 0; 0 if the median is 0."""
    relative = np.divide(squared, median, out=np.ones(len(squared)), where=median > 0)
    return np.log(np.clip(relative, MIN_NORM, 1.0))
