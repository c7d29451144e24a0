"""Tests of scikit-learn's displays with a RejectingClassifier."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay

from skdistnet import RejectingClassifier

X, Y = load_iris(return_X_y=True)
X, NAMES = X[:, :2], np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.fixture(scope="module")
def rejecting():
    model = RejectingClassifier(LogisticRegression(), threshold=0.9).fit(X, NAMES)
    assert 0 < model.accepts(X).mean() < 1
    return model


@pytest.mark.parametrize(
    "response_method", ["predict", "predict_proba", "decision_function", "auto"]
)
def test_decision_boundary_is_drawn(rejecting, response_method):
    options = {"response_method": response_method, "grid_resolution": 20}
    drawn = DecisionBoundaryDisplay.from_estimator(rejecting, X, **options)
    plain = DecisionBoundaryDisplay.from_estimator(rejecting.estimator_, X, **options)
    np.testing.assert_array_equal(drawn.response, plain.response)


def test_confusion_matrix_has_only_classes(rejecting):
    display = ConfusionMatrixDisplay.from_estimator(rejecting, X, NAMES)
    assert display.display_labels.tolist() == rejecting.classes_.tolist()
    assert display.confusion_matrix.shape == (3, 3)
    assert display.confusion_matrix.sum() == 150
