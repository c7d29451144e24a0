"""
Draw the units of a net as images
=================================

A unit of a :class:`~skdistnet.DistanceNetClassifier` has a centroid in the space of the data. For
handwritten digits the centroid is an image. The radii of the unit determine how much each pixel
contributes to its distance from a digit. :class:`~skdistnet.displays.CentroidDisplay` draws these
contributions beside the centroid.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay

# %%
# The net has sixty units and stops early by validation rows; all else is at its default.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
net = DistanceNetClassifier(60, early_stopping=True, random_state=0).fit(X_train, y_train)
print(f"test accuracy with 60 units: {net.score(X_test, y_test):.3f}")

# %%
# Centroids start at digits of the training data and move during training; many remain legible,
# although nothing enforces that. A unit looks at a few strokes: a handful of pixels makes up most
# of its distances. The net recognises a class by the activations of many units together.
#
# ``feature_relevances_`` is the mean of these shares over all units, weighted by the variance of
# their activations: the middle of the image matters, and the border, which is nearly always blank,
# does not.

relevances = net.feature_relevances_.reshape(8, 8)
border = relevances[:, [0, -1]].sum()
print(f"relevance of the first and the last column of pixels: {border:.3f}")

figure, axes = plt.subplots(1, 2, figsize=(10.5, 5.4), width_ratios=[2.4, 1], layout="constrained")
display = CentroidDisplay.from_estimator(net, units=30, image_shape=(8, 8), ax=axes[0])
axes[0].set_title("The 30 units whose activations vary most, and the pixels they look at", pad=12)
strongest = display.shares.max(axis=1).mean()
print(f"mean share of a unit's strongest pixel in its distances: {strongest:.2f}")

image = axes[1].imshow(relevances, cmap="Purples", vmin=0)
axes[1].set_title("All units together:\nfeature_relevances_")
axes[1].set_axis_off()
below = axes[1].inset_axes([0, -0.13, 1, 0.05])
figure.colorbar(image, cax=below, orientation="horizontal", label="relevance, as a share")

plt.show()
