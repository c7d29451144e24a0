"""Statistics of parts of the rows merge into those of all rows."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from generated_data import COLUMNS
from hypothesis import given
from hypothesis import strategies as st

from skdistnet.engine.numerics.statistics import ColumnStatistics

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in reduce")

EXTREME = {
    "1e200": lambda rng, n: 1e200 * rng.normal(size=n),
    "all missing": lambda rng, n: np.full(n, np.nan),
    "first missing": lambda rng, n: np.where(np.arange(n) < n // 2, np.nan, rng.normal(size=n)),
}
columns = st.lists(st.sampled_from(sorted(COLUMNS | EXTREME)), min_size=1, max_size=4)
WEIGHTS = {
    "equal": lambda rng, n: np.ones(n),
    "random": lambda rng, n: 0.1 + rng.random(n),
    "heavy": lambda rng, n: np.exp(5 * rng.normal(size=n)),
}


def statistics_of(X, weights):
    """Return the statistics of rows, with masses in the units of the weights."""
    found = ColumnStatistics.of(X, weights / weights.sum())
    return replace(found, mass=found.mass * weights.sum())


def assert_close(actual, expected, X):
    # Moments are as exact as the largest number of a column.
    largest = np.nanmax(np.abs(X), axis=0, initial=0.0)
    np.testing.assert_array_equal(actual.low, expected.low)
    np.testing.assert_array_equal(actual.high, expected.high)
    np.testing.assert_allclose(actual.mass, expected.mass, rtol=1e-12)
    for name in ("mean", "std"):
        pair = [getattr(one, name) for one in (actual, expected)]
        np.testing.assert_array_equal(*map(np.isnan, pair))
        error = np.abs(np.subtract(*map(np.nan_to_num, pair)))
        assert np.all(error <= 1e-13 * largest + 1e-11 * np.nan_to_num(expected.std)), name


@given(
    names=columns,
    weights=st.sampled_from(sorted(WEIGHTS)),
    n_rows=st.integers(1, 40),
    cuts=st.lists(st.integers(1, 39), max_size=6),
    seed=st.integers(0, 99),
)
def test_merged_parts_equal_all_rows(names, weights, n_rows, cuts, seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([(COLUMNS | EXTREME)[name](rng, n_rows) for name in names])
    weights = WEIGHTS[weights](rng, n_rows)
    bounds = np.unique([0, *(cut for cut in cuts if cut < n_rows), n_rows])
    parts = [statistics_of(X[low:high], weights[low:high]) for low, high in pairwise(bounds)]
    expected = statistics_of(X, weights)
    assert_close(ColumnStatistics.merged(parts), expected, X)
    nested = ColumnStatistics.merged([*parts[:1], ColumnStatistics.merged(parts[1:] or parts[:1])])
    if len(parts) > 1:
        assert_close(nested, expected, X)


def test_merged_constant_is_exact():
    X = np.full((7, 1), 0.1)
    merged = ColumnStatistics.merged(
        [statistics_of(X[:3], np.ones(3)), statistics_of(X[3:], X[3:, 0])]
    )
    assert merged.mean[0] == 0.1
    assert merged.std[0] == 0.0
    assert merged.reach[0] == 0.0


def test_merged_reach_is_largest_deviation():
    X = np.array([[0.0], [1.0], [1.0], [6.0]])
    merged = ColumnStatistics.merged([statistics_of(part, np.ones(2)) for part in (X[:2], X[2:])])
    assert merged.reach[0] == 4.0
