"""Several labels for each point, learned by one net: three discs that overlap.

A point may lie in none of the discs, in one, in two, or in all three: the target is a matrix of 0
and 1 with a column for each disc. All labels share the hidden units, and each has two output
centroids of its own, for points without and with it. The colours are the probability of each label,
the black line is where it is one half, the dashed circle is the truth; one label in fifty is wrong.

Run it with the path of the picture to write::

    python examples/plot_multilabel.py multilabel.png
"""

import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle

from skdistnet import DistanceNetClassifier

CENTERS = np.array([[-0.6, -0.4], [0.6, -0.4], [0.0, 0.65]])
RADIUS = 1.0
REACH = 2.2
COLORS = np.array(["#1f5fa8", "#c8501e"])


def draw_data(n_rows, wrong, rng):
    """Points all over the square, and in which discs they are, a share of the labels wrong."""
    X = rng.uniform(-REACH, REACH, (n_rows, 2))
    distances = np.linalg.norm(X[:, np.newaxis] - CENTERS, axis=2)
    flipped = rng.random(distances.shape) < wrong
    return X, ((distances < RADIUS) ^ flipped).astype(int)


def draw_label(ax, number, probability, X, y):
    """One label's probability on the grid, its circle, and the points with and without it."""
    extent = np.linspace(-REACH, REACH, len(probability))
    levels = np.linspace(0, 1, 21)
    image = ax.contourf(extent, extent, probability, levels=levels, cmap="RdYlBu_r", alpha=0.7)
    ax.contour(extent, extent, probability, levels=[0.5], colors="black", linewidths=1.2)
    ax.add_patch(Circle(CENTERS[number], RADIUS, fill=False, linestyle="--", linewidth=1.2))
    ax.scatter(*X.T, c=COLORS[y], s=9, edgecolors="white", linewidths=0.3)
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xlabel="feature 0")
    return image


def main(path):
    rng = np.random.default_rng(0)
    X, Y = draw_data(800, wrong=0.02, rng=rng)
    X_test, Y_test = draw_data(4000, wrong=0.0, rng=rng)
    net = DistanceNetClassifier(hidden_layer_sizes=40, random_state=0).fit(X, Y)
    right = (net.predict(X_test) == Y_test).mean(axis=0)
    print(f"all three labels right: {net.score(X_test, Y_test):.3f} of {len(X_test)} test points")
    x, y = np.meshgrid(*[np.linspace(-REACH, REACH, 200)] * 2)
    grid = np.column_stack([x.ravel(), y.ravel()])
    probabilities = net.predict_proba(grid).reshape(*x.shape, -1)
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
    for number, ax in enumerate(axes):
        image = draw_label(ax, number, probabilities[..., number], X, Y[:, number])
        ax.set_title(f"label {number}: test accuracy {right[number]:.3f}")
    axes[0].set_ylabel("feature 1")
    figure.colorbar(image, ax=axes, label="probability of the label", ticks=np.linspace(0, 1, 6))
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "multilabel.png")
