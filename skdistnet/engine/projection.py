"""The projection of many columns onto few directions, in which the network then sees rows.

The directions are orthonormal, in columns that are scaled first. The leading ones predict the
target linearly, as in partial least squares; the others are principal components of what remains.
With as many directions as rows span, distances between rows stay as they are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.sparse import csr_array, issparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from .input_scaling import (
    COLUMNS_OF_UNIT_SPREAD,
    InputMap,
    columns_of_one_unit,
    exceeds_rounding,
    largest_square_root,
    spread_around,
)
from .numerics.memory import slices
from .numerics.statistics import (
    PART,
    ColumnStatistics,
    has_missing,
    make_dense,
)

#: More columns than this are projected,
MANY_COLUMNS = 1_000
#: or than this if most of them, `MOSTLY_RARE`, have a single value in nearly all rows.
MANY_RARE_COLUMNS, MOSTLY_RARE = 256, 2 / 3
#: Such columns, where at most this share of rows has other values, are scaled as if it were so
#: many: divided by its own deviation, a word of one text would count more than all others.
RARE = 0.05
#: There is a direction for this number of rows, within these bounds.
ROWS_PER_DIRECTION, N_DIRECTIONS = 100, (64, 256)
#: Rounds of partial least squares, each of which adds directions for all outputs.
ROUNDS = 8
#: Up to this number of rows, directions are found from the products of rows.
FEW_ROWS = 500
#: Steps of subspace iteration, and directions in excess that make it converge faster.
STEPS, EXCESS = 4, 10
#: Smaller singular values, relative to the largest one, are rounding errors.
SMALLEST = 1e-5
#: Medians and principal components are those of about this number of rows, evenly spaced.
SAMPLE_ROWS, MEDIAN_ROWS = 10_000, 1_000


@dataclass(frozen=True)
class ProjectedMap(InputMap):
    """The map from input units to few directions, ``((X - shift) / scale) @ components``.

    NaN counts as the mean of its column.
    """

    components: Any = None  # (n_columns, n_directions), orthonormal

    def apply(self, rows, out, linear=False):
        """Write mapped `rows`, given in input units, into `out`."""
        for part in slices(rows.shape[0], PART // rows.shape[1]):
            out[part] = scaled_product(self, rows[part], self.components)

    rotates, in_place = True, False

    @property
    def n_inputs(self):
        return self.components.shape[1]

    def prepared(self, rows, dtype):
        mapped, zeros = np.empty((rows.shape[0], self.n_inputs), dtype), np.zeros(self.n_inputs)
        self.apply(rows, mapped)
        return InputMap(zeros, np.ones(self.n_inputs), zeros), mapped

    def linear_inputs(self, rows):
        """Return mapped rows, and in a last column their distance from the span of directions."""
        inputs, inside = np.empty((rows.shape[0], self.n_inputs + 1)), slice(self.n_inputs)
        self.apply(rows, inputs[:, inside])
        for part in slices(rows.shape[0], PART // rows.shape[1]):
            squares = squared_lengths(self, rows[part])
            squares -= np.einsum("ij,ij->i", inputs[part, inside], inputs[part, inside])
            inputs[part, -1] = np.sqrt(np.maximum(squares, 0.0))
        return inputs

    def scale_points(self, points):
        return ((points - self.shift) / self.scale) @ self.components

    def unscale_points(self, points):
        return points @ self.components.T.astype(np.float64) * self.scale + self.shift

    def unscale_inverse_radii(self, inverse_radii):
        squares = self.components.astype(np.float64) ** 2
        radii = np.broadcast_to(inverse_radii, (len(inverse_radii), squares.shape[1]))
        return np.sqrt(radii.astype(np.float64) ** 2 @ squares.T) / self.scale

    def unscale_coefs(self, coefs):
        return super().unscale_coefs(self.components.astype(np.float64) @ coefs)

    def column_terms(self, centroids, squares):
        components = self.components.astype(np.float64)
        squares = np.broadcast_to(squares, centroids.shape) @ components.T**2
        return squares * spread_around(centroids @ components.T)

    def distance_terms(self, differences, inverse_radii):
        """Return each column's part in the scaled squares of differences, (..., n_columns).

        The square is the scalar product of two vectors in the space of columns: the difference, and
        its product with the squared radii. Terms of single columns may be negative.
        """
        components = self.components.astype(np.float64).T
        return (differences @ components) * ((differences * inverse_radii**2) @ components)

    def weighted(self, weights):
        raise NotImplementedError("directions have no weights")


def scaled_product(input_map, rows, matrix):
    """Return ``((rows - shift) / scale) @ matrix``; a sparse matrix stays sparse."""
    bound = largest_square_root(rows.shape[1], rows.dtype)
    shift, scale = input_map.shift.astype(rows.dtype), input_map.scale.astype(rows.dtype)
    matrix = matrix.astype(rows.dtype, copy=False)
    if issparse(rows):
        return sparse_scaled(input_map, rows, bound) @ matrix - (shift / scale) @ matrix
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = rows - shift
        scaled /= scale
        product = scaled @ matrix
        unusual = ~np.isfinite(product).all(axis=1)
        if unusual.any():  # missing values, or some that are too large
            scaled = np.clip(scaled[unusual], -bound, bound)
            product[unusual] = np.nan_to_num(scaled, copy=False) @ matrix
    return product


def sparse_scaled(input_map, rows, bound):
    """Return sparse rows divided by the scale."""
    shift, scale = input_map.shift, input_map.scale
    rows = csr_array(rows)
    data = np.clip(rows.data / scale[rows.indices], -bound, bound)
    if has_missing(rows):
        data = np.where(np.isnan(data), (shift / scale)[rows.indices], data)
    return csr_array((data.astype(rows.dtype), rows.indices, rows.indptr), shape=rows.shape)


def squared_lengths(input_map, rows):
    """Return the squared lengths of scaled rows, in float64."""
    bound = largest_square_root(rows.shape[1], rows.dtype)
    if not issparse(rows):
        scaled = (rows - input_map.shift) / input_map.scale
        np.nan_to_num(scaled, copy=False, nan=0.0)
        np.clip(scaled, -bound, bound, out=scaled)
        return np.einsum("ij,ij->i", scaled, scaled, dtype=np.float64)
    scaled, ratio = sparse_scaled(input_map, rows, bound), input_map.shift / input_map.scale
    squares = (scaled * scaled).sum(axis=1, dtype=np.float64)
    return squares - 2.0 * (scaled @ ratio) + ratio @ ratio


# Fit ----------------------------------------------------------------------------------------------


def fit_input_map(X, weights, standardize, dtype, target=None, n_others=0.0, statistics=None):
    """Return the map for rows X; it projects many columns if their `target` is given.

    The weights sum to 1. Columns with missing values are not projected. The network has further
    inputs with the variance of `n_others` columns. X may be a sample of the rows that `statistics`
    are from.
    """
    projected = None
    if target is not None and standardize and has_many_columns(X, weights) and not has_missing(X):
        projected = fit_projected_map(X, weights, dtype, target, n_others, statistics)
    return projected or InputMap.fit(X, weights, standardize, dtype, n_others, statistics)


def has_many_columns(X, weights):
    """Return whether there are enough columns to project, which for a sample is quick to see."""
    if not MANY_RARE_COLUMNS < X.shape[1] <= MANY_COLUMNS:
        return X.shape[1] > MANY_COLUMNS
    step = -(-X.shape[0] // MEDIAN_ROWS)
    _, share = unusual_values(X[::step], weights[::step] / weights[::step].sum())
    return np.count_nonzero(is_rare(share)) >= MOSTLY_RARE * np.count_nonzero(share)


def fit_projected_map(X, weights, dtype, target, n_others, statistics=None):
    """Return the map that projects X, or None if too few columns vary or squares would overflow."""
    statistics = statistics or ColumnStatistics.of(X, weights)
    mean, std, reach = statistics.mean, statistics.std, statistics.reach
    if (statistics.mass < 1.0 - 1e-6).any():  # missing in rows that X, a sample, does not have
        return None
    usable = exceeds_rounding(std, mean, X.dtype, dtype)
    overflows = reach >= largest_square_root(X.shape[1], X.dtype)
    if np.count_nonzero(usable) <= MANY_RARE_COLUMNS or overflows.any():
        return None
    usual, share = unusual_values(X, weights)
    spread, rare = std.copy(), is_rare(share)
    # The deviation of a column with the same values in a share `RARE` of rows.
    squares = std[rare] ** 2 + (mean[rare] - usual[rare]) ** 2
    spread[rare] = np.sqrt(squares / share[rare] * RARE * (1.0 - RARE))
    shared = columns_of_one_unit(statistics.low, statistics.high) & usable
    if shared.any():
        spread[shared] = np.sqrt(np.mean(std[shared] ** 2))
    scale = np.where(usable, spread, 1.0)
    n_usable = np.sum((std[usable] / scale[usable]) ** 2)
    crowding = (n_usable + n_others) / COLUMNS_OF_UNIT_SPREAD
    scale[usable] *= np.sqrt(max(1.0, crowding))
    shift = mean.astype(X.dtype).astype(np.float64)
    components = directions(WeightedRows(X, weights, shift, scale, usable), target)
    origin = np.zeros(components.shape[1])
    return ProjectedMap(shift, scale, origin, components=components.astype(dtype))


def is_rare(share):
    """Return whether few rows, but not none, have another value than the others."""
    return (share > 0) & (share < RARE)


def unusual_values(X, weights):
    """Return each column's median, and the share of rows that have another value."""
    X = csr_array(X) if issparse(X) else X
    sample = X[:: -(-X.shape[0] // MEDIAN_ROWS)]
    if issparse(X):
        usual, filled = np.zeros(X.shape[1]), 2 * (sample != 0).sum(axis=0) >= sample.shape[0]
        usual[filled] = np.median(make_dense(sample[:, np.flatnonzero(filled)]), axis=0)
        share = (X != 0).T @ weights
        columns = np.flatnonzero(usual)
        share[columns] = weights @ (make_dense(X[:, columns]) != usual[columns])
        return usual, share
    usual, share = np.median(sample, axis=0), np.zeros(X.shape[1])
    for part in slices(X.shape[0], PART // X.shape[1]):
        share += weights[part] @ (X[part] != usual)
    return usual, share


class WeightedRows(LinearOperator):
    """Scaled rows times the roots of their weights, of which only products are computed."""

    def __init__(self, X, weights, shift, scale, usable):
        super().__init__(np.dtype(np.float64), X.shape)
        self.X, self.weights, self.usable = X, weights, usable
        self.shift, self.scale = shift, scale
        self.roots = np.sqrt(weights)[:, np.newaxis]

    def sample(self, n_rows):
        step = -(-len(self.weights) // n_rows)
        weights = self.weights[::step] / self.weights[::step].sum()
        return WeightedRows(self.X[::step], weights, self.shift, self.scale, self.usable)

    def _matmat(self, matrix):
        product = np.empty((len(self.weights), matrix.shape[1]))
        for part in slices(len(self.weights), PART // self.X.shape[1]):
            product[part] = scaled_product(self, self.X[part], matrix)
        return product * self.roots

    def _rmatmat(self, matrix):
        matrix = self.roots * matrix
        product = np.zeros((self.X.shape[1], matrix.shape[1]))
        for part in slices(len(self.weights), PART // self.X.shape[1]):
            rows = self.X[part] if issparse(self.X) else self.X[part] - self.shift
            product += rows.T @ matrix[part]
        if issparse(self.X):
            product -= np.outer(self.shift, matrix.sum(axis=0))
        product /= self.scale[:, np.newaxis]
        product[~self.usable] = 0.0
        return product

    def gram(self):
        """Return the products of all pairs of rows."""
        if issparse(self.X):
            bound = largest_square_root(self.X.shape[1], self.X.dtype)
            scaled, ratio = sparse_scaled(self, self.X, bound), self.shift / self.scale
            with_mean = scaled @ ratio
            products = (scaled @ scaled.T).toarray() + ratio @ ratio
            products -= with_mean + with_mean[:, np.newaxis]
        else:
            products = np.zeros((len(self.weights),) * 2)
            for part in slices(self.X.shape[1], PART // len(self.weights)):
                scaled = (self.X[:, part] - self.shift[part]) / self.scale[part]
                scaled[:, ~self.usable[part]] = 0.0
                products += scaled @ scaled.T
        return products * self.roots * self.roots.T


def directions(rows, target):
    """Return orthonormal directions (n_columns, n_directions) for a target (n_rows, n_outputs)."""
    wanted = rows.roots * (target - rows.weights @ target)
    n_directions = int(np.clip(rows.shape[0] // ROWS_PER_DIRECTION, *N_DIRECTIONS))
    if rows.shape[0] > FEW_ROWS:
        return chosen_directions(rows, rows.sample(SAMPLE_ROWS), wanted, n_directions)
    # All directions that the rows span are found from the products of rows.
    squares, vectors = eigh(rows.gram())
    large = np.flatnonzero(squares > SMALLEST**2 * squares[-1])[::-1]
    lengths, vectors = np.sqrt(squares[large]), vectors[:, large]
    vectors /= lengths
    if len(large) > n_directions:
        rotated = aslinearoperator(vectors * squares[large])
        vectors = vectors @ chosen_directions(rotated, rotated, wanted, n_directions)
    return orthonormal(rows.rmatmat(vectors))


def chosen_directions(rows, sample, wanted, n_directions):
    """Return directions that predict what is wanted, and principal ones of a sample of rows."""
    most, n_columns = n_directions // 2, rows.shape[1]
    if wanted.shape[1] > most:
        # Random combinations of many outputs stand for them.
        wanted = wanted @ np.random.default_rng(0).standard_normal((wanted.shape[1], most))
    basis, least = np.empty((n_columns, 0)), SMALLEST * np.linalg.norm(wanted)
    for _ in range(ROUNDS):
        if np.linalg.norm(wanted) <= least or basis.shape[1] == most:
            break
        found = leading(without(basis, rows.rmatmat(wanted)), most - basis.shape[1])
        basis = np.concatenate([basis, orthonormal(without(basis, found))], axis=1)
        scores = rows.matmat(basis)
        wanted = wanted - scores @ np.linalg.lstsq(scores, wanted, rcond=None)[0]
    n_others = min(n_directions, n_columns) - basis.shape[1]
    shape = n_columns, min(n_others + EXCESS, n_columns)
    vectors = np.random.default_rng(0).standard_normal(shape)
    for _ in range(STEPS):
        vectors, _ = np.linalg.qr(without(basis, vectors))
        vectors = without(basis, sample.rmatmat(sample.matmat(vectors)))
    others = orthonormal(without(basis, leading(vectors, n_others)))
    return np.concatenate([basis, others], axis=1)


def without(basis, vectors):
    """Return vectors minus their part in the span of an orthonormal basis."""
    for _ in range(2):  # the second time removes rounding errors
        vectors = vectors - basis @ (basis.T @ vectors)
    return vectors


def leading(vectors, most):
    """Return the leading principal directions of the columns of `vectors`, the first one first."""
    squares, rotation = eigh(vectors.T @ vectors)
    large = np.flatnonzero(squares > SMALLEST**2 * squares[-1])[::-1][:most]
    return vectors @ (rotation[:, large] / np.sqrt(squares[large]))


def orthonormal(vectors):
    """Return nearly orthonormal vectors made so, their largest entries positive."""
    if not vectors.size:
        return vectors
    upper = cholesky(vectors.T @ vectors)
    basis = solve_triangular(upper, vectors.T, trans="T").T
    largest = np.abs(basis).argmax(axis=0)
    return basis * np.sign(basis[largest, np.arange(basis.shape[1])])
