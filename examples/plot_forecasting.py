"""
Forecast time series
====================

Forecasting libraries build rows of past values, the windows, and pass them to any scikit-learn
regressor. This example uses a :class:`~skdistnet.DistanceNetRegressor` in skforecast and measures
what helps: differencing where the series has a trend, later windows as validation rows for
quantiles, and the novelty of a window as a warning that the series has changed. At the end it
compares nets with other models on a chaotic series.

To run it, install the extra ``forecasting``: ``pip install "skdistnet[forecasting]"``.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from skforecast.direct import ForecasterDirect
from skforecast.recursive import ForecasterRecursive
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetRegressor

N_SERIES = 5


def as_series(values, freq):
    return pd.Series(values, pd.date_range("2020-01-01", periods=len(values), freq=freq), name="y")


def rmse(actual, predicted):
    return np.sqrt(np.mean((np.asarray(actual) - np.asarray(predicted)) ** 2))


# %%
# A trend
# -------
# A monthly series of fifteen years rises, and the next five years lie above all values before. A
# recursive forecaster predicts a month, uses the prediction as the newest value, and so on. Units
# are active only near the levels of the training data. The linear part of the net continues the
# trend, but units have learned part of it themselves; a large ``alpha`` leaves more of it to the
# linear part.
# Differences have no trend: ``differentiation=1`` learns them and adds the predictions up.

N_MONTHS, N_AHEAD = 180, 60


def monthly(seed):
    month = np.arange(N_MONTHS + N_AHEAD)
    season = 1.5 * np.sin(2 * np.pi * month / 12) + 0.75 * np.cos(4 * np.pi * month / 12)
    noise = np.random.default_rng(seed).normal(scale=0.2, size=len(month))
    return as_series(10 + 0.05 * month + season + noise, "MS")


net = DistanceNetRegressor(20, random_state=0)
without = DistanceNetRegressor(20, linear_part=False, random_state=0)
regularised = DistanceNetRegressor(20, alpha=1.0, random_state=0)
trend_forecasters = {
    "without linear part": ForecasterRecursive(without, lags=12),
    "default": ForecasterRecursive(net, lags=12),
    "alpha=1": ForecasterRecursive(regularised, lags=12),
    "differentiation=1": ForecasterRecursive(net, lags=12, differentiation=1),
    "linear regression": ForecasterRecursive(LinearRegression(), lags=12),
}
trend_errors = {name: [] for name in trend_forecasters}
for seed in reversed(range(N_SERIES)):  # the last is the one in the picture
    months = monthly(seed)
    future, trend_forecasts = months[N_MONTHS:], {}
    for name, forecaster in trend_forecasters.items():
        forecaster.fit(months[:N_MONTHS])
        trend_forecasts[name] = forecaster.predict(N_AHEAD)
        trend_errors[name].append(rmse(future, trend_forecasts[name]))

print(f"RMSE of {N_AHEAD} months ahead, {N_SERIES} series: mean, smallest, largest")
for name, errors in trend_errors.items():
    print(f"{name:22}{np.mean(errors):6.2f}{min(errors):6.2f}{max(errors):6.2f}")

# %%
# Intervals
# ---------
# An hourly series varies over the day, and its noise is proportional to its level. One net predicts
# three quantiles six hours ahead. Its rows are the windows of a direct forecaster, which pairs each
# window with the value that many steps later.
#
# Neighbouring windows share all values but one. So rows that a trial holds out at random are nearly
# copies of training rows: the net trains for too many epochs, and its intervals are too narrow.
# Later windows as validation rows lead to fewer epochs; a large ``alpha`` helps, too.

LEVELS, HOURS_AHEAD, N_HELD = [0.1, 0.5, 0.9], 6, 1000


def hourly(n_hours, seed):
    hour, rng = np.arange(n_hours), np.random.default_rng(seed)
    level = 2 + np.sin(2 * np.pi * hour / 24) + 0.4 * np.sin(4 * np.pi * hour / 24 + 1)
    shocks, deviation = 0.15 * level * rng.normal(size=n_hours), np.zeros(n_hours)
    for i in range(1, n_hours):
        deviation[i] = 0.7 * deviation[i - 1] + shocks[i]
    return as_series(level + deviation, "h")


def windows(series, lags, steps):
    """Return windows as rows, and the values `steps` after them."""
    forecaster = ForecasterDirect(DistanceNetRegressor(), steps=steps, lags=lags)
    X, y = forecaster.filter_train_X_y_for_step(steps, *forecaster.create_train_X_y(series))
    return X.to_numpy(), y.to_numpy()


def fit_quantiles(X_train, y_train, later, **parameters):
    """Return a net, trained with random windows or the latest fifth as validation rows."""
    quantile_net = DistanceNetRegressor(
        20, loss="quantile", quantile=LEVELS, random_state=0, **parameters
    )
    if not later:
        return quantile_net.fit(X_train, y_train)
    n_val = len(X_train) // 5
    first = slice(len(X_train) - n_val - HOURS_AHEAD)
    validation = {"X_val": X_train[-n_val:], "y_val": y_train[-n_val:]}
    return quantile_net.fit(X_train[first], y_train[first], **validation)


variants = {  # the last is the one in the picture
    "later windows": {"later": True},
    "random windows": {"later": False},
    "random windows, alpha=1": {"later": False, "alpha": 1.0},
}
print(f"\n80 % intervals {HOURS_AHEAD} hours ahead, mean of {N_SERIES} series")
print(f"{'training':10}{'validation':26}coverage  novel windows")
for n_hours in (500, 1500, 4000):
    figures = {name: [] for name in variants}
    for seed in reversed(range(N_SERIES)):
        X, y = windows(hourly(n_hours + N_HELD, seed), 24, HOURS_AHEAD)
        X_held, y_held = X[-N_HELD:], y[-N_HELD:]
        training = slice(len(X) - N_HELD - HOURS_AHEAD)
        for name, options in variants.items():
            quantile_net = fit_quantiles(X[training], y[training], **options)
            low, median, high = quantile_net.predict(X_held).T
            covered = np.mean((low <= y_held) & (y_held <= high))
            novel = quantile_net.score_samples(X_held) < quantile_net.novelty_threshold_
            figures[name].append((covered, novel.mean()))
    for name, pairs in figures.items():
        mean_covered, mean_novel = np.mean(pairs, axis=0)
        print(f"{n_hours:5} hours {name:26}{mean_covered:.3f}{mean_novel:12.3f}")

# %%
# A change of regime
# ------------------
# The Mackey-Glass equation, dx/dt = 0.2 d / (1 + d^10) - 0.1 x with d = x(t - delay), gives a
# chaotic series. We integrate it with Runge-Kutta steps of 0.1; a delayed value in the middle of a
# step is the mean of its neighbours. At one point the delay grows from 17 to 25. Most values stay
# within their range, but windows take forms that the training data do not have. They show it
# better if a window is about as long as a cycle of the series, here about fifty steps.

N_TRAIN, N_QUIET, N_CHANGED = 3000, 500, 500
SHORT, LONG = [1, 7, 13, 19], [1, 7, 13, 19, 25, 31, 37, 43, 49]


def mackey_glass(delays, step=0.1, skip=500):
    """Values at integer times, one for each delay, without the first `skip`, the transient."""
    n_steps = round(1 / step)
    lags = np.repeat([delays[0]] * skip + list(delays), n_steps) * n_steps
    start = max(lags)
    x = np.full(start + len(lags), 1.2)

    def slope(now, delayed):
        return 0.2 * delayed / (1 + delayed**10) - 0.1 * now

    for i, lag in enumerate(lags[:-1], start=start):
        first, last = x[i - lag], x[i - lag + 1]
        k1 = slope(x[i], first)
        k2 = slope(x[i] + step / 2 * k1, (first + last) / 2)
        k3 = slope(x[i] + step / 2 * k2, (first + last) / 2)
        k4 = slope(x[i] + step * k3, last)
        x[i + 1] = x[i] + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[start + skip * n_steps :: n_steps]


chaos = as_series(mackey_glass([17] * (N_TRAIN + N_QUIET) + [25] * N_CHANGED), "h")
print("\nshare of novel windows before the delay changes, and after")
for lags in (SHORT, LONG):
    watcher = ForecasterRecursive(DistanceNetRegressor(random_state=0), lags=lags)
    watcher.fit(chaos[:N_TRAIN])
    later_windows, _ = watcher.create_train_X_y(chaos[N_TRAIN - max(lags) :])
    scores = watcher.estimator.score_samples(later_windows.to_numpy())
    threshold = watcher.estimator.novelty_threshold_
    novel = scores < threshold
    before, after = novel[:N_QUIET].mean(), novel[N_QUIET:].mean()
    print(f"windows of {max(lags)} steps: {before:.3f}, {after:.3f}")
trained, new = chaos[:N_TRAIN], chaos[N_TRAIN + N_QUIET :]
beyond = 1 - new.between(trained.min(), trained.max()).mean()
print(f"values beyond the range of the training data, after: {beyond:.3f}")

# %%
# Comparison with other models
# ----------------------------
# As in the literature, models predict the same series 84 steps ahead from four past values, six
# steps apart. All run in the same pipeline. NRMSE is the error divided by the standard deviation
# of the held-out values: it is 1 for a forecast of the mean.

models = {
    "distance net": DistanceNetRegressor(random_state=0),
    "the same, relus": DistanceNetRegressor(activation="relu", random_state=0),
    "MLP": MLPRegressor(max_iter=2000, random_state=0),
    "MLP, patient": MLPRegressor(
        hidden_layer_sizes=(100, 100), max_iter=2000, tol=1e-6, n_iter_no_change=20, random_state=0
    ),
    "nearest neighbours": KNeighborsRegressor(weights="distance"),
}
nrmse = {}
print("\nNRMSE of Mackey-Glass, 84 steps ahead, without noise and with")
for name, model in models.items():
    pipeline = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), model), transformer=StandardScaler()
    )
    nrmse[name] = []
    for noise in (0.0, 0.03):
        values = chaos[: N_TRAIN + N_QUIET].to_numpy()
        values = values + noise * np.random.default_rng(0).normal(size=len(values))
        X_chaos, y_chaos = windows(as_series(values, "h"), SHORT, 84)
        pipeline.fit(X_chaos[: -N_QUIET - 84], y_chaos[: -N_QUIET - 84])
        held = y_chaos[-N_QUIET:]
        nrmse[name].append(rmse(held, pipeline.predict(X_chaos[-N_QUIET:])) / held.std())
    print(f"{name:22}{nrmse[name][0]:8.4f}{nrmse[name][1]:8.4f}")

# %%
# Results
# -------
# Without noise the distance net has an eighth of the MLP's error, and less than half of that of the
# MLP with two layers and more patience. The same net with relus in place of distances has 1.8
# times its error. Noise of an eighth of the deviation of the series limits all models alike. These
# figures are of one seed of the nets.
#
# The panels show the last of the series that are measured above: its trend, four days of its
# intervals, and the scores of the longer windows.

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.55"
figure = plt.figure(figsize=(13, 8), layout="constrained")
grid = figure.add_gridspec(2, 2, hspace=0.06, wspace=0.04)

trend = figure.add_subplot(grid[0, 0])
trend.plot(months[N_MONTHS - 48 :], color="black", lw=3, alpha=0.25, label="series")
trend.axhline(months[:N_MONTHS].max(), color=GREY, lw=0.8, ls=":")
trend.annotate("highest value in training", (months.index[N_MONTHS - 48], months[:N_MONTHS].max()))
for name, color in (
    ("without linear part", GREY),
    ("default", ORANGE),
    ("differentiation=1", BLUE),
):
    trend.plot(trend_forecasts[name], color=color, lw=1.5, label=name)
trend.axvline(months.index[N_MONTHS], color="black", lw=0.8)
trend.set(title="Recursive forecasts of a trend", ylabel="value")
trend.legend(frameon=False, ncols=2, loc="lower right")

interval = figure.add_subplot(grid[0, 1])
shown = slice(0, 96)
shown_hours = np.arange(96)
interval.fill_between(
    shown_hours, low[shown], high[shown], color=BLUE, alpha=0.2, lw=0, label="80 % interval"
)
interval.plot(shown_hours, median[shown], color=BLUE, lw=1.5, label="median")
interval.plot(shown_hours, y_held[shown], "o", color="black", ms=3, label="series")
share = f"{100 * covered:.0f} % of {N_HELD} values inside"
interval.set(title=f"Quantiles {HOURS_AHEAD} hours ahead: {share}")
interval.set(xlabel="hours", ylabel="value", ylim=(-0.3, 4.8))
interval.legend(frameon=False, ncols=3, loc="upper center")

halves = grid[1, 0].subgridspec(2, 1, hspace=0.02)
values_axes = figure.add_subplot(halves[0])
scores_axes = figure.add_subplot(halves[1], sharex=values_axes)
step = np.arange(len(scores)) - N_QUIET
values_axes.plot(step, chaos[N_TRAIN:], color="black", lw=0.8)
values_axes.set(title="The delay of Mackey-Glass changes from 17 to 25", ylabel="value")
values_axes.tick_params(labelbottom=False)
scores_axes.plot(step, scores, ".", color=GREY, ms=4)
scores_axes.plot(step[novel], scores[novel], ".", color=ORANGE, ms=4, label="novel windows")
scores_axes.axhline(threshold, color="black", lw=0.8)
scores_axes.set(xlabel="steps after the change", ylabel="score_samples")
scores_axes.legend(frameon=False, loc="lower left")
for axes in (values_axes, scores_axes):
    axes.axvline(0, color="black", lw=0.8)

errors = figure.add_subplot(grid[1, 1])
position = np.arange(len(nrmse))[::-1]
for column, (label, color) in enumerate((("no noise", BLUE), ("noise of 0.03", ORANGE))):
    column_errors = [pair[column] for pair in nrmse.values()]
    errors.plot(column_errors, position, "o", color=color, ms=8, label=label)
errors.set_yticks(position, list(nrmse))
errors.set(title="Mackey-Glass, 84 steps ahead", xlabel="error / deviation of the series")
errors.set(xscale="log", ylim=(-0.6, len(nrmse)))
ticks = [0.02, 0.05, 0.1, 0.2, 0.4]
errors.set_xticks(ticks, [str(tick) for tick in ticks])
errors.set_xticks([], minor=True)
errors.legend(frameon=False, ncols=2, loc="upper center")
for axes in (trend, interval, values_axes, scores_axes, errors):
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)

plt.show()
