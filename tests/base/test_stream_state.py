"""Streams of rows: weights, failed calls, copies and later fits."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from streams import (
    DATA,
    WINE,
    WINE_Y,
    assert_same_net,
    blocks,
    both_kinds,
    stream,
    streamed,
)

from skdistnet import TRUSTED_TYPES, DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine.training import loop as training

# Weights ------------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("weight", [0.3, 1e6])
def test_equal_weights_change_nothing_in_streams(kind, weight):
    weighted = streamed(kind, weigh=lambda n_rows: np.full(n_rows, weight))
    assert_same_net(weighted, streamed(kind), DATA[kind][0])


@both_kinds
def test_rows_of_weight_zero_are_ignored(kind):
    X, y, first = DATA[kind]
    weighted, absent = kind(random_state=0), kind(random_state=0)
    for X_block, y_block in blocks(X, y, (13,)):
        weights = np.arange(len(y_block)) % 3
        weighted.partial_fit(X_block, y_block, weights, **first)
        kept = weights > 0
        absent.partial_fit(X_block[kept], y_block[kept], weights[kept], **first)
    assert_same_net(weighted, absent, X)
    before = joblib.hash(vars(weighted))
    with pytest.raises(ValueError, match="must not be zero for every row"):
        weighted.partial_fit(X, y, np.zeros(len(y)))
    assert joblib.hash(vars(weighted)) == before


@pytest.mark.parametrize(
    ("solver", "batch_size", "within"),
    [
        ("adam", 50, 0.05),
        ("adam", 1000, 0.05),
        ("sgd", 50, 0.05),
        ("sgd", 1000, 0.05),
        ("rmsprop", 200, 0.1),
    ],
)
def test_rare_classes_of_noise_are_balanced(solver, batch_size, within):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 5)), np.zeros(4000, dtype=int)
    y[rng.choice(4000, 8, replace=False)] = 1
    options = {"solver": solver, "batch_size": batch_size, "max_iter": 10, "random_state": 0}
    net = DistanceNetClassifier((10,), **options, class_weight="balanced", early_stopping=False)
    probability = net.fit(X, y).predict_proba(X)[:, 1]
    mean = 0.5 * probability[y == 1].mean() + 0.5 * probability[y == 0].mean()
    assert mean == pytest.approx(0.5, abs=within)


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
@pytest.mark.filterwarnings("ignore:The loss after training")  # y is noise
def test_heavy_rows_dominate_a_prediction(solver):
    rng = np.random.default_rng(0)
    X, y, weights = rng.normal(size=(500, 3)), np.zeros(500), np.full(500, 1e-3)
    X[:4], y[:4], weights[:4] = X[0], [3, 5, 6, 10], 999
    net = DistanceNetRegressor(solver=solver, random_state=0, max_iter=60, early_stopping=False)
    assert net.fit(X, y, weights).predict(X[:1]) == pytest.approx(6.0, abs=0.2)


# The state of a stream ----------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("n_rows", [1, 3, 45, 178])
@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
@pytest.mark.filterwarnings("ignore:Training was interrupted")
def test_failed_call_changes_nothing(kind, n_rows, error, monkeypatch):
    X, y, _ = DATA[kind]
    net = streamed(kind, n_rows=n_rows, random_state=np.random.RandomState(0))
    before, original = joblib.hash(vars(net)), training.Trainer.train_epoch

    def fail(self):
        original(self)
        raise error

    monkeypatch.setattr(training.Trainer, "train_epoch", fail)
    for n_new in (1, 60):
        try:
            net.partial_fit(X[-n_new:], y[-n_new:], np.arange(1.0, n_new + 1))
        except MemoryError:
            assert error is MemoryError
        assert joblib.hash(vars(net)) == before


def test_failed_call_keeps_radii_of_new_columns(monkeypatch):
    X = np.where(np.arange(13) < 3, 1.0, WINE)
    options = {"warm_start": True, "max_iter": 2}
    net = DistanceNetClassifier(random_state=0, **options).fit(X, WINE_Y)
    before = joblib.hash(vars(net))

    def fail(self):
        raise MemoryError

    monkeypatch.setattr(training.Trainer, "train_epoch", fail)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(MemoryError):
            method(WINE, WINE_Y)
        assert joblib.hash(vars(net)) == before


@both_kinds
@pytest.mark.parametrize("n_rows", [1, 45])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copy_continues_to_the_same_net(kind, n_rows, copied):
    X, y, _ = DATA[kind]
    net = streamed(kind, n_rows=n_rows)
    other, state = copied(net), joblib.hash(vars(net))
    rest = slice(n_rows, n_rows + 50)
    stream(other, X[rest], y[rest])
    assert joblib.hash(vars(net)) == state
    stream(net, X[rest], y[rest])
    assert joblib.hash(vars(net)) == joblib.hash(vars(other))


def test_clone_starts_a_new_stream():
    net = streamed(DistanceNetClassifier)
    assert "_stream_" not in vars(clone(net))
    again = stream(clone(net), WINE, WINE_Y, classes=[0, 1, 2])
    assert_same_net(again, net, WINE)


def test_cold_fit_discards_the_stream():
    options = {"random_state": 0, "max_iter": 3}
    net = streamed(DistanceNetClassifier, **options).fit(WINE, WINE_Y)
    assert_same_net(net, DistanceNetClassifier(**options).fit(WINE, WINE_Y), WINE)
    assert "_stream_" not in vars(net)


def test_stream_leaves_novelty_uncalibrated():
    net = streamed(DistanceNetClassifier)
    with pytest.raises(NotFittedError, match="calibrated by fit"):
        net.score_samples(WINE)


def test_warm_fits_may_follow_a_stream():
    net = DistanceNetClassifier((5,), max_iter=2, warm_start=True, random_state=0)
    net.partial_fit(WINE, WINE_Y, classes=[0, 1, 2])
    assert net.fit(WINE, WINE_Y).fit(WINE, WINE_Y).n_iter_ == 5


@pytest.mark.parametrize("make", [np.asarray, csr_matrix, csr_array])
def test_saved_stream_continues_to_the_same_net(make):
    skops_io = pytest.importorskip("skops.io")
    net = DistanceNetClassifier((5,), random_state=0)
    net.partial_fit(make(WINE[:40]), WINE_Y[:40], classes=[0, 1, 2])
    again = skops_io.loads(skops_io.dumps(net), trusted=TRUSTED_TYPES)
    for each in (net, again):
        each.partial_fit(make(WINE[40:50]), WINE_Y[40:50])
    assert_same_net(net, again, WINE)
