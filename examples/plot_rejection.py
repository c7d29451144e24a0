"""
Rejecting uncertain rows: accuracy by coverage
==============================================

A classifier that may leave some rows to a human makes fewer errors on the others. The
accuracy-coverage curve shows how many fewer: it plots the accuracy of the most confident
predictions by the share of rows they cover. :class:`~skdistnet.RejectingClassifier` works at one
point of this curve. It wraps any classifier and rejects a row if the predicted class is not
probable enough, or if the row is unlike the training data.
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
# Cross-validation predicts every digit by a model that was not trained on it. In a second
# experiment we add rows that are unlike the digits the models know: one digit in ten with reversed
# colours. Every prediction for such a row counts as an error.

X, y = load_digits(return_X_y=True)
NO_CLASS = -1
# An SVC of many classes decides by votes, which are hard to calibrate: use one for each class.
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


def out_of_fold(model, confidence_of):
    """True labels, predictions and confidence, of all digits and then of the reversed ones."""
    parts = []
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    for train, test in folds.split(X, y):
        fitted = clone(model).fit(X[train], y[train])
        reversed_rows = 16 - X[test][::10]
        labels = y[test], np.full(len(reversed_rows), NO_CLASS)
        for rows, truth in zip((X[test], reversed_rows), labels, strict=True):
            parts.append((truth, fitted.predict(rows), confidence_of(fitted, rows)))
    both = parts[::2], parts[1::2]
    return [np.concatenate(column) for part in both for column in zip(*part, strict=True)]


curves = {f"{name}, top probability": (model, top_probability) for name, model in MODELS.items()}
curves["distance net, score_samples"] = NET, score
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
print(f"{'error among the accepted rows':40}  all   90 %   with reversed: all   80 %")
for name, (model, confidence_of) in curves.items():
    *known, truth, labels, confidence = out_of_fold(model, confidence_of)
    everything = [
        np.concatenate(pair) for pair in zip(known, (truth, labels, confidence), strict=True)
    ]
    errors = []
    for ax, rows, coverage in zip(axes, (known, everything), (0.9, 0.8), strict=True):
        display = AccuracyCoverageDisplay.from_predictions(*rows, name=name, ax=ax)
        at = np.searchsorted(display.coverages, coverage)
        errors += [1 - display.accuracies[-1], 1 - display.accuracies[at]]
    print(f"{name:40} {errors[0]:.3f}  {errors[1]:.3f} {errors[2]:18.3f}  {errors[3]:.3f}")

# %%
# Errors among known digits lie between classes, where the probabilities are low. The MLP is more
# confident about reversed digits than about real ones; both the probabilities and the score of the
# net detect them. The steps in the curve are rows far from all units, which get equal
# probabilities.

axes[0].set(title="Digits", xlim=(0.6, 1.005), ylim=(0.965, 1.001))
axes[1].set(title="One row in eleven has reversed colours", xlim=(0.6, 1.005), ylim=(0.88, 1.003))
for ax in axes:
    ax.axvline(0.9, color="gray", linestyle=":", zorder=0, label="a tenth rejected")
axes[0].legend(loc="lower left")
axes[1].get_legend().remove()

# %%
# To reach an accuracy, here 99.9 %, read the threshold off the curve of rows that the net was not
# trained on. Fewer than a tenth of the rows are then left to a human. Four hundred rows are too few
# to estimate the threshold exactly: on other rows the accuracy is a little lower.

X_train, X_rest, y_train, y_rest = train_test_split(X, y, stratify=y, test_size=0.5, random_state=0)
X_held, X_new, y_held, y_new = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)
net = clone(NET).fit(X_train, y_train)
coverages, accuracies, thresholds = accuracy_coverage_curve(
    y_held, net.predict(X_held), top_probability(net, X_held)
)
threshold = thresholds[accuracies >= 0.999][-1]
careful = RejectingClassifier(net, threshold=float(threshold))
accepted = careful.accepts(X_new)
labels = careful.predict_with_rejection(X_new)
accuracy = np.mean(labels[accepted] == y_new[accepted])
coverage = accepted.mean()
print(f"threshold {threshold:.2f}: accepts {coverage:.3f} of new rows, accuracy {accuracy:.4f}")

plt.show()
