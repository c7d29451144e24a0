"""Summaries of partitions merge into that of all rows, however they are grouped."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")

from skdistnet._dask import summary
from skdistnet._dask.fit import divide_rows
from skdistnet._dask.partitions import row_keys, take_rows

SEED = 3


def draw(n_rows=60, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.arange(n_rows), rng.normal(size=n_rows), np.full(n_rows, 2.5)])
    return X, np.array(["a", "b", "c"])[rng.integers(0, 3, n_rows)], rng.random(n_rows) + 0.1


def summaries_of(estimator, bounds, *data):
    """Return the summaries of partitions with these bounds, of X, y and perhaps weights."""
    parts = [[take_rows(each, slice(*pair)) for each in data] for pair in pairwise(bounds)]
    return [
        summary.summarize(estimator, SEED, number, *part, *[None] * (3 - len(part)))
        for number, part in enumerate(parts)
    ]


def merged(estimator, bounds, *data):
    return summary.merge(summaries_of(estimator, bounds, *data))


def assert_same(one, other):
    assert one.n_rows == other.n_rows
    assert one.weight == pytest.approx(other.weight)
    for name in ("mean", "std", "low", "high", "mass"):
        pair = [getattr(each.columns, name) for each in (one, other)]
        np.testing.assert_allclose(*pair, rtol=1e-12, atol=1e-12)
    for mine, others in zip(one.classes or [], other.classes or [], strict=True):
        np.testing.assert_array_equal(mine[0], others[0])
        np.testing.assert_allclose(mine[1], others[1])
    for name in ("X", "y", "weights", "keys"):
        np.testing.assert_array_equal(*(getattr(each.sample, name) for each in (one, other)))


@pytest.fixture
def small_sample(monkeypatch):
    for name, value in (("SAMPLED_ROWS", 12), ("FEWEST_SAMPLED", 5)):
        monkeypatch.setattr(summary, name, value)


@pytest.mark.usefixtures("small_sample")
@given(
    cuts=st.lists(st.integers(0, 60), min_size=1, max_size=7).map(sorted),
    group_size=st.integers(2, 5),
    order=st.randoms(use_true_random=False),
)
def test_grouping_does_not_change_the_summary(cuts, group_size, order):
    X, y, weights = draw()
    parts = summaries_of(DistanceNetClassifier(), [0, *cuts, 60], X, y, weights)
    expected = summary.merge(parts)
    order.shuffle(parts)
    while len(parts) > 1:
        groups = [parts[at : at + group_size] for at in range(0, len(parts), group_size)]
        parts = [summary.merge(group) for group in groups]
    assert_same(parts[0], expected)


def test_summary_of_partitions_describes_all_rows():
    X, y, weights = draw()
    found = merged(DistanceNetClassifier(), [0, 5, 5, 41, 60], X, y, weights)
    assert found.n_rows == {0: 5, 2: 36, 3: 19}
    assert found.weight == pytest.approx(weights.sum())
    np.testing.assert_allclose(found.columns.mean, np.average(X, axis=0, weights=weights))
    np.testing.assert_allclose(found.columns.mass, weights.sum())
    ((classes, masses),) = found.classes
    np.testing.assert_array_equal(classes, ["a", "b", "c"])
    np.testing.assert_allclose(masses, [weights[y == label].sum() for label in "abc"])


def test_target_statistics_are_those_of_all_rows():
    X, _, weights = draw()
    y = np.column_stack([X[:, 1], 1e6 + X[:, 0]])
    found = merged(DistanceNetRegressor(), [0, 7, 60], X, y, weights)
    mean = np.average(y, axis=0, weights=weights)
    np.testing.assert_allclose(found.target.mean, mean)
    variance = np.average((y - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(found.target.std, np.sqrt(variance))


def test_rows_of_weight_zero_count_as_rows_only():
    X, y, weights = draw()
    weights[10:30] = 0.0
    found = merged(DistanceNetClassifier(), [0, 10, 30, 60], X, y, weights)
    assert found.n_rows == {0: 10, 1: 20, 2: 30}
    kept = weights > 0
    np.testing.assert_allclose(
        found.columns.mean, np.average(X[kept], axis=0, weights=weights[kept])
    )
    assert np.all(found.sample.weights > 0)
    assert len(found.sample) == 40


def test_empty_partitions_have_no_summary():
    X, y, _ = draw()
    assert summaries_of(DistanceNetClassifier(), [0, 0], X, y) == [None]
    assert summary.merge([None, None]) is None


def test_levels_of_partitions_are_united():
    frame = pd.DataFrame(
        {
            "city": pd.Series([*"abab", None, *"cbd"], dtype=object),
            "size": np.arange(8.0),
            "kind": pd.Series([None] * 4 + [*"xyxx"], dtype=object),
        }
    )
    weights = np.arange(1.0, 9.0)
    found = merged(DistanceNetClassifier(), [0, 4, 5, 8], frame, np.array([0, 1] * 4), weights)
    assert [None if one is None else list(one) for one in found.levels] == [
        ["a", "b", "c", "d"],
        None,
        ["x", "y"],
    ]
    np.testing.assert_allclose(found.level_masses[0], [1 + 3, 2 + 4 + 7, 6, 8])
    np.testing.assert_allclose(found.level_masses[1], [5 + 7 + 8, 6])


# The sample ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_sample")
def test_sample_has_rows_with_smallest_random_numbers():
    X, *_ = draw()
    bounds = [0, 20, 23, 60]
    keys = [row_keys(SEED, n, high - low) for n, (low, high) in enumerate(pairwise(bounds))]
    expected = np.argsort(np.concatenate(keys))[:12]
    found = merged(DistanceNetRegressor(), bounds, X, X[:, 1]).sample
    np.testing.assert_array_equal(found.X, X[expected])
    np.testing.assert_array_equal(found.y, X[expected, 1])


def test_random_numbers_of_rows_are_uniform():
    keys = np.concatenate([row_keys(SEED, number, 500) for number in range(20)])
    assert len(np.unique(keys)) == len(keys)
    counts = np.histogram(keys, 10, range=(0, 1))[0]
    assert counts.sum() == 10_000
    assert np.all(np.abs(counts - 1000) < 150)


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("n_columns", [1, 2])
def test_sample_has_a_row_of_each_class(n_columns):
    X, _, _ = draw()
    y = np.column_stack([np.arange(60) // 4, 99 - np.arange(60) // 12])[:, :n_columns]
    y = y[:, 0] if n_columns == 1 else y
    found = merged(DistanceNetClassifier(), [0, 20, 23, 60], X, y).sample
    for own, of_all in zip(found.y.reshape(len(found), -1).T, y.reshape(60, -1).T):
        np.testing.assert_array_equal(np.unique(own), np.unique(of_all))


@pytest.mark.usefixtures("small_sample")
def test_sample_of_wide_rows_is_smaller(monkeypatch):
    monkeypatch.setattr(summary, "SAMPLED_NUMBERS", 24)
    X, *_ = draw()
    assert len(merged(DistanceNetRegressor(), [0, 60], X, X[:, 0]).sample) == 8
    monkeypatch.setattr(summary, "SAMPLED_NUMBERS", 3)
    assert len(merged(DistanceNetRegressor(), [0, 9, 60], X, X[:, 0]).sample) == 5


# Rows of shards -----------------------------------------------------------------------------------


@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any),
    n_shards=st.integers(1, 9),
)
def test_shards_cover_each_row_once(sizes, n_shards):
    n_shards = min(n_shards, sum(sizes))
    divided = divide_rows(dict(enumerate(sizes)), n_shards)
    rows = [
        [(number, row) for number, piece in pieces for row in range(sizes[number])[piece]]
        for pieces in divided
    ]
    every = [(number, row) for number, size in enumerate(sizes) for row in range(size)]
    assert sorted(row for shard in rows for row in shard) == every
    lengths = {len(shard) for shard in rows}
    assert len(rows) == n_shards
    assert max(lengths) - min(lengths) <= 1


def test_neighbouring_partitions_go_to_different_shards():
    divided = divide_rows(dict.fromkeys(range(4), 5), 2)
    assert [[number for number, _ in pieces] for pieces in divided] == [[0, 2], [1, 3]]


def test_shards_do_not_depend_on_order_of_sizes():
    sizes = {0: 4, 1: 7, 2: 3}
    assert divide_rows(dict(reversed(sizes.items())), 2) == divide_rows(sizes, 2)
