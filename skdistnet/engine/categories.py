"""The map of columns of categories, whose levels have locations, to inputs of a network.

X holds codes of levels, 0, 1 and so on, in columns of categories; NaN is a missing level, -1 one
that was never seen, and codes below stand for locations in training rows (see
`Locations.codes_in_folds`). The squared distance between two levels of a column is 2 before all
scales are adapted to the number of inputs, like the mean squared distance between two values of a
column of numbers. Each unit scales the inputs of a column with inverse radii of its own. Columns of
many levels may have other locations, which are then passed to :func:`fit_categorical_map`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from operator import is_
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .input_scaling import COLUMNS_OF_UNIT_SPREAD, InputMap, spread_around
from .numerics.statistics import has_missing, make_dense

#: Inputs of a column in a stream: at least this many, and at most, are for levels seen later.
SPARE_INPUTS, MOST_INPUTS = 4, 32


@dataclass(frozen=True)
class Locations:
    """Where the levels of a column lie among its inputs, in network units.

    A level that no row had is at NaN, which means that it counts as missing.
    """

    points: np.ndarray  # (n_levels, n_inputs)
    zero: np.ndarray  # (n_inputs,): where all inputs were zero before they were centred
    #: Factor on the corners of a simplex; 0 if levels lie elsewhere, and further ones at the mean.
    scale: float = 1.0
    #: Locations in rows of each fold, found without that fold: (n_folds, n_levels, n_inputs).
    of_folds: Any = None

    @property
    def n_inputs(self):
        return self.points.shape[1]

    @cached_property
    def table(self):
        """Rows of locations by code: levels, those of each fold, and a last one for the missing."""
        parts = [self.points, np.full((1, self.n_inputs), np.nan)]
        if self.of_folds is not None:
            parts[1:1] = list(self.of_folds)
        return np.concatenate(parts)

    def rows_of(self, codes):
        """Return the numbers of the table's rows for codes, the last for what is missing."""
        n_levels, last = len(self.points), len(self.table) - 1
        rows = np.where(codes < -1, n_levels - 2 - codes, codes)
        known = (rows >= 0) & (rows < last) & (codes < n_levels)  # False for NaN
        return np.where(known, rows, last).astype(np.intp)

    def codes_in_folds(self, codes, folds):
        """Return codes, below -1, for locations found without the fold of each row."""
        known = (codes >= 0) & (codes < len(self.points))
        return np.where(known, -2 - (codes + len(self.points) * folds), codes)

    def scaled(self, factor):
        """Return locations with all distances multiplied by a factor."""
        of_folds = None if self.of_folds is None else self.of_folds * factor
        return Locations(self.points * factor, self.zero * factor, self.scale * factor, of_folds)

    def with_levels(self, codes):
        """Return locations for levels among these codes, too."""
        new = np.unique(codes[codes >= 0]).astype(np.intp)
        n_levels = max(len(self.points), new.max(initial=-1) + 1)
        points = np.full((n_levels, self.n_inputs), np.nan)
        points[: len(self.points)] = self.points
        new = new[np.isnan(points[new]).any(axis=1)]
        if not new.size:
            return self
        points[new] = simplex(n_levels, self.n_inputs)[new] * self.scale + self.zero
        of_folds = self.of_folds
        if of_folds is not None:
            of_folds = np.repeat(points[np.newaxis], len(of_folds), axis=0)
            of_folds[:, : len(self.points)] = self.of_folds
            of_folds[:, new] = points[new]
        return replace(self, points=points, of_folds=of_folds)

    def nearest(self, points):
        """Return the code of the level that is nearest to each point; NaN if there is none."""
        known = np.flatnonzero(~np.isnan(self.points).any(axis=1))
        if not known.size:
            return np.full(len(points), np.nan)
        others = self.points[known]
        products = points @ others.T - 0.5 * np.einsum("ij,ij->i", others, others)
        return known[products.argmax(axis=1)].astype(np.float64)

    def mean_squared_differences(self):
        """Return for each input the mean squared difference between two levels."""
        known = self.points[~np.isnan(self.points).any(axis=1)]
        n_pairs = max(1, len(known) - 1)
        return 2.0 * len(known) / n_pairs * known.var(axis=0) if len(known) else 0.0 * self.zero


def simplex(n_levels, n_inputs):
    """Return points (n_levels, n_inputs) at about the squared distance 2 from each other.

    Each level has an input of its own; further levels are at random corners of a cube. With a
    single input, levels follow each other on a line.
    """
    if n_inputs == 1:
        return np.sqrt(2.0) * np.arange(n_levels, dtype=np.float64)[:, np.newaxis]
    points = np.eye(n_levels, n_inputs)
    n_others = max(0, n_levels - n_inputs)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (n_others, n_inputs))
    points[n_inputs:] = signs / np.sqrt(n_inputs)
    return points


def fit_locations(codes, n_levels, weights, is_stream=False):
    """Return equidistant locations for a column, centred at the mean over rows."""
    return equidistant_locations(level_masses(codes, n_levels, weights), is_stream)


def equidistant_locations(masses, is_stream=False):
    """Return equidistant locations for levels whose rows have these weights.

    Two levels have one input, others one each; in a stream some are left for further levels.
    """
    n_levels = len(masses)
    n_inputs = 1 if n_levels <= 2 else n_levels
    if is_stream:
        n_inputs = min(max(2 * n_levels, n_levels + SPARE_INPUTS), MOST_INPUTS)
    points = simplex(n_levels, n_inputs)
    center = (masses / (masses.sum() or 1.0)) @ points
    points[masses == 0] = np.nan
    return Locations(points - center, -center)


def level_masses(codes, n_levels, weights):
    """Return the weight of the rows of each level."""
    observed = codes >= 0
    return np.bincount(codes[observed].astype(np.intp), weights[observed], minlength=n_levels)


def variance(locations, codes, weights):
    """Return the variance of locations over rows, summed over the inputs of a column."""
    points = locations.table[locations.rows_of(codes)]
    observed = ~np.isnan(points).any(axis=1)
    if not observed.any():
        return 0.0
    shares = weights[observed] / weights[observed].sum()
    deviations = points[observed] - shares @ points[observed]
    return float(shares @ (deviations * deviations).sum(axis=1))


def fit_categorical_map(X, weights, columns, locations, fit_numbers, standardize):
    """Return the map of rows with codes; `fit_numbers(X, n_others)` returns that of other columns.

    With many inputs all scales are larger, as for numbers (see :class:`InputMap`): `n_others` is
    the number of columns of unit variance that the categories are worth.
    """
    variances = [variance(one, column_of(X, at), weights) for one, at in zip(locations, columns)]
    n_others = float(np.sum(variances))
    others = np.setdiff1d(np.arange(X.shape[1]), columns)
    numbers = fit_numbers(X[:, others], n_others)
    if standardize:
        n_usable = np.count_nonzero(numbers.varying)
        crowding = max(1.0, (n_usable + n_others) / COLUMNS_OF_UNIT_SPREAD)
        locations = [one.scaled(crowding**-0.5) for one in locations]
    return CategoricalMap(numbers, np.asarray(columns), tuple(locations))


@dataclass(frozen=True)
class CategoricalMap:
    """The map of rows whose `code_columns` hold codes; `numbers` is the map of all other columns.

    Inputs are those of numbers, followed by those of each column of categories. It has the methods
    of :class:`InputMap`.
    """

    numbers: InputMap
    code_columns: np.ndarray
    locations: tuple[Locations, ...]

    @cached_property
    def others(self):
        """Columns of numbers."""
        return np.setdiff1d(np.arange(self.n_columns), self.code_columns)

    @cached_property
    def parts(self):
        """For each column of categories its number, its inputs and its locations."""
        sizes = [self.numbers.n_inputs, *(one.n_inputs for one in self.locations)]
        bounds = np.cumsum(sizes).tolist()
        return list(zip(self.code_columns.tolist(), map(slice, bounds, bounds[1:]), self.locations))

    @property
    def n_columns(self):
        return self.numbers.n_columns + len(self.code_columns)

    @cached_property
    def n_inputs(self):
        return self.numbers.n_inputs + sum(one.n_inputs for one in self.locations)

    @property
    def origin(self):
        return np.concatenate([self.numbers.origin, *(one.zero for one in self.locations)])

    @property
    def rotates(self):
        return self.numbers.rotates

    only_shifts, in_place = False, False

    @property
    def varying(self):
        differ = [one.mean_squared_differences() > 0 for one in self.locations]
        return np.concatenate([self.numbers.varying, *differ])

    @cached_property
    def input_shares(self):
        """Weights of inputs where some are missing: each column of categories counts as one."""
        own = [np.full(one.n_inputs, 1.0 / one.n_inputs) for one in self.locations]
        return np.concatenate([np.ones(self.numbers.n_inputs), *own])

    def is_incomplete(self, X):
        """Return whether an input of some row is missing."""
        return self.numbers.ignores_columns or has_missing(X) or bool(self.unseen(X).any())

    def unseen(self, X):
        """Return a mask (n_rows, n_code_columns) of levels that no row of the fit had."""
        found = np.empty((X.shape[0], len(self.parts)), dtype=bool)
        for number, (column, _, locations) in enumerate(self.parts):
            codes = column_of(X, column)
            located = locations.table[locations.rows_of(codes), 0]
            found[:, number] = np.isnan(located) & ~np.isnan(codes)
        return found

    def unique(self, X):
        """Return a mask (n_rows, n_code_columns) of levels that no other row of X has."""
        found = np.empty((X.shape[0], len(self.parts)), dtype=bool)
        for number, (column, _, locations) in enumerate(self.parts):
            rows = locations.rows_of(column_of(X, column))
            counts = np.bincount(rows, minlength=len(locations.table))
            counts[-1] = 0  # what is missing is not a level
            found[:, number] = counts[rows] == 1
        return found

    def apply(self, rows, out):
        """Write mapped `rows`, given in input units, into `out`."""
        self.numbers.apply(rows[:, self.others], out[:, : self.numbers.n_inputs])
        self._locate(rows, out)

    def _locate(self, rows, out):
        first = out.shape[1] - self.n_inputs
        for column, part, locations in self.parts:
            found = locations.rows_of(column_of(rows, column))
            out[:, part.start + first : part.stop + first] = locations.table[found]

    def prepared(self, rows, dtype):
        return self, rows

    def linear_inputs(self, rows):
        numbers = self.numbers.linear_inputs(rows[:, self.others])
        n_located = self.n_inputs - self.numbers.n_inputs
        inputs = np.concatenate([numbers, np.empty((rows.shape[0], n_located))], axis=1)
        self._locate(rows, inputs)
        return inputs

    def rows_of_folds(self, X, folds):
        """Return rows for training: codes stand for locations that were found without their fold.

        Means of the target would otherwise show a network the targets of single rows.
        """
        located = [(column, one) for column, _, one in self.parts if one.of_folds is not None]
        if not located:
            return X
        X = X.tolil(copy=True) if issparse(X) else X.copy()
        for column, locations in located:
            codes = locations.codes_in_folds(column_of(X, column), folds)
            X[:, [column]] = codes[:, np.newaxis]
        return X.tocsr() if issparse(X) else X

    # Units of X -----------------------------------------------------------------------------------

    def scale_points(self, points):
        scaled = np.empty((len(points), self.n_inputs))
        scaled[:, : self.numbers.n_inputs] = self.numbers.scale_points(points[:, self.others])
        self._locate(points, scaled)
        return np.nan_to_num(scaled)

    def unscale_points(self, points):
        """Return points in input units; those in a column of categories are at the nearest code."""
        levels = [one.nearest(points[:, part]) for _, part, one in self.parts]
        numbers = self.numbers.unscale_points(points[:, : self.numbers.n_inputs])
        return self._by_column(numbers, levels)

    def unscale_inverse_radii(self, inverse_radii):
        """Return inverse radii by column; of categories, the RMS distance between two levels."""
        radii = np.broadcast_to(inverse_radii, (len(inverse_radii), self.n_inputs))
        squares = radii.astype(np.float64) ** 2
        means = [squares[:, part] @ one.mean_squared_differences() for _, part, one in self.parts]
        levels = list(map(np.sqrt, means))
        n_numbers = self.numbers.n_inputs
        numbers = self.numbers.unscale_inverse_radii(np.abs(radii[:, :n_numbers]))
        return self._by_column(numbers, levels)

    def unscale_coefs(self, coefs):
        """Return coefficients by column, NaN for categories: each level has its own effect."""
        numbers = self.numbers.unscale_coefs(coefs[: self.numbers.n_inputs])
        return self._by_column(numbers.T, [np.nan] * len(self.code_columns)).T

    def unscale_intercepts(self, intercepts, coefs):
        return self.numbers.unscale_intercepts(intercepts, coefs[: self.numbers.n_inputs])

    def column_terms(self, centroids, squares):
        n_numbers = self.numbers.n_inputs
        squares = np.broadcast_to(squares, centroids.shape)
        numbers = self.numbers.column_terms(centroids[:, :n_numbers], squares[:, :n_numbers])
        own = squares * spread_around(centroids)
        return self._by_column(numbers, [own[:, part].sum(axis=1) for _, part, _ in self.parts])

    def distance_terms(self, differences, inverse_radii):
        n_numbers = self.numbers.n_inputs
        radii = np.broadcast_to(inverse_radii, differences.shape)
        numbers = self.numbers.distance_terms(differences[..., :n_numbers], radii[..., :n_numbers])
        own = (differences * radii) ** 2
        return self._by_column(numbers, [own[..., part].sum(axis=-1) for _, part, _ in self.parts])

    def by_column(self, values):
        """Return the mean of values (n_inputs,) over the inputs of each column."""
        means = [values[part].mean() for _, part, _ in self.parts]
        return self._by_column(values[: self.numbers.n_inputs], means)

    def _by_column(self, numbers, levels):
        """Return an array (..., n_columns) from the parts of numbers and of categories."""
        joined = np.empty((*numbers.shape[:-1], self.n_columns), np.result_type(numbers, float))
        joined[..., self.others] = numbers
        for column, values in zip(self.code_columns, levels):
            joined[..., column] = values
        return joined

    # Changes --------------------------------------------------------------------------------------

    def extended(self, X):
        """Return the map for further rows, and the inputs that vary in them for the first time."""
        numbers, _ = self.numbers.extended(X[:, self.others])
        locations = tuple(one.with_levels(column_of(X, at)) for at, _, one in self.parts)
        if numbers is self.numbers and all(map(is_, locations, self.locations)):
            return self, np.empty(0, dtype=np.intp)
        new = replace(self, numbers=numbers, locations=locations)
        return new, np.flatnonzero(new.varying & ~self.varying)

    def weighted(self, weights):
        """Return the map to inputs that are multiplied by the weight of their column."""
        numbers = self.numbers.weighted(weights[self.others])
        locations = [one.scaled(weights[column]) for column, _, one in self.parts]
        return replace(self, numbers=numbers, locations=tuple(locations))

    def bound(self, mapped):
        self.numbers.bound(mapped)


def column_of(X, column):
    """Return a column of X as an array of floats."""
    return make_dense(X[:, [column]])[:, 0].astype(np.float64)
