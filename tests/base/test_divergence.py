"""Learning rates that are far too large may cause a warning, but never NaN."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import SOLVERS

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 8, "random_state": 0, "early_stopping": False}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


@both_kinds
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["gaussian", "cauchy", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_are_finite_at_any_learning_rate(kind, X, y, solver, activation, dtype):
    for rate in (1.0, 1e2, 1e5, 1e10, 1e30, 1e100, 1e200):
        net = kind(**SMALL, activation=activation, solver=solver, dtype=dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net.set_params(learning_rate_init=rate, learning_rate="constant").fit(X, y)
        for rows in (X, 1e6 * X):
            prediction = (
                net.predict_proba(rows) if kind is DistanceNetClassifier else net.predict(rows)
            )
            assert np.isfinite(prediction).all(), rate


@both_kinds
def test_too_large_learning_rate_is_halved(kind, X, y):
    options = SMALL | {"solver": "sgd", "learning_rate": "constant", "max_iter": 30}
    net = kind(**options, learning_rate_init=1e5, warm_start=True)
    message = r"halv(ed|ings of) the learning rate.*learning_rate_init' \(now 1000"
    with pytest.warns(ConvergenceWarning, match=message):
        net.fit(X, y)
    assert net._progress_["rate_factor"] < 1


@both_kinds
@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_large_parameters_are_not_divergence(kind, X, y):
    far = (1e11 * X).astype(np.float32)
    options = {"standardize": False, "linear_part": False, "learning_rate": "constant"}
    net = kind(**SMALL, **options, tol=1.0).fit(far, y)
    assert np.abs(net.centroids_[0]).max() > 1e10
    assert np.isfinite(net.loss_curve_).all()
    assert net.n_iter_ > 1


def test_exploding_finite_loss_is_rolled_back_with_warning():
    options = {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 3.0}
    net = DistanceNetRegressor(20, **options, momentum=0.0, alpha=0.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        net.fit(DIABETES, DIABETES_Y)
    assert net.loss_ < 100 * max(1.0, net.best_loss_)
    assert net.score(DIABETES, DIABETES_Y) > -0.1


# Abandoned runs -----------------------------------------------------------------------------------

HOPELESS = {
    "hidden_layer_sizes": 20,
    "learning_rate": "constant",
    "random_state": 0,
    "early_stopping": False,
}
ONE_STEP = {"learning_rate_init": 1e-300, "max_iter": 1}
may_diverge = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def raw_loss(net, X, y):
    """Return the loss of a fitted net on rows, without dropout."""
    target = net._codec.smoothed(net._codec.encode(net._check_target(y), net._network.dtype))
    raw = net._raw_output(np.ascontiguousarray(X, dtype=np.float64))
    return net._codec.loss.value(raw, target, np.full(len(y), 1 / len(y)))


@both_kinds
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("rate", [1e4, 1e30, 1e200])
def test_abandoned_run_is_no_worse_than_start(kind, X, y, solver, rate):
    options = HOPELESS | {"solver": solver}
    start = kind(**options | ONE_STEP).fit(X, y)
    with pytest.warns(ConvergenceWarning):
        net = kind(**options, learning_rate_init=rate, max_iter=20).fit(X, y)
    assert raw_loss(net, X, y) <= raw_loss(start, X, y) + 1e-9


@both_kinds
@pytest.mark.parametrize("scoring", ["loss", "its own"])
@pytest.mark.parametrize("rate", [1e2, 1e30])
@may_diverge
def test_abandoned_run_keeps_best_validation_result(kind, X, y, rate, scoring):
    own = "accuracy" if kind is DistanceNetClassifier else "r2"
    options = HOPELESS | {"solver": "sgd", "scoring": scoring if scoring == "loss" else own}
    held_out = {"X_val": X[::3], "y_val": y[::3]}
    start = kind(**options | ONE_STEP).fit(X, y, **held_out)
    net = kind(**options, learning_rate_init=rate, max_iter=20).fit(X, y, **held_out)
    if scoring == "loss":
        assert raw_loss(net, X[::3], y[::3]) <= raw_loss(start, X[::3], y[::3]) + 1e-9
    else:
        assert net.score(X[::3], y[::3]) >= start.score(X[::3], y[::3]) - 1e-9


@both_kinds
@pytest.mark.parametrize("rate", [3.0, 30.0, 1e4])
@may_diverge
def test_best_epoch_matches_kept_parameters(kind, X, y, rate):
    options = HOPELESS | {"solver": "sgd", "learning_rate_init": rate, "max_iter": 20}
    net = kind(**options, momentum=0.0).fit(X, y, X_val=X[::3], y_val=y[::3])
    if net.best_epoch_:
        assert net.best_validation_score_ == net.validation_scores_[net.best_epoch_ - 1]
        assert net.best_validation_score_ == pytest.approx(net.score(X[::3], y[::3]))
    else:
        assert np.isnan(net.best_validation_score_)


@may_diverge
def test_score_decides_before_loss():
    """The start has the best loss, another epoch the best score."""
    scores = iter(range(100))
    options = HOPELESS | {"solver": "sgd", "learning_rate_init": 1e4, "max_iter": 20}
    held_out = {"X_val": WINE[::3], "y_val": WINE_Y[::3]}
    net = DistanceNetClassifier(**options, scoring=lambda *_: -next(scores))
    net.fit(WINE, WINE_Y, **held_out)
    measured = next(scores)
    assert measured == len(net.validation_scores_) + 3  # of three candidates
    assert net.best_epoch_ == 1


@pytest.mark.parametrize("rate", [1e4, 1e30, 1e100])
def test_diverging_first_epoch_is_rolled_back(rate):
    net = DistanceNetRegressor(20, learning_rate_init=rate, max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        net.fit(DIABETES, DIABETES_Y)
    assert net.score(DIABETES, DIABETES_Y) > -0.5


def test_large_initial_loss_is_not_divergence():
    y = np.append(DIABETES_Y[:-1], 1e12)
    options = {"loss": "absolute_error", "max_iter": 3, "alpha": 0.0, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        net = DistanceNetRegressor(20, **options, tol=1e12).fit(DIABETES, y)
    assert net.best_loss_ > 1e6


@both_kinds
@may_diverge
def test_abandoned_starts_leave_the_best_one(kind, X, y):
    options = HOPELESS | {"solver": "sgd", "learning_rate_init": 1e30, "max_iter": 20}
    for early_stopping in (False, True):
        net = kind(**options | {"early_stopping": early_stopping}, n_init=3).fit(X, y)
        assert net.score(X, y) > -1  # as an untrained net
        assert len(net.init_scores_) == 3


# The next learning rate ---------------------------------------------------------------------------


def halved(kind, X, y):
    net = kind(**SMALL, solver="sgd", learning_rate="constant", warm_start=True)
    net.set_params(learning_rate_init=10.0, max_iter=30).fit(X, y)
    assert net._progress_["rate_factor"] < 1
    return net


@both_kinds
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@may_diverge
def test_newly_set_learning_rate_is_not_halved(kind, X, y, method):
    net = halved(kind, X, y).set_params(learning_rate_init=1e-3, max_iter=2)
    getattr(net, method)(X, y)
    assert net._progress_["rate_factor"] == 1


@both_kinds
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@may_diverge
def test_unchanged_learning_rate_stays_halved(kind, X, y, method):
    net = halved(kind, X, y)
    before = net._progress_["rate_factor"]
    net.set_params(learning_rate_init=10.0, max_iter=1)
    getattr(net, method)(X, y)
    assert net._progress_["rate_factor"] <= before


@both_kinds
@may_diverge
def test_halvings_end_with_their_solver(kind, X, y):
    net = halved(kind, X, y)
    before = net._progress_["rate_factor"]
    net.set_params(solver="adam", max_iter=1).fit(X, y)
    assert net._progress_["rate_factor"] > before
