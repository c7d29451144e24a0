"""
Prediction intervals and their coverage
=======================================

With ``loss="quantile"`` and a list of levels a :class:`~skdistnet.DistanceNetRegressor` predicts
several quantiles of the target at once. They never cross, so two of them bound a prediction
interval. An interval of 90 % should contain 90 % of held-out targets. This example measures the
coverage, overall and where the noise is small or large.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_val_predict, train_test_split

from skdistnet import DistanceNetRegressor

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
INTERVALS = {0.9: (0, 4), 0.5: (1, 3)}


def coverage(y, quantiles, interval):
    """Share of targets inside the interval between two columns of quantiles."""
    low, high = (quantiles[:, column] for column in INTERVALS[interval])
    return np.mean((low <= y) & (y <= high))


# %%
# The first data set is a wave whose noise is skewed and grows from left to right, so that neither a
# fixed nor a symmetric interval would fit. There are 3000 rows for training and 3000 for testing.

rng = np.random.default_rng(0)
x = rng.uniform(0, 6, 6000)
y = np.sin(2 * x) + (0.1 + 0.25 * x) * (rng.gamma(2.0, size=x.size) - 2.0) / 2.0
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, random_state=0)

wave = DistanceNetRegressor((50,), loss="quantile", quantile=LEVELS, random_state=0)
wave.fit(x_train[:, np.newaxis], y_train)
predicted = wave.predict(x_test[:, np.newaxis])

print("wave, held-out rows:   nominal  all rows  x < 3  x >= 3")
for interval in INTERVALS:
    measured = [
        coverage(y_test[rows], predicted[rows], interval)
        for rows in (x_test > -1, x_test < 3, x_test >= 3)
    ]
    overall, left_half, right_half = measured
    print(f"{interval:30.2f}  {overall:8.3f}  {left_half:5.3f}  {right_half:6.3f}")

# %%
# The second data set is the progression of diabetes within a year, predicted from ten measurements.
# With 442 rows a net of 50 units overfits in 100 epochs, and its intervals are too narrow. A trial,
# which is the default, finds a smaller number of epochs; ``alpha`` regularises the net further. The
# coverage in cross-validation shows how much regularisation is needed. If you choose ``alpha`` by
# this coverage, measure the coverage again on a separate test set.

X, progress = load_diabetes(return_X_y=True)
folds = KFold(5, shuffle=True, random_state=0)
SETTINGS = {
    "100 epochs": {"early_stopping": False},
    "trial": {},
    "trial,\nalpha=0.3": {"alpha": 0.3},
}
on_diabetes = {}
for name, settings in SETTINGS.items():
    net = DistanceNetRegressor((50,), loss="quantile", quantile=LEVELS, random_state=0, **settings)
    quantiles = cross_val_predict(net, X, progress, cv=folds)
    on_diabetes[name] = [coverage(progress, quantiles, interval) for interval in INTERVALS]
    print(
        f"diabetes, {' '.join(name.split()):<16}  coverage of 90 %: {on_diabetes[name][0]:.3f}, "
        f"of 50 %: {on_diabetes[name][1]:.3f}"
    )

# %%
# The intervals of the wave, and the coverage of those of diabetes:

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.4), width_ratios=[1.6, 1], layout="constrained"
)
grid = np.linspace(0, 6, 400)
quantiles = wave.predict(grid[:, np.newaxis])
left.plot(x_test[::4], y_test[::4], ".", color="#4d4d4d", markersize=2.5, alpha=0.6)
for (interval, (low, high)), shade in zip(INTERVALS.items(), [0.25, 0.45], strict=True):
    left.fill_between(
        grid,
        quantiles[:, low],
        quantiles[:, high],
        color="#1f5fa8",
        alpha=shade,
        linewidth=0,
        label=f"{interval:.0%} nominal, {coverage(y_test, predicted, interval):.1%} covered",
    )
left.plot(grid, quantiles[:, 2], color="#c8501e", label="median")
left.set(xlabel="x", ylabel="y", xlim=(0, 6), title="Intervals and every fourth held-out row")
left.legend(loc="upper left")

for number, interval in enumerate(INTERVALS):
    color = ["#1f5fa8", "#c8501e"][number]
    covered = [shares[number] for shares in on_diabetes.values()]
    right.plot(range(len(SETTINGS)), covered, "o-", color=color, label=f"{interval:.0%} interval")
    right.axhline(interval, color=color, linestyle="--", linewidth=1)
right.set(
    ylabel="share of held-out rows covered",
    xticks=range(len(SETTINGS)),
    xticklabels=SETTINGS,
    ylim=(0, 1),
    title="Diabetes: coverage (nominal: dashed)",
)
right.legend(loc="lower right")
figure.suptitle("Intervals have nearly their nominal coverage, with few rows thanks to the trial")

plt.show()
