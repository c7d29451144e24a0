"""Nets in the recursive forecasters of sktime, skforecast and mlforecast."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from forecasters import FILTERS, FORECASTERS, LAGS, monthly

from skdistnet import DistanceNetRegressor

pytestmark = [pytest.mark.filterwarnings(line) for line in FILTERS]
STEPS = 60
SMALL = {"hidden_layer_sizes": 20, "max_iter": 20, "random_state": 0}


@pytest.fixture(params=FORECASTERS)
def forecaster(request):
    """Return a class whose instances fit a series and forecast its next values."""
    pytest.importorskip(request.param, reason="needs the extra 'forecasting'")
    return FORECASTERS[request.param]


def recursion(net, window, steps):
    """Return predictions, each of which is the newest value of the next window."""
    window = list(window)
    for _ in range(steps):
        window.append(net.predict([window[-LAGS:]])[0])
    return np.array(window[-steps:])


def rmse(actual, predicted):
    return np.sqrt(np.mean((np.asarray(actual) - predicted) ** 2))


@pytest.mark.parametrize("differences", [None, 1])
def test_forecast_equals_recursion_by_hand(forecaster, differences):
    series = monthly(180)
    forecast = forecaster(DistanceNetRegressor(**SMALL), differences).fit(series).predict(STEPS)
    values = np.diff(series) if differences else series.to_numpy()
    rows = np.lib.stride_tricks.sliding_window_view(values, LAGS + 1)
    net = DistanceNetRegressor(**SMALL).fit(rows[:, :-1], rows[:, -1])
    expected = recursion(net, values, STEPS)
    expected = series.iloc[-1] + np.cumsum(expected) if differences else expected
    np.testing.assert_allclose(forecast, expected, rtol=1e-6)
    assert np.std(forecast) > 0.1  # not constant


def test_linear_part_continues_a_trend(forecaster):
    series = monthly(180 + STEPS)
    with_part, without = (
        forecaster(DistanceNetRegressor(20, alpha=1.0, linear_part=linear, random_state=0))
        .fit(series[:180])
        .predict(STEPS)
        for linear in (True, False)
    )
    highest = series[:180].max()
    assert with_part[-12:].max() > highest + 1.5 > without[-12:].max() + 0.5
    assert rmse(series[180:], with_part) < 0.5 < 1 < rmse(series[180:], without)


def test_differences_continue_a_trend(forecaster):
    series = monthly(180 + STEPS)
    net = DistanceNetRegressor(20, linear_part=False, random_state=0)
    levels, differences = (
        rmse(series[180:], forecaster(net, number).fit(series[:180]).predict(STEPS))
        for number in (None, 1)
    )
    assert differences < 0.5 < 1 < levels


def test_equal_seeds_give_equal_forecasts(forecaster):
    first, again, other = (
        forecaster(DistanceNetRegressor(**SMALL | {"random_state": seed}))
        .fit(monthly(100))
        .predict(5)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_saved_forecaster_predicts_the_same(forecaster):
    fitted = forecaster(DistanceNetRegressor(**SMALL)).fit(monthly(100))
    saved = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(saved.predict(5), fitted.predict(5))


def test_fit_leaves_the_given_net_unfitted(forecaster):
    net = DistanceNetRegressor(**SMALL)
    fitted = forecaster(net).fit(monthly(100))
    assert not hasattr(net, "n_iter_")
    assert fitted.net().n_features_in_ == LAGS


def test_copied_forecaster_fits_the_same(forecaster):
    unfitted = forecaster(DistanceNetRegressor(**SMALL))
    copied = deepcopy(unfitted)
    forecasts = [each.fit(monthly(100)).predict(5) for each in (unfitted, copied)]
    np.testing.assert_array_equal(*forecasts)


def test_windows_of_a_new_regime_are_novel(forecaster):
    series = monthly(400, slope=0.0)
    changed = monthly(400, slope=0.0, seed=1)
    changed[200:] = changed[200:].to_numpy()[np.arange(200) // 2]  # a season of two years
    fitted = forecaster(DistanceNetRegressor(20, random_state=0)).fit(series)
    rows = np.lib.stride_tricks.sliding_window_view(changed, LAGS)[:, fitted.order]
    novel = fitted.net().score_samples(rows) < fitted.net().novelty_threshold_
    assert changed.between(series.min(), series.max()).mean() > 0.95
    assert novel[:180].mean() < 0.15
    assert novel[200:].mean() > 0.8
