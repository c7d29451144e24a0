"""What a distance net learns, drawn over the data: two moons and the places of the units.

Each unit of the hidden layer is an ellipse around its centroid, in the units of the data: on its
edge the unit answers exp(-1/2), about 0.61. A unit may ignore a feature, and is then very long in
that direction. The colours are the probabilities of the net, beside those of an MLPClassifier.

Run it with the path of the picture to write::

    python examples/plot_two_moons.py two_moons.png
"""

import sys
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Ellipse
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier

COLORS = np.array(["#1f5fa8", "#c8501e"])


def draw_probabilities(ax, model, reach=2.2):
    """Colour the plane by the probability of class 1."""
    x, y = np.meshgrid(np.linspace(-reach, reach + 1, 300), np.linspace(-reach, reach, 300))
    grid = np.column_stack([x.ravel(), y.ravel()])
    probability = model.predict_proba(grid)[:, 1].reshape(x.shape)
    image = ax.contourf(x, y, probability, levels=np.linspace(0, 1, 21), cmap="RdYlBu_r", alpha=0.7)
    ax.contour(x, y, probability, levels=[0.5], colors="black", linewidths=1)
    ax.set(xlim=(-reach, reach + 1), ylim=(-reach, reach), xlabel="feature 0", ylabel="feature 1")
    return image


def draw_units(ax, net):
    """Draw an ellipse for each unit of the first layer."""
    for centroid, inverse_radii in zip(net.centroids_[0], net.inverse_radii_[0], strict=True):
        width, height = 2.0 / np.maximum(inverse_radii, 1e-3)
        ax.add_patch(Ellipse(centroid, width, height, fill=False, color="black", linewidth=1.2))
        ax.plot(*centroid, "k+", markersize=6)


def main(path):
    X, y = make_moons(300, noise=0.15, random_state=0)
    net = DistanceNetClassifier(hidden_layer_sizes=12, random_state=0)
    mlp = MLPClassifier(hidden_layer_sizes=12, learning_rate_init=0.01, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(X, y)
        mlp.fit(X, y)
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), sharey=True, layout="constrained")
    titles = ["DistanceNetClassifier, 12 units", "MLPClassifier, 12 units"]
    for ax, model, title in zip(axes, [net, mlp], titles, strict=True):
        image = draw_probabilities(ax, model)
        ax.scatter(*X.T, c=COLORS[y], s=12, edgecolors="white", linewidths=0.4)
        ax.set_title(f"{title}: training accuracy {model.score(X, y):.3f}")
    draw_units(axes[0], net)
    figure.colorbar(image, ax=axes, label="probability of class 1", ticks=np.linspace(0, 1, 6))
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "two_moons.png")
