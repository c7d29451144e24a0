"""
Hybrid nets: relus with a distance output
=========================================

A :class:`~skdistnet.DistanceNetClassifier` can mix dot-product layers and distance layers:
``activation`` sets the kind of the hidden layers, ``output_layer`` that of the last one. A linear
output represents a class by a direction in the space of the hidden activations. A distance output
represents it by a centroid with radii, so that boundaries between classes are curved. This example
measures how much accuracy a distance output gains after a hidden layer of relus.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # narrow nets need more epochs
X, y = load_digits(return_X_y=True)

# %%
# With two hidden units each digit becomes a point in a plane, and each class has its centroid in
# that plane. Activations of relus are never negative, so that the origin is a corner and many
# digits lie on the edges; centroids may lie outside. On the ellipses the scaled distance to a class
# is one.

net = DistanceNetClassifier(2, "relu", output_layer="distance", random_state=0)
net.fit(X, y)
activations = np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0)

# %%
# After a narrow layer a centroid separates classes better than a direction: somewhat better with
# relus, much better with distance units. In a wide layer directions suffice, and relus do as well,
# or slightly better, with a linear output.

WIDTHS = [2, 4, 8, 16, 64]
STYLES = {
    ("relu", "linear"): ("#c8501e", "s--"),
    ("relu", "distance"): ("#c8501e", "o-"),
    ("gaussian", "linear"): ("#1f5fa8", "s--"),
    ("gaussian", "distance"): ("#1f5fa8", "o-"),
}


def mean_accuracy(width, activation, output_layer):
    """Accuracy of nets of these layers on held-out digits, over three starts and splits."""
    accuracies = []
    for seed in range(3):
        net = DistanceNetClassifier(width, activation, output_layer=output_layer, random_state=seed)
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=0.4, stratify=y, random_state=seed
        )
        accuracies.append(net.fit(X_train, y_train).score(X_test, y_test))
    return np.mean(accuracies)


accuracies = {layers: [mean_accuracy(width, *layers) for width in WIDTHS] for layers in STYLES}
print(f"{'accuracy; units':26}" + "".join(f"{width:>7}" for width in WIDTHS))
for (activation, output_layer), of_widths in accuracies.items():
    label = f"{activation}, {output_layer} output"
    print(f"{label:26}" + "".join(f"{accuracy:7.3f}" for accuracy in of_widths))

# %%
# The plane of two relus, and the accuracies by number of units:

figure, axes = plt.subplots(1, 2, figsize=(11.5, 5), layout="constrained")
axes[0].scatter(*activations.T, c=y, s=5, cmap="tab10", vmin=-0.5, vmax=9.5)
CentroidDisplay(
    centroids=net.centroids_[1],
    inverse_radii=net.inverse_radii_[1],
    units=np.arange(10),
    features=[0, 1],
    feature_names=["activation of unit 0", "activation of unit 1"],
).plot(axes[0])
box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
for digit, centroid in zip(net.classes_, net.centroids_[1], strict=True):
    axes[0].text(*centroid, digit, ha="center", va="center", weight="bold", bbox=box, clip_on=True)
axes[0].set(
    title="Two relus and a distance output:\neach digit has a centroid and radii",
    xlabel="activation of relu 0",
    ylabel="activation of relu 1",
)

for (activation, output_layer), (color, style) in STYLES.items():
    of_widths = accuracies[activation, output_layer]
    label = f"{activation}, {output_layer} output"
    axes[1].plot(WIDTHS, of_widths, style, color=color, markersize=5, label=label)
axes[1].set_xscale("log", base=2)
axes[1].set_xticks(WIDTHS, WIDTHS)
axes[1].set(
    title="The narrower the hidden layer, the more\na distance output helps",
    xlabel="units of the hidden layer",
    ylabel="accuracy on held-out digits",
)
axes[1].grid(alpha=0.3)
axes[1].legend()

plt.show()
