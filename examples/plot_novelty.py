"""
Detect rows unlike the training data
====================================

A softmax predicts the most probable of the known classes for any row, however far from the training
data. :meth:`~skdistnet.DistanceNetClassifier.score_samples` measures how much a row resembles the
training data. In this example nets learn the digits from one to nine; novel rows are zeros, and
digits a thousand times as bright as the training data. A common substitute for a novelty score is
the probability of the top class. We compare the score with this probability, predicted by the same
net and by an :class:`~sklearn.neural_network.MLPClassifier`.
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
# With ``early_stopping`` the net sets validation rows aside and chooses the threshold on them, such
# that 5 % of known rows fall below it.

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
# The area under the ROC curve measures how well a score separates novel from known rows over all
# thresholds; 0.5 is guessing.


def top_probability(model, rows):
    return model.predict_proba(rows).max(axis=1)


def auroc(score):
    """Area under the ROC curve for each set of novel rows; `score` is higher for known rows."""
    known, *novel = (score(rows) for rows in sets.values())
    return [
        roc_auc_score(np.repeat([1, 0], [len(known), len(one)]), np.concatenate([known, one]))
        for one in novel
    ]


scores = {
    "score_samples": net.score_samples,
    "top probability of the same net": lambda rows: top_probability(net, rows),
    "top probability of MLPClassifier": lambda rows: top_probability(mlp, rows),
}
print(f"test accuracy: net {net.score(X_test, y_test):.3f}, MLP {mlp.score(X_test, y_test):.3f}")
print(f"{'AUROC':33}  zeros  1000 times as bright")
for name, score in scores.items():
    zeros, far = auroc(score)
    print(f"{name:33}  {zeros:5.3f}  {far:20.3f}")

# %%
# Zeros lie among the other digits, where low probabilities detect most of them, too; those of the
# distance net do as well as its score. Far away the MLP is certain of every prediction, whereas the
# score keeps falling with the distance in any direction. The threshold flags these rows although it
# was chosen on known rows alone.

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
NoveltyDisplay.from_estimator(net, sets, ax=axes[0])
axes[0].set_title("Distance net: how near the training data")
edges = np.linspace(0, 1, 41)
for name, rows in sets.items():
    shares = np.histogram(top_probability(mlp, rows), edges)[0] / len(rows)
    axes[1].stairs(shares, edges, linewidth=2, label=name)
axes[1].set(title="MLPClassifier: how confident", xlabel="probability of the top class")
axes[1].legend(loc="upper left")
figure.suptitle(
    "Far from the training data the net's score keeps falling; an MLP is most confident there"
)

plt.show()
