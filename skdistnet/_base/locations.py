"""Locations of the levels of categories, from the rows that a network is trained on.

Few levels of a column have the same distance from each other. Many levels lie at their mean target,
by scikit-learn's `TargetEncoder`; a network is trained on means that leave out the row's own fold.
"""

from dataclasses import replace

import numpy as np
from sklearn.preprocessing import TargetEncoder

from ..engine.categories import (
    CategoricalMap,
    Locations,
    column_of,
    fit_categorical_map,
    fit_locations,
    variance,
)

#: Columns with more levels than this have locations by target.
MANY_LEVELS = 20
#: So have the longest columns, if the levels of all columns together are more than this.
MOST_LEVELS = 512
#: Number of folds for means that leave out the row's own.
FOLDS = 5
#: Random combinations of the outputs stand for more of them.
MOST_OUTPUTS = 8


def fit_map(rows, levels, weights, fit_numbers, standardize, is_stream):
    """Return the map from rows with codes to inputs of a network."""
    columns = [at for at, known in enumerate(levels) if known is not None]
    sizes = np.array([len(levels[at]) for at in columns])
    by_target = np.zeros(len(sizes), dtype=bool) if is_stream else have_many_levels(sizes)
    locations = [
        None if own else fit_locations(column_of(rows.X, at), size, weights, is_stream)
        for at, size, own in zip(columns, sizes, by_target)
    ]
    if by_target.any():
        chosen = np.flatnonzero(by_target)
        codes = np.stack([column_of(rows.X, columns[one]) for one in chosen], axis=1)
        found = target_locations(codes, sizes[chosen], rows, weights)
        for one, each in zip(chosen, found):
            locations[one] = each
    return fit_categorical_map(rows.X, weights, columns, locations, fit_numbers, standardize)


def have_many_levels(sizes):
    """Return a mask of the columns that are too long for an input for each level."""
    order = np.argsort(sizes)
    many = np.empty(len(sizes), dtype=bool)
    many[order] = np.cumsum(sizes[order]) > MOST_LEVELS
    return many | (sizes > MANY_LEVELS)


def target_locations(codes, sizes, rows, weights):
    """Return locations of levels at their mean target, for each column of codes.

    Means are shrunken, as those of few rows are uncertain. Locations of all rows together have
    variance 1, as a column of numbers has, however many the outputs are.
    """
    wanted, folds = principal_targets(rows.target, weights), folds_of(len(rows))
    means = mean_targets(codes, sizes, wanted, weights)
    others = [folds != fold for fold in range(FOLDS)]
    without = [mean_targets(codes[rest], sizes, wanted[rest], weights[rest]) for rest in others]
    located = []
    for number, points in enumerate(means):
        of_folds = np.stack([part[number] for part in without])
        locations = Locations(points, np.zeros(points.shape[1]), 0.0, of_folds)
        spread = variance(locations, locations.codes_in_folds(codes[:, number], folds), weights)
        located.append(locations.scaled(spread**-0.5) if spread > 0 else locations)
    return located


def principal_targets(target, weights):
    """Return the centred target (n_rows, n_outputs) along its principal directions."""
    wanted = (target - weights @ target).astype(np.float64)
    if wanted.shape[1] > MOST_OUTPUTS:
        shape = wanted.shape[1], MOST_OUTPUTS
        wanted = wanted @ np.random.default_rng(0).standard_normal(shape)
    squares, directions = np.linalg.eigh((wanted * weights[:, np.newaxis]).T @ wanted)
    large = squares > 1e-9 * squares[-1]
    return wanted @ directions[:, large] if large.any() else wanted[:, :1]


def mean_targets(codes, sizes, wanted, weights):
    """Return for each column the mean target of its levels, NaN for those without a row."""
    means = [np.full((size, wanted.shape[1]), np.nan) for size in sizes]
    if not len(codes):
        return means
    for column, mean in zip(codes.T, means):
        mean[np.unique(column[column >= 0]).astype(int)] = 0.0  # if no row is drawn
    drawn = rows_by_weight(weights)
    for output, values in enumerate(wanted.T):
        encoder = TargetEncoder(target_type="continuous").fit(codes[drawn], values[drawn])
        for known, encoded, mean in zip(encoder.categories_, encoder.encodings_, means):
            observed = known >= 0  # not NaN, for missing levels
            mean[known[observed].astype(int), output] = encoded[observed]
    return means


def rows_by_weight(weights):
    """Return as many rows as there are, each about as often as its weight is times the mean one.

    `TargetEncoder` takes no weights. If all are equal, each row is there once.
    """
    below = np.cumsum(weights)
    return np.searchsorted(below, (np.arange(len(weights)) + 0.5) / len(weights) * below[-1])


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
