"""Predictions for Dask collections are lazy, and equal to those of the local net."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")

import dask.array as da
from cluster_fits import (
    DIABETES,
    DIABETES_Y,
    DIGITS,
    DIGITS_Y,
    fitted,
    mixed_frame,
    partitioned,
)

from skdistnet.dask import DaskDistanceNetClassifier, DaskDistanceNetRegressor

X, LABELS = DIGITS[:300], DIGITS_Y[:300]
UNEQUAL = [0, 1, 120, 300]
EMPTY = [0, 0, 100, 100, 300, 300]
METHODS = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
]
every_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def classifier(client):
    return fitted(client, DaskDistanceNetClassifier, X, LABELS)


@pytest.fixture(scope="module")
def multi_output(client):
    y = np.column_stack([LABELS, LABELS % 3])
    return fitted(client, DaskDistanceNetClassifier, X, y)


@pytest.fixture(scope="module")
def regressor(client):
    return fitted(client, DaskDistanceNetRegressor, DIABETES, DIABETES_Y)


class Forbidden(Exception):
    """Raised by blocks that must not be computed."""


def uncomputable(rows, chunks):
    def forbid(block):
        raise Forbidden

    source = da.from_array(rows, chunks=(chunks, -1))
    return source.map_blocks(forbid, dtype=rows.dtype, meta=rows[:0])


def assert_equal(actual, expected):
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if expected.dtype.kind == "f":
        # Products of matrices of other shapes may be rounded in another way.
        tolerance = 1e3 * np.finfo(expected.dtype).eps
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(actual, expected)


@every_method
@pytest.mark.parametrize("bounds", [4, UNEQUAL, EMPTY], ids=["equal", "unequal", "empty"])
def test_blocks_equal_local_predictions(classifier, method, bounds):
    rows = partitioned(X, bounds)
    lazy = getattr(classifier, method)(rows)
    expected = getattr(classifier.to_local(), method)(X)
    assert isinstance(lazy, da.Array)
    assert lazy.chunks[0] == tuple(size for size in rows.chunks[0] if size)
    assert lazy.shape == expected.shape
    assert lazy.dtype == expected.dtype
    assert_equal(lazy.compute(), expected)


@every_method
def test_nothing_is_computed_before_compute(classifier, method):
    lazy = getattr(classifier, method)(uncomputable(X, 100))
    assert lazy.shape[0] == 300
    with pytest.raises(Forbidden):
        lazy.compute()


@every_method
@pytest.mark.parametrize("bounds", [4, EMPTY], ids=["equal", "empty"])
def test_partitions_of_frames_equal_local_predictions(classifier, method, bounds):
    lazy = getattr(classifier, method)(partitioned(pd.DataFrame(X), bounds))
    assert np.isnan(lazy.shape[0])
    assert_equal(lazy.compute(), getattr(classifier.to_local(), method)(X))


@pytest.mark.parametrize("method", METHODS[:4])
def test_each_output_has_an_array(multi_output, method):
    lazy = getattr(multi_output, method)(partitioned(X, EMPTY))
    expected = getattr(multi_output.to_local(), method)(X)
    if isinstance(expected, list):
        assert len(lazy) == len(expected)
        for own, array in zip(lazy, expected):
            assert own.shape == array.shape
            assert_equal(own.compute(), array)
    else:
        assert_equal(lazy.compute(), expected)


@pytest.mark.parametrize("method", ["predict", "transform", "score_samples"])
def test_regressors_predict_lazily(regressor, method):
    lazy = getattr(regressor, method)(partitioned(DIABETES, 3))
    assert_equal(lazy.compute(), getattr(regressor.to_local(), method)(DIABETES))


@pytest.mark.parametrize("quantile", [0.9, [0.1, 0.9]])
def test_levels_are_columns_of_lazy_predictions(client, quantile):
    options = {"loss": "quantile", "quantile": quantile}
    net = fitted(client, DaskDistanceNetRegressor, DIABETES, DIABETES_Y, **options)
    lazy = net.predict(partitioned(DIABETES))
    assert_equal(lazy.compute(), net.to_local().predict(DIABETES))


@pytest.mark.parametrize("bounds", [4, [0, 0, 100, 240]], ids=["equal", "empty"])
def test_frames_with_categories_are_predicted(client, bounds):
    frame, y = mixed_frame()
    net = fitted(client, DaskDistanceNetClassifier, frame, y)
    local = net.to_local()
    for method in ("predict", "predict_proba", "score_samples"):
        lazy = getattr(net, method)(partitioned(frame, bounds))
        assert_equal(lazy.compute(), getattr(local, method)(frame))


@every_method
def test_rows_in_memory_give_arrays(classifier, method):
    found = getattr(classifier, method)(X)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, getattr(classifier.to_local(), method)(X))


def test_pandas_output_computes_nothing(classifier):
    assert not hasattr(classifier, "set_output")
    with config_context(transform_output="pandas"):
        activations = classifier.transform(partitioned(DIGITS))
    assert isinstance(activations, da.Array)


def test_unknown_chunk_sizes_are_predicted(classifier):
    rows = partitioned(X)[partitioned(LABELS > 4)]
    assert_equal(classifier.predict(rows).compute(), classifier.to_local().predict(X[LABELS > 4]))


def test_columns_in_chunks_are_predicted(classifier):
    rows = da.from_array(X, chunks=(100, 10))
    assert_equal(classifier.predict(rows).compute(), classifier.to_local().predict(X))


def test_integer_rows_are_predicted(classifier):
    rows = X.astype(np.uint8)
    assert_equal(classifier.predict(partitioned(rows)).compute(), classifier.predict(rows))


def test_cluster_computes_predictions(client, classifier):
    lazy = classifier.predict(partitioned(X))
    np.testing.assert_array_equal(client.compute(lazy).result(), classifier.predict(X))


def test_graph_holds_the_net_once(classifier):
    """The net is one task, on which those of the blocks depend."""
    graph = dict(classifier.predict(partitioned(X, 30)).__dask_graph__())
    sizes = [len(pickle.dumps(task)) for task in graph.values()]
    assert len(sizes) > 30
    assert sum(size > classifier._theta_.nbytes for size in sizes) <= 2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("bounds", [4, EMPTY], ids=["equal", "empty"])
def test_score_is_that_of_all_rows(classifier, weighted, bounds):
    weights = np.random.default_rng(0).random(300) if weighted else None
    own = None if weights is None else partitioned(weights, bounds)
    score = classifier.score(partitioned(X, bounds), partitioned(LABELS, bounds), own)
    assert score == pytest.approx(classifier.to_local().score(X, LABELS, weights))
    assert score == pytest.approx(classifier.score(X, LABELS, weights))


def test_score_without_rows_is_refused(classifier):
    with pytest.raises(ValueError, match="'X' must have rows"):
        classifier.score(partitioned(X[:0], 1), partitioned(LABELS[:0], 1))


def test_score_of_frames_is_that_of_all_rows(client):
    frame, y = mixed_frame()
    net = fitted(client, DaskDistanceNetClassifier, frame, y)
    data = [partitioned(each, [0, 0, 9, 240]) for each in (frame, y)]
    assert net.score(*data) == pytest.approx(net.to_local().score(frame, y))


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "quantile"])
def test_score_of_regressors_follows_their_loss(client, loss):
    options = {"loss": loss} | ({"quantile": 0.8} if loss == "quantile" else {})
    net = fitted(client, DaskDistanceNetRegressor, DIABETES, DIABETES_Y, **options)
    score = net.score(partitioned(DIABETES), partitioned(DIABETES_Y))
    assert score == pytest.approx(net.to_local().score(DIABETES, DIABETES_Y))
