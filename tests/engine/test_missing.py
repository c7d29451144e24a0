"""Distances to rows with missing values equal naive sums and central differences."""

import numpy as np
import pytest
from finite_differences import central_differences
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import nan_euclidean_distances

from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.layers import Distance
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.layers.missing import fill_missing
from skdistnet.engine.network import Network
from skdistnet.engine.numerics.statistics import has_missing, weighted_moments
from skdistnet.engine.prediction import layer_output
from skdistnet.engine.training.mapped_rows import MappedRows

N_ROWS, N_INPUTS, N_UNITS = 7, 5, 4
every_radius_type = pytest.mark.parametrize("radius_type", RADIUS_TYPES)
every_kernel = pytest.mark.parametrize("kernel", [None, "gaussian", "cauchy"])


def draw(radius_type, kernel=None, seed=0, dtype=np.float64):
    """Return a layer, its parameters, and rows with missing values; the first one is complete."""
    rng = np.random.default_rng(seed)
    layer = Distance(N_INPUTS, N_UNITS, kernel, radius_type)
    block = rng.normal(size=layer.n_parameters).astype(dtype)
    X = rng.normal(size=(N_ROWS, N_INPUTS)).astype(dtype)
    X[rng.random(X.shape) < 0.4] = np.nan
    X[:, 0] = np.where(np.isnan(X).all(axis=1), 1.0, X[:, 0])
    X[0] = np.arange(N_INPUTS)
    return layer, block, X


def run(layer, block, X, d_out=None):
    params, work = layer.views(block), layer.workspace(len(X), X.dtype)
    out = np.full((len(X), layer.n_units), np.nan, dtype=X.dtype)
    work.X[...] = X
    work.observed = fill_missing(work.X)
    layer.prepare(params, work)
    layer.forward(params, work, out)
    if d_out is None:
        return out
    gradient = np.full_like(block, np.nan)
    layer.backward(params, work, out, d_out.copy(), layer.views(gradient))
    return gradient


def naive(layer, block, X):
    params = layer.views(block)
    difference = X[:, np.newaxis] - params["centroids"]
    squares = (params["inverse_radii"] * difference) ** 2
    return -0.5 * N_INPUTS * np.nanmean(squares, axis=2)


@every_radius_type
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000))
def test_distances_are_scaled_sums_over_observed_features(radius_type, seed):
    layer, block, X = draw(radius_type, seed=seed)
    np.testing.assert_allclose(run(layer, block, X), naive(layer, block, X), rtol=1e-10, atol=1e-12)


def test_unit_radii_give_nan_euclidean_distances():
    layer, block, X = draw("diag")
    params = layer.views(block)
    params["inverse_radii"][...] = 1.0
    expected = nan_euclidean_distances(X, params["centroids"], squared=True)
    np.testing.assert_allclose(-2.0 * run(layer, block, X), expected, rtol=1e-11)


@every_kernel
@every_radius_type
def test_gradient_matches_central_differences(radius_type, kernel):
    layer, block, X = draw(radius_type, kernel)
    d_out = np.random.default_rng(1).normal(size=(N_ROWS, N_UNITS))
    expected = central_differences(lambda moved: float((run(layer, moved, X) * d_out).sum()), block)
    np.testing.assert_allclose(run(layer, block, X, d_out), expected, rtol=1e-6, atol=1e-8)


@every_kernel
@every_radius_type
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_row_has_the_outputs_of_a_batch(radius_type, kernel, dtype):
    layer, block, X = draw(radius_type, kernel, dtype=dtype)
    X[3] = np.nan
    params, batch = layer.views(block), run(layer, block, X)
    single = np.stack([layer.forward_row(params, row) for row in X])
    assert single.dtype == batch.dtype == dtype
    tolerance = 1e-4 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(single, batch, rtol=tolerance, atol=tolerance)


@every_radius_type
def test_predictions_have_the_outputs_of_training(radius_type):
    layer, block, X = draw(radius_type)
    params, functions = layer.views(block), np.random.default_rng(1).normal(size=(2, N_INPUTS))
    expansion, filled = layer.expand(params, functions), X.copy()
    observed, u = fill_missing(filled), np.empty((N_UNITS + 2, N_ROWS))
    layer.write_incomplete(params, expansion, filled, observed, u)
    np.testing.assert_allclose(u[:N_UNITS].T, run(layer, block, X), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(u[N_UNITS:], functions @ filled.T, rtol=1e-12, atol=1e-13)


@every_radius_type
def test_complete_rows_do_not_depend_on_incomplete_ones(radius_type):
    layer, block, X = draw(radius_type)
    np.testing.assert_allclose(
        run(layer, block, X)[0], run(layer, block, X[:1])[0], rtol=1e-12, atol=1e-13
    )


def test_complete_batches_have_no_observed_weights():
    _, _, X = draw("diag")
    rows = np.stack([X[0], X[0]])
    rows[1, 1] = np.nan
    assert fill_missing(rows) is not None
    assert fill_missing(np.stack([X[0], X[0]])) is None


def test_row_without_observed_values_stands_at_zero():
    layer, block, X = draw("diag")
    X[2] = np.nan
    np.testing.assert_allclose(
        run(layer, block, X)[2], run(layer, block, np.zeros((1, N_INPUTS)))[0], rtol=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_has_missing_finds_one_nan_among_infinities(dtype):
    X = np.full((4, 3), np.inf, dtype=dtype)
    X[1] = -np.inf
    assert not has_missing(X)
    X[2, 1] = np.nan
    assert has_missing(X)
    assert not has_missing(X[:0])


# Moments and the input map ------------------------------------------------------------------------


def test_moments_ignore_missing_values():
    rng = np.random.default_rng(2)
    X, weights = rng.normal([0.0, 1e6, -5.0], size=(30, 3)), rng.random(30)
    weights /= weights.sum()
    X[rng.random(X.shape) < 0.3] = np.nan
    mean, std, reach = weighted_moments(X, weights)
    for column in range(3):
        observed = ~np.isnan(X[:, column])
        expected = weighted_moments(
            X[observed, column : column + 1], weights[observed] / weights[observed].sum()
        )
        actual = mean[column], std[column], reach[column]
        np.testing.assert_allclose(actual, np.ravel(expected), rtol=1e-9)


@pytest.mark.parametrize("standardize", [True, False])
def test_columns_without_observed_values_are_ignored(standardize):
    X = np.random.default_rng(3).normal(size=(20, 3))
    X[:, 1] = np.nan
    input_map = InputMap.fit(X, np.full(20, 0.05), standardize, X.dtype)
    assert input_map.ignores_columns
    assert input_map.scale[1] == 1
    assert input_map.origin[1] == 0
    mapped = np.empty((2, 3))
    input_map.apply(np.ones((2, 3)), mapped)
    assert np.isnan(mapped[:, 1]).all()
    assert np.isfinite(mapped[:, [0, 2]]).all()
    assert MappedRows(input_map, np.ones((2, 3)), X.dtype).incomplete
    np.testing.assert_array_equal(input_map.scale_points(np.ones((1, 3)))[0, 1], 0.0)


@pytest.mark.parametrize("n_rows", [1, 3, 4, 40])
@pytest.mark.parametrize("far", [1.0, 1e300])
def test_outputs_are_finite_for_any_number_of_rows(n_rows, far):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n_rows, 3)) * far
    X[:, 1] = np.nan
    network = Network([3, 6, 2])
    theta = rng.normal(size=network.n_parameters)
    input_map = InputMap(np.zeros(3), np.ones(3), np.zeros(3))
    actual = layer_output(network, theta, input_map, X)
    assert np.isfinite(actual).all()
    single = np.vstack([layer_output(network, theta, input_map, row[np.newaxis]) for row in X])
    np.testing.assert_allclose(actual, single, rtol=1e-8)
