"""Grouped PPCA: distances in closed form, missing values, few rows, far and infinite rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistnet._novelty.ppca import GroupedPPCA, principal_components

GROUPS = np.arange(400) % 2


def planes(n_columns=10, noise=0.1):
    """Return rows of two groups, each near a plane of its own."""
    rng = np.random.default_rng(1)
    rows = noise * rng.normal(size=(400, n_columns))
    for group in range(2):
        members = group == GROUPS
        rows[members] += 3 * group
        rows[members] += rng.normal(size=(200, 2)) * [4, 2] @ rng.normal(size=(2, n_columns))
    return rows


def test_distance_is_mahalanobis_to_the_nearest_group():
    rows = planes()
    ppca = GroupedPPCA.fit(rows, GROUPS, 4)
    new = np.vstack([rows[:7], np.random.default_rng(0).normal(size=(20, 10)) * 10])
    expected = []
    ends = np.cumsum(ppca.n_components)
    for mean, end, size in zip(ppca.means, ends, ppca.n_components, strict=True):
        part = slice(end - size, end)
        basis = ppca.components[part].astype(float)
        centered = new / ppca.scale - mean
        projection = centered @ basis.T
        residual = ((centered - projection @ basis) ** 2).sum(axis=1) / ppca.noise_variance
        expected.append(residual + (projection**2 / ppca.variances[part]).sum(axis=1))
    np.testing.assert_allclose(np.exp(ppca.log_distance(new)), np.min(expected, axis=0), rtol=1e-9)
    assert ppca.n_components.tolist() == [2, 2]
    assert np.sqrt(ppca.noise_variance) * ppca.scale == pytest.approx(0.1, rel=0.05)


def test_rows_off_the_planes_are_farther():
    rows = planes()
    ppca = GroupedPPCA.fit(rows, GROUPS, 4)
    mean = rows[GROUPS == 0].mean(axis=0)
    component = ppca.components[0].astype(float)
    off = np.random.default_rng(0).normal(size=10)
    off -= off @ ppca.components[:2].T.astype(float) @ ppca.components[:2]
    off /= np.linalg.norm(off)
    within, outside = ppca.log_distance(np.stack([mean + 2 * component, mean + 2 * off]))
    assert outside - within > 3.0


def test_components_are_equal_for_wide_and_tall():
    wide = np.random.default_rng(0).normal(size=(30, 40)) * np.arange(1, 41)
    by_rows = principal_components(wide, 5)
    by_columns = principal_components(np.vstack([wide, np.zeros((20, 40))]), 5)
    np.testing.assert_allclose(np.abs(np.sum(by_rows * by_columns, axis=1)), 1.0, rtol=1e-9)
    np.testing.assert_allclose(by_rows @ by_rows.T, np.eye(5), atol=1e-9)


def test_missing_values_are_at_the_mean():
    rows = planes()
    ppca = GroupedPPCA.fit(rows, np.zeros(400, int), 2)
    missing = rows[:20].copy()
    missing[:, 3] = np.nan
    filled = np.where(np.isnan(missing), ppca.means[0].astype(float) * ppca.scale, missing)
    np.testing.assert_allclose(ppca.log_distance(missing), ppca.log_distance(filled), rtol=1e-9)
    rows[::3, 4] = np.nan
    again = GroupedPPCA.fit(rows, np.zeros(400, int), 2)
    assert np.isfinite(again.log_distance(rows)).all()


def test_cross_fitted_distances_match_those_of_new_rows():
    rows = np.random.default_rng(4).normal(size=(400, 100))
    crossed = GroupedPPCA.cross_fitted_log_distance(rows[:200], GROUPS[:200], 40)
    half = GroupedPPCA.fit(rows[:100], GROUPS[:100], 40)
    assert np.median(crossed) == pytest.approx(np.median(half.log_distance(rows[200:])), abs=0.02)
    assert np.median(half.log_distance(rows[:100])) < np.median(crossed) - 0.05


@given(
    n_rows=st.integers(2, 12),
    n_columns=st.integers(1, 6),
    max_components=st.integers(0, 9),
    scale=st.sampled_from([0.0, 1e-30, 1.0, 1e30]),
)
@settings(deadline=None, max_examples=60)
def test_distances_are_finite_and_grow_for_any_rows(n_rows, n_columns, max_components, scale):
    rng = np.random.default_rng(n_rows)
    rows = scale * rng.normal(size=(n_rows, n_columns))
    groups = np.arange(n_rows) % 3
    assert np.isfinite(GroupedPPCA.cross_fitted_log_distance(rows, groups, max_components)).all()
    ppca = GroupedPPCA.fit(rows, groups, max_components)
    assert len(ppca.components) == ppca.n_components.sum() <= max_components
    away = [ppca.log_distance(rows + far * (scale or 1.0)).min() for far in (1e3, 1e6, 1e12)]
    assert np.isfinite(away).all()
    assert (np.diff(away) > 1.0).all()


def test_infinite_rows_are_clipped():
    rows = planes()
    rows[3, 2], rows[8, 1] = np.inf, -np.inf
    assert np.isfinite(GroupedPPCA.fit(rows, GROUPS, 4).log_distance(rows)).all()
