"""
A grid search with a progress bar
=================================

scikit-learn 1.9 brought callbacks, and with them a progress bar for its searches. A search tells of
its candidates and folds, and a net of its epochs, so that one sees how far each fit is, too.

Callbacks are still experimental there, and their bar needs ``rich``. Before scikit-learn 1.9 there
is no ``sklearn.callback``: searches have no ``set_callbacks``, and that of a net says that
callbacks are ignored. What there is then are the search's own lines, by ``verbose``.
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
search = GridSearchCV(DistanceNetClassifier(max_iter=20, random_state=0), GRID, cv=3)

# %%
# A bar set on a search is handed down to its nets as well: by default each fit has a line with its
# epochs. That is much to look at in a search of 36 fits, so that here the search has a bar alone,
# and the net that is made of the best settings has another.

try:
    from sklearn.callback import ProgressBar
except ImportError:
    ProgressBar = None
if ProgressBar is None:  # before scikit-learn 1.9
    search.set_params(verbose=2)
else:
    search.set_callbacks(ProgressBar(max_propagation_depth=0))

with warnings.catch_warnings():
    # That the loss still falls after so few epochs is no news.
    warnings.simplefilter("ignore", ConvergenceWarning)
    search.fit(X_train, y_train)
print("best:", search.best_params_)
print(f"its accuracy on test rows: {search.score(X_test, y_test):.4f}")

net = DistanceNetClassifier(**search.best_params_, max_iter=60, random_state=0)
if ProgressBar is not None:
    net.set_callbacks(ProgressBar())
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    net.fit(X_train, y_train)
print(f"after 60 epochs: {net.score(X_test, y_test):.4f}")

# %%
# What the search was for:

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
