"""Quantile nets in forecasters: intervals, with their coverage; later windows for validation."""

import numpy as np
import pandas as pd
import pytest
from forecasters import FILTERS, long_table

from skdistnet import DistanceNetRegressor

pytestmark = [pytest.mark.filterwarnings(line) for line in FILTERS]
LEVELS = [0.1, 0.5, 0.9]
N_TRAIN, N_HELD, STEPS, LAGS = 3000, 600, 3, 12
#: Three standard deviations of a share of 0.8 among the 200 values of one step are 0.085.
TOLERANCE = 0.1


@pytest.fixture(scope="module")
def series():
    """Return a wave whose noise is large where its values are."""
    n_values, rng = N_TRAIN + N_HELD, np.random.default_rng(0)
    level = 2 + np.sin(2 * np.pi * np.arange(n_values) / 24)
    index = pd.date_range("2024-01-01", periods=n_values, freq="h")
    return pd.Series(level * (1 + 0.2 * rng.standard_normal(n_values)), index, name="y")


def quantile_net(level):
    return DistanceNetRegressor(10, loss="quantile", quantile=level, alpha=1.0, random_state=0)


def assert_coverage(low, high, actual, expected=0.8):
    assert np.mean((low <= actual) & (actual <= high)) == pytest.approx(expected, abs=TOLERANCE)
    # Narrower than the interval between quantiles of all values.
    assert np.mean(high - low) < 0.75 * np.diff(np.quantile(actual, LEVELS)[[0, 2]])


def test_quantiles_of_direct_windows_cover(series):
    direct = pytest.importorskip("skforecast.direct", reason="needs the extra 'forecasting'")
    forecaster = direct.ForecasterDirect(DistanceNetRegressor(), steps=STEPS, lags=LAGS)
    windows = forecaster.create_train_X_y(series)
    X, y = forecaster.filter_train_X_y_for_step(STEPS, *windows)
    np.testing.assert_array_equal(X.iloc[0], series.iloc[LAGS - 1 :: -1])
    assert y.iloc[0] == series.iloc[LAGS + STEPS - 1]
    later = X.index >= series.index[N_TRAIN]
    train, later_train = X.index < series.index[2500], (X.index >= series.index[2503]) & ~later
    X_val, y_val = X[later_train], y[later_train]
    net = quantile_net(LEVELS).fit(X[train], y[train], X_val=X_val, y_val=y_val)
    low, median, high = net.predict(X[later]).T
    assert ((low <= median) & (median <= high)).all()
    assert_coverage(low, high, y[later])


def test_direct_quantile_nets_cover_every_step(series):
    mlforecast = pytest.importorskip("mlforecast", reason="needs the extra 'forecasting'")
    nets = {"low": quantile_net(0.1), "high": quantile_net(0.9)}
    forecaster = mlforecast.MLForecast(nets, freq="h", lags=range(1, LAGS + 1))
    held = forecaster.cross_validation(
        long_table(series), n_windows=N_HELD // STEPS, h=STEPS, refit=False, max_horizon=STEPS
    )
    step = np.arange(len(held)) % STEPS
    for number in range(STEPS):
        rows = held[step == number]
        assert_coverage(rows["low"], rows["high"], rows["y"])


def test_direct_quantile_nets_of_sktime_cover(series):
    pytest.importorskip("sktime", reason="needs the extra 'forecasting'")
    from sktime.forecasting.compose import make_reduction
    from sktime.split import ExpandingWindowSplitter

    cv = ExpandingWindowSplitter(fh=[STEPS], initial_window=1, step_length=STEPS)
    bounds = [
        make_reduction(quantile_net(level), strategy="direct", window_length=LAGS)
        .fit(series[:N_TRAIN], fh=[STEPS])
        .update_predict(series[N_TRAIN:], cv, update_params=False)
        for level in (0.1, 0.9)
    ]
    assert_coverage(*bounds, series[bounds[0].index])


def test_conformal_intervals_of_skforecast_cover(series):
    recursive = pytest.importorskip("skforecast.recursive", reason="needs the extra 'forecasting'")
    from skforecast.model_selection import TimeSeriesFold, backtesting_forecaster

    net = DistanceNetRegressor(10, max_iter=20, random_state=0)
    _, held = backtesting_forecaster(
        recursive.ForecasterRecursive(net, lags=LAGS),
        series,
        TimeSeriesFold(steps=STEPS, initial_train_size=N_TRAIN, refit=False),
        "mean_squared_error",
        interval=0.8,
        interval_method="conformal",
        show_progress=False,
    )
    assert_coverage(held["lower_bound"], held["upper_bound"], series[held.index])


def test_later_windows_validate_through_skforecast(series):
    recursive = pytest.importorskip("skforecast.recursive", reason="needs the extra 'forecasting'")
    net = DistanceNetRegressor(10, max_iter=20, random_state=0)
    forecaster = recursive.ForecasterRecursive(net, lags=LAGS)
    X, y = (part.to_numpy() for part in forecaster.create_train_X_y(series[:500]))
    forecaster.set_fit_kwargs({"X_val": X[400:], "y_val": y[400:]})
    forecaster.fit(series[: 400 + LAGS])
    expected = net.fit(X[:400], y[:400], X_val=X[400:], y_val=y[400:])
    assert len(forecaster.estimator.validation_scores_) == expected.n_iter_
    rows = X[400:]
    np.testing.assert_array_equal(forecaster.estimator.predict(rows), expected.predict(rows))


def test_later_windows_validate_through_mlforecast(series):
    mlforecast = pytest.importorskip("mlforecast", reason="needs the extra 'forecasting'")
    net = DistanceNetRegressor(10, max_iter=20, random_state=0)
    forecaster = mlforecast.MLForecast({"net": net}, freq="h", lags=range(1, LAGS + 1))
    X, y = forecaster.preprocess(long_table(series[:500]), return_X_y=True)
    validation = {"X_val": X[400:], "y_val": y[400:]}
    forecaster.fit(long_table(series[: 400 + LAGS]), models_fit_kwargs={"net": validation})
    expected = net.fit(X[:400], y[:400], **validation)
    fitted = forecaster.models_["net"]
    assert len(fitted.validation_scores_) == expected.n_iter_
    np.testing.assert_array_equal(fitted.predict(X[400:]), expected.predict(X[400:]))
