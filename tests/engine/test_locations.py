"""Levels of categories have equidistant locations, around the mean over rows."""

import numpy as np
import pytest
from categorical_maps import N_ROWS, all_levels, by_target, squared_distances, uniform
from hypothesis import given
from hypothesis import strategies as st

from skdistnet.engine.categories import MOST_INPUTS, SPARE_INPUTS, fit_locations, variance


@given(n_levels=st.integers(2, 40))
def test_any_two_levels_have_the_same_distance(n_levels):
    locations = fit_locations(all_levels(n_levels), n_levels, uniform())
    assert locations.n_inputs == (1 if n_levels == 2 else n_levels)
    np.testing.assert_allclose(squared_distances(locations.points), 2.0)


@given(n_levels=st.integers(1, 30), seed=st.integers(0, 99), is_stream=st.booleans())
def test_locations_are_centred_at_the_mean(n_levels, seed, is_stream):
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, n_levels, N_ROWS) * 1.0
    codes[rng.random(N_ROWS) < 0.2] = np.nan
    weights = rng.random(N_ROWS)
    locations = fit_locations(codes, n_levels, weights / weights.sum(), is_stream)
    located = locations.table[locations.rows_of(codes)]
    observed = ~np.isnan(located).any(axis=1)
    np.testing.assert_array_equal(observed, codes >= 0)
    np.testing.assert_allclose(weights[observed] @ located[observed], 0.0, atol=1e-12)


def test_zero_is_where_no_level_lies():
    locations = fit_locations(all_levels(5), 5, uniform())
    np.testing.assert_allclose(locations.points - locations.zero, np.eye(5), atol=1e-12)


@given(n_levels=st.integers(1, 20), absent=st.integers(0, 19))
def test_unseen_levels_and_missing_ones_are_missing(n_levels, absent):
    codes = all_levels(n_levels)
    codes[codes == absent] = np.nan
    locations = fit_locations(codes, n_levels, uniform())
    asked = np.array([np.nan, -1.0, n_levels, 1e6, *range(n_levels)])
    found = np.isnan(locations.table[locations.rows_of(asked)])
    np.testing.assert_array_equal(found.all(axis=1), found.any(axis=1))
    known = np.isin(asked, codes[~np.isnan(codes)])
    np.testing.assert_array_equal(found.any(axis=1), ~known)


def test_column_without_observed_levels_is_missing():
    locations = fit_locations(np.full(N_ROWS, np.nan), 0, uniform())
    assert np.isnan(locations.table).all()
    assert variance(locations, np.full(N_ROWS, np.nan), uniform()) == 0
    assert np.isnan(locations.nearest(np.zeros((2, 1)))).all()
    np.testing.assert_array_equal(locations.mean_squared_differences(), 0.0)


@given(n_levels=st.integers(2, 12), seed=st.integers(0, 99))
def test_variance_is_half_the_mean_squared_distance(n_levels, seed):
    codes = np.random.default_rng(seed).integers(0, n_levels, N_ROWS) * 1.0
    locations = fit_locations(codes, n_levels, uniform())
    # Two rows at random differ by 2 or by 0.
    _, counts = np.unique(codes, return_counts=True)
    differ = 1.0 - np.sum((counts / N_ROWS) ** 2)
    assert variance(locations, codes, uniform()) == pytest.approx(differ)


# Later levels -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_first", [1, 2, 5, 14, 30])
def test_streams_have_inputs_for_later_levels(n_first):
    locations = fit_locations(all_levels(n_first), n_first, uniform(), is_stream=True)
    n_inputs = locations.n_inputs
    assert n_inputs == min(MOST_INPUTS, max(2 * n_first, n_first + SPARE_INPUTS))
    later = locations.with_levels(np.arange(n_inputs) * 1.0)
    np.testing.assert_allclose(squared_distances(later.points), 2.0)


def test_levels_beyond_the_inputs_are_nearly_equidistant():
    locations = fit_locations(all_levels(20), 20, uniform(), is_stream=True)
    later = locations.with_levels(np.arange(60.0))
    assert later.n_inputs == MOST_INPUTS
    distances = squared_distances(later.points)
    assert min(distances) > 0.75
    assert max(distances) < 3.25
    assert np.mean(distances) == pytest.approx(2.0, abs=0.1)


@given(first=st.integers(1, 9), later=st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_later_levels_do_not_depend_on_blocks(first, later):
    start = fit_locations(all_levels(first), first, uniform(), is_stream=True)
    at_once = start.with_levels(np.array(later) * 1.0)
    one_by_one = start
    for code in later:
        one_by_one = one_by_one.with_levels(np.array([code, np.nan, -1.0]))
    np.testing.assert_array_equal(one_by_one.points, at_once.points)
    np.testing.assert_array_equal(at_once.points[:first], start.points)


def test_known_levels_change_nothing():
    start = fit_locations(all_levels(4), 4, uniform())
    assert start.with_levels(np.array([0.0, 3.0, np.nan, -1.0])) is start


@pytest.mark.parametrize("factor", [0.1, 3.0])
def test_scaled_locations_scale_later_levels(factor):
    start = fit_locations(all_levels(3), 3, uniform(), is_stream=True)
    scaled = start.scaled(factor).with_levels(np.array([4.0]))
    expected = start.with_levels(np.array([4.0]))
    np.testing.assert_allclose(scaled.points, factor * expected.points)
    np.testing.assert_allclose(scaled.zero, factor * expected.zero)
    np.testing.assert_allclose(scaled.scaled(1 / factor).points, expected.points)


def test_third_level_of_two_is_beyond_both():
    start = fit_locations(all_levels(2), 2, uniform())
    later = start.with_levels(np.array([2.0]))
    np.testing.assert_allclose(np.diff(later.points[:, 0]), np.sqrt(2.0))


def test_later_levels_by_target_lie_at_the_mean():
    start = by_target()
    later = start.with_levels(np.array([5.0]))
    np.testing.assert_array_equal(later.points[5], 0.0)
    assert np.isnan(later.points[3:5]).all()
    np.testing.assert_array_equal(later.of_folds[:, :3], start.of_folds)
    np.testing.assert_array_equal(later.of_folds[:, 5], 0.0)
    assert np.isnan(later.of_folds[:, 3:5]).all()
    between = later.with_levels(np.array([4.0]))
    np.testing.assert_array_equal(between.points[4], 0.0)
    np.testing.assert_array_equal(between.of_folds[:, 4], 0.0)
