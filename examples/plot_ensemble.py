"""
An average of nets, and what its members predict out of fold
============================================================

:class:`~skdistnet.DistanceNetEnsembleClassifier` averages the probabilities of several nets. With
``out_of_fold=True`` each member leaves out a part of the rows, so that the training rows have
predictions by nets that have not seen them. These show the accuracy and the calibration on new rows
without a second fit.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetEnsembleClassifier

# %%
# Digits are noisy here, so that some remain uncertain.

X, y = load_digits(return_X_y=True)
X += np.random.default_rng(0).normal(scale=6.0, size=X.shape)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
nets = DistanceNetEnsembleClassifier(out_of_fold=True, random_state=0).fit(X_train, y_train)

# %%
# On new rows, the average has a lower log-loss than any member. Predictions out of fold are those
# of single members, and foretell how these do on new rows.

print(f"{'':16}{'accuracy':>10}{'log-loss':>10}")
new = {f"member {number + 1}": net for number, net in enumerate(nets.estimators_)}
shown = {name: (y_test, net.predict_proba(X_test)) for name, net in new.items()}
shown["average"] = y_test, nets.predict_proba(X_test)
shown["out of fold"] = y_train, nets.oof_decision_function_
losses = {name: log_loss(*pair) for name, pair in shown.items()}
for name, (labels, probabilities) in shown.items():
    accuracy = accuracy_score(labels, probabilities.argmax(axis=1))
    print(f"{name:16}{accuracy:10.3f}{losses[name]:10.3f}")

# %%
# The curve out of fold lies near the diagonal: probabilities of members are calibrated. Where they
# disagree, their average is less sure, and right more often than its probabilities suggest.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.6), layout="constrained")
colors = ["0.7"] * len(new) + ["#0072B2", "#D55E00"]
left.barh(list(losses), list(losses.values()), color=colors)
left.invert_yaxis()
left.set(title="Members, their average, and out of fold", xlabel="log-loss")
for name, rows, color in (("average", "new", "#0072B2"), ("out of fold", "training", "#D55E00")):
    labels, probabilities = shown[name]
    CalibrationDisplay.from_predictions(
        probabilities.argmax(axis=1) == labels,
        np.minimum(probabilities.max(axis=1), 1.0),
        n_bins=7,
        strategy="quantile",
        pos_label=True,
        name=f"{name}, {rows} rows",
        color=color,
        ax=right,
    )
right.set(
    title="Reliability", xlabel="probability of the top class", xlim=(0.35, 1), ylim=(0.35, 1)
)
right.set(xlabel="probability of the top class", ylabel="share of correct predictions")

plt.show()
