"""
Draw the units of a distance net over the data
==============================================

Each unit in the first layer of a :class:`~skdistnet.DistanceNetClassifier` has a centroid and radii
in the units of the data. We draw it as an ellipse, on which its activation is exp(-1/2), about
0.61. A unit that ignores a feature is very long in that direction. The colours are predicted
probabilities. For comparison we draw those of a :class:`~sklearn.neural_network.MLPClassifier`,
whose units are directions and have no location to draw.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay

# %%
# Both nets have twelve units. More epochs would improve both, which does not matter here.

X, y = make_moons(300, noise=0.15, random_state=0)
models = [
    DistanceNetClassifier(12, random_state=0),
    MLPClassifier(12, learning_rate_init=0.01, random_state=0),
]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    for model in models:
        model.fit(X, y)

# %%
# Small units lie where the moons are close to each other, large ones cover the rest. Away from the
# data the activations of the distance net vanish and its probabilities become less extreme; those
# of the MLP do not.

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), sharey=True, layout="constrained")
for ax, model in zip(axes, models, strict=True):
    boundary = DecisionBoundaryDisplay.from_estimator(
        model,
        X,
        eps=0.9,
        grid_resolution=300,
        response_method="predict_proba",
        ax=ax,
        levels=np.linspace(0, 1, 21),
        cmap="RdYlBu_r",
        alpha=0.7,
    )
    grid = boundary.xx0, boundary.xx1, boundary.response
    ax.contour(*grid, levels=[0.5], colors="black", linewidths=2.5)
    colors = ListedColormap(["#1f5fa8", "#c8501e"])
    ax.scatter(*X.T, c=y, cmap=colors, s=12, edgecolors="white", linewidths=0.4)
    name, accuracy = type(model).__name__, model.score(X, y)
    ax.set_title(f"{name}, 12 units: training accuracy {accuracy:.3f}", fontsize="medium")
    ax.set_xlabel("feature 0")
    print(f"{name}: training accuracy {accuracy:.3f}")
units = CentroidDisplay.from_estimator(models[0], ax=axes[0])
for ellipse in units.ellipses_:
    ellipse.set(edgecolor="#4d4d4d", linewidth=0.9)
axes[0].set_ylabel("feature 1")
ticks = np.linspace(0, 1, 6)
figure.colorbar(boundary.surface_, ax=axes, label="probability of class 1", ticks=ticks)
figure.suptitle("Units of a distance net have a location; those of an MLP are directions")

plt.show()
