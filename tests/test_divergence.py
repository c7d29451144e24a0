"""Rates that are far too large: a warning may come of them, but no NaN."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import SOLVERS

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 8, "random_state": 0}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


@both_kinds
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["gaussian", "cauchy", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_are_finite_at_any_rate(kind, X, y, solver, activation, dtype):
    for rate in (1.0, 1e2, 1e5, 1e10, 1e30, 1e100, 1e200):
        net = kind(**SMALL, activation=activation, solver=solver, dtype=dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net.set_params(learning_rate_init=rate, learning_rate="constant").fit(X, y)
        for rows in (X, 1e6 * X):
            answer = net.predict_proba(rows) if kind is DistanceNetClassifier else net.predict(rows)
            assert np.isfinite(answer).all(), rate


@both_kinds
def test_a_rate_that_is_somewhat_too_large_is_halved_until_it_is_not(kind, X, y):
    options = SMALL | {"solver": "sgd", "learning_rate": "constant", "max_iter": 30}
    net = kind(**options, learning_rate_init=1e5, warm_start=True)
    with pytest.warns(ConvergenceWarning, match=r"halved its rate.*learning_rate_init' \(now 1000"):
        net.fit(X, y)
    assert net._progress_["rate_factor"] < 1


@both_kinds
@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_parameters_in_large_units_are_no_divergence(kind, X, y):
    far = (1e11 * X).astype(np.float32)
    net = kind(**SMALL, standardize=False, learning_rate="constant", tol=1.0).fit(far, y)
    assert np.abs(net.centroids_[0]).max() > 1e10
    assert np.isfinite(net.loss_curve_).all()
    assert net.n_iter_ > 1


def test_a_loss_that_explodes_to_a_finite_number_is_undone_and_told():
    options = {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 3.0}
    net = DistanceNetRegressor(20, **options, momentum=0.0, alpha=0.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="beyond all reason"):
        net.fit(DIABETES, DIABETES_Y)
    assert net.loss_ < 100 * max(1.0, net.best_loss_)
    assert net.score(DIABETES, DIABETES_Y) > -0.1


@both_kinds
def test_a_training_that_gave_up_says_of_which_epoch_its_parameters_are(kind, X, y):
    options = {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 1e4}
    net = kind(20, **options, momentum=0.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="keeps the best parameters"):
        net.fit(X, y)
    assert net.best_epoch_ == int(np.argmin(net.loss_curve_)) < net.n_iter_
