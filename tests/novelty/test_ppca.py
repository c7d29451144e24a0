"""Subspaces of the classes: distances in closed form, what is missing, too few rows, far away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistnet._novelty.ppca import Subspaces, principal_directions

GROUPS = np.arange(400) % 2


def planes(n_columns=10, noise=0.1):
    """Rows of two groups, each around a plane of its own."""
    rng = np.random.default_rng(1)
    rows = noise * rng.normal(size=(400, n_columns))
    for group in range(2):
        members = group == GROUPS
        rows[members] += 3 * group
        rows[members] += rng.normal(size=(200, 2)) * [4, 2] @ rng.normal(size=(2, n_columns))
    return rows


def test_the_distance_is_that_of_the_nearest_group_in_its_variances():
    rows = planes()
    found = Subspaces.fit(rows, GROUPS, 4)
    new = np.vstack([rows[:7], np.random.default_rng(0).normal(size=(20, 10)) * 10])
    expected = []
    ends = np.cumsum(found.sizes)
    for mean, end, size in zip(found.means, ends, found.sizes, strict=True):
        part = slice(end - size, end)
        V = found.directions[part].astype(float)
        centered = new / found.unit - mean
        along = centered @ V.T
        outside = ((centered - along @ V) ** 2).sum(axis=1) / found.rest
        expected.append(outside + (along**2 / found.variances[part]).sum(axis=1))
    np.testing.assert_allclose(np.exp(found.evidence(new)), np.min(expected, axis=0), rtol=1e-9)
    assert found.sizes.tolist() == [2, 2]
    # Three times as many columns as numbers that vary: the rest is the noise.
    assert np.sqrt(found.rest) * found.unit == pytest.approx(0.1, rel=0.05)


def test_a_row_off_the_planes_is_far_and_one_far_along_them_is_near():
    rows = planes()
    found = Subspaces.fit(rows, GROUPS, 4)
    mean = rows[GROUPS == 0].mean(axis=0)
    direction = found.directions[0].astype(float)
    off = np.random.default_rng(0).normal(size=10)
    off -= off @ found.directions[:2].T.astype(float) @ found.directions[:2]
    off /= np.linalg.norm(off)
    along, across = found.evidence(np.stack([mean + 2 * direction, mean + 2 * off]))
    assert across - along > 3.0


def test_directions_do_not_depend_on_which_products_they_are_taken_from():
    wide = np.random.default_rng(0).normal(size=(30, 40)) * np.arange(1, 41)
    by_rows = principal_directions(wide, 5)
    by_columns = principal_directions(np.vstack([wide, np.zeros((20, 40))]), 5)
    np.testing.assert_allclose(np.abs(np.sum(by_rows * by_columns, axis=1)), 1.0, rtol=1e-9)
    np.testing.assert_allclose(by_rows @ by_rows.T, np.eye(5), atol=1e-9)


def test_what_is_missing_is_at_the_mean():
    rows = planes()
    found = Subspaces.fit(rows, np.zeros(400, int), 2)
    holes = rows[:20].copy()
    holes[:, 3] = np.nan
    filled = np.where(np.isnan(holes), found.means[0].astype(float) * found.unit, holes)
    np.testing.assert_allclose(found.evidence(holes), found.evidence(filled), rtol=1e-9)
    rows[::3, 4] = np.nan
    again = Subspaces.fit(rows, np.zeros(400, int), 2)
    assert np.isfinite(again.evidence(rows)).all()


def test_rows_told_by_the_other_half_look_like_new_ones():
    rows = np.random.default_rng(4).normal(size=(400, 100))
    told = Subspaces.cross_fitted(rows[:200], GROUPS[:200], 40)
    half = Subspaces.fit(rows[:100], GROUPS[:100], 40)
    assert np.median(told) == pytest.approx(np.median(half.evidence(rows[200:])), abs=0.02)
    assert np.median(half.evidence(rows[:100])) < np.median(told) - 0.05


@given(
    n_rows=st.integers(2, 12),
    n_columns=st.integers(1, 6),
    n_directions=st.integers(0, 9),
    scale=st.sampled_from([0.0, 1e-30, 1.0, 1e30]),
)
@settings(deadline=None, max_examples=60)
def test_any_rows_will_do_and_farther_is_more_evidence(n_rows, n_columns, n_directions, scale):
    rng = np.random.default_rng(n_rows)
    rows = scale * rng.normal(size=(n_rows, n_columns))
    groups = np.arange(n_rows) % 3
    assert np.isfinite(Subspaces.cross_fitted(rows, groups, n_directions)).all()
    found = Subspaces.fit(rows, groups, n_directions)
    assert len(found.directions) == found.sizes.sum() <= n_directions
    away = [found.evidence(rows + far * (scale or 1.0)).min() for far in (1e3, 1e6, 1e12)]
    assert np.isfinite(away).all()
    assert (np.diff(away) > 1.0).all()


def test_rows_at_infinity_are_taken_as_the_farthest_there_are():
    rows = planes()
    rows[3, 2], rows[8, 1] = np.inf, -np.inf
    assert np.isfinite(Subspaces.fit(rows, GROUPS, 4).evidence(rows)).all()
