"""What is known of a row's residual from its size alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistnet._novelty.norms import BACKGROUND_SHARE, LEAST_SIZE, Sizes, background


def test_the_background_is_the_most_frequent_value_and_else_the_median():
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
def test_no_frequent_value_is_missed_wherever_it_lies(share, level, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, 1))
    rows[: int(np.ceil(share * len(rows)))] = level
    np.testing.assert_array_equal(background(rng.permutation(rows)), [level])


def test_a_background_is_taken_from_what_is_there():
    rows = np.full((20, 2), np.nan)
    rows[:5, 0] = [1.0, 2.0, 2.0, 2.0, 3.0]
    np.testing.assert_array_equal(background(rows), [2.0, np.nan])


def scaled_rows(power, seed=0, n_rows=500):
    """Rows of many sizes, and squared residuals that go with a power of the squared size."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(-2.0, 2.0, n_rows))
    rows = rng.normal(size=(n_rows, 30)) * size[:, np.newaxis]
    return rows, power * np.log(size**2) + 0.01 * rng.normal(size=n_rows)


@pytest.mark.parametrize("power", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_power_of_the_size_is_found_below_its_median_whatever_is_above(power):
    rows, evidence = scaled_rows(power)
    sizes = Sizes.fit(rows, evidence)
    assert sizes.slope == pytest.approx(power, abs=0.03)
    large = np.einsum("ij,ij->i", rows, rows) > 1.5 * sizes.median
    assert Sizes.fit(rows, evidence + 10.0 * large).slope == pytest.approx(power, abs=0.03)


@pytest.mark.parametrize("n_rows", [1, 2, 5, 10])
def test_few_values_that_differ_have_no_frequent_one(n_rows):
    rows = np.arange(float(n_rows))[:, np.newaxis]
    assert abs(background(rows)[0] - np.median(rows)) <= 0.5


@pytest.mark.parametrize("power", [-1.0, 3.0])
def test_a_slope_is_neither_negative_nor_steeper_than_size_itself(power):
    assert Sizes.fit(*scaled_rows(power)).slope == np.clip(power, 0.0, 1.0)


def test_nothing_excuses_large_rows_and_tiny_ones_are_not_told_apart():
    rows, evidence = scaled_rows(1.0)
    sizes = Sizes.fit(rows, evidence)
    far = sizes.background + np.array([[1e3], [1e30], [1e200], [np.inf]])
    np.testing.assert_array_equal(sizes.expected(far), 0.0)
    near = sizes.background + np.array([[0.0], [1e-9]])
    np.testing.assert_allclose(sizes.expected(near), sizes.slope * np.log(LEAST_SIZE), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 5.0, 1e300, np.nan])
def test_rows_that_are_all_the_same_let_nothing_be_expected(value):
    rows = np.full((10, 2), value)
    sizes = Sizes.fit(rows, np.arange(10.0))
    assert sizes.slope == 0.0
    np.testing.assert_array_equal(sizes.expected(rows), 0.0)


def test_what_is_missing_has_the_size_of_the_rest():
    rows, evidence = scaled_rows(1.0)
    sizes = Sizes.fit(rows, evidence)
    row = sizes.background + np.full((1, 30), 0.1)
    gappy = row.copy()
    gappy[:, ::3] = np.nan
    np.testing.assert_allclose(sizes.expected(gappy), sizes.expected(row), rtol=1e-6)
    assert np.isfinite(sizes.expected(np.full((1, 30), np.nan)))
