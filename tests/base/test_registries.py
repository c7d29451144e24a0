"""Entries added to a registry after import are accepted by the estimators."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdistnet import DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from skdistnet.engine.losses import REGRESSION_LOSSES

X, Y = load_iris(return_X_y=True)
CASES = {
    "kernel": (KERNELS, "activation", "cauchy"),
    "activation": (ACTIVATIONS, "activation", "tanh"),
    "initializer": (INITIALIZERS, "init", "uniform"),
    "solver": (SOLVERS, "solver", "adam"),
    "schedule": (SCHEDULES, "learning_rate", "constant"),
    "loss": (REGRESSION_LOSSES, "loss", "huber"),
}
every_registry = pytest.mark.parametrize(
    ("registry", "parameter", "known"), CASES.values(), ids=CASES
)


def fitted(**options):
    return DistanceNetRegressor(5, max_iter=3, alpha=0.1, random_state=0, **options).fit(X, Y)


@every_registry
def test_new_entries_are_accepted_after_import(registry, parameter, known, monkeypatch):
    new = f"another {known}"
    with pytest.raises(ValueError, match=f"'{parameter}' parameter .* got '{new}'"):
        fitted(**{parameter: new})
    monkeypatch.setitem(registry, new, registry[known])
    expected = fitted(**{parameter: known}).predict(X)
    np.testing.assert_array_equal(fitted(**{parameter: new}).predict(X), expected)


@every_registry
def test_messages_list_new_entries(registry, parameter, known, monkeypatch):
    monkeypatch.setitem(registry, f"another {known}", registry[known])
    message = f"'{parameter}' parameter .*'another {known}'.* got 'unknown'"
    with pytest.raises(ValueError, match=message):
        fitted(**{parameter: "unknown"})
