"""Small ensembles and their data, for the tests of ensembles."""

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "init_median_activation": 0.5,
    "max_iter": 8,
    "batch_size": 100,
}
NETS = {
    DistanceNetEnsembleClassifier: DistanceNetClassifier,
    DistanceNetEnsembleRegressor: DistanceNetRegressor,
}
CASES = {
    "classifier": (DistanceNetEnsembleClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetEnsembleRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)
LABELS = {
    "three classes": WINE_Y,
    "two classes": np.array(["no", "yes"])[np.minimum(WINE_Y, 1)],
    "multilabel": np.column_stack([WINE_Y == 0, WINE[:, 0] > 13]) * 1,
    "several columns": np.column_stack([WINE_Y, WINE[:, 0] > 13]),
    "one class": np.full(len(WINE), 3),
}
every_form = pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)


def listed(probabilities):
    """Return the probabilities of all outputs, in a list."""
    return probabilities if isinstance(probabilities, list) else [probabilities]


def small(kind, n_estimators=3, *, out_of_fold=False, n_jobs=None, verbose=False, **parameters):
    """Return an ensemble of small nets; other parameters are those of the nets."""
    return kind(
        NETS[kind](**SMALL | parameters),
        n_estimators,
        out_of_fold=out_of_fold,
        n_jobs=n_jobs,
        random_state=0,
        verbose=verbose,
    )


@cache
def fitted_small(kind, out_of_fold=False):
    """Return a fitted ensemble of small nets, for tests that only read it."""
    _, X, y = next(case for case in CASES.values() if case[0] is kind)
    return small(kind, out_of_fold=out_of_fold).fit(X, y)


def assert_same_members(ensemble, other):
    assert len(ensemble.estimators_) == len(other.estimators_)
    for net, of_other in zip(ensemble.estimators_, other.estimators_):
        np.testing.assert_array_equal(net._theta_, of_other._theta_)
        assert net.loss_curve_ == of_other.loss_curve_
