"""
Can the probabilities be trusted?
=================================

If a classifier says "90 %" of many rows, nine in ten of its answers should be right. A reliability
diagram shows whether they are, and the expected calibration error (ECE) says in one number how far
they are from it. Here are those of :class:`~skdistnet.DistanceNetClassifier`, of
:class:`~sklearn.neural_network.MLPClassifier` and of a :class:`~sklearn.svm.SVC`, which needs a
:class:`~sklearn.calibration.CalibratedClassifierCV` to have any.
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

# Among noise the net's loss would fall on: by learning the noise.
warnings.simplefilter("ignore", ConvergenceWarning)

# %%
# The tables that scikit-learn brings along are easy: nearly all answers are right, and there is
# little to be unsure about. So there are digits again, with noise on their pixels.

X, y = load_digits(return_X_y=True)
noise = np.random.default_rng(0).normal(scale=6.0, size=X.shape)
SETS = {
    "breast cancer": load_breast_cancer(return_X_y=True),
    "wine": load_wine(return_X_y=True),
    "digits": (X, y),
    "digits with noise": (X + noise, y),
}
# An SVC of many classes decides by votes, which are hard to calibrate: so one for each class.
MODELS = {
    "distance net": DistanceNetClassifier(random_state=0),
    "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=0)),
    "SVC, calibrated": make_pipeline(
        StandardScaler(), OneVsRestClassifier(CalibratedClassifierCV(SVC(), ensemble=False))
    ),
}
N_BINS = 15


def calibration_error(is_right, top):
    """How far accuracy is from the top probability: the mean over bins, by their rows."""
    bins = np.clip(np.ceil(top * N_BINS).astype(int) - 1, 0, N_BINS - 1)
    surplus = np.bincount(bins, weights=is_right - top, minlength=N_BINS)
    return np.abs(surplus).sum() / len(top)


# %%
# Of many classes the top one counts: how probable it is said to be, and how often it is right. The
# probabilities are of folds that the model was not trained on. A point stands for a seventh of the
# rows, the surest on the right.

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
                # Rounding may make it more than 1.
                np.minimum(top, 1.0),
                n_bins=7,
                strategy="quantile",
                pos_label=True,
                name=f"{name}: ECE {error:.3f}",
                ax=shown[table],
            )
    print(f"{table:18}" + "".join(f"{cell:>18}" for cell in cells))

# %%
# Above the diagonal a model is too modest, below too sure of itself. Label smoothing and dropout
# make the distance net the former where everything is easy; on noisy rows an MLP is the latter.

for table, ax in shown.items():
    low = min(min(line.get_xdata().min(), line.get_ydata().min()) for line in ax.lines[1:])
    ax.set(title=table, xlabel="probability of the top class", ylabel="share of right answers")
    ax.set(xlim=(low - 0.03, 1.01), ylim=(low - 0.03, 1.01), aspect="equal")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)

plt.show()
