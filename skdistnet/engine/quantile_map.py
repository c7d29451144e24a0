"""Inputs by their rank among the training rows, on the scale of a normal distribution."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.special import ndtri

from .input_scaling import COLUMNS_OF_UNIT_SPREAD, InputMap, columns_of_one_unit
from .numerics.statistics import column_range, make_dense

#: Number of knots of each column's map.
KNOTS = 100
#: Largest score, that of the ends of a long column.
FARTHEST_SCORE = 3.0


@dataclass(frozen=True)
class QuantileMap(InputMap):
    """The map of each column to normal scores: the quantiles of a normal distribution.

    Between its `knots`, arrays (n_knots, n_columns) of values and of scores, the map is linear.
    Beyond the training data it continues in units of the scale, in columns with values far out with
    their logarithm, so that a net can follow a trend. Columns of at most two values, and those
    that share a unit as pixels do, are scaled as by :class:`InputMap`, whose `shift` and `scale`
    stand for the map where a linear one is needed.
    """

    knots: Any = None

    def extended(self, X):
        return self, np.empty(0, dtype=np.intp)

    def apply(self, rows, out, linear=False):
        """Write mapped `rows`, given in input units, into `out`; `linear` stops after the scale."""
        if linear:
            super().apply(rows, out, linear=True)
        else:
            out[...] = self.scale_points(make_dense(rows))

    def scale_points(self, points):
        values, scores = self.knots
        beyond = (points - np.clip(points, values[0], values[-1])) / self.scale
        if self.far_out is not None:
            beyond[:, self.far_out] = np.arcsinh(beyond[:, self.far_out])
        return (interpolated(points, values, scores) + beyond) * self._weights

    def unscale_points(self, points):
        values, scores = self.knots
        points = points / self._weights
        beyond = points - np.clip(points, scores[0], scores[-1])
        if self.far_out is not None:
            beyond[:, self.far_out] = np.sinh(np.clip(beyond[:, self.far_out], -700.0, 700.0))
        return interpolated(points, scores, values) + beyond * self.scale

    @property
    def _weights(self):
        return 1.0 if self.feature_weights is None else self.feature_weights


def fit_quantile_map(X, weights, dtype, n_others=0.0):
    """Return the map for rows and their weights, of sum 1; a linear one if no column has ranks."""
    linear = InputMap.fit(X, weights, True, dtype, n_others)
    if not X.shape[1]:
        return linear
    X = X.tocsc() if issparse(X) else X
    shared = columns_of_one_unit(*column_range(X))
    n_usable = np.count_nonzero(linear.n_varied) + n_others
    crowding = max(1.0, n_usable / COLUMNS_OF_UNIT_SPREAD) ** 0.5
    knots, any_ranks = np.empty((2, KNOTS, X.shape[1])), False
    for number in range(X.shape[1]):
        column = make_dense(X[:, [number]])[:, 0].astype(np.float64)
        observed = ~np.isnan(column)
        values, levels = distinct_values(column[observed], weights[observed])
        if len(values) > 2 and not shared[number]:
            scores = np.clip(ndtri(levels), -FARTHEST_SCORE, FARTHEST_SCORE) / crowding
            any_ranks = True
        else:
            scores = (values - linear.shift[number]) / linear.scale[number]
        knots[:, :, number] = knots_of(values, levels, scores)
    if not any_ranks:
        return linear
    maps = linear.shift, linear.scale, linear.origin, linear.n_varied, linear.far_out
    return QuantileMap(*maps, knots=knots)


def interpolated(points, start, end):
    """Return for each column the linear interpolation between knots."""
    columns = zip(points.T, start.T, end.T)
    return np.stack([np.interp(*column) for column in columns], axis=1)


def distinct_values(column, weights):
    """Return the sorted distinct values, and the share of rows below each, half of its own."""
    values, group = np.unique(column, return_inverse=True)
    mass = np.bincount(group, weights, minlength=len(values))
    total = mass.sum()
    return values, (np.cumsum(mass) - mass / 2) / total if total else mass


def knots_of(values, levels, scores):
    """Return values and scores of the knots, evenly spaced in the share of rows below them."""
    if not len(values):
        return np.full((2, KNOTS), np.nan)
    if len(values) <= KNOTS:
        chosen = np.arange(KNOTS).clip(max=len(values) - 1)
    else:
        chosen = np.searchsorted(levels, np.linspace(levels[0], levels[-1], KNOTS))
    return np.stack([values[chosen], scores[chosen]])
