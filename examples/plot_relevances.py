"""
Feature relevances from the radii of the units
==============================================

The inverse radii of a distance unit determine how much each feature contributes to its distances.
``feature_relevances_`` summarises them over the first layer without any data: it is each feature's
share in the distances of the units, weighted by the variance of their activations.

This example compares relevances with permutation importance, the change of log-loss or R^2 when a
feature of held-out rows is permuted. Permutation importance uses the whole net and the targets, and
needs a pass over the data for each feature and repeat. If two features are nearly equal, permuting
one of them changes little, although it may well be relevant.
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
# For each data set and each of five splits, train a net at the default settings. Permutation
# importance varies from split to split: the agreement of its own ranks between two splits bounds
# the agreement that any other measure can have with it.


def measure(data, is_regressor, seed):
    """Relevances and permutation importances of a net on one split."""
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.3, random_state=seed
    )
    kind = DistanceNetRegressor if is_regressor else DistanceNetClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # iris needs more epochs
        net = kind(random_state=seed).fit(X_train, y_train)
    scoring = "r2" if is_regressor else "neg_log_loss"
    permuted = permutation_importance(
        net, X_test, y_test, scoring=scoring, n_repeats=10, random_state=seed
    )
    return net.feature_relevances_, permuted.importances_mean


def rank_correlation(a, b):
    return spearmanr(a, b).statistic


# %%
# Bars and markers are means over the splits, each as a share of the sum. Of breast cancer's 30
# features the 13 most relevant are drawn; the rank correlation uses all of them.

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
    # Importances below zero are chance: leave them out of the sum.
    shares = permuted / permuted[permuted > 0].sum()
    positions = np.arange(len(display.features_))
    label = "permutation importance"
    ax.plot(shares[display.features_], positions, "D", color="#c8501e", markersize=5, label=label)
    ax.set_title(f"{name}: rank correlation {agreement:.2f}")
handles, labels = axes[0, 0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
figure.suptitle(
    "The features with the largest shares in the distances are those that the net needs most"
)

plt.show()
