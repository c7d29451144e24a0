"""Sparse X gives the results of dense X and is never converted as a whole."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.utils import get_tags

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import input_scaling as inputs
from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.numerics.statistics import weighted_moments
from skdistnet.engine.training import mapped_rows
from skdistnet.engine.training.mapped_rows import MappedRows

RNG = np.random.default_rng(0)
X = np.where(RNG.random((120, 30)) < 0.2, RNG.normal(3.0, 2.0, (120, 30)), 0.0)
Y = (X[:, :5].sum(axis=1) > 3).astype(int)
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 8, "batch_size": 50, "random_state": 0}
CONTAINERS = [sp.csr_matrix, sp.csr_array, sp.csc_matrix, sp.csc_array]
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
every_container = pytest.mark.parametrize("container", CONTAINERS)


def predict(net, rows):
    return net.predict_proba(rows) if hasattr(net, "predict_proba") else net.predict(rows)


@both_kinds
@every_container
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"standardize": False},
        {"activation": "relu"},
        {"dtype": "float32"},
        {"radius_type": "spherical", "init": "kmeans"},
        {"early_stopping": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("cache", [0, 2**20])
def test_sparse_rows_equal_dense_rows(kind, container, options, cache, monkeypatch):
    monkeypatch.setattr(mapped_rows, "CACHE_BYTES", cache)
    weights = np.arange(len(X)) % 3  # rows of weight zero are among them
    dense = kind(**SMALL | options).fit(X, Y, weights)
    sparse = kind(**SMALL | options).fit(container(X), Y, weights)
    np.testing.assert_allclose(sparse.loss_curve_, dense.loss_curve_, rtol=1e-6)
    for n_rows in (1, 3, 100):
        np.testing.assert_allclose(
            predict(sparse, container(X[:n_rows])), predict(dense, X[:n_rows]), rtol=1e-5
        )


@both_kinds
@every_container
def test_partial_fit_accepts_sparse_and_dense_blocks(kind, container):
    classes = {"classes": [0, 1]} if kind is DistanceNetClassifier else {}
    dense, mixed = (kind(**SMALL).partial_fit(X, Y, **classes) for _ in range(2))
    for net, rows in [(dense, X), (mixed, container(X))]:
        net.partial_fit(rows, Y).partial_fit(X, Y)
    np.testing.assert_allclose(predict(mixed, X), predict(dense, X), rtol=1e-9)


@both_kinds
def test_sparse_rows_may_have_missing_values(kind):
    X_missing = X.copy()
    X_missing[::7, ::4] = np.nan
    dense, sparse = kind(**SMALL).fit(X_missing, Y), kind(**SMALL).fit(sp.csr_array(X_missing), Y)
    np.testing.assert_allclose(predict(sparse, sp.csr_array(X_missing)), predict(dense, X_missing))
    with pytest.raises(ValueError, match=r"NaN.*'activation'"):
        kind(**SMALL, activation="tanh").fit(sp.csr_array(X_missing), Y)


@both_kinds
def test_sparse_tag_is_set(kind):
    assert get_tags(kind()).input_tags.sparse


@both_kinds
@every_container
def test_sparse_input_is_not_modified(kind, container):
    rows = container(X)
    before = rows.copy()
    predict(kind(**SMALL).fit(rows, Y), rows)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(before, name))


@both_kinds
def test_duplicate_entries_are_summed(kind):
    rows = sp.csr_array(X)
    twice = sp.csr_array(
        (np.repeat(rows.data / 2, 2), np.repeat(rows.indices, 2), 2 * rows.indptr), shape=X.shape
    )
    once, summed = kind(**SMALL).fit(rows, Y), kind(**SMALL).fit(twice, Y)
    np.testing.assert_array_equal(predict(once, rows), predict(summed, twice))


# The engine ---------------------------------------------------------------------------------------


@every_container
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("part", [1, 10**6])
def test_sparse_moments_equal_dense_moments(container, dtype, part, monkeypatch):
    monkeypatch.setattr(inputs, "PART", part)
    columns = X.astype(dtype)
    columns[:, 0], columns[:, 1] = 0.0, 2.0
    columns[::2, 2] = np.nan
    weights = np.full(len(X), 1 / len(X))
    for actual, expected in zip(
        weighted_moments(container(columns), weights), weighted_moments(columns, weights)
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_only_one_batch_is_dense_at_a_time():
    rows = sp.random(20_000, 1_000, density=0.001, format="csr", random_state=0)
    weights, out = np.full(rows.shape[0], 1 / rows.shape[0]), np.empty((200, rows.shape[1]))
    rng = np.random.default_rng(0)
    tracemalloc.start()
    input_map = InputMap.fit(rows, weights, True, np.dtype(np.float64))
    mapped = MappedRows(input_map, rows, np.dtype(np.float64))
    for _ in range(5):
        mapped.gather(rng.integers(rows.shape[0], size=200), out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert mapped.cached is None
    assert peak < 0.25 * 8 * rows.shape[0] * rows.shape[1]


@pytest.mark.parametrize("standardize", [True, False])
def test_few_sparse_rows_with_empty_columns_fit(standardize):
    rows = sp.csr_array((4, 3))
    net = DistanceNetRegressor(**SMALL, standardize=standardize).fit(rows, [0.0, 1.0, 2.0, 3.0])
    np.testing.assert_allclose(net.predict(rows), 1.5, atol=0.5)
