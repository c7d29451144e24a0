"""Series to forecast, and the models that the benchmark of sequences compares on them."""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import product

import numpy as np
from _sequence_runs import Job, describe, make_key, seeded, timed
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetRegressor

__all__ = ["MODELS", "forecast_jobs", "read_forecasts"]

#: Steps ahead.
HORIZONS = {"Mackey-Glass": (1, 84), "sine": (1, 20), "sunspots": (1, 12), "laser": (1, 12)}
LAGS = (8, 16, 24, 32, 48)
#: States of the echo state net before this step are not fitted to.
WASHOUT = 40
RIDGES = (1e-8, 1e-6, 1e-4, 1e-2)


# Series -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forecast:
    """A series of which the values from `n_train` on are predicted, each from `horizon` before."""

    series: str
    values: np.ndarray
    n_train: int
    horizon: int

    @property
    def name(self):
        return f"{self.series}, {self.horizon} step{'s' if self.horizon > 1 else ''}"

    @property
    def validation(self):
        """The training part, of which the last fifth is predicted."""
        return replace(
            self, values=self.values[: self.n_train], n_train=self.n_train - self.n_train // 5
        )

    def error(self, predictions):
        """Root of the mean squared error, divided by the deviation of the values to predict."""
        targets = self.values[self.n_train :]
        return float(np.sqrt(np.mean((predictions - targets) ** 2)) / targets.std())


def mackey_glass():
    """The chaotic series of a delay of 17 at steps of 1, without its first thousand steps."""
    from reservoirpy import datasets

    return datasets.mackey_glass(3500, tau=17, seed=0)[1000:, 0]


def changing_sine():
    """A sine whose period varies between 17 and 50 steps, with noise of deviation 0.1."""
    steps = np.arange(2500)
    frequency = 0.04 + 0.02 * np.sin(2 * np.pi * steps / 400)
    noise = np.random.default_rng(0).normal(0, 0.1, len(steps))
    return np.sin(2 * np.pi * np.cumsum(frequency)) + noise


def sunspots():
    """The yearly numbers of sunspots from 1700 to 2008."""
    from statsmodels import datasets

    return datasets.sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()


def laser():
    """The first intensities of the laser of the Santa Fe competition."""
    from reservoirpy import datasets

    return datasets.santafe_laser()[:2500, 0].astype(float)


#: Values and the number of those that models train on; the others are predicted.
SERIES = {
    "Mackey-Glass": (mackey_glass, 1500),
    "sine": (changing_sine, 1500),
    "sunspots": (sunspots, 210),
    "laser": (laser, 1500),
}


def read_forecasts(only=None):
    """All tasks, or those of the series in `only`."""
    return [
        Forecast(name, make(), n_train, horizon)
        for name, (make, n_train) in SERIES.items()
        if name in (only or SERIES)
        for horizon in HORIZONS[name]
    ]


# Models -------------------------------------------------------------------------------------------


def predict_from_windows(forecast, settings, seed):
    """Fit an estimator to windows of the last values and predict."""
    n_lags, estimator = settings
    horizon = forecast.horizon
    windows = np.lib.stride_tricks.sliding_window_view(forecast.values[:-horizon], n_lags)
    n_fit = forecast.n_train - horizon - n_lags + 1
    targets = forecast.values[horizon + n_lags - 1 : forecast.n_train]
    model = seeded(estimator, seed).fit(windows[:n_fit], targets)
    return model.predict(windows[n_fit:])


@lru_cache(maxsize=1)
def reservoir_states(content, n_units, leak, radius, scaling, seed):
    """Inputs and states of a reservoir of reservoirpy, for inputs given as bytes."""
    from reservoirpy.mat_gen import uniform
    from reservoirpy.nodes import Reservoir

    inputs = np.frombuffer(content)[:, None]
    options = {"lr": leak, "sr": radius, "input_scaling": scaling, "input_connectivity": 1.0}
    reservoir = Reservoir(n_units, bias=uniform(low=-0.5, high=0.5), seed=seed, **options)
    return np.hstack([inputs, reservoir.run(inputs)])


def predict_from_echoes(forecast, settings, seed):
    """Fit a ridge regression to the states of a reservoir and predict."""
    *reservoir, alpha = settings
    train = forecast.values[: forecast.n_train]
    inputs = (forecast.values[: -forecast.horizon] - train.mean()) / train.std()
    states = reservoir_states(inputs.tobytes(), *reservoir, seed)
    fitted = slice(WASHOUT, forecast.n_train - forecast.horizon)
    model = Ridge(alpha).fit(states[fitted], train[WASHOUT + forecast.horizon :])
    return model.predict(states[fitted.stop :])


def predict_last_value(forecast, settings, seed):
    return forecast.values[forecast.n_train - forecast.horizon : -forecast.horizon]


def predict_recurrently(forecast, net, seed):
    """Fit our net to the series, with a target for each step, and predict."""
    horizon, n_inputs = forecast.horizon, forecast.n_train - forecast.horizon
    X, y = forecast.values[None, :-horizon, None], forecast.values[None, horizon:]
    model = seeded(net, seed).fit(X[:, :n_inputs], y[:, :n_inputs])
    return model.predict(X)[0, n_inputs:]


def windowed(*estimators):
    return predict_from_windows, list(product(LAGS, estimators))


def echo_state_net(n_units):
    grid = product([n_units], (0.1, 0.3, 1.0), (0.6, 0.9, 1.2), (0.1, 0.5, 1.0), RIDGES)
    return predict_from_echoes, list(grid)


def scaled(model):
    """The model on inputs and targets of mean 0 and deviation 1."""
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), model), transformer=StandardScaler()
    )


def perceptron(**options):
    return scaled(MLPRegressor(hidden_layer_sizes=(64,), max_iter=1000, **options))


#: The function that fits and predicts, and the settings among which the last fifth of the training
#: part decides, with seed 0.
MODELS = {
    "windowed net": windowed(
        DistanceNetRegressor((64,)), DistanceNetRegressor((64,), max_iter=300)
    ),
    "MLP": windowed(
        scaled(MLPRegressor(hidden_layer_sizes=(64,), max_iter=1000, tol=1e-6)),
        scaled(
            MLPRegressor(
                hidden_layer_sizes=(64,), max_iter=1000, early_stopping=True, n_iter_no_change=30
            )
        ),
    ),
    "HGB": windowed(
        HistGradientBoostingRegressor(),
        HistGradientBoostingRegressor(learning_rate=0.05, max_iter=300),
    ),
    "ridge": windowed(scaled(RidgeCV(np.logspace(-6, 3, 10)))),
    "echo state, 64": echo_state_net(64),
    "echo state, 500": echo_state_net(500),
    "last value": (predict_last_value, ["none"]),
}
#: These give the same predictions with every seed.
DETERMINISTIC = ("HGB", "ridge", "last value")
OURS = "recurrent net"
OWN = ("windowed net",)


def describe_settings(settings):
    parts = settings if isinstance(settings, tuple) else (settings,)
    return ", ".join(describe(part) for part in parts)


def describe_grid(grid):
    return " or ".join(describe_settings(settings) for settings in grid)


def choose(forecast, predict, grid):
    """The index of the settings of the smallest error on the validation part, with seed 0."""
    part = forecast.validation
    errors = [part.error(predict(part, settings, 0)) for settings in grid]
    return {"chosen": int(np.argmin(errors)), "validation": min(errors)}


def run_forecast(ledger, forecast, model, seed):
    """Choose settings, unless the ledger has the choice, fit and predict."""
    predict, grid = MODELS[model]
    settings = grid[0]
    if len(grid) > 1:
        choice = partial(choose, forecast, predict, grid)
        label = f"{forecast.name}, {model}, choice"
        key = make_key(forecast.name, model, "choice", describe_grid(grid))
        settings = grid[ledger.run(key, label, choice, model in OWN)["chosen"]]
    reservoir_states.cache_clear()
    predictions, seconds = timed(predict, forecast, settings, seed)
    score = forecast.error(predictions)
    return {"score": score, "seconds": seconds, "settings": describe_settings(settings)}


def run_ours(ledger, forecast, net, seed):
    """Fit the recurrent net and predict."""
    predictions, seconds = timed(predict_recurrently, forecast, net, seed)
    return {"score": forecast.error(predictions), "seconds": seconds}


def forecast_jobs(forecasts, nets, n_seeds):
    """The runs of all models; `nets` has the recurrent nets by series."""
    for forecast in forecasts:
        net = nets[forecast.series]
        for seed in range(n_seeds):
            run = partial(run_ours, forecast=forecast, net=net, seed=seed)
            yield Job(forecast.name, OURS, describe(net), seed, run, True)
        for model, (_, grid) in MODELS.items():
            for seed in range(1 if model in DETERMINISTIC else n_seeds):
                run = partial(run_forecast, forecast=forecast, model=model, seed=seed)
                yield Job(forecast.name, model, describe_grid(grid), seed, run, model in OWN)
