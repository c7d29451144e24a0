"""
Detect overfitting in loss curves
=================================

In this example three of ten labels of handwritten digits are replaced by random ones. A net that
trains long enough memorises them: the training loss keeps falling while the loss on validation rows
rises. :class:`~skdistnet.displays.LossCurveDisplay` draws both curves and marks the epoch whose
parameters the net kept. A second net uses more ``dropout``, a regulariser against overfitting.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier
from skdistnet.displays import LossCurveDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
rng = np.random.default_rng(0)
noisy = np.where(rng.random(len(y_train)) < 0.3, rng.integers(10, size=len(y_train)), y_train)

# %%
# ``n_iter_no_change=100``, the number of epochs, keeps training from stopping early. Labels of
# validation rows are noisy, too, but those of test rows are not. For comparison, nets without early
# stopping keep the parameters of the last epoch; they train on all rows.
#
# Both nets have their best epoch early. Without regularisation accuracy drops far in later epochs,
# so stopping early matters. With dropout the validation loss rises little, and training on does no
# harm.

NETS = {
    "no regularisation": {"dropout": 0.0, "label_smoothing": 0.0},
    "dropout=0.5": {"dropout": 0.5, "label_smoothing": 0.0},
}
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), sharey=True, layout="constrained")
print(f"{'test accuracy':17}  parameters kept: the best epoch's  the last epoch's")
for ax, (name, settings) in zip(axes, NETS.items(), strict=True):
    settings = settings | {"n_iter_no_change": 100, "random_state": 0}
    net = DistanceNetClassifier(early_stopping=True, validation_fraction=0.25, **settings)
    last = DistanceNetClassifier(early_stopping=False, **settings)
    with warnings.catch_warnings():
        # The training loss is meant to fall to the end.
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(X_train, noisy)
        last.fit(X_train, noisy)
    accuracy = net.score(X_test, y_test)
    print(f"{name:17}  {accuracy:33.3f}  {last.score(X_test, y_test):16.3f}")
    LossCurveDisplay.from_estimator(net, ax=ax)
    ax.set_title(f"{name}: test accuracy {accuracy:.3f}")
axes[1].set_ylabel("")
figure.suptitle(
    "A net that memorises wrong labels has to stop early; dropout slows the overfitting"
)

plt.show()
