"""
Reading loss curves: a net that learns by heart
===============================================

Of every ten labels of handwritten digits three are replaced by a random one here. A net that is
given time learns those by heart, too: its training loss goes on falling while the loss on rows set
aside rises. :class:`~skdistnet.displays.LossCurveDisplay` draws both, and the epoch whose
parameters were kept. Beside it is the same net with more ``dropout``, a brake on learning by heart.
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
# A patience of 100 epochs, all there are, lets training go on where it would otherwise have
# stopped. The labels to validate on are noisy as well, but those of the test rows are not. Nets
# that keep the parameters of the last epoch are trained on all rows, none of them set aside.
#
# Without brakes the best epoch comes early, and stopping there matters. With dropout it comes late
# and is better, and it matters little whether training goes on.

NETS = {
    "no brakes": {"dropout": 0.0, "label_smoothing": 0.0},
    "dropout=0.5": {"dropout": 0.5, "label_smoothing": 0.0},
}
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), sharey=True, layout="constrained")
print(f"{'test accuracy':13}  parameters kept: the best epoch's  the last epoch's")
for ax, (name, settings) in zip(axes, NETS.items(), strict=True):
    settings = settings | {"n_iter_no_change": 100, "random_state": 0}
    net = DistanceNetClassifier(early_stopping=True, validation_fraction=0.25, **settings)
    last = DistanceNetClassifier(**settings)
    with warnings.catch_warnings():
        # That the training loss goes on falling is what is to be seen.
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(X_train, noisy)
        last.fit(X_train, noisy)
    accuracy = net.score(X_test, y_test)
    print(f"{name:13}  {accuracy:33.3f}  {last.score(X_test, y_test):16.3f}")
    LossCurveDisplay.from_estimator(net, ax=ax)
    ax.set_title(f"{name}: test accuracy {accuracy:.3f}")
axes[1].set_ylabel("")
figure.suptitle("A net that learns wrong labels by heart has to be stopped; dropout holds it back")

plt.show()
