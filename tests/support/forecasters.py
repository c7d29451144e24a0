"""Forecasters of three libraries behind one interface, and series for them to forecast."""

import numpy as np
import pandas as pd

#: Warnings of these libraries about changes of their own.
FILTERS = ["ignore:The default of config ``remember_data``:FutureWarning"]
LAGS = 12


def monthly(n_months, slope=0.05, noise=0.2, seed=0):
    """Return a series with a season of twelve months and a trend."""
    month = np.arange(n_months)
    season = 1.5 * np.sin(2 * np.pi * month / 12) + 0.75 * np.cos(4 * np.pi * month / 12)
    rng = np.random.default_rng(seed)
    index = pd.date_range("2000-01-01", periods=n_months, freq="MS", name="month")
    values = 10 + slope * month + season + noise * rng.standard_normal(n_months)
    return pd.Series(values, index, name="y")


def long_table(series):
    """Return a series in the form that mlforecast reads."""
    return pd.DataFrame({"unique_id": "a", "ds": series.index, "y": series.to_numpy()})


class Skforecast:
    """skforecast's `ForecasterRecursive`."""

    order = slice(None, None, -1)  # the newest value comes first in a window

    def __init__(self, net, differences=None):
        from skforecast.recursive import ForecasterRecursive

        self.forecaster = ForecasterRecursive(net, lags=LAGS, differentiation=differences)

    def fit(self, series):
        self.forecaster.fit(series)
        return self

    def predict(self, steps):
        return self.forecaster.predict(steps).to_numpy()

    def net(self):
        return self.forecaster.estimator


class Sktime:
    """sktime's `make_reduction`, behind a `Differencer` if differences are to be learned."""

    order = slice(None)

    def __init__(self, net, differences=None):
        from sktime.forecasting.compose import make_reduction
        from sktime.transformations.series.difference import Differencer

        self.forecaster = make_reduction(net, strategy="recursive", window_length=LAGS)
        if differences:
            differencer = Differencer(lags=[1] * differences, na_handling="drop_na")
            self.forecaster = differencer * self.forecaster

    def fit(self, series):
        self.forecaster.fit(series)
        return self

    def predict(self, steps):
        return self.forecaster.predict(fh=range(1, steps + 1)).to_numpy().ravel()

    def net(self):
        return self.forecaster.estimator_


class Mlforecast:
    """mlforecast's `MLForecast` with one net."""

    order = slice(None, None, -1)

    def __init__(self, net, differences=None):
        from mlforecast import MLForecast
        from mlforecast.target_transforms import Differences

        transforms = [Differences([1] * differences)] if differences else None
        self.forecaster = MLForecast(
            {"net": net}, freq="MS", lags=range(1, LAGS + 1), target_transforms=transforms
        )

    def fit(self, series):
        self.forecaster.fit(long_table(series), as_numpy=True)
        return self

    def predict(self, steps):
        return self.forecaster.predict(steps)["net"].to_numpy()

    def net(self):
        return self.forecaster.models_["net"]


FORECASTERS = {"sktime": Sktime, "skforecast": Skforecast, "mlforecast": Mlforecast}
