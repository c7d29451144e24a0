"""
Search with successive halving over epochs
==========================================

Poor settings can be recognised after a few epochs. A
:class:`~sklearn.model_selection.HalvingGridSearchCV` with ``resource="max_iter"`` trains all
settings for a few epochs, keeps the best third, trains these for three times as many, and so on.

Each round trains new nets. They do not waste time: the learning rate follows a cosine that ends at
``max_iter``, so that 6 epochs are a complete training run, not the start of a longer one whose
steps are still large.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV, train_test_split

from skdistnet import DistanceNetClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# There are 18 settings. ``max_resources`` is the number of epochs in the last round; without it the
# search would take the number of rows. The first round has 6 epochs, since 2 settings are left
# after two divisions by three. ``early_stopping=False`` turns off trials, so that each net trains
# for exactly the epochs of its round.

GRID = {
    "learning_rate_init": [0.003, 0.03, 0.3],
    "hidden_layer_sizes": [20, 60],
    "radius_type": ["diag", "spherical", "tied"],
}
search = HalvingGridSearchCV(
    DistanceNetClassifier(early_stopping=False, random_state=0),
    GRID,
    resource="max_iter",
    max_resources=54,
    factor=3,
    cv=3,
    random_state=0,
)
with warnings.catch_warnings():
    # The first rounds are meant to be too short.
    warnings.simplefilter("ignore", ConvergenceWarning)
    search.fit(X_train, y_train)

results = search.cv_results_
rounds = results["iter"]
for number, (n_settings, n_epochs) in enumerate(
    zip(search.n_candidates_, search.n_resources_, strict=True)
):
    best = results["mean_test_score"][rounds == number].max()
    print(f"{n_settings:2} settings of {n_epochs:2} epochs, the best {best:.4f}")
spent = np.dot(search.n_candidates_, search.n_resources_)
full = search.n_candidates_[0] * search.n_resources_[-1]
print(f"epochs for each fold: {spent}; for a full grid search: {full}")
print("best:", search.best_params_)
print(f"its accuracy on test rows: {search.score(X_test, y_test):.4f}")

# %%
# Each line is a setting. It ends in the round after which the setting was dropped.

figure, ax = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
COLORS = {0.003: "#999999", 0.03: "#1f5fa8", 0.3: "#c8501e"}
lines = {}
for params, score in zip(results["params"], results["mean_test_score"], strict=True):
    setting = tuple(params[name] for name in GRID)
    lines.setdefault(setting, []).append((params["max_iter"], score))
# Shift the markers, so that they do not cover each other.
shifts = np.linspace(-0.12, 0.12, len(lines))
for (setting, points), shift in zip(sorted(lines.items()), shifts, strict=True):
    epochs, scores = np.array(points).T
    style = "o-" if len(points) == len(search.n_resources_) else "o--"
    ax.plot(epochs * np.exp(shift), scores, style, color=COLORS[setting[0]], markersize=5)
for rate, color in COLORS.items():
    ax.plot([], [], "o", color=color, label=f"learning_rate_init={rate}")
ax.plot([], [], "-", color="black", label="kept to the end")
ax.plot([], [], "--", color="black", label="dropped after the second round")
ax.set_xscale("log")
ax.set_xticks(
    search.n_resources_,
    [
        f"{n_epochs} epochs\n{n_settings} settings"
        for n_settings, n_epochs in zip(search.n_candidates_, search.n_resources_, strict=True)
    ],
)
ax.minorticks_off()
ax.set(
    title=f"Halving by max_iter: {spent} epochs instead of {full}",
    ylabel="accuracy on held-out folds of digits",
)
ax.grid(axis="y", alpha=0.3)
ax.legend(loc="lower right")

plt.show()
