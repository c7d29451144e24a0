"""Missing values left missing: distances over what is there, beside imputed means and trees.

More and more numbers are taken away at random, from training and from test rows alike. One distance
net is given the rows as they are; one is given the mean of the column in place of what is missing;
HistGradientBoostingClassifier sends missing numbers down a branch of their own.

Leaving them missing is worth it on wine; on breast cancer, whose columns tell much the same, an
imputed mean does no harm.

Run it with the path of the picture to write; it takes less than a minute::

    python examples/plot_missing_values.py missing_values.png
"""

import sys
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skdistnet import DistanceNetClassifier

SHARES = [0.0, 0.2, 0.4, 0.6, 0.8]
REPEATS = 3
NET = DistanceNetClassifier(50, max_iter=50, random_state=0)
PLAYERS = {
    "distance net, as it is": (NET, "#1f5fa8", "o-"),
    "distance net, means imputed": (
        make_pipeline(SimpleImputer(keep_empty_features=True), NET),
        "#6fa8dc",
        "s--",
    ),
    "histogram gradient boosting": (
        HistGradientBoostingClassifier(max_iter=50, random_state=0),
        "#c8501e",
        "^:",
    ),
}


def take_away(X, share, seed):
    """A copy of X in which each number is missing with the probability `share`."""
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def accuracies(player, X, y, share):
    """Mean accuracy over three folds, for each of the patterns of what is missing."""
    repeats = 1 if share == 0 else REPEATS
    return [
        cross_val_score(player, take_away(X, share, seed), y, cv=3).mean()
        for seed in range(repeats)
    ]


def draw(ax, name, X, y):
    """Accuracy of each player over the share of missing numbers, also printed."""
    for label, (player, color, style) in PLAYERS.items():
        found = [accuracies(player, X, y, share) for share in SHARES]
        means = [np.mean(scores) for scores in found]
        spread = [np.std(scores) for scores in found]
        ax.errorbar(SHARES, means, spread, fmt=style, color=color, capsize=3, label=label)
        print(f"{name:14} {label:28}", *(f"{mean:.3f}" for mean in means))
    commonest = np.bincount(y).max() / len(y)
    ax.axhline(commonest, color="grey", linewidth=0.8)
    ax.annotate("always the commonest class", (0, commonest), (0, 3), textcoords="offset points")
    ax.set(title=name, xlabel="share of missing numbers", ylabel="accuracy, 3 folds")


def main(path):
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        draw(axes[0], "breast cancer", *load_breast_cancer(return_X_y=True))
        draw(axes[1], "wine", *load_wine(return_X_y=True))
    axes[0].legend(loc="center left")
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "missing_values.png")
