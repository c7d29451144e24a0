"""
Missing values left missing
===========================

Where the first layer measures distances, a number may be missing: the distance is taken over the
features that are there, and scaled to all of them. Nothing has to be imputed. What is that worth?
Here more and more numbers are taken away at random, from training and from test rows alike.
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
# One distance net is given the rows as they are, the same net the mean of the column in place of
# what is missing, and trees send missing numbers down a branch of their own.

net = DistanceNetClassifier(50, max_iter=50, random_state=0)
PLAYERS = {
    "distance net, as it is": (net, "#1f5fa8", "o-"),
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
# Accuracy over three folds, and three times over: each time other numbers are missing.

SHARES = [0.0, 0.2, 0.4, 0.6, 0.8]


def take_away(X, share, seed):
    """A copy of X in which each number is missing with the probability `share`."""
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def measure(player, X, y, share):
    """Mean accuracy over the folds, for each pattern of what is missing."""
    return [
        cross_val_score(player, take_away(X, share, seed), y, cv=3).mean()
        for seed in range(1 if share == 0 else 3)
    ]


figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
tables = {"breast cancer": load_breast_cancer, "wine": load_wine}
for ax, (name, load) in zip(axes, tables.items(), strict=True):
    X, y = load(return_X_y=True)
    for label, (player, color, style) in PLAYERS.items():
        scores = [measure(player, X, y, share) for share in SHARES]
        means, spreads = (np.array([f(found) for found in scores]) for f in (np.mean, np.std))
        ax.errorbar(SHARES, means, spreads, fmt=style, color=color, capsize=3, label=label)
        print(f"{name:14} {label:28}", *(f"{mean:.3f}" for mean in means))
    commonest = np.bincount(y).max() / len(y)
    ax.axhline(commonest, color="grey", linewidth=0.8)
    ax.annotate("always the commonest class", (0, commonest), (0, 3), textcoords="offset points")
    ax.set(title=name, xlabel="share of missing numbers", ylabel="accuracy on held-out rows")
axes[0].legend(loc="center left")
figure.suptitle(
    "Where columns tell different things, distances over what is there are worth it;\n"
    "where they tell much the same, an imputed mean does no harm"
)

plt.show()
