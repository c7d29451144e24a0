"""Concurrent fits give the results of single fits and leave the process unchanged."""

import random
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from interrupted_fits import DIABETES, DIABETES_Y, WINE, WINE_Y, same
from scipy.sparse import csr_array
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import start
from skdistnet.engine.numerics import blas as products
from skdistnet.engine.numerics import threads

N_THREADS = 8
X_MISSING = np.where(np.random.default_rng(0).random(WINE.shape) < 0.2, np.nan, WINE)
COMMON = {"max_iter": 6, "random_state": 0}
FITS = {
    "defaults": (DistanceNetClassifier(**COMMON), WINE, WINE_Y),
    "strings": (DistanceNetClassifier((8,), **COMMON), WINE, np.array(["a", "b", "c"])[WINE_Y]),
    "deep": (DistanceNetClassifier((7,) * 6, **COMMON), WINE, WINE_Y),
    "missing values": (
        DistanceNetClassifier((9, 5), early_stopping=True, **COMMON),
        X_MISSING,
        WINE_Y,
    ),
    "regression": (DistanceNetRegressor(**COMMON), DIABETES, DIABETES_Y),
    "quantiles": (
        DistanceNetRegressor(5, loss="quantile", quantile=[0.1, 0.9], **COMMON),
        DIABETES,
        DIABETES_Y,
    ),
    "single precision": (
        DistanceNetRegressor((11, 3), ["relu", "cauchy"], init="kmeans", **COMMON),
        DIABETES.astype(np.float32),
        np.column_stack([DIABETES_Y, -DIABETES_Y]),
    ),
    "sparse": (
        DistanceNetClassifier((), n_init=2, solver="adam", **COMMON),
        csr_array(np.where(WINE.mean(axis=0) < WINE, WINE, 0.0)),
        WINE_Y,
    ),
}


def run_concurrently(*calls):
    """Run each call in a thread of its own, all started together, and return the results."""
    ready = Barrier(len(calls))

    def start(call):
        ready.wait(60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def blas_sizes():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_concurrent_fits_equal_sequential_fits():
    assert len(FITS) == N_THREADS
    alone = [clone(net).fit(X, y) for net, X, y in FITS.values()]
    before = blas_sizes()
    for _ in range(3):
        together = run_concurrently(
            *(lambda f=fit: clone(f[0]).fit(*f[1:]) for fit in FITS.values())
        )
        assert all(map(same, together, alone))
        assert blas_sizes() == before


def test_concurrent_predictions_equal_sequential_predictions():
    net = DistanceNetClassifier((9, 5), **COMMON).fit(X_MISSING, WINE_Y)
    methods = net.predict_proba, net.score_samples, net.decision_function, net.predict
    expected = [method(X_MISSING) for method in methods]
    actual = run_concurrently(*(lambda method=method: method(X_MISSING) for method in methods * 2))
    for pair in zip(actual, expected * 2):
        np.testing.assert_array_equal(*pair)


def test_concurrent_fits_of_one_estimator_stay_consistent():
    net = DistanceNetClassifier((6,), **COMMON)
    data = [(WINE[part::2], WINE_Y[part::2]) for part in range(2)] * 4
    run_concurrently(*(lambda d=each: net.fit(*d) for each in data))
    assert any(same(net, clone(net).fit(*each)) for each in data[:2])


def test_failing_fit_does_not_disturb_concurrent_fits():
    net, before = DistanceNetClassifier((6,), **COMMON), blas_sizes()

    def failing():
        with pytest.raises(ZeroDivisionError):
            clone(net).set_params(scoring=lambda *_: 1 / 0).fit(
                WINE, WINE_Y, X_val=WINE, y_val=WINE_Y
            )

    results = run_concurrently(*(failing, lambda: clone(net).fit(WINE, WINE_Y)) * 4)
    assert all(same(result, clone(net).fit(WINE, WINE_Y)) for result in results[1::2])
    assert blas_sizes() == before


def test_thread_limits_are_restored_after_concurrent_fits(monkeypatch):
    # Nets of more than 50 units count as large and limit one BLAS library; the others limit all.
    monkeypatch.setattr(threads, "LARGE", 30 * 13 * 50)
    monkeypatch.setattr(products, "LARGE", 30 * 13 * 50)
    nets = [
        DistanceNetClassifier(n_units, batch_size=30, max_iter=n_epochs, random_state=0)
        for n_units in (10, 100)
        for n_epochs in (1, 3, 5, 7)
    ]
    random.Random(0).shuffle(nets)
    before = blas_sizes()
    for _ in range(3):
        run_concurrently(*(lambda net=net: net.fit(WINE, WINE_Y) for net in nets))
        assert blas_sizes() == before


def test_concurrent_k_means_keeps_warning_filters(
    monkeypatch,
):
    """Warning filters are global, so overlapping runs could restore the filters of one another."""
    within, most, original = [], [], start.KMeans.fit

    def fit(self, *args, **options):
        within.append(1)
        most.append(len(within))
        time.sleep(0.01)
        try:
            return original(self, *args, **options)
        finally:
            within.pop()

    monkeypatch.setattr(start.KMeans, "fit", fit)
    before = list(warnings.filters)
    options = {"max_iter": 2, "early_stopping": False, "random_state": 0}
    net = DistanceNetClassifier((6,), init="kmeans", **options)
    run_concurrently(*[lambda: clone(net).fit(WINE, WINE_Y)] * N_THREADS)
    assert most == [1] * N_THREADS
    assert list(warnings.filters) == before
