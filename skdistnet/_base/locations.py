"""Locations of the levels of categories, from the rows that a network is trained on.

Few levels of a column have the same distance from each other. Many levels lie at their mean target;
a network is trained on means that leave out the row's own fold. Means are shrunken as those of
scikit-learn's `TargetEncoder`, but come from sums, which can be added up over parts of the rows.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..engine.categories import (
    CategoricalMap,
    Locations,
    column_of,
    equidistant_locations,
    fit_categorical_map,
    level_masses,
)
from ..engine.numerics.statistics import ColumnStatistics

#: Columns with more levels than this have locations by target.
MANY_LEVELS = 20
#: So have the longest columns, if the levels of all columns together are more than this.
MOST_LEVELS = 512
#: Number of folds for means that leave out the row's own.
FOLDS = 5
#: Random combinations of the outputs stand for more of them.
MOST_OUTPUTS = 8


def fit_map(rows, levels, weights, fit_numbers, standardize, is_stream, statistics=None):
    """Return the map from rows with codes to inputs of a network.

    The rows may be a sample of those that the :class:`RowStatistics` are from.
    """
    columns = columns_of(levels)
    masses = statistics and statistics.level_masses
    if masses is None:
        codes = [column_of(rows.X, at) for at in columns]
        masses = [level_masses(c, len(levels[at]), weights) for c, at in zip(codes, columns)]
    by_target = set() if is_stream else set(columns_by_target(levels))
    locations = [
        None if at in by_target else equidistant_locations(mass, is_stream)
        for at, mass in zip(columns, masses)
    ]
    if by_target:
        sums = statistics and statistics.level_sums
        if sums is None:
            directions = TargetDirections.of(rows.target, weights)
            sums = level_sums(rows, weights * len(rows), levels, directions)
        found = iter(map(target_locations, sums))
        locations = [next(found) if one is None else one for one in locations]
    return fit_categorical_map(rows.X, weights, columns, locations, fit_numbers, standardize)


def columns_of(levels):
    """Return the numbers of the columns that are categories."""
    return [at for at, known in enumerate(levels) if known is not None]


def columns_by_target(levels):
    """Return the numbers of the columns whose levels lie by target."""
    columns = columns_of(levels)
    sizes = np.array([len(levels[at]) for at in columns])
    return [at for at, many in zip(columns, have_many_levels(sizes)) if many]


def have_many_levels(sizes):
    """Return a mask of the columns that are too long for an input for each level."""
    order = np.argsort(sizes)
    many = np.empty(len(sizes), dtype=bool)
    many[order] = np.cumsum(sizes[order]) > MOST_LEVELS
    return many | (sizes > MANY_LEVELS)


@dataclass(frozen=True)
class TargetDirections:
    """The principal directions of a target, along which levels have mean targets."""

    center: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, target, weights):
        center = weights @ target
        wanted = (target - center).astype(np.float64)
        combined = np.eye(wanted.shape[1])
        if wanted.shape[1] > MOST_OUTPUTS:
            shape = wanted.shape[1], MOST_OUTPUTS
            combined = np.random.default_rng(0).standard_normal(shape)
            wanted = wanted @ combined
        squares, directions = np.linalg.eigh((wanted * weights[:, np.newaxis]).T @ wanted)
        large = squares > 1e-9 * squares[-1]
        directions = directions[:, large] if large.any() else np.eye(len(squares), 1)
        return cls(center, combined @ directions)

    def apply(self, target):
        """Return the centred target (n_rows, n_directions) along the directions."""
        return (target - self.center).astype(np.float64) @ self.directions


@dataclass(frozen=True)
class LevelSums:
    """Sums over the rows of each fold and level of a column; the last level is a missing one.

    Sums over parts of the rows add up to those over all of them.
    """

    masses: np.ndarray  # (n_folds, n_levels + 1), of weights
    sums: np.ndarray  # (n_folds, n_levels + 1, n_directions), of the target
    squares: np.ndarray  # the same of its squares

    def __add__(self, other):
        pairs = zip(vars(self).values(), vars(other).values())
        return LevelSums(*(one + another for one, another in pairs))

    def scaled(self, factor):
        """Return the sums for weights that are multiplied by a factor."""
        return LevelSums(*(part * factor for part in vars(self).values()))

    def means(self, folds):
        """Return the mean targets of levels in some folds, NaN for those without a row.

        They are shrunken towards the mean of all rows, as those of few rows are uncertain, by the
        empirical Bayes estimate of scikit-learn's `TargetEncoder`.
        """
        masses, sums, squares = (part[folds].sum(axis=0) for part in vars(self).values())
        total = masses.sum() or 1.0
        mean = sums.sum(axis=0) / total
        variance = np.maximum(squares.sum(axis=0) / total - mean**2, 0.0)
        masses, sums, squares = masses[:-1, np.newaxis], sums[:-1], squares[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums / masses
            within = np.maximum(squares / masses - means**2, 0.0)
            share = variance * masses / (variance * masses + within)
            shrunken = mean + share * (means - mean)
        shrunken = np.where(np.isnan(share), mean, shrunken)
        return np.where(masses > 0, shrunken, np.nan)


def level_sums(rows, weights, levels, directions):
    """Return the sums of each column whose levels lie by target; weights are 1 on average."""
    wanted, folds, found = directions.apply(rows.target), folds_of(len(rows)), []
    for at in columns_by_target(levels):
        n_levels, codes = len(levels[at]), column_of(rows.X, at)
        level = np.where(codes >= 0, codes, n_levels).astype(np.intp)
        cells = folds * (n_levels + 1) + level
        weighted = [weights * each for each in wanted.T]
        of_cells = partial(sum_cells, cells, (FOLDS, n_levels + 1))
        sums = np.stack([of_cells(each) for each in weighted], axis=-1)
        squares = np.stack([of_cells(one * two) for one, two in zip(weighted, wanted.T)], axis=-1)
        found.append(LevelSums(of_cells(weights), sums, squares))
    return found


def sum_cells(cells, shape, values):
    """Return the sums of the values that belong to each cell of an array of this shape."""
    return np.bincount(cells, values, minlength=np.prod(shape)).reshape(shape)


def target_locations(sums):
    """Return locations of levels at their mean target.

    Locations of all rows together have variance 1, as a column of numbers has, however many the
    outputs are.
    """
    points, every = sums.means(slice(None)), np.arange(FOLDS)
    of_folds = np.stack([sums.means(every != fold) for fold in every])
    locations = Locations(points, np.zeros(points.shape[1]), 0.0, of_folds)
    # A level that only rows of one fold have is missing in these.
    masses = np.where(np.isnan(of_folds[..., 0]), 0.0, sums.masses[:, :-1])[..., np.newaxis]
    if not masses.any():
        return locations
    known = np.nan_to_num(of_folds)
    deviations = known - (masses * known).sum(axis=(0, 1)) / masses.sum()
    spread = (masses * deviations**2).sum() / masses.sum()
    return locations.scaled(spread**-0.5) if spread > 0 else locations


@dataclass(frozen=True)
class RowStatistics:
    """What a start takes from all rows, where it has only a sample of them."""

    columns: ColumnStatistics | None = None
    level_masses: list | None = None
    """For each column of categories the weight of the rows of each level."""
    level_sums: list | None = None
    """For each column whose levels lie by target its `LevelSums`."""


def folds_of(n_rows):
    """Return the number of each row's fold, always the same for the same number of rows.

    Equal rows are in several folds: means without all rows of a level and class would show a
    network the class, as the one that is missing.
    """
    # A seed that data is not likely to have: levels drawn by it could each be in one fold only.
    return np.random.default_rng((n_rows, FOLDS)).permutation(n_rows) % FOLDS


def rows_to_train(input_map, rows):
    """Return the rows as a network is trained on them: see `CategoricalMap.rows_of_folds`."""
    if not isinstance(input_map, CategoricalMap):
        return rows
    if all(each.of_folds is None for each in input_map.locations):
        return rows
    return replace(rows, X=input_map.rows_of_folds(rows.X, folds_of(len(rows))))
