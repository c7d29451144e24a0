"""The same seed gives the same result in any process, with any number of jobs or threads."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import INITIALIZERS, SOLVERS
from skdistnet.engine.numerics import blas as products
from skdistnet.engine.numerics import threads

X, Y = (part[:400] for part in load_digits(return_X_y=True))
SMALL = {"hidden_layer_sizes": (20,), "max_iter": 4, "dropout": 0.1, "random_state": 3}
both_kinds = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])

IN_ANOTHER_PROCESS = """
import hashlib
from sklearn.datasets import load_digits
from skdistnet import {kind}
X, Y = (part[:400] for part in load_digits(return_X_y=True))
net = {kind}(**{options}).fit(X, Y)
print(hashlib.sha256(net._theta_.tobytes()).hexdigest())
"""


@both_kinds
@pytest.mark.parametrize("init", INITIALIZERS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_two_fits_are_bitwise_equal(kind, init, solver):
    first, second = (kind(**SMALL, init=init, solver=solver).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(first._theta_, second._theta_)
    np.testing.assert_array_equal(first.predict(X), second.predict(X))


@both_kinds
def test_cross_validation_does_not_depend_on_n_jobs(kind):
    scores = [cross_val_score(kind(**SMALL), X, Y, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2)]
    np.testing.assert_array_equal(*scores)


@both_kinds
def test_another_process_learns_the_same_parameters(kind):
    script = IN_ANOTHER_PROCESS.format(kind=kind.__name__, options=SMALL)
    # Hashes of strings differ from process to process: nothing may depend on their order.
    digests = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


@both_kinds
@pytest.mark.parametrize("radius_type", ["diag", "spherical", "tied"])
def test_thread_count_changes_only_last_digits(kind, radius_type, monkeypatch):
    # Otherwise so small a net would use one thread whatever the limit.
    monkeypatch.setattr(threads, "LARGE", 0)
    monkeypatch.setattr(products, "LARGE", 0)
    predictions = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            net = kind(**SMALL, radius_type=radius_type).fit(X, Y)
            method = net.predict_proba if kind is DistanceNetClassifier else net.predict
            predictions.append(method(X))
    np.testing.assert_allclose(*predictions, rtol=1e-6, atol=1e-9)
