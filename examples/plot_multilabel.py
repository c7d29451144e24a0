"""
Multilabel classification with one net
======================================

A point may lie in none of three overlapping discs, in one, in two or in all three. The target is a
matrix of 0 and 1 with a column for each disc. A single :class:`~skdistnet.DistanceNetClassifier`
learns all three labels: they share the hidden units, and each has two output centroids of its own,
one for points with the label and one for points without it.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Circle

from skdistnet import DistanceNetClassifier

CENTERS = np.array([[-0.6, -0.4], [0.6, -0.4], [0.0, 0.65]])
RADIUS = 1.0

# %%
# Draw points from a square. One in fifty of the training labels is wrong.

rng = np.random.default_rng(0)
X, X_test = (rng.uniform(-2.2, 2.2, (n_points, 2)) for n_points in (800, 4000))
Y, Y_test = (
    np.linalg.norm(points[:, np.newaxis] - CENTERS, axis=2) < RADIUS for points in (X, X_test)
)
Y ^= rng.random(Y.shape) < 0.02

net = DistanceNetClassifier(40, max_iter=200, random_state=0).fit(X, Y.astype(int))
correct = (net.predict(X_test) == Y_test).mean(axis=0)
print(f"all three labels correct: {net.score(X_test, Y_test.astype(int)):.3f} of the test points")

# %%
# ``predict_proba`` has a column for each label. The colours are the probability of a label, the
# black line is where it is one half, and the dashed circle is the true disc.

x, y = np.meshgrid(*[np.linspace(-2.2, 2.2, 200)] * 2)
probabilities = net.predict_proba(np.column_stack([x.ravel(), y.ravel()]))

figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
for label, ax in enumerate(axes):
    probability = probabilities[:, label].reshape(x.shape)
    levels = np.linspace(0, 1, 21)
    surface = ax.contourf(x, y, probability, levels=levels, cmap="RdYlBu_r", alpha=0.7)
    ax.contour(x, y, probability, levels=[0.5], colors="black", linewidths=1.2)
    ax.add_patch(Circle(CENTERS[label], RADIUS, fill=False, linestyle="--", linewidth=1.2))
    colors = ListedColormap(["#1f5fa8", "#c8501e"])
    ax.scatter(*X.T, c=Y[:, label], cmap=colors, s=9, edgecolors="white", linewidths=0.3)
    ax.set(aspect="equal", xlabel="feature 0", ylabel="feature 1" if label == 0 else "")
    ax.set_title(f"label {label}: {correct[label]:.1%} of test points correct")
figure.colorbar(surface, ax=axes, label="probability of the label", ticks=np.linspace(0, 1, 6))
figure.suptitle("One net learns all three discs, although one label in fifty is wrong")

plt.show()
