"""
Units of a net as pictures: where they are and what they look at
================================================================

A unit of a :class:`~skdistnet.DistanceNetClassifier` is a place in the units of the data. Of
handwritten digits that is a picture, too: the unit's centroid. Its radii say which pixels the unit
looks at to tell how far away a digit is; :class:`~skdistnet.displays.CentroidDisplay` draws their
shares in its distances beside the centroid.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier
from skdistnet.displays import CentroidDisplay

# %%
# Sixty units, and a stop by validation rows; all else at its default.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
net = DistanceNetClassifier(60, early_stopping=True, random_state=0).fit(X_train, y_train)
print(f"test accuracy with 60 units: {net.score(X_test, y_test):.3f}")

# %%
# Centroids start on digits of the training data and are then moved to where they serve best; many
# are still digits that one can read, though nothing asks for that. What a unit looks at are a few
# strokes: a handful of pixels makes up most of its distances. A class is told from what many units
# answer together.
#
# ``feature_relevances_`` is the mean of these shares over all units, weighted by how much their
# answers vary: the middle of the picture counts, and the border, hardly ever lit, does not.

relevances = net.feature_relevances_.reshape(8, 8)
border = relevances[:, [0, -1]].sum()
print(f"relevance of the first and the last column of pixels: {border:.3f}")

figure, axes = plt.subplots(1, 2, figsize=(10.5, 5.4), width_ratios=[2.4, 1], layout="constrained")
display = CentroidDisplay.from_estimator(net, units=30, image_shape=(8, 8), ax=axes[0])
axes[0].set_title("The 30 units whose answers vary most, and what they look at", pad=12)
strongest = display.shares.max(axis=1).mean()
print(f"share of a unit's distances that its first pixel makes up, in the mean: {strongest:.2f}")

image = axes[1].imshow(relevances, cmap="Purples", vmin=0)
axes[1].set_title("All units together:\nfeature_relevances_")
axes[1].set_axis_off()
beneath = axes[1].inset_axes([0, -0.13, 1, 0.05])
figure.colorbar(image, cax=beneath, orientation="horizontal", label="relevance, as a share")

plt.show()
