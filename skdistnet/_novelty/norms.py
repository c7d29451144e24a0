"""How large a row is, and how far from a subspace rows of its size are to be expected.

What is small leaves small residuals: of a dim picture little can lie outside of anything. Where
residuals of the training data grow with size, a small row that lies as far outside as a large one
is further off than it looks.
"""

from dataclasses import dataclass

import numpy as np

from .ppca import FARTHEST

__all__ = ["Sizes"]

#: A value that this share of a column's rows have, and two at least, is its background, as black
#: is a picture's.
BACKGROUND_SHARE = 0.1
#: Quantiles that a value of that share cannot lie between.
LEVELS = np.linspace(0.0, 1.0, 21)
#: Squared sizes below this share of their median are not told apart.
LEAST_SIZE = 1e-3


@dataclass(frozen=True)
class Sizes:
    """Squared distances of rows from a background, and what they let expect of residuals.

    The background of a column is its most frequent value or, where none is frequent, its median.
    The logarithm of a squared residual is expected to grow by `slope` with that of the squared
    size, up to its `median`: nothing excuses larger rows.
    """

    background: np.ndarray
    median: float
    slope: float

    @classmethod
    def fit(cls, rows, evidence):
        """Learn from rows, NaN where missing, and the logarithms of their squared residuals."""
        values = background(np.clip(rows, -FARTHEST, FARTHEST))
        squared = squared_sizes(rows, values)
        median = float(np.median(squared))
        small = squared <= median
        logs = log_shares(squared[small], median)
        deviations = logs - logs.mean()
        spread = deviations @ deviations
        slope = deviations @ evidence[small] / spread if spread > 0 else 0.0
        return cls(values, median, float(np.clip(slope, 0.0, 1.0)))

    def expected(self, rows):
        """What the logarithm of a squared residual is expected to be, up to a constant."""
        return self.slope * log_shares(squared_sizes(rows, self.background), self.median)


def background(rows):
    """The most frequent value of each column, or its median; NaN for one of nothing but NaN."""
    ordered = np.sort(rows, axis=0)
    last = np.maximum((~np.isnan(rows)).sum(axis=0) - 1, 0)
    ranks = np.rint(LEVELS[:, np.newaxis] * last).astype(np.intp)
    candidates = np.take_along_axis(ordered, ranks, axis=0)
    counts = np.stack([np.count_nonzero(rows == values, axis=0) for values in candidates])
    frequent = counts.max(axis=0) >= np.maximum(2, BACKGROUND_SHARE * (last + 1))
    chosen = np.where(frequent, counts.argmax(axis=0), len(LEVELS) // 2)
    return candidates[chosen, np.arange(rows.shape[1])]


def squared_sizes(rows, values):
    """Squared distance of each row from the background, over what is there, scaled to all of it."""
    away = np.clip(rows, -FARTHEST, FARTHEST)
    away -= values
    missing, share = np.isnan(away), 1.0
    if missing.any():
        away[missing] = 0.0
        share = np.maximum((~missing).sum(axis=1), 1) / rows.shape[1]
    return np.einsum("ij,ij->i", away, away) / share


def log_shares(squared, median):
    """Logarithms of squared sizes in medians, those that are told apart; 0 above the median."""
    if not median > 0:
        return np.zeros(len(squared))
    return np.log(np.clip(squared / median, LEAST_SIZE, 1.0))
