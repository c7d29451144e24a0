"""
Which features count, told by the net's own radii
=================================================

A distance unit's inverse radii say which features it cares about. ``feature_relevances_`` sums that
up over the first layer, in no unit of measurement and without a look at data: each feature's share
in the distances by which units tell places apart, weighted by how much what they answer varies. How
far is that from what permuting the features of held-out rows does to the log-loss or to R^2?
Permutation importance knows the whole net and the targets, at the cost of a pass over the data for
each feature and repeat; a feature that has a double is important to neither net nor loss when
permuted, and may well be relevant.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import permutation_importance
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.displays import RelevanceDisplay

SPLITS = 5
TABLES = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}

# %%
# For each table five splits, and for each of them a net with the default settings. Permutation
# importance has luck of its own: how well its ranks agree from one split to another is a bound on
# how well anything can agree with it.


def measure(data, is_regressor, seed):
    """Relevances and permutation importances of a net on one split."""
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.3, random_state=seed
    )
    kind = DistanceNetRegressor if is_regressor else DistanceNetClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # iris would like more epochs
        net = kind(random_state=seed).fit(X_train, y_train)
    scoring = "r2" if is_regressor else "neg_log_loss"
    permuted = permutation_importance(
        net, X_test, y_test, scoring=scoring, n_repeats=10, random_state=seed
    )
    return net.feature_relevances_, permuted.importances_mean


def rank_correlation(a, b):
    return spearmanr(a, b).statistic


# %%
# Bars and marks are averages over the splits, each in shares of its sum; of breast cancer's 30
# features the 13 most relevant are drawn, and all count in the rank correlation.

figure, axes = plt.subplots(2, 2, figsize=(10.5, 8.4), layout="constrained")
print(f"{'rank correlation':16}  with permutation   of permutation, two splits")
for ax, (name, load) in zip(axes.flat, TABLES.items(), strict=True):
    data = load()
    runs = [measure(data, name == "diabetes", seed) for seed in range(SPLITS)]
    agreement = np.mean([rank_correlation(*run) for run in runs])
    pairs = [rank_correlation(runs[i][1], runs[i - 1][1]) for i in range(SPLITS)]
    print(f"{name:16}  {agreement:16.2f}   {np.mean(pairs):26.2f}")
    relevances, permuted = np.mean(runs, axis=0)
    display = RelevanceDisplay(relevances=relevances, feature_names=data.feature_names)
    display.plot(ax, features=13, bar_kw={"color": "#9dbde0", "label": "feature_relevances_"})
    # In shares of their sum, too; what permuting gains is chance, and below zero.
    shares = permuted / permuted[permuted > 0].sum()
    places = np.arange(len(display.features_))
    label = "permutation importance"
    ax.plot(shares[display.features_], places, "D", color="#c8501e", markersize=5, label=label)
    ax.set_title(f"{name}: rank correlation {agreement:.2f}")
handles, labels = axes[0, 0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
figure.suptitle("The features that the net's radii single out are those it cannot do without")

plt.show()
