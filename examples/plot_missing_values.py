"""
Train and predict with missing values
=====================================

A net whose first layer is a distance layer accepts missing values: it computes a distance over the
observed features and scales it to all features, so you need no imputer. This example compares its
accuracy with that of other methods. It removes more and more values at random, from training and
test rows alike.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skdistnet import DistanceNetClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # 50 epochs are enough to compare

# %%
# We compare a distance net on rows with missing values, the same net with imputed column means, and
# trees, which send missing values down a branch of their own.

net = DistanceNetClassifier(50, max_iter=50, random_state=0)
MODELS = {
    "distance net, no imputation": (net, "#1f5fa8", "o-"),
    "distance net, means imputed": (
        make_pipeline(SimpleImputer(keep_empty_features=True), net),
        "#6fa8dc",
        "s--",
    ),
    "histogram gradient boosting": (
        HistGradientBoostingClassifier(max_iter=50, random_state=0),
        "#c8501e",
        "^:",
    ),
}

# %%
# Accuracy is a mean over three folds, and over three random patterns of missing values.

SHARES = [0.0, 0.2, 0.4, 0.6, 0.8]


def remove_values(X, share, seed):
    """A copy of X in which each value is missing with the probability `share`."""
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def measure(model, X, y, share):
    """Mean accuracy over the folds, for each pattern of missing values."""
    return [
        cross_val_score(model, remove_values(X, share, seed), y, cv=3).mean()
        for seed in range(1 if share == 0 else 3)
    ]


figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
tables = {"breast cancer": load_breast_cancer, "wine": load_wine}
for ax, (name, load) in zip(axes, tables.items(), strict=True):
    X, y = load(return_X_y=True)
    for label, (model, color, style) in MODELS.items():
        scores = [measure(model, X, y, share) for share in SHARES]
        means, spreads = (
            np.array([f(of_patterns) for of_patterns in scores]) for f in (np.mean, np.std)
        )
        ax.errorbar(SHARES, means, spreads, fmt=style, color=color, capsize=3, label=label)
        print(f"{name:14} {label:28}", *(f"{mean:.3f}" for mean in means))
    majority = np.bincount(y).max() / len(y)
    ax.axhline(majority, color="grey", linewidth=0.8)
    ax.annotate("always the majority class", (0, majority), (0, 3), textcoords="offset points")
    ax.set(title=name, xlabel="share of missing values", ylabel="accuracy on held-out rows")
axes[0].legend(loc="center left")
figure.suptitle(
    "Distances over observed values help where columns carry different information;\n"
    "where columns are redundant, an imputed mean does no harm"
)

plt.show()
