"""Maps of columns to normal scores, and the weights of features after any map."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.special import ndtri

from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.quantile_map import FARTHEST_SCORE, KNOTS, fit_quantile_map


def equal_weights(X):
    return np.full(X.shape[0], 1 / X.shape[0])


def fit(X, weights=None):
    return fit_quantile_map(X, equal_weights(X) if weights is None else weights, np.float64)


def mapped(input_map, X, **options):
    out = np.empty(X.shape)
    input_map.apply(X, out, **options)
    return out


@pytest.fixture
def X():
    return np.random.default_rng(0).lognormal(size=(80, 3))


def test_scores_are_normal_quantiles_of_ranks(X):
    ranks = X.argsort(axis=0).argsort(axis=0)
    expected = np.clip(ndtri((ranks + 0.5) / len(X)), -FARTHEST_SCORE, FARTHEST_SCORE)
    np.testing.assert_allclose(mapped(fit(X), X), expected, atol=1e-12)


def test_scores_do_not_depend_on_monotone_transformations(X):
    np.testing.assert_allclose(mapped(fit(X), X), mapped(fit(np.log(X)), np.log(X)), atol=1e-12)


def test_long_columns_are_interpolated_between_knots():
    X = np.random.default_rng(1).normal(size=(5000, 1))
    scores = mapped(fit(X), X)
    assert fit(X).knots.shape == (2, KNOTS, 1)
    usual = np.abs(X) < 2
    np.testing.assert_allclose(scores[usual], X[usual], atol=0.1)
    assert (np.diff(scores[X[:, 0].argsort(), 0]) >= 0).all()


@given(
    values=arrays(np.float64, st.integers(4, 40), elements=st.integers(-5, 5)),
    repeats=st.integers(2, 4),
)
def test_weights_equal_repeated_rows(values, repeats):
    X, counts = values[:, np.newaxis], np.ones(len(values))
    counts[::2] = repeats
    weighted = fit(X, counts / counts.sum())
    repeated = fit(np.repeat(X, counts.astype(int), axis=0))
    np.testing.assert_allclose(mapped(weighted, X), mapped(repeated, X), atol=1e-9)


def test_points_return_to_the_units_of_columns(X):
    input_map = replace(fit(X), feature_weights=np.array([0.1, 1.0, 3.0]))
    np.testing.assert_allclose(input_map.unscale_points(input_map.scale_points(X)), X)


def test_map_goes_on_in_units_of_deviations():
    X = np.random.default_rng(0).normal(size=(80, 3))
    input_map = fit(X)
    assert input_map.far_out is None
    ends, step = np.stack([X.min(axis=0), X.max(axis=0)]), input_map.scale
    beyond = mapped(input_map, ends + np.stack([-step, 2 * step])) - mapped(input_map, ends)
    np.testing.assert_allclose(beyond, [[-1.0] * 3, [2.0] * 3])


def test_map_grows_slowly_beyond_values_far_out(X):
    X[0] = 1e4
    input_map = fit(X)
    assert list(input_map.far_out) == [0, 1, 2]
    ends = mapped(input_map, np.stack([X.max(axis=0), np.full(3, 1e12)]))
    np.testing.assert_array_less(ends[1] - ends[0], 50.0)
    far = np.array([[-1e9, 1e9, 1e5]])
    np.testing.assert_allclose(input_map.unscale_points(input_map.scale_points(far)), far)


def test_columns_of_two_values_are_scaled(X):
    X[:, :2] = np.random.default_rng(0).integers(0, 2, (80, 2))
    linear = InputMap.fit(X, equal_weights(X), True, np.float64)
    np.testing.assert_allclose(mapped(fit(X), X)[:, :2], mapped(linear, X)[:, :2])


def test_pixels_keep_their_common_scale():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 5, (200, 20)).astype(float), rng.lognormal(size=200)])
    linear = InputMap.fit(X, equal_weights(X), True, np.float64)
    np.testing.assert_allclose(mapped(fit(X), X)[:, :-1], mapped(linear, X)[:, :-1], atol=1e-12)


@pytest.mark.parametrize("largest", [2, 5])
def test_map_is_linear_without_ranks(largest):
    X = np.random.default_rng(0).integers(0, largest, (200, 20)).astype(float)
    assert type(fit(X)) is InputMap


def test_missing_values_stay_missing(X):
    X[::3, 0], X[:, 1] = np.nan, np.nan
    scores = mapped(fit(X), X)
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(X))
    assert np.isnan(mapped(fit(X), np.ones((1, 3)))[0, 1])


def test_constant_columns_are_zero():
    X = np.column_stack([np.full(30, 7.0), np.arange(30.0)])
    np.testing.assert_array_equal(mapped(fit(X), X)[:, 0], 0.0)


def test_sparse_rows_have_the_same_scores(X):
    X[X < 1] = 0.0
    sparse = fit(csr_array(X))
    np.testing.assert_array_equal(mapped(sparse, csr_array(X)), mapped(fit(X), X))


@pytest.mark.parametrize("is_ranked", [False, True])
def test_feature_weights_multiply_mapped_columns(X, is_ranked):
    linear = InputMap.fit(X, equal_weights(X), True, np.float64)
    plain, weights = fit(X) if is_ranked else linear, np.array([0.5, 1.0, 2.0])
    weighted = replace(plain, feature_weights=weights)
    np.testing.assert_allclose(mapped(weighted, X), mapped(plain, X) * weights)
    np.testing.assert_allclose(weighted.scale_points(X), plain.scale_points(X) * weights)
    np.testing.assert_array_equal(weighted.linear_inputs(X), plain.linear_inputs(X))
    radii, coefs = np.full((4, 3), 2.0), np.ones((3, 4))
    expected = plain.unscale_inverse_radii(radii) * weights
    np.testing.assert_allclose(weighted.unscale_inverse_radii(radii), expected)
    expected = plain.unscale_coefs(coefs) * weights[:, np.newaxis]
    np.testing.assert_allclose(weighted.unscale_coefs(coefs), expected)


def test_spherical_radii_differ_by_feature_weights(X):
    weights = np.array([0.5, 1.0, 2.0])
    plain = InputMap.fit(X, equal_weights(X), True, np.float64)
    weighted = replace(plain, feature_weights=weights)
    radii = weighted.unscale_inverse_radii(np.ones((4, 1)))
    np.testing.assert_allclose(radii, np.tile(weights / plain.scale, (4, 1)))
