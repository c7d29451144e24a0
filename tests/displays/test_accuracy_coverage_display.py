"""Tests of AccuracyCoverageDisplay: the curve, and the mark at the threshold."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skdistnet import DistanceNetClassifier, RejectingClassifier, accuracy_coverage_curve
from skdistnet.displays import AccuracyCoverageDisplay

X, Y = load_iris(return_X_y=True)
NET = DistanceNetClassifier(10, max_iter=20, random_state=0)


def expected_curve(model, confidence):
    return accuracy_coverage_curve(Y, model.predict(X), confidence)


def test_curve_of_any_classifier_uses_top_probability():
    model = GaussianNB().fit(X, Y)
    display = AccuracyCoverageDisplay.from_estimator(model, X, Y)
    coverages, accuracies, _ = expected_curve(model, model.predict_proba(X).max(axis=1))
    np.testing.assert_array_equal(display.line_.get_xdata(), coverages)
    np.testing.assert_array_equal(display.line_.get_ydata(), accuracies)
    assert display.point_ is None
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["GaussianNB"]


@pytest.mark.parametrize("method", ["predict_proba", "score_samples"])
def test_mark_is_at_the_threshold_of_rejection(method):
    threshold = {"predict_proba": 0.9, "score_samples": -1.0}[method]
    model = RejectingClassifier(NET, method=method, threshold=threshold).fit(X, Y)
    display = AccuracyCoverageDisplay.from_estimator(model, X, Y)
    accepted = model.accepts(X)
    accuracy = np.mean(model.predict(X)[accepted] == Y[accepted])
    assert display.point == pytest.approx((accepted.mean(), accuracy))
    np.testing.assert_array_equal(np.ravel(display.point_.get_data()), display.point)
    other = {"predict_proba": "score_samples", "score_samples": "predict_proba"}[method]
    unmarked = AccuracyCoverageDisplay.from_estimator(model, X, Y, method=other, ax=display.ax_)
    assert unmarked.point is None
    assert unmarked.ax_ is display.ax_


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rejecting: make_pipeline(StandardScaler(), PCA(2), rejecting),
        lambda rejecting: GridSearchCV(rejecting, {"threshold": [0.9]}, cv=2),
        lambda rejecting: make_pipeline(
            StandardScaler(), GridSearchCV(make_pipeline(PCA(2), rejecting), {}, cv=2)
        ),
    ],
    ids=["pipeline", "search", "both"],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_rejecting_classifier_inside_wrappers_is_found(wrap, frozen):
    model = wrap(RejectingClassifier(NET, threshold=0.9)).fit(X, Y)
    display = AccuracyCoverageDisplay.from_estimator(
        FrozenEstimator(model) if frozen else model, X, Y
    )
    right, accepted = model.predict(X) == Y, model.predict_proba(X).max(axis=1) >= 0.9
    assert 0 < accepted.mean() < 1
    assert display.point == pytest.approx((accepted.mean(), right[accepted].mean()))
    assert display.accuracies[-1] == pytest.approx(right.mean())
    assert display.name == "DistanceNetClassifier"


def test_threshold_above_all_confidences_has_no_mark():
    display = AccuracyCoverageDisplay.from_predictions(Y, Y, np.full(150, 0.5), threshold=0.6)
    assert display.point is None


def test_weights_and_styles_are_used():
    weights = np.arange(150.0)
    display = AccuracyCoverageDisplay.from_predictions(
        Y, Y % 2, np.arange(150.0), sample_weight=weights, line_kw={"color": "red"}
    )
    assert display.accuracies[-1] == pytest.approx(np.average(Y == Y % 2, weights=weights))
    assert display.line_.get_color() == "red"
    assert display.ax_.get_legend() is None


def test_missing_method_or_fit_raises():
    with pytest.raises(AttributeError, match="predict_proba"):
        AccuracyCoverageDisplay.from_estimator(LinearSVC().fit(X, Y), X, Y)
    for model in (GaussianNB(), RejectingClassifier(NET)):
        with pytest.raises(NotFittedError):
            AccuracyCoverageDisplay.from_estimator(model, X, Y)
