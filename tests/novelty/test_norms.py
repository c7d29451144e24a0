"""Norms: the background, and residuals expected from the norm alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistnet._novelty.norms import BACKGROUND_SHARE, MIN_NORM, Norms, background


def test_background_is_most_frequent_value_or_median():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(201, 3))
    rows[:150, 1] = 7.0
    expected = [np.median(rows[:, 0]), 7.0, np.median(rows[:, 2])]
    np.testing.assert_array_equal(background(rows), expected)


@given(
    share=st.floats(BACKGROUND_SHARE + 0.02, 1.0),
    level=st.floats(-3.0, 3.0),
    seed=st.integers(0, 100),
)
def test_frequent_values_are_found_at_any_level(share, level, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, 1))
    rows[: int(np.ceil(share * len(rows)))] = level
    np.testing.assert_array_equal(background(rng.permutation(rows)), [level])


def test_background_ignores_missing_values():
    rows = np.full((20, 2), np.nan)
    rows[:5, 0] = [1.0, 2.0, 2.0, 2.0, 3.0]
    np.testing.assert_array_equal(background(rows), [2.0, np.nan])


def scaled_rows(power, seed=0, n_rows=500):
    """Return rows of many norms, and logs of residuals that are a power of the squared norm."""
    rng = np.random.default_rng(seed)
    scale = np.exp(rng.uniform(-2.0, 2.0, n_rows))
    rows = rng.normal(size=(n_rows, 30)) * scale[:, np.newaxis]
    return rows, power * np.log(scale**2) + 0.01 * rng.normal(size=n_rows)


@pytest.mark.parametrize("power", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_slope_is_fitted_below_the_median_norm(power):
    rows, log_residual = scaled_rows(power)
    norms = Norms.fit(rows, log_residual)
    assert norms.slope == pytest.approx(power, abs=0.03)
    large = np.einsum("ij,ij->i", rows, rows) > 1.5 * norms.median
    assert Norms.fit(rows, log_residual + 10.0 * large).slope == pytest.approx(power, abs=0.03)


@pytest.mark.parametrize("n_rows", [1, 2, 5, 10])
def test_background_of_distinct_values_is_their_median(n_rows):
    rows = np.arange(float(n_rows))[:, np.newaxis]
    assert abs(background(rows)[0] - np.median(rows)) <= 0.5


@pytest.mark.parametrize("power", [-1.0, 3.0])
def test_slope_is_clipped_to_the_unit_interval(power):
    assert Norms.fit(*scaled_rows(power)).slope == np.clip(power, 0.0, 1.0)


def test_expectation_is_constant_for_extreme_norms():
    rows, log_residual = scaled_rows(1.0)
    norms = Norms.fit(rows, log_residual)
    far = norms.background + np.array([[1e3], [1e30], [1e200], [np.inf]])
    np.testing.assert_array_equal(norms.expected(far), 0.0)
    near = norms.background + np.array([[0.0], [1e-9]])
    np.testing.assert_allclose(norms.expected(near), norms.slope * np.log(MIN_NORM), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 5.0, 1e300, np.nan])
def test_slope_is_zero_for_equal_rows(value):
    rows = np.full((10, 2), value)
    norms = Norms.fit(rows, np.arange(10.0))
    assert norms.slope == 0.0
    np.testing.assert_array_equal(norms.expected(rows), 0.0)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("n_rows", [62, 75, 104])
def test_slope_is_zero_at_zero_median_norm(n_rows, sign):
    rows = np.zeros((n_rows, 2))
    rows[: n_rows // 3] = 1.0 + np.arange(n_rows // 3)[:, np.newaxis]
    norms = Norms.fit(rows, sign * np.linspace(1.0, 9.0, n_rows))
    assert norms.median == norms.slope == 0.0
    np.testing.assert_array_equal(norms.expected(rows), 0.0)


def test_norm_is_scaled_up_for_missing_values():
    rows, log_residual = scaled_rows(1.0)
    norms = Norms.fit(rows, log_residual)
    row = norms.background + np.full((1, 30), 0.1)
    missing = row.copy()
    missing[:, ::3] = np.nan
    np.testing.assert_allclose(norms.expected(missing), norms.expected(row), rtol=1e-6)
    assert np.isfinite(norms.expected(np.full((1, 30), np.nan)))
