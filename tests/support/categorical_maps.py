"""Rows with codes of levels and their map, for the tests of categories in the engine."""

from itertools import combinations

import numpy as np

from skdistnet.engine.categories import Locations, fit_categorical_map, fit_locations
from skdistnet.engine.input_scaling import InputMap

N_ROWS = 40
#: Columns of X: a number, 4 levels, a number, 2 levels, 3 levels by target.
CODES = {1: 4, 3: 2, 4: 3}
N_COLUMNS = 5


def uniform(n_rows=N_ROWS):
    return np.full(n_rows, 1 / n_rows)


def all_levels(n_levels, n_rows=N_ROWS):
    """Return codes in which every level has a row, unless there are fewer rows."""
    return np.random.default_rng(n_levels).permutation(np.arange(n_rows) % n_levels) * 1.0


def squared_distances(points):
    return [float(np.sum((one - other) ** 2)) for one, other in combinations(points, 2)]


def draw_rows(seed=0, n_rows=N_ROWS, missing=0.25):
    """Return rows with codes, some of them missing; the first row is complete."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_COLUMNS))
    for column, n_levels in CODES.items():
        X[:, column] = all_levels(n_levels, n_rows)
    X[rng.random(X.shape) < missing] = np.nan
    X[0] = [0.5, 1, -0.5, 1, 2]
    return X


def by_target():
    """Return locations of 3 levels, by two targets, with others in each of two folds."""
    points = np.array([[0.5, -1.0], [1.5, 0.0], [-1.0, 0.3]])
    of_folds = np.stack([points + 0.1, points - 0.2])
    return Locations(points, np.zeros(2), 0.0, of_folds)


def fit_map(X, standardize=True, weights=None):
    weights = uniform(X.shape[0]) if weights is None else weights
    dense = X.toarray() if hasattr(X, "toarray") else X
    located = [
        fit_locations(dense[:, column], n_levels, weights)
        for column, n_levels in list(CODES.items())[:2]
    ]

    def fit_numbers(numbers, n_others):
        return InputMap.fit(numbers, weights, standardize, np.dtype(float), n_others)

    return fit_categorical_map(
        X, weights, list(CODES), [*located, by_target()], fit_numbers, standardize
    )


def apply(input_map, X):
    out = np.full((X.shape[0], input_map.n_inputs), np.inf)
    input_map.apply(X, out)
    return out


def columns_of_inputs(input_map):
    """Return the column of X that each input belongs to."""
    columns = input_map.others.tolist()
    for column, part, _ in input_map.parts:
        columns += [column] * (part.stop - part.start)
    return np.array(columns)


def sum_by_column(values, input_map):
    """Return sums of (..., n_inputs) over each column's inputs."""
    columns = columns_of_inputs(input_map)
    sums = [values[..., columns == column].sum(axis=-1) for column in range(N_COLUMNS)]
    return np.stack(sums, axis=-1)
