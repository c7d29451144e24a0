"""
A grid search with a progress bar
=================================

scikit-learn 1.9 introduced callbacks and a progress bar. In a search the bar shows the progress of
candidates and folds, and for a distance net also the epochs of each fit.

Callbacks are experimental in scikit-learn, and the bar needs ``rich``. With scikit-learn older than
1.9, searches have no ``set_callbacks``, and nets warn that they ignore callbacks; this example then
uses the search's ``verbose`` instead.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split

from skdistnet import DistanceNetClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

GRID = {
    "hidden_layer_sizes": [10, 20, 40],
    "learning_rate_init": [0.003, 0.01, 0.03, 0.1],
}
# Without trials, each net trains for just as many epochs as its bar shows.
net = DistanceNetClassifier(early_stopping=False, max_iter=20, random_state=0)
search = GridSearchCV(net, GRID, cv=3)

# %%
# A search passes its bar on to its nets, and by default each fit has a line of its own for its
# epochs. For a search of 36 fits that is too much: with ``max_propagation_depth=0`` only the search
# has a bar. The net trained with the best settings gets another.

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None
if ProgressBar is None:  # before scikit-learn 1.9
    search.set_params(verbose=2)
else:
    search.set_callbacks(ProgressBar(max_propagation_depth=0))

with warnings.catch_warnings():
    # After so few epochs the loss is expected to fall still.
    warnings.simplefilter("ignore", ConvergenceWarning)
    search.fit(X_train, y_train)
print("best:", search.best_params_)
print(f"its accuracy on test rows: {search.score(X_test, y_test):.4f}")

net.set_params(**search.best_params_, max_iter=60)
if ProgressBar is not None:
    net.set_callbacks(ProgressBar())
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    net.fit(X_train, y_train)
print(f"after 60 epochs: {net.score(X_test, y_test):.4f}")

# %%
# The result of the search:

figure, ax = plt.subplots(figsize=(6.4, 3.9), layout="constrained")
widths, rates = GRID.values()
scores = search.cv_results_["mean_test_score"].reshape(len(widths), len(rates))
image = ax.imshow(scores, cmap="viridis", aspect="auto")
middle = (scores.min() + scores.max()) / 2
for row, column in [(row, column) for row in range(len(widths)) for column in range(len(rates))]:
    score = scores[row, column]
    color = "black" if score > middle else "white"
    ax.text(column, row, f"{score:.3f}", ha="center", va="center", color=color)
ax.set_xticks(range(len(rates)), rates)
ax.set_yticks(range(len(widths)), widths)
ax.set(
    title="Twenty epochs on digits",
    xlabel="learning_rate_init",
    ylabel="units of the hidden layer",
)
figure.colorbar(image, label="accuracy on held-out folds")

plt.show()
