"""Constant targets are predicted exactly; targets with a large offset are predicted in float64."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skdistnet import DistanceNetRegressor
from skdistnet.inspection import prototypes, prune, unit_report

N_ROWS = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 3))
WAVE = X[:, 0] + 0.1 * RNG.normal(size=N_ROWS)
LOSSES = {
    "squared_error": {},
    "absolute_error": {"loss": "absolute_error"},
    "huber": {"loss": "huber"},
    "poisson": {"loss": "poisson"},
    "quantile": {"loss": "quantile"},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
}
every_loss = pytest.mark.parametrize("options", LOSSES.values(), ids=LOSSES)
one_quantile = pytest.mark.parametrize(
    "options", [LOSSES[name] for name in LOSSES if name != "quantiles"], ids=list(LOSSES)[:-1]
)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_depth = pytest.mark.parametrize("hidden", [(), (6,)], ids=["linear", "hidden"])


def make(options, hidden=(6,), **others):
    settings = {"max_iter": 5, "tol": 0.0, "random_state": 0} | options | others
    return DistanceNetRegressor(hidden, **settings)


def from_parameters(net, rows):
    """Return the predictions computed from fitted attributes, in float64.

    `rows` are those of the fit, at whose mean the linear part is zero.
    """
    inputs = net.transform(rows) if len(net.coefs_) > 1 else rows
    raw = inputs.astype(np.float64) @ net.coefs_[-1] + net.intercepts_[-1]
    raw += (rows - rows.mean(axis=0)) @ net.linear_coef_.T
    return np.exp(raw) if net.out_activation_ == "exp" else raw


# Constant columns ---------------------------------------------------------------------------------


@every_loss
@every_dtype
@every_depth
@pytest.mark.parametrize("value", [0.0, 3.3, 1.7e9])
def test_constant_is_predicted_exactly(options, dtype, hidden, value):
    rows, y = X.astype(dtype), np.full(N_ROWS, value)
    net = make(options, hidden).fit(rows, y)
    assert np.all(net.predict(rows) == value)
    assert np.all(net.predict(1e6 * rows) == value)
    assert net.score(rows, y) == 1.0


@one_quantile
@every_dtype
@every_depth
def test_constants_beside_a_varying_column_are_exact(options, dtype, hidden):
    rows = X.astype(dtype)
    y = np.column_stack([np.exp(WAVE), np.full(N_ROWS, 3.3), np.zeros(N_ROWS)])
    prediction = make(options, hidden).fit(rows, y).predict(rows)
    np.testing.assert_array_equal(prediction[:, 1:], y[:, 1:])
    assert np.ptp(prediction[:, 0]) > 0


@one_quantile
@every_dtype
@every_depth
def test_parameters_agree_with_predictions_of_constants(options, dtype, hidden):
    rows = X.astype(dtype)
    y = np.column_stack([np.exp(WAVE), np.full(N_ROWS, 3.3), np.zeros(N_ROWS)])
    net = make(options, hidden).fit(rows, y)
    np.testing.assert_allclose(from_parameters(net, rows), net.predict(rows), rtol=1e-3, atol=1e-4)
    assert not net.coefs_[-1][:, 1:].any()
    assert not net.linear_coef_[1:].any()


@every_loss
def test_rows_of_weight_zero_may_differ(options):
    weights = np.where(np.arange(N_ROWS) < 40, 1.0, 0.0)
    y = np.where(weights > 0, 7.7, 50.0)
    net = make(options).fit(X, y, sample_weight=weights)
    assert np.all(net.predict(X) == 7.7)


@every_loss
@every_dtype
@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_validation_scores_of_constant_are_perfect(options, dtype, scoring):
    if "quantile" in options:
        scoring = "loss"  # R^2 does not support a list of quantiles
    net = make(options, early_stopping=True, scoring=scoring)
    net.fit(X.astype(dtype), np.full(N_ROWS, 3.3))
    assert net.validation_scores_ == [1.0] * net.n_iter_


@one_quantile
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_newly_varying_target_is_rescaled(options, method):
    y = np.abs(1000 * WAVE) + 7
    net = make(options, warm_start=True, early_stopping=False)
    getattr(net, method)(X, np.full(N_ROWS, 4.4))
    assert np.all(net.predict(X) == 4.4)
    getattr(net.set_params(max_iter=80), method)(X, y)
    assert np.ptp(net.predict(X)) > 1
    assert method == "partial_fit" or net.score(X, y) > 0.2
    np.testing.assert_allclose(from_parameters(net, X)[:, 0], net.predict(X), rtol=1e-6)


def test_constant_stays_exact_until_it_varies():
    net = make({}, warm_start=True).fit(X, np.column_stack([WAVE, np.full(N_ROWS, 2.5)]))
    net.fit(X, np.column_stack([2 * WAVE, np.full(N_ROWS, 2.5)]))
    assert np.all(net.predict(X)[:, 1] == 2.5)


@every_loss
@every_depth
def test_copies_of_constant_net_predict_alike(options, hidden):
    net = make(options, hidden).fit(X, np.full(N_ROWS, 3.3))
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    np.testing.assert_array_equal(clone(net).fit(X, np.full(N_ROWS, 3.3)).predict(X), 3.3)


def test_constant_net_can_be_inspected_and_pruned():
    y = np.full(N_ROWS, 3.3)
    net = make({}).fit(X, y)
    prototypes(net, X)
    unit_report(net, X)
    pruned, _ = prune(net, X, y)
    assert np.all(pruned.predict(X) == 3.3)


# Large offsets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [2e4, 1.7e9])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_float32_inputs_do_not_lower_the_score(loss, offset):
    y, scores = offset + WAVE, []
    for dtype in (np.float32, np.float64):
        net = make({"loss": loss}, max_iter=40).fit(X.astype(dtype), y)
        scores.append(net.score(X.astype(dtype), y))
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert scores[0] > 0.5


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (WAVE, np.float32),
        (1e30 * WAVE, np.float32),
        (100 + WAVE, np.float32),
        (1.7e9 + WAVE, np.float64),
        (np.column_stack([WAVE, 1.7e9 + WAVE]), np.float64),
        (np.full(N_ROWS, 2.5), np.float32),
        (np.full(N_ROWS, 3.3), np.float64),
    ],
    ids=["small", "large", "near", "far", "one far", "narrow constant", "wide constant"],
)
def test_prediction_dtype_fits_the_targets(y, expected):
    assert make({}).fit(X.astype(np.float32), y).predict(X[:2]).dtype == expected
    assert make({}).fit(X, y).predict(X[:2]).dtype == np.float64
