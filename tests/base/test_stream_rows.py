"""What `partial_fit` remembers of rows: hashes, counts, and rows that fill up batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array, csr_matrix, issparse

from skdistnet._base import stream as _stream
from skdistnet._base.stream import ENOUGH, LARGEST_BATCH, Stream, row_hashes, step_length

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e300, np.nan])


def make_rows(n_rows, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, 3))


def fill(stream, X, y=None, weights=None, batch_size=20):
    return stream.add(X, np.zeros(X.shape[0]) if y is None else y, weights, batch_size)


def make_sparse(X):
    """Return X as CSR, with explicit zeros where it has -0.0."""
    rows, columns = np.nonzero((X != 0) | np.signbit(X))
    return csr_matrix((X[rows, columns], (rows, columns)), shape=X.shape)


# Hashes -------------------------------------------------------------------------------------------


@given(hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=NUMBERS))
def test_dense_and_sparse_rows_hash_alike(X):
    y = np.zeros(len(X))
    np.testing.assert_array_equal(row_hashes(make_sparse(X), y), row_hashes(X, y))


@given(hnp.arrays(float, (8, 2), elements=NUMBERS), hnp.arrays(int, 8, elements=st.integers(0, 1)))
def test_rows_hash_alike_if_equal(X, y):
    rows = {tuple("nan" if np.isnan(x) else x + 0.0 for x in [*row, t]) for row, t in zip(X, y)}
    assert len(np.unique(row_hashes(X, y))) == len(rows)


def test_every_nan_and_zero_hashes_alike():
    values = np.array([[np.nan], [-np.nan], [0.0], [-0.0]])
    hashes = row_hashes(values, np.zeros(4))
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3] != hashes[0]


@pytest.mark.parametrize(
    "y",
    [
        np.array(["a", "b", "a", ""]),
        np.array(["a", "b", "a", ""], dtype="U40"),
        np.array(["a", "b", "a", ""], dtype=object),
    ],
    ids=["strings", "longer dtype", "objects"],
)
def test_labels_hash_by_their_text(y):
    expected = row_hashes(np.ones((4, 2)), np.array(["a", "b", "a", ""]))
    hashes = row_hashes(np.ones((4, 2)), y)
    np.testing.assert_array_equal(hashes, expected)
    assert len(np.unique(hashes)) == 3


def test_numbers_hash_alike_in_every_dtype():
    X, y = np.arange(12).reshape(4, 3), np.array([0, 1, 1, 0])
    expected = row_hashes(X.astype(float), y.astype(float))
    np.testing.assert_array_equal(row_hashes(X.astype("float32"), y.astype(bool)), expected)


def test_column_order_changes_the_hash():
    X = np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 3.0], [3.0, 0.0]])
    Y = X[:, ::-1]
    assert len(np.unique(row_hashes(X, np.zeros(4)))) == 4
    assert len(np.unique(row_hashes(np.ones((4, 2)), Y))) == 4


def test_hashing_in_parts_changes_nothing(monkeypatch):
    X, y = make_rows(50), np.zeros(50)
    expected = row_hashes(X, y)
    monkeypatch.setattr(_stream, "PART", 20)
    np.testing.assert_array_equal(row_hashes(X, y), expected)


@pytest.mark.parametrize("kind", ["grid", "unit vectors", "bits"])
def test_regular_rows_do_not_collide(kind):
    X = {
        "grid": np.stack(np.meshgrid(*3 * [np.arange(16.0)]), axis=-1).reshape(-1, 3),
        "unit vectors": np.eye(1500),
        "bits": (np.arange(4096)[:, np.newaxis] >> np.arange(12) & 1).astype(float),
    }[kind]
    assert len(np.unique(row_hashes(X, np.zeros(len(X))))) == len(X)


# Counting different rows --------------------------------------------------------------------------


@given(st.lists(st.integers(0, 1200), min_size=1, max_size=300), st.integers(1, 50))
def test_different_rows_are_counted_while_few(values, size):
    stream = Stream()
    for start in range(0, len(values), size):
        fill(stream, np.array(values[start : start + size], dtype=float)[:, np.newaxis])
    assert stream.n_different == min(len(set(values)), ENOUGH)
    assert stream.n_given == len(values)


@pytest.mark.parametrize("n_rows", [10, 3000])
def test_repeated_passes_change_no_count(n_rows):
    stream, X = Stream(), make_rows(n_rows)
    fill(stream, X)
    before = stream.seen.copy()
    for _ in range(3):
        fill(stream, X[::-1])
    np.testing.assert_array_equal(stream.seen, before)
    assert stream.n_different == min(n_rows, ENOUGH)


# Kept rows ----------------------------------------------------------------------------------------


def test_batch_is_filled_with_earlier_rows():
    stream, X = Stream(), make_rows(30)
    X_batch, _, weights = fill(stream, X[:15])
    assert len(X_batch) == 15
    assert weights is None
    X_batch, y, weights = fill(stream, X[14:17], np.arange(1.0, 4.0), np.full(3, 2.0))
    np.testing.assert_array_equal(X_batch[:3], X[14:17])
    assert len(X_batch) == 18  # row 14 has another target now
    np.testing.assert_array_equal(y[:3], np.arange(1.0, 4.0))
    np.testing.assert_array_equal(weights, [2.0] * 3 + [1.0] * 15)
    X_batch, *_ = fill(stream, X[:1])
    assert (X_batch == X[0]).all(axis=1).sum() == 1  # a row does not fill up its own batch
    assert len(X_batch) == 18
    X_batch, *_ = fill(stream, X[17:])
    assert len(X_batch) == 20


@pytest.mark.parametrize(
    ("batch_size", "n_kept"), [(1, ENOUGH), (500, 500), (10_000, LARGEST_BATCH)]
)
def test_only_needed_rows_are_kept(batch_size, n_kept):
    stream, X = Stream(), make_rows(2600)
    for block in np.array_split(X, 13):
        fill(stream, block, batch_size=batch_size)
    assert len(stream.rows[0]) == len(stream.hashes) == n_kept
    order = row_hashes(stream.rows[0], stream.rows[1])
    np.testing.assert_array_equal(order, stream.hashes)
    assert len(np.unique(order)) == n_kept


def test_rows_of_sorted_streams_fade_slowly():
    stream, X = Stream(), np.arange(1000.0)[:, np.newaxis]
    for row in X:
        fill(stream, row[np.newaxis], batch_size=200)
    age = 999 - stream.rows[0].ravel()
    assert 120 < np.mean(age) < 280  # a queue would give 100
    assert age.max() > 500


def test_stream_does_not_modify_its_input():
    X, y, weights = make_rows(10), np.arange(10.0), np.ones(10)
    stream = Stream()
    fill(stream, X, y, weights)
    before = vars(stream) | {"rows": [part.copy() for part in stream.rows]}
    going_on = Stream(**vars(stream))
    batch = fill(going_on, make_rows(3, seed=1), np.zeros(3), np.full(3, 5.0))
    batch[0][...] = np.inf
    for part, expected in zip(stream.rows, before["rows"]):
        np.testing.assert_array_equal(part, expected)
    assert stream.n_given == 10
    assert len(stream.seen) == 10
    assert len(stream.rows) == 3


@pytest.mark.parametrize("first_is_sparse", [True, False])
def test_sparse_and_dense_rows_can_be_joined(first_is_sparse):
    stream, X = Stream(), make_rows(12)
    blocks = [csr_array(X[:6]), X[6:]] if first_is_sparse else [X[:6], csr_array(X[6:])]
    fill(stream, blocks[0])
    X_batch, *_ = fill(stream, blocks[1])
    assert issparse(X_batch)
    np.testing.assert_array_equal(X_batch[:6].toarray(), X[6:])
    np.testing.assert_array_equal(np.sort(X_batch.toarray(), axis=0), np.sort(X, axis=0))


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32")])
def test_large_numbers_survive_a_narrower_dtype(dtypes):
    stream, large = Stream(), 1e300
    for dtype in dtypes:
        X = np.full((1, 1), large if dtype == "float64" else 1.0, dtype=dtype)
        X_batch, *_ = fill(stream, X)
    assert sorted(X_batch.ravel()) == [1.0, large]
    assert sorted(stream.rows[0].ravel()) == [1.0, large]


def test_step_length_follows_share_of_new_rows():
    assert step_length(7, 7) == 1.0
    assert step_length(1, 100) == pytest.approx(0.1)


# Weights ------------------------------------------------------------------------------------------


def test_mean_weight_covers_all_rows():
    stream, weights = Stream(), np.random.default_rng(0).random(60)
    for start, stop in ((0, 1), (1, 20), (20, 60)):
        fill(stream, make_rows(stop - start, seed=start), weights=weights[start:stop])
        stream.update_mean_weight(weights[start:stop], stop - start)
    assert stream.mean_weight == pytest.approx(weights.mean())


def test_call_without_weights_counts_one_per_row():
    stream = Stream()
    fill(stream, make_rows(4), weights=np.full(4, 3.0))
    stream.update_mean_weight(np.full(4, 3.0), 4)
    fill(stream, make_rows(4, seed=1))
    stream.update_mean_weight(None, 4)
    assert stream.mean_weight == 2.0


# Restarts -----------------------------------------------------------------------------------------


def test_restart_is_due_when_rows_double():
    stream, X, starts = Stream(), make_rows(1000), []
    for number in range(1, 1001):
        fill(stream, X[number - 1 : number])
        if stream.is_due:
            stream.n_started = stream.n_different
            starts.append(number)
    assert starts == [1, 2, 4, 8, 16, 32, 64, 128, 200]


def test_repeated_rows_cause_no_restart():
    stream, X = Stream(), make_rows(10)
    fill(stream, X)
    stream.n_started = stream.n_different
    for _ in range(30):
        fill(stream, X)
        assert not stream.is_due
    fill(stream, make_rows(9, seed=1))
    assert not stream.is_due
    fill(stream, make_rows(1, seed=2))
    assert stream.is_due
    for _ in range(ENOUGH):
        fill(stream, X)
    assert not stream.is_due  # so few different rows among so many count as settled


def test_fitted_net_is_never_restarted():
    stream = Stream(follows_fit=True)
    for seed in range(5):
        fill(stream, make_rows(100, seed=seed))
        assert not stream.is_due
