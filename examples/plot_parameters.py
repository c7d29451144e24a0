"""
The main parameters in pictures
===============================

This example varies four parameters of :class:`~skdistnet.DistanceNetClassifier` on data with two
features: the width of the layer, the shape of the units, their size at the start of training, and
the strength of the penalty. The titles give the accuracy on new rows.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # some of these settings are poor on purpose
COLORS = ListedColormap(["#1f5fa8", "#c8501e"])


def compare(parameter, values, train, test, show_units=False, **settings):
    """Draw nets that differ in one parameter, and print their accuracy."""
    _, axes = plt.subplots(1, len(values), figsize=(11, 3.7), layout="constrained")
    for ax, value in zip(axes, values, strict=True):
        net = DistanceNetClassifier(**{parameter: value}, **settings, random_state=0).fit(*train)
        DecisionBoundaryDisplay.from_estimator(
            net,
            train[0],
            eps=0.2,
            grid_resolution=200,
            response_method="predict_proba",
            ax=ax,
            levels=np.linspace(0, 1, 21),
            cmap="RdYlBu_r",
            alpha=0.7,
        )
        ax.scatter(*train[0].T, c=train[1], cmap=COLORS, s=8, edgecolors="white", linewidths=0.3)
        if show_units:
            limits = ax.axis()
            display = CentroidDisplay.from_estimator(net, ax=ax)
            for ellipse in display.ellipses_:
                ellipse.set(edgecolor="#333333", linewidth=0.9)
            ax.axis(limits)
        accuracy = net.score(*test)
        print(f"{parameter}={value!r}: accuracy {accuracy:.3f}")
        ax.set_title(f"{parameter}={value!r}\naccuracy {accuracy:.3f}", fontsize="medium")
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")


# %%
# More units allow for a more complicated boundary. The units are drawn as ellipses.

moons = [make_moons(n, noise=0.2, random_state=seed) for n, seed in [(300, 0), (3000, 1)]]
compare("hidden_layer_sizes", [2, 8, 200], *moons)

# %%
# With "diag" each unit has a radius for each feature. With "spherical" it has one radius for all
# features, so each ellipse has the same proportions. With "tied" all units share their radii.

compare("radius_type", ["diag", "spherical", "tied"], *moons, True, hidden_layer_sizes=8)

# %%
# The smaller the median activation at the start, the smaller the units. A checkerboard needs small
# units: wide ones overlap so much that training does not separate them.

rng = np.random.default_rng(0)
boards = []
for n_rows in (3000, 3000):
    X = rng.random((n_rows, 2))
    boards.append((X, np.floor(8 * X).sum(axis=1) % 2))
compare("init_median_activation", [0.5, 0.1, 0.01], *boards)

# %%
# A penalty shrinks radii and pulls centroids to the mean of the data, so the boundary between
# overlapping classes becomes smoother. Dropout and the trial are switched off to show the penalty
# alone.

noisy = [make_moons(n, noise=0.4, random_state=seed) for n, seed in [(300, 0), (3000, 1)]]
compare("alpha", [0.0, 0.3, 3.0], *noisy, dropout=0.0, early_stopping=False)

plt.show()
