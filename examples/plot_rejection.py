"""
Saying "I do not know": accuracy by coverage
============================================

A classifier that may leave some rows to a human makes fewer errors in the rest. How many fewer says
the accuracy-coverage curve: the accuracy of the answers when only the surest are given.
:class:`~skdistnet.RejectingClassifier` answers at one point of it. It wraps any classifier and asks
one of two questions: is the top class probable enough, or is the row like the training data?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdistnet import DistanceNetClassifier, RejectingClassifier, accuracy_coverage_curve
from skdistnet.displays import AccuracyCoverageDisplay

# %%
# Every digit is answered by a model that was not trained on it. Beside them stand rows that are no
# digits as the models know them: the colours of one digit in ten are reversed. Whatever is answered
# there, we call it wrong.

X, y = load_digits(return_X_y=True)
NO_CLASS = -1
# An SVC of many classes decides by votes, which are hard to calibrate: so one for each class.
NET = DistanceNetClassifier(random_state=0)
MODELS = {
    "distance net": NET,
    "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=0)),
    "SVC, calibrated": make_pipeline(
        StandardScaler(), OneVsRestClassifier(CalibratedClassifierCV(SVC(), ensemble=False))
    ),
}


def top_probability(model, rows):
    return model.predict_proba(rows).max(axis=1)


def score(model, rows):
    return model.score_samples(rows)


def out_of_fold(model, tell):
    """True labels, answers and certainties, of all digits and then of the reversed ones."""
    parts = []
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for train, test in folds.split(X, y):
        fitted = clone(model).fit(X[train], y[train])
        reversed_rows = 16 - X[test][::10]
        labels = y[test], np.full(len(reversed_rows), NO_CLASS)
        for rows, truth in zip((X[test], reversed_rows), labels, strict=True):
            parts.append((truth, fitted.predict(rows), tell(fitted, rows)))
    both = parts[::2], parts[1::2]
    return [np.concatenate(column) for part in both for column in zip(*part, strict=True)]


curves = {f"{name}, top probability": (model, top_probability) for name, model in MODELS.items()}
curves["distance net, score_samples"] = NET, score
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
print(f"{'error among the rows answered':40}  all   90 %   with reversed: all   80 %")
for name, (model, tell) in curves.items():
    *known, truth, answers, certainty = out_of_fold(model, tell)
    everything = [
        np.concatenate(pair) for pair in zip(known, (truth, answers, certainty), strict=True)
    ]
    errors = []
    for ax, rows, coverage in zip(axes, (known, everything), (0.9, 0.8), strict=True):
        display = AccuracyCoverageDisplay.from_predictions(*rows, name=name, ax=ax)
        at = np.searchsorted(display.coverages, coverage)
        errors += [1 - display.accuracies[-1], 1 - display.accuracies[at]]
    print(f"{name:40} {errors[0]:.3f}  {errors[1]:.3f} {errors[2]:18.3f}  {errors[3]:.3f}")

# %%
# Errors among known digits are guesses, and probabilities tell them. Of what is foreign the MLP is
# surer than of digits; the net's probabilities and its score both give it away. The steps in the
# curve are rows far from all units, which get one and the same answer.

axes[0].set(title="Digits", xlim=(0.6, 1.005), ylim=(0.965, 1.001))
axes[1].set(title="One row in eleven has reversed colours", xlim=(0.6, 1.005), ylim=(0.88, 1.003))
for ax in axes:
    ax.axvline(0.9, color="gray", linestyle=":", zorder=0, label="a tenth rejected")
axes[0].legend(loc="lower left")
axes[1].get_legend().remove()

# %%
# A threshold for the accuracy that is wanted is read off the curve of rows that the net has not
# seen, here for 99.9 %. A tenth of the rows or so is then for a human. Four hundred rows do not say
# it that exactly: of others a little less is right.

X_train, X_rest, y_train, y_rest = train_test_split(X, y, stratify=y, test_size=0.5, random_state=0)
X_held, X_new, y_held, y_new = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)
net = clone(NET).fit(X_train, y_train)
coverages, accuracies, thresholds = accuracy_coverage_curve(
    y_held, net.predict(X_held), top_probability(net, X_held)
)
threshold = thresholds[accuracies >= 0.999][-1]
careful = RejectingClassifier(net, threshold=float(threshold))
accepted = careful.accepts(X_new)
accuracy = np.mean(careful.predict(X_new)[accepted] == y_new[accepted])
print(f"threshold {threshold:.2f}: answers {accepted.mean():.3f} of new rows, {accuracy:.4f} right")

plt.show()
