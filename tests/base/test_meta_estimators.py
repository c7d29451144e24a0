"""scikit-learn's meta-estimators accept the classifier."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier

from skdistnet import DistanceNetClassifier

X, Y = load_wine(return_X_y=True)
LABELS = np.column_stack([Y == 0, Y < 2]).astype(int)
NET = DistanceNetClassifier(hidden_layer_sizes=10, max_iter=20, random_state=0)


@pytest.mark.parametrize("y", [Y, LABELS], ids=["classes", "labels"])
def test_one_vs_rest_accepts_the_classifier(y):
    model = OneVsRestClassifier(NET).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.predict_proba(X).shape == (len(X), 3 if y is Y else 2)


@pytest.mark.parametrize("kind", [MultiOutputClassifier, ClassifierChain])
def test_multi_output_wrappers_accept_the_classifier(kind):
    assert kind(NET).fit(X, LABELS).score(X, LABELS) > 0.9
