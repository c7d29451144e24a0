"""
What a net says about what it has never seen
============================================

A softmax tells which of the known classes is the most probable, whatever it is asked.
:meth:`~skdistnet.DistanceNetClassifier.score_samples` answers another question: how near the
training data a row is. Here nets learn the digits from one to nine and are then shown zeros, and
digits a thousand times as bright as any that were seen. Beside the
scores stands what people use for lack of anything better, the probability of the top class, of a
:class:`~sklearn.neural_network.MLPClassifier`.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier
from skdistnet.displays import NoveltyDisplay

# %%
# With ``early_stopping`` rows are set aside, and the threshold is measured on them: 5 % of known
# rows are to fall below it.

X, y = load_digits(return_X_y=True)
known = y > 0
X_train, X_test, y_train, y_test = train_test_split(
    X[known], y[known], stratify=y[known], random_state=0
)
sets = {
    "one to nine, held out": X_test,
    "zeros": X[~known],
    "1000 times as bright": 1000 * X_test,
}
net = DistanceNetClassifier(early_stopping=True, random_state=0).fit(X_train, y_train)
mlp = make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=0))
mlp.fit(X_train, y_train)

# %%
# How well do they tell new from known, over all thresholds? 0.5 is guessing.


def top_probability(model, rows):
    return model.predict_proba(rows).max(axis=1)


def auroc(tell):
    """Area under the ROC curve by name of what is new; `tell` is higher for what is known."""
    names = list(sets)[1:]
    told = {name: tell(rows) for name, rows in sets.items()}
    first = told.pop("one to nine, held out")
    is_known = [np.repeat([1, 0], [len(first), len(told[name])]) for name in names]
    return [
        roc_auc_score(truth, np.concatenate([first, told[name]]))
        for truth, name in zip(is_known, names, strict=True)
    ]


tellers = {
    "score_samples": net.score_samples,
    "top probability of the same net": lambda rows: top_probability(net, rows),
    "top probability of MLPClassifier": lambda rows: top_probability(mlp, rows),
}
print(f"test accuracy: net {net.score(X_test, y_test):.3f}, MLP {mlp.score(X_test, y_test):.3f}")
print(f"{'AUROC':33}  zeros  1000 times as bright")
for name, tell in tellers.items():
    zeros, far = auroc(tell)
    print(f"{name:33}  {zeros:5.3f}  {far:20.3f}")

# %%
# Zeros lie among the other digits: a net that hesitates gives most of them away, too, this one as
# well as its score does. But far away the MLP is certain of everything, whereas the score falls
# as rows go away, in any direction and without end, below a threshold that knew of none of them.

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
NoveltyDisplay.from_estimator(net, sets, ax=axes[0])
axes[0].set_title("Distance net: how near the training data")
edges = np.linspace(0, 1, 41)
for name, rows in sets.items():
    shares = np.histogram(top_probability(mlp, rows), edges)[0] / len(rows)
    axes[1].stairs(shares, edges, linewidth=2, label=name)
axes[1].set(title="MLPClassifier: how sure of its answer", xlabel="probability of the top class")
axes[1].legend(loc="upper left")
figure.suptitle(
    "Far from all it has seen the net's score falls without end; an MLP is surest there"
)

plt.show()
