"""
Are the predicted probabilities calibrated?
===========================================

If a classifier predicts many rows with a probability of 90 %, nine in ten of these predictions
should be correct. A reliability diagram shows whether they are, and the expected calibration error
(ECE) measures the deviation in one number. This example compares
:class:`~skdistnet.DistanceNetClassifier` with :class:`~sklearn.neural_network.MLPClassifier` and
with a :class:`~sklearn.svm.SVC`, which needs a :class:`~sklearn.calibration.CalibratedClassifierCV`
to predict probabilities.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdistnet import DistanceNetClassifier

# On noisy rows the loss keeps falling because the net overfits: no need to train on.
warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# scikit-learn's data sets are easy: nearly all predictions are correct and few rows are uncertain.
# So we add a harder one, digits with noise on their pixels.

X, y = load_digits(return_X_y=True)
noise = np.random.default_rng(0).normal(scale=6.0, size=X.shape)
SETS = {
    "breast cancer": load_breast_cancer(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "digits": (X, y),
    "digits with noise": (X + noise, y),
}
# An SVC of many classes decides by votes, which are hard to calibrate: use one for each class.
MODELS = {
    "distance net": DistanceNetClassifier(random_state=0),
    "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=0)),
    "SVC, calibrated": make_pipeline(
        StandardScaler(), OneVsRestClassifier(CalibratedClassifierCV(SVC(), ensemble=False))
    ),
}
N_BINS = 15


def calibration_error(is_right, top):
    """Mean absolute difference of accuracy and top probability over bins, weighted by rows."""
    bins = np.clip(np.ceil(top * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    surplus = np.bincount(bins, weights=is_right - top, minlength=N_BINS)
    return np.abs(surplus).sum() / len(top)


# %%
# With many classes we look at the predicted class: its probability, and how often it is correct.
# The probabilities are out of fold. Each point stands for a seventh of the rows, the most confident
# on the right.

figure, axes = plt.subplots(1, 2, figsize=(10.5, 5.0), layout="constrained")
shown = dict(zip(("breast cancer", "digits with noise"), axes, strict=True))
print(f"{'ECE (accuracy)':16}" + "".join(f"{name:>18}" for name in MODELS))
for table, (rows, labels) in SETS.items():
    cells = []
    for name, model in MODELS.items():
        folds = StratifiedKFold(3, shuffle=True, random_state=0)
        probabilities = cross_val_predict(
            model, rows, labels, cv=folds, method="predict_proba"
        ).astype(np.float64)
        top, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        error = calibration_error(is_right, top)
        cells.append(f"{error:.3f} ({is_right.mean():.3f})")
        if table in shown:
            CalibrationDisplay.from_predictions(
                is_right,
                # Rounding errors may exceed 1.
                np.minimum(top, 1.0),
                n_bins=7,
                strategy="quantile",
                pos_label=True,
                name=f"{name}: ECE {error:.3f}",
                ax=shown[table],
            )
    print(f"{table:18}" + "".join(f"{cell:>18}" for cell in cells))

# %%
# Points above the diagonal show a model that is underconfident, points below it one that is
# overconfident. Label smoothing and dropout make the distance net underconfident where rows are
# easy; the MLP is overconfident on noisy rows.

for table, ax in shown.items():
    low = min(min(line.get_xdata().min(), line.get_ydata().min()) for line in ax.lines[1:])
    ax.set(
        title=table, xlabel="probability of the top class", ylabel="share of correct predictions"
    )
    ax.set(xlim=(low - 0.03, 1.01), ylim=(low - 0.03, 1.01), aspect="equal")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)

plt.show()
