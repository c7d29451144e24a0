"""
Prediction intervals, and whether they hold what they promise
=============================================================

A prediction without its uncertainty is half an answer. With ``loss="quantile"`` and a list of
levels a :class:`~skdistnet.DistanceNetRegressor` predicts several quantiles of the target at once,
which never cross, and between two of them lies an interval. An interval of 90 % should hold 90 % of
rows that the net has not seen: here that is measured, overall and where noise is small or large.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_val_predict, train_test_split

from skdistnet import DistanceNetRegressor

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
INTERVALS = {0.9: (0, 4), 0.5: (1, 3)}


def coverage(y, quantiles, interval):
    """Share of targets inside of an interval between two columns of quantiles."""
    low, high = (quantiles[:, column] for column in INTERVALS[interval])
    return np.mean((low <= y) & (y <= high))


# %%
# First a wave whose noise grows from left to right and is lopsided, so that no interval of a fixed
# width, nor a symmetric one, would do. 3000 rows to learn from, 3000 to measure on.

rng = np.random.default_rng(0)
x = rng.uniform(0, 6, 6000)
y = np.sin(2 * x) + (0.1 + 0.25 * x) * (rng.gamma(2.0, size=x.size) - 2.0) / 2.0
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.5, random_state=0)

wave = DistanceNetRegressor((50,), loss="quantile", quantile=LEVELS, random_state=0)
wave.fit(x_train[:, np.newaxis], y_train)
predicted = wave.predict(x_test[:, np.newaxis])

print("wave, held-out rows:  promised  all rows  x < 3  x >= 3")
for interval in INTERVALS:
    measured = [
        coverage(y_test[rows], predicted[rows], interval)
        for rows in (x_test > -1, x_test < 3, x_test >= 3)
    ]
    overall, left_half, right_half = measured
    print(f"{interval:30.2f}  {overall:8.3f}  {left_half:5.3f}  {right_half:6.3f}")

# %%
# Then patients: how far diabetes has come after a year, from ten measurements. 442 rows are few for
# 50 units, and a net that bends towards the rows it knows promises too much about others. ``alpha``
# holds it back; the coverage on held-out rows says how much is needed. It is measured in
# cross-validation, and who chooses ``alpha`` by it should measure once more on rows set aside.

X, progress = load_diabetes(return_X_y=True)
folds = KFold(5, shuffle=True, random_state=0)
ALPHAS = [0.0, 3.0, 10.0, 30.0]
on_diabetes = {}
for alpha in ALPHAS:
    net = DistanceNetRegressor((50,), loss="quantile", quantile=LEVELS, alpha=alpha, random_state=0)
    quantiles = cross_val_predict(net, X, progress, cv=folds)
    on_diabetes[alpha] = [coverage(progress, quantiles, interval) for interval in INTERVALS]
    print(
        f"diabetes, alpha={alpha:<4}  coverage of 90 %: {on_diabetes[alpha][0]:.3f}, "
        f"of 50 %: {on_diabetes[alpha][1]:.3f}"
    )

# %%
# Left, the intervals over the wave; right, what they cover of the patients.

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
        label=f"{interval:.0%} promised, {coverage(y_test, predicted, interval):.1%} covered",
    )
left.plot(grid, quantiles[:, 2], color="#c8501e", label="median")
left.set(xlabel="x", ylabel="y", xlim=(0, 6), title="Intervals and every fourth held-out row")
left.legend(loc="upper left")

for number, interval in enumerate(INTERVALS):
    color = ["#1f5fa8", "#c8501e"][number]
    covered = [shares[number] for shares in on_diabetes.values()]
    right.plot(range(len(ALPHAS)), covered, "o-", color=color, label=f"{interval:.0%} interval")
    right.axhline(interval, color=color, linestyle="--", linewidth=1)
right.set(
    xlabel="alpha",
    ylabel="share of held-out rows covered",
    xticks=range(len(ALPHAS)),
    xticklabels=ALPHAS,
    ylim=(0, 1),
    title="Diabetes: covered, and promised (dashed)",
)
right.legend(loc="lower right")
figure.suptitle("Intervals hold what they promise; where rows are few, alpha has to be larger")

plt.show()
