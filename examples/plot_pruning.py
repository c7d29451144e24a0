"""
Prune units of a trained net
============================

A wide net learns well, but after training it does not need all of its units.
:func:`~skdistnet.inspection.prune` removes the units that contribute least and fine-tunes the
smaller net to reproduce the predictions of the full one. In this example each of several splits of
the digits has three sets of rows: one to fit the net, one to prune it and one to measure accuracy.
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier
from skdistnet.inspection import prune

seeds = range(12)
tolerances = [0.005, 0.02]
X, y = load_digits(return_X_y=True)

# %%
# Half of the rows are for the fit, a quarter each for pruning and for the test. A larger tolerance
# gives a smaller net.


def predict_time(net, rows):
    """Milliseconds to predict a thousand rows, the shortest of several measurements."""
    times = []
    for _ in range(20):
        start = perf_counter()
        net.predict(rows)
        times.append(perf_counter() - start)
    return 1e6 * min(times) / len(rows)


def measure(net, X_test, y_test):
    return net.hidden_layer_sizes[0], net.score(X_test, y_test), predict_time(net, X_test)


results = np.empty((len(seeds), 1 + len(tolerances), 3))  # units, accuracy, time
for seed in seeds:
    X_fit, X_rest, y_fit, y_rest = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    X_prune, X_test, y_prune, y_test = train_test_split(
        X_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=seed
    )
    net = DistanceNetClassifier((200,), random_state=seed).fit(X_fit, y_fit)
    results[seed, 0] = measure(net, X_test, y_test)
    for number, tolerance in enumerate(tolerances, 1):
        pruned, _ = prune(net, X_prune, y_prune, tolerance, X_train=X_fit)
        results[seed, number] = measure(pruned, X_test, y_test)

# %%
# The means over the splits.

names = ["full", *(f"tolerance {tolerance}" for tolerance in tolerances)]
print(f"{'net':15}  units  test accuracy  lost    ms for 1000 rows")
for name, (units, accuracy, time) in zip(names, results.mean(axis=0), strict=True):
    lost = results[:, 0, 1].mean() - accuracy
    print(f"{name:15}  {units:5.1f}  {accuracy:13.4f}  {lost:+.4f}  {time:16.2f}")

# %%
# Each line is a split.

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
labels = ["accuracy on test rows", "ms to predict 1000 rows"]
for column, (ax, label) in enumerate(zip(axes, labels, strict=True), 1):
    for split in results:
        ax.plot(split[:, 0], split[:, column], color="0.75", lw=1, zorder=1)
    for number, name in enumerate(names):
        ax.scatter(results[:, number, 0], results[:, number, column], label=name, zorder=2)
    ax.set(xlabel="hidden units", ylabel=label, xscale="log")
    ticks = [10, 20, 50, 100, 200]
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
axes[0].set_title("Pruned nets on the digits")
axes[1].set_title("Prediction time")
axes[1].set_ylim(bottom=0)
axes[0].legend(loc="lower right")

plt.show()
