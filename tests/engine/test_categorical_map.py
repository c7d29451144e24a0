"""Rows with codes map to inputs, in which a column of categories counts as one column."""

from functools import partial

import numpy as np
import pytest
from categorical_maps import (
    N_COLUMNS,
    N_ROWS,
    all_levels,
    apply,
    by_target,
    columns_of_inputs,
    draw_rows,
    fit_map,
    squared_distances,
    sum_by_column,
    uniform,
)
from finite_differences import central_differences
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skdistnet.engine import KERNELS, Network
from skdistnet.engine.categories import (
    CategoricalMap,
    fit_categorical_map,
    fit_locations,
    variance,
)
from skdistnet.engine.input_scaling import COLUMNS_OF_UNIT_SPREAD, InputMap
from skdistnet.engine.layers import Distance
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.layers.missing import fill_missing
from skdistnet.engine.prediction import layer_output
from skdistnet.engine.relevances import input_relevances
from skdistnet.engine.training.mapped_rows import MappedRows

N_UNITS = 5
every_radius_type = pytest.mark.parametrize("radius_type", RADIUS_TYPES)
every_kernel = pytest.mark.parametrize("kernel", KERNELS)


# The map ------------------------------------------------------------------------------------------


def test_inputs_are_numbers_followed_by_locations():
    X = draw_rows()
    input_map = fit_map(X)
    mapped = apply(input_map, X)
    numbers = InputMap.fit(X[:, [0, 2]], uniform(), True, np.dtype(float))
    np.testing.assert_array_equal(mapped[:, :2], apply(numbers, X[:, [0, 2]]))
    assert input_map.n_columns == N_COLUMNS
    assert mapped.shape[1] == 2 + 4 + 1 + 2 == input_map.n_inputs
    np.testing.assert_array_equal(np.isnan(X)[:, columns_of_inputs(input_map)], np.isnan(mapped))
    np.testing.assert_array_equal(mapped, input_map.linear_inputs(X))
    first, second = X[:, 1] == 0, X[:, 1] == 3
    squares = (mapped[first][0, 2:6] - mapped[second][0, 2:6]) ** 2
    assert squares.sum() == pytest.approx(2.0)


@pytest.mark.parametrize("n_numbers", [3, 70, 200])
@pytest.mark.parametrize("n_columns", [1, 100])
def test_crowding_counts_variances_of_levels(n_numbers, n_columns):
    rng = np.random.default_rng(0)
    X = np.hstack([rng.random((N_ROWS, n_numbers)), rng.integers(0, 3, (N_ROWS, n_columns))])
    columns = list(range(n_numbers, n_numbers + n_columns))
    located = [fit_locations(X[:, column], 3, uniform()) for column in columns]
    fit_numbers = partial(fit_input_map, weights=uniform())
    input_map = fit_categorical_map(X, uniform(), columns, located, fit_numbers, True)
    total = n_numbers + sum(
        variance(located[one], X[:, at], uniform()) for one, at in enumerate(columns)
    )
    spread = apply(input_map, X).var(axis=0).sum()
    assert spread == pytest.approx(min(total, COLUMNS_OF_UNIT_SPREAD))
    assert input_map.numbers.scale[0] ** 2 / X[:, 0].var() == pytest.approx(
        max(1.0, total / COLUMNS_OF_UNIT_SPREAD)
    )
    plain = fit_categorical_map(
        X, uniform(), columns, located, partial(fit_numbers, standardize=False), False
    )
    assert plain.locations[0] is located[0]


def fit_input_map(X, n_others, weights, standardize=True):
    return InputMap.fit(X, weights, standardize, np.dtype(float), n_others)


def test_sparse_rows_map_like_dense_ones():
    X = draw_rows()
    dense, sparse = fit_map(X), fit_map(csr_array(X))
    rows = np.vstack([X, [[1, 9, 0, -1, 2]]])
    folds = np.arange(len(rows)) % 2
    for method in ("linear_inputs", "is_incomplete", "unseen", "unique"):
        results = getattr(dense, method)(rows), getattr(sparse, method)(csr_array(rows))
        np.testing.assert_allclose(*results, rtol=1e-12)
    np.testing.assert_allclose(apply(dense, rows), apply(sparse, csr_array(rows)), rtol=1e-12)
    taken = sparse.rows_of_folds(csr_array(rows), folds)
    np.testing.assert_array_equal(taken.toarray(), dense.rows_of_folds(rows, folds))
    extended, inputs = sparse.extended(csr_array(rows))
    expected, expected_inputs = dense.extended(rows)
    np.testing.assert_array_equal(inputs, expected_inputs)
    np.testing.assert_allclose(apply(extended, csr_array(rows)), apply(expected, rows))


@pytest.mark.parametrize("limit", [0, 2**20])
@pytest.mark.parametrize("batch", [slice(2, 9), np.array([5, 0, 3])], ids=["slice", "indices"])
def test_cached_rows_equal_mapped_ones(limit, batch, monkeypatch):
    monkeypatch.setattr("skdistnet.engine.training.mapped_rows.CACHE_BYTES", limit)
    X = draw_rows()
    input_map = fit_map(X)
    rows = MappedRows(input_map, X, np.dtype(float))
    assert rows.incomplete
    assert (rows.cached is None) == (limit == 0)
    out = np.empty((len(X[batch]), input_map.n_inputs))
    rows.gather(batch, out)
    np.testing.assert_array_equal(out, apply(input_map, X[batch]))


def test_codes_are_read_before_inputs_are_written(monkeypatch):
    """The first column has codes, and the first input is that of another column."""
    monkeypatch.setattr("skdistnet.engine.training.mapped_rows.CACHE_BYTES", 0)
    X = np.column_stack([all_levels(2), draw_rows(missing=0.0)[:, [0, 2]]])
    located = [fit_locations(X[:, 0], 2, uniform())]
    fit_numbers = partial(fit_input_map, weights=uniform())
    input_map = fit_categorical_map(X, uniform(), [0], located, fit_numbers, True)
    rows, out = MappedRows(input_map, X, np.dtype(float)), np.empty((4, 3))
    batch = np.array([7, 0, 3, 4])
    rows.gather(batch, out)
    np.testing.assert_array_equal(out, apply(input_map, X[batch]))


def test_unseen_levels_make_rows_incomplete():
    X = draw_rows(missing=0.0)
    input_map = fit_map(X)
    assert not input_map.is_incomplete(X)
    rows = X[:3].copy()
    rows[1, 3] = -1
    np.testing.assert_array_equal(input_map.unseen(rows).any(axis=1), [False, True, False])
    assert input_map.unseen(rows).sum() == 1
    assert input_map.is_incomplete(rows)
    rows[1, 3] = np.nan
    assert not input_map.unseen(rows).any()
    assert input_map.is_incomplete(rows)


def test_unique_levels_are_those_of_one_row():
    X = draw_rows(missing=0.0)
    X[:, 1], X[:, 3] = 0, 1
    X[[4, 5, 6], 1] = 1, 2, 2
    X[8, 3] = np.nan  # alone, but without a level
    input_map = fit_map(X)
    unique = input_map.unique(X)
    assert unique.shape == (len(X), len(input_map.parts))
    assert np.argwhere(unique).tolist() == [[4, 0]]


def test_rows_of_folds_have_locations_of_their_fold():
    X, rng = draw_rows(), np.random.default_rng(1)
    input_map, folds = fit_map(X), rng.integers(0, 2, N_ROWS)
    before = X.copy()
    mapped = apply(input_map, input_map.rows_of_folds(X, folds))
    np.testing.assert_array_equal(X, before)
    expected = apply(input_map, X)
    observed = ~np.isnan(X[:, 4])
    codes = X[observed, 4].astype(int)
    expected[observed, -2:] = by_target().of_folds[folds[observed], codes]
    np.testing.assert_allclose(mapped, expected)
    without = CategoricalMap(input_map.numbers, input_map.code_columns[:2], input_map.locations[:2])
    assert without.rows_of_folds(X, folds) is X


# Units of X ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("standardize", [True, False])
def test_points_of_rows_are_rows_again(standardize):
    X = draw_rows()
    input_map = fit_map(X, standardize)
    X = X[~np.isnan(X).any(axis=1)]
    scaled = input_map.scale_points(X)
    np.testing.assert_allclose(scaled, apply(input_map, X), atol=1e-12)
    np.testing.assert_allclose(input_map.unscale_points(scaled), X)


def test_points_without_a_level_are_at_the_mean():
    X = draw_rows()
    input_map = fit_map(X)
    points = X[:1].copy()
    points[0, [1, 3, 4]] = np.nan, -1, 7
    np.testing.assert_array_equal(input_map.scale_points(points)[0, 2:], 0.0)


@given(n_levels=st.integers(1, 12), seed=st.integers(0, 99))
def test_nearest_level_is_the_closest_one(n_levels, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_levels, N_ROWS) * 1.0
    locations = fit_locations(codes, n_levels, uniform())
    points = rng.normal(size=(9, locations.n_inputs))
    distances = ((points[:, np.newaxis] - locations.points) ** 2).sum(axis=2)
    np.testing.assert_array_equal(locations.nearest(points), np.nanargmin(distances, axis=1))


@every_radius_type
def test_inverse_radius_is_a_distance_of_levels(radius_type):
    X = draw_rows()
    input_map = fit_map(X)
    layer = Distance(input_map.n_inputs, N_UNITS, None, radius_type)
    radii = np.random.default_rng(0).normal(size=layer.radii_shape)
    unscaled = input_map.unscale_inverse_radii(radii)
    for row, own in zip(unscaled, np.broadcast_to(radii, (len(radii), input_map.n_inputs))):
        for column, part, locations in input_map.parts:
            scaled = locations.points * own[part]
            expected = np.sqrt(np.mean(squared_distances(scaled)))
            assert row[column] == pytest.approx(expected)
        np.testing.assert_allclose(row[[0, 2]], np.abs(own[:2]) / input_map.numbers.scale)


def test_levels_have_no_coefficients():
    X = draw_rows()
    input_map = fit_map(X)
    coefs = np.random.default_rng(0).normal(size=(input_map.n_inputs, 3))
    unscaled = input_map.unscale_coefs(coefs)
    assert unscaled.shape == (N_COLUMNS, 3)
    np.testing.assert_array_equal(np.isnan(unscaled).all(axis=1), [False, True, False, True, True])
    mapped = apply(input_map, X[:1])
    raw = mapped[:, :2] @ coefs[:2]
    intercepts = input_map.unscale_intercepts(np.zeros(3), coefs)
    np.testing.assert_allclose(X[:1, [0, 2]] @ unscaled[[0, 2]] + intercepts, raw)


# Distances ----------------------------------------------------------------------------------------


def naive(params, mapped, input_map):
    """Return u: sums over observed inputs, scaled up by the share of columns observed."""
    differences = mapped[:, np.newaxis] - params["centroids"]
    sums = np.nansum((differences * params["inverse_radii"]) ** 2, axis=2)
    n_observed = np.count_nonzero(sum_by_column(~np.isnan(mapped), input_map), axis=1)
    return -0.5 * sums * (N_COLUMNS / n_observed)[:, np.newaxis]


def run(layer, block, mapped, shares, d_out=None):
    """Return the output for mapped rows, or the gradient of its sum weighted by `d_out`."""
    params, work = layer.views(block), layer.workspace(len(mapped), mapped.dtype)
    out = np.empty((len(mapped), layer.n_units), mapped.dtype)
    work.X[...] = mapped
    work.observed = fill_missing(work.X, shares)
    layer.prepare(params, work)
    layer.forward(params, work, out)
    if d_out is None:
        return out
    gradient = np.full_like(block, np.nan)
    layer.backward(params, work, out, d_out.copy(), layer.views(gradient))
    return gradient


def draw_layer(radius_type, kernel=None, seed=0):
    """Return a layer, its parameters, mapped rows and the map."""
    X = draw_rows(seed)
    input_map = fit_map(X)
    layer = Distance(input_map.n_inputs, N_UNITS, kernel, radius_type)
    block = 0.5 * np.random.default_rng(seed).normal(size=layer.n_parameters)
    return layer, block, apply(input_map, X), input_map


def test_category_counts_as_one_column():
    shares = fit_map(draw_rows()).input_shares
    np.testing.assert_allclose(shares, [1, 1, 0.25, 0.25, 0.25, 0.25, 1, 0.5, 0.5])


@every_radius_type
@given(seed=st.integers(0, 99))
def test_distances_are_scaled_by_observed_columns(radius_type, seed):
    layer, block, mapped, input_map = draw_layer(radius_type, seed=seed)
    mapped = mapped[~np.isnan(mapped).all(axis=1)]
    actual = run(layer, block, mapped, input_map.input_shares)
    expected = naive(layer.views(block), mapped, input_map)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@every_kernel
@every_radius_type
def test_gradient_with_missing_levels_is_exact(radius_type, kernel):
    layer, block, mapped, input_map = draw_layer(radius_type, kernel)
    shares = input_map.input_shares
    d_out = np.random.default_rng(1).normal(size=(N_ROWS, N_UNITS))
    expected = central_differences(
        lambda moved: float((run(layer, moved, mapped, shares) * d_out).sum()), block
    )
    actual = run(layer, block, mapped, shares, d_out)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-8)


@every_kernel
@every_radius_type
@pytest.mark.parametrize("n_rows", [1, 3, 4, N_ROWS])
def test_few_rows_have_the_outputs_of_many(radius_type, kernel, n_rows):
    X = draw_rows()
    X[1] = 0.5, np.nan, np.nan, -1, np.nan
    X[2] = np.nan
    input_map = fit_map(X)
    network = Network([input_map.n_inputs, N_UNITS, 2], kernel, "distance", radius_type)
    theta = 0.5 * np.random.default_rng(0).normal(size=network.n_parameters)
    mapped, params = apply(input_map, X), network.views(theta)[0]
    mapped[2] = 0.0  # without an observed value a row counts as the mean
    expected = naive(params, mapped, input_map)
    KERNELS[kernel].value(expected.copy(), expected)
    actual = layer_output(network, theta, input_map, X[:n_rows], layer=0)
    np.testing.assert_allclose(actual, expected[:n_rows], rtol=1e-9, atol=1e-12)


# Relevances ---------------------------------------------------------------------------------------


@every_radius_type
def test_relevances_are_sums_over_a_columns_inputs(radius_type):
    input_map = fit_map(draw_rows())
    network = Network([input_map.n_inputs, N_UNITS, 2], "gaussian", "distance", radius_type)
    theta = 0.5 * np.random.default_rng(0).normal(size=network.n_parameters)
    of_inputs = input_relevances(network, theta)
    of_columns = input_relevances(network, theta, input_map)
    assert of_columns.shape == (N_COLUMNS,)
    np.testing.assert_allclose(of_columns, sum_by_column(of_inputs, input_map))


@every_radius_type
def test_distance_terms_are_sums_over_inputs(radius_type):
    layer, block, mapped, input_map = draw_layer(radius_type)
    params = layer.views(block)
    differences = np.nan_to_num(mapped)[:, np.newaxis] - params["centroids"]
    terms = input_map.distance_terms(differences, params["inverse_radii"])
    expected = sum_by_column((differences * params["inverse_radii"]) ** 2, input_map)
    np.testing.assert_allclose(terms, expected)


# Changes ------------------------------------------------------------------------------------------


def test_further_rows_keep_the_inputs():
    X = draw_rows()
    X[:, 2], X[X[:, 1] == 3, 1] = 7.0, 2
    input_map = fit_map(X)
    rows = X.copy()
    rows[3, 1], rows[5, 2], rows[7, 3] = 3, 8.0, 2
    extended, inputs = input_map.extended(rows)
    assert extended.n_inputs == input_map.n_inputs
    # The constant column, and the last level's input of the first categories.
    assert inputs.tolist() == [1, 5]
    assert not input_map.varying[inputs].any()
    assert extended.varying[inputs].all()
    before, after = apply(input_map, X), apply(extended, X)
    np.testing.assert_array_equal(np.delete(after, 1, axis=1), np.delete(before, 1, axis=1))
    assert not extended.unseen(rows).any()
    assert input_map.unseen(rows).sum() == 2
    np.testing.assert_array_equal(extended.origin, input_map.origin)


def test_map_without_new_levels_stays_the_same():
    X = draw_rows()
    input_map = fit_map(X)
    same, inputs = input_map.extended(X[::-1])
    assert same is input_map
    assert inputs.size == 0


def test_inputs_of_a_column_share_a_weight():
    X, weights = draw_rows(), np.array([2.0, 0.5, 3.0, 0.1, 4.0])
    input_map = fit_map(X)
    weighted = input_map.weighted(weights)
    expected = apply(input_map, X) * weights[columns_of_inputs(input_map)]
    np.testing.assert_allclose(apply(weighted, X), expected)
    scaled = weighted.scale_points(X[:1])
    np.testing.assert_allclose(weighted.unscale_points(scaled), X[:1])
    folds = np.arange(N_ROWS) % 2
    expected = apply(input_map, input_map.rows_of_folds(X, folds))
    actual = apply(weighted, weighted.rows_of_folds(X, folds))
    np.testing.assert_allclose(actual, expected * weights[columns_of_inputs(input_map)])


def test_means_by_column_are_over_its_inputs():
    input_map = fit_map(draw_rows())
    values = np.random.default_rng(0).random(input_map.n_inputs)
    n_inputs = sum_by_column(np.ones_like(values), input_map)
    expected = sum_by_column(values, input_map) / n_inputs
    np.testing.assert_allclose(input_map.by_column(values), expected)
