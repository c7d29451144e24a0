"""Fits in many threads at once come to what they come to alone, and leave the process as it was."""

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
from skdistnet._base import clustering as _clustering
from skdistnet.engine.numerics import blas as products
from skdistnet.engine.numerics import threads

N_THREADS = 8
HOLED = np.where(np.random.default_rng(0).random(WINE.shape) < 0.2, np.nan, WINE)
COMMON = {"max_iter": 6, "random_state": 0}
FITS = {
    "defaults": (DistanceNetClassifier(**COMMON), WINE, WINE_Y),
    "strings": (DistanceNetClassifier((8,), **COMMON), WINE, np.array(["a", "b", "c"])[WINE_Y]),
    "deep": (DistanceNetClassifier((7,) * 6, **COMMON), WINE, WINE_Y),
    "holes": (DistanceNetClassifier((9, 5), early_stopping=True, **COMMON), HOLED, WINE_Y),
    "numbers": (DistanceNetRegressor(**COMMON), DIABETES, DIABETES_Y),
    "levels": (
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


def at_once(*calls):
    """What the calls return, each in a thread of its own; all begin together."""
    ready = Barrier(len(calls))

    def begin(call):
        ready.wait(60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def blas_sizes():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def test_different_fits_at_once_are_bit_for_bit_those_one_after_another():
    assert len(FITS) == N_THREADS
    alone = [clone(net).fit(X, y) for net, X, y in FITS.values()]
    before = blas_sizes()
    for _ in range(3):
        together = at_once(*(lambda f=fit: clone(f[0]).fit(*f[1:]) for fit in FITS.values()))
        assert all(map(same, together, alone))
        assert blas_sizes() == before


def test_predictions_of_one_net_in_many_threads_are_those_of_one_thread():
    net = DistanceNetClassifier((9, 5), **COMMON).fit(HOLED, WINE_Y)
    methods = net.predict_proba, net.score_samples, net.decision_function, net.predict
    expected = [method(HOLED) for method in methods]
    found = at_once(*(lambda method=method: method(HOLED) for method in methods * 2))
    for pair in zip(found, expected * 2):
        np.testing.assert_array_equal(*pair)


def test_fits_of_one_estimator_at_once_leave_it_wholly_fitted_by_one_of_them():
    net = DistanceNetClassifier((6,), **COMMON)
    data = [(WINE[part::2], WINE_Y[part::2]) for part in range(2)] * 4
    at_once(*(lambda d=each: net.fit(*d) for each in data))
    assert any(same(net, clone(net).fit(*each)) for each in data[:2])


def test_a_fit_that_fails_beside_others_gives_its_threads_back_and_disturbs_none():
    net, before = DistanceNetClassifier((6,), **COMMON), blas_sizes()

    def failing():
        with pytest.raises(ZeroDivisionError):
            clone(net).set_params(scoring=lambda *_: 1 / 0).fit(
                WINE, WINE_Y, X_val=WINE, y_val=WINE_Y
            )

    results = at_once(*(failing, lambda: clone(net).fit(WINE, WINE_Y)) * 4)
    assert all(same(result, clone(net).fit(WINE, WINE_Y)) for result in results[1::2])
    assert blas_sizes() == before


def test_threads_are_given_back_after_small_and_large_fits_at_once(monkeypatch):
    # Nets of more than 50 units count as large: they limit one library, the others all.
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
        at_once(*(lambda net=net: net.fit(WINE, WINE_Y) for net in nets))
        assert blas_sizes() == before


def test_k_means_of_many_fits_come_one_after_another_and_leave_filters_of_warnings_alone(
    monkeypatch,
):
    """Filters are those of the process: the later of two put back what the other had set."""
    within, most, whole = [], [], _clustering.KMeans.fit

    def fit(self, *args, **options):
        within.append(1)
        most.append(len(within))
        time.sleep(0.01)
        try:
            return whole(self, *args, **options)
        finally:
            within.pop()

    monkeypatch.setattr(_clustering.KMeans, "fit", fit)
    before = list(warnings.filters)
    net = DistanceNetClassifier((6,), init="kmeans", max_iter=2, random_state=0)
    at_once(*[lambda: clone(net).fit(WINE, WINE_Y)] * N_THREADS)
    assert most == [1] * N_THREADS
    assert list(warnings.filters) == before
