"""
A hybrid: what a distance output gives a net of relus
=====================================================

Layers of dot products and of distances mix in a :class:`~skdistnet.DistanceNetClassifier`:
``activation`` says what hidden layers are, ``output_layer`` what the last one is. A linear output
knows a class by a direction of what the hidden units answer. An output of distances knows it by a
place, with radii that say how far it reaches: borders between classes are then curved. What is that
worth behind a hidden layer of relus?
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # narrow nets would like more epochs
X, y = load_digits(return_X_y=True)

# %%
# With two units in the hidden layer, all that the output is told of a digit is a point in a plane,
# and each class has its centroid in that plane. Relus answer zero and more, so that the origin is a
# corner and many digits lie on the edges; centroids may lie beyond them. The ellipses are where a
# class is one scaled distance away.

net = DistanceNetClassifier(2, "relu", output_layer="distance", random_state=0)
net.fit(X, y)
answers = np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0)

# %%
# Where the layer is narrow a place tells more than a direction: somewhat more of relus, much more
# of units that measure distances themselves. With many units there is a direction for everything,
# and relus do as well, or slightly better, with a linear output.

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
for (activation, output_layer), found in accuracies.items():
    label = f"{activation}, {output_layer} output"
    print(f"{label:26}" + "".join(f"{accuracy:7.3f}" for accuracy in found))

# %%
# Left, the plane of two relus; right, the accuracies.

figure, axes = plt.subplots(1, 2, figsize=(11.5, 5), layout="constrained")
axes[0].scatter(*answers.T, c=y, s=5, cmap="tab10", vmin=-0.5, vmax=9.5)
CentroidDisplay(
    centroids=net.centroids_[1],
    inverse_radii=net.inverse_radii_[1],
    units=np.arange(10),
    features=[0, 1],
    feature_names=["answer of unit 0", "answer of unit 1"],
).plot(axes[0])
box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
for digit, place in zip(net.classes_, net.centroids_[1], strict=True):
    axes[0].text(*place, digit, ha="center", va="center", weight="bold", bbox=box, clip_on=True)
axes[0].set(
    title="Two relus and an output of distances:\neach digit is a place, with a reach",
    xlabel="answer of relu 0",
    ylabel="answer of relu 1",
)

for (activation, output_layer), (color, style) in STYLES.items():
    found = accuracies[activation, output_layer]
    label = f"{activation}, {output_layer} output"
    axes[1].plot(WIDTHS, found, style, color=color, markersize=5, label=label)
axes[1].set_xscale("log", base=2)
axes[1].set_xticks(WIDTHS, WIDTHS)
axes[1].set(
    title="The narrower the hidden layer, the more\na distance output gives",
    xlabel="units of the hidden layer",
    ylabel="accuracy on held-out digits",
)
axes[1].grid(alpha=0.3)
axes[1].legend()

plt.show()
