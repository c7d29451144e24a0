"""The libraries' own searches find a good value of a parameter of the net."""

import pytest
from forecasters import FILTERS, LAGS, long_table, monthly

from skdistnet import DistanceNetRegressor

pytestmark = [pytest.mark.filterwarnings(line) for line in FILTERS]
SERIES = monthly(150, slope=0.0)
#: With the first learning rate the net hardly leaves its start.
RATES = [1e-7, 0.05]
NET = DistanceNetRegressor(10, max_iter=20, random_state=0)


def test_grid_search_of_sktime():
    pytest.importorskip("sktime", reason="needs the extra 'forecasting'")
    from sktime.forecasting.compose import make_reduction
    from sktime.forecasting.model_selection import ForecastingGridSearchCV
    from sktime.split import ExpandingWindowSplitter

    cv = ExpandingWindowSplitter(fh=range(1, 7), initial_window=120, step_length=12)
    search = ForecastingGridSearchCV(
        make_reduction(NET, window_length=LAGS), cv, {"estimator__learning_rate_init": RATES}
    ).fit(SERIES)
    assert search.best_params_ == {"estimator__learning_rate_init": RATES[1]}
    assert search.best_forecaster_.estimator_.learning_rate_init == RATES[1]


def test_grid_search_of_skforecast():
    recursive = pytest.importorskip("skforecast.recursive", reason="needs the extra 'forecasting'")
    from skforecast.model_selection import TimeSeriesFold, grid_search_forecaster

    forecaster = recursive.ForecasterRecursive(NET, lags=LAGS)
    found = grid_search_forecaster(
        forecaster,
        SERIES,
        TimeSeriesFold(steps=6, initial_train_size=120, refit=False),
        {"learning_rate_init": RATES},
        "mean_squared_error",
        n_jobs=1,
        show_progress=False,
    )
    assert found["learning_rate_init"].tolist() == RATES[::-1]
    assert forecaster.estimator.learning_rate_init == RATES[1]


def test_cross_validation_of_mlforecast_compares_nets():
    mlforecast = pytest.importorskip("mlforecast", reason="needs the extra 'forecasting'")
    nets = {
        "slow": DistanceNetRegressor(10, learning_rate_init=RATES[0], max_iter=20, random_state=0),
        "fast": DistanceNetRegressor(10, learning_rate_init=RATES[1], max_iter=20, random_state=0),
    }
    forecaster = mlforecast.MLForecast(nets, freq="MS", lags=range(1, LAGS + 1))
    held = forecaster.cross_validation(long_table(SERIES), n_windows=3, h=6)
    errors = held[["slow", "fast"]].sub(held["y"], axis=0).abs().mean()
    assert errors["fast"] < 0.5 * errors["slow"]
