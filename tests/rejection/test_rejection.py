"""RejectingClassifier: rejected rows and their label, delegation, errors."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from skdistnet import DistanceNetClassifier, DistanceNetRegressor, RejectingClassifier

X, Y = load_iris(return_X_y=True)
NET = DistanceNetClassifier(10, max_iter=20, random_state=0)
FAR = X + 100.0


@pytest.fixture(scope="module")
def net():
    return clone(NET).fit(X, Y)


# Which rows are rejected --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classifier", [NET, GaussianNB(), LogisticRegression(max_iter=1000)], ids=str
)
@pytest.mark.parametrize("threshold", [0.0, 0.8, 0.97, 1.0])
def test_only_rows_of_low_probability_are_rejected(classifier, threshold):
    rejecting = RejectingClassifier(classifier, threshold=threshold).fit(X, Y)
    alone = clone(classifier).fit(X, Y)
    accepted = alone.predict_proba(X).max(axis=1) >= threshold
    np.testing.assert_array_equal(rejecting.accepts(X), accepted)
    expected = np.where(accepted, alone.predict(X), -1)
    np.testing.assert_array_equal(rejecting.predict_with_rejection(X), expected)
    assert accepted.all() == (threshold == 0.0)


def test_confidence_is_that_of_the_predicted_class():
    fixed = FixedThresholdClassifier(GaussianNB(), threshold=0.1, response_method="predict_proba")
    y = np.where(Y == 0, "b", "a")
    y[::7] = "a"
    rejecting = RejectingClassifier(fixed, threshold=0.8).fit(X[:, :1], y)
    classifier = rejecting.estimator_
    labels, probabilities = classifier.predict(X[:, :1]), classifier.predict_proba(X[:, :1])
    confidence = np.where(labels == "a", probabilities[:, 0], probabilities[:, 1])
    assert ((confidence < 0.2) & (probabilities.max(axis=1) >= 0.8)).any()
    np.testing.assert_array_equal(rejecting.accepts(X[:, :1]), confidence >= 0.8)


def test_probability_at_the_threshold_is_accepted(net):
    top = net.predict_proba(X).max(axis=1)
    rejecting = RejectingClassifier(net, threshold=float(top[100]))
    assert rejecting.accepts(X)[100]
    rejecting.set_params(threshold=float(np.nextafter(top[100], 1)))
    assert not rejecting.accepts(X)[100]


def test_novel_rows_are_rejected_below_novelty_threshold(net):
    rejecting = RejectingClassifier(NET, method="score_samples").fit(X, Y)
    assert rejecting.threshold_ == net.novelty_threshold_
    known = net.score_samples(X) >= net.novelty_threshold_
    np.testing.assert_array_equal(rejecting.accepts(X), known)
    assert (rejecting.predict_with_rejection(FAR) == -1).all()
    assert RejectingClassifier(net, threshold=0.5).accepts(FAR).any()
    rejecting.set_params(threshold=-1e9)
    np.testing.assert_array_equal(rejecting.predict_with_rejection(FAR), net.predict(FAR))


@pytest.mark.parametrize(
    "classifier",
    [
        make_pipeline(StandardScaler(), NET),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), NET)),
        GridSearchCV(NET, {"init": ["sample", "kmeans"]}, cv=2),
    ],
    ids=["pipeline", "pipeline in a pipeline", "search"],
)
def test_threshold_comes_from_inside_pipelines_and_searches(classifier):
    rejecting = RejectingClassifier(classifier, method="score_samples").fit(X, Y)
    assert rejecting.threshold_ < 0
    assert 0 < rejecting.accepts(X).mean() < 1
    assert not rejecting.accepts(FAR).any()


def test_default_threshold_is_one_half():
    assert RejectingClassifier(NET).fit(X[Y > 0], Y[Y > 0]).accepts(X).all()
    rejecting = RejectingClassifier(NET).fit(X, Y)
    assert rejecting.threshold_ == 0.5


class NaNClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are NaN for the first half of rows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        probabilities = np.full((len(X), len(self.classes_)), np.nan)
        probabilities[len(X) // 2 :] = np.eye(len(self.classes_))[0]
        return probabilities

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_nan_confidence_is_rejected():
    rejecting = RejectingClassifier(NaNClassifier()).fit(X, Y)
    np.testing.assert_array_equal(rejecting.accepts(X), np.arange(150) >= 75)


# Labels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "reject_label", "expected", "kind"),
    [
        (np.array([0, 1, 2]), "auto", -1, "i"),
        (np.array([0, 1, 2], np.uint8), "auto", -1, "i"),
        (np.array([-1, 0, 1]), "auto", -2, "i"),
        (np.array([-2.0, 0.0, 1.0]), "auto", -3.0, "f"),
        (np.array(["a", "bb", "c"]), "auto", "reject", "U"),
        (np.array(["a", "bb", "c"], object), "auto", "reject", "UO"),
        (np.array([0, 1, 2]), 99_999, 99_999, "i"),
        (np.array([0, 1, 2]), "?", "?", "O"),
        (np.array([0, 1, 2]), None, None, "O"),
        (np.array([0, 1, 2]), 0.5, 0.5, "f"),
        (np.array([0, 1, 2**60 + 1]), 0.5, 0.5, "O"),
        (np.array(["a", "bb", "c"]), -1, -1, "O"),
        (np.array(["a", "bb", "c"]), "unsure", "unsure", "U"),
    ],
    ids=str,
)
def test_classes_and_reject_label_keep_their_values(classes, reject_label, expected, kind):
    y = classes[Y]
    rejecting = RejectingClassifier(GaussianNB(), threshold=0.99, reject_label=reject_label)
    labels = rejecting.fit(X, y).predict_with_rejection(X)
    accepted = rejecting.accepts(X)
    assert 0 < accepted.mean() < 1
    assert rejecting.reject_label_ == expected
    assert set(labels[~accepted].tolist()) == {expected}
    assert labels[accepted].tolist() == rejecting.estimator_.predict(X)[accepted].tolist()
    assert labels.dtype.kind in kind
    rejecting.set_params(threshold=0.0)
    assert rejecting.predict_with_rejection(X).dtype == labels.dtype
    np.testing.assert_array_equal(rejecting.classes_, classes)


def test_bool_classes_become_numbers_with_a_reject_label():
    y = Y == 2
    rejecting = RejectingClassifier(GaussianNB(), threshold=0.99).fit(X, y)
    labels = rejecting.predict_with_rejection(X)
    assert set(labels.tolist()) == {-1, 0, 1}
    assert accuracy_score(y, labels) < 1


def test_reject_label_may_be_nan():
    rejecting = RejectingClassifier(GaussianNB(), threshold=0.99, reject_label=np.nan).fit(X, Y)
    labels = rejecting.predict_with_rejection(X)
    np.testing.assert_array_equal(np.isnan(labels), ~rejecting.accepts(X))


@pytest.mark.parametrize(
    ("y", "label"), [(Y, 2), (Y, 2.0), (np.array(["a", "b", "reject"])[Y], "auto")]
)
def test_reject_label_must_not_be_a_class(y, label):
    rejecting = RejectingClassifier(GaussianNB(), reject_label=label)
    with pytest.raises(ValueError, match=r"'reject_label' .* not be one of .*, \[.*\]; got "):
        rejecting.fit(X, y)
    assert not hasattr(rejecting, "estimator_")


def test_reject_label_must_be_a_scalar():
    with pytest.raises(ValueError, match=r"'reject_label' .* got \[-1\]"):
        RejectingClassifier(GaussianNB(), reject_label=[-1]).fit(X, Y)


# The wrapped classifier ---------------------------------------------------------------------------


def test_fitted_and_frozen_classifiers_are_used_unchanged(net):
    rejecting = RejectingClassifier(net, threshold=0.9)
    check_is_fitted(rejecting)
    assert not hasattr(rejecting, "estimator_")
    assert rejecting.n_features_in_ == 4
    frozen = RejectingClassifier(FrozenEstimator(net), threshold=0.9).fit(X[:3], Y[:3])
    labels = rejecting.predict_with_rejection(X)
    np.testing.assert_array_equal(frozen.predict_with_rejection(X), labels)
    by_score = RejectingClassifier(FrozenEstimator(net), method="score_samples").fit(X, Y)
    assert by_score.threshold_ == net.novelty_threshold_


def test_fit_does_not_change_the_estimator():
    classifier = clone(NET)
    RejectingClassifier(classifier).fit(X, Y)
    assert not hasattr(classifier, "centroids_")


def test_other_methods_are_delegated(net):
    rejecting = RejectingClassifier(NET).fit(X, Y)
    for method in ("predict_proba", "predict_log_proba", "decision_function", "score_samples"):
        np.testing.assert_array_equal(getattr(rejecting, method)(X), getattr(net, method)(X))
    assert not hasattr(RejectingClassifier(GaussianNB()), "decision_function")
    assert not hasattr(RejectingClassifier(GaussianNB()), "score_samples")
    assert not hasattr(RejectingClassifier(LinearSVC()), "predict_proba")


def test_feature_names_are_of_the_last_fit():
    frame, y = load_iris(return_X_y=True, as_frame=True)
    rejecting = RejectingClassifier(NET).fit(frame, y)
    assert rejecting.feature_names_in_.tolist() == frame.columns.tolist()
    assert not hasattr(rejecting.fit(X, Y), "feature_names_in_")


@pytest.mark.parametrize("routing", [False, True])
def test_fit_parameters_reach_the_wrapped_classifier(routing):
    weights = np.where(Y == 0, 1.0, 0.1)
    params = {"sample_weight": weights, "X_val": X[::5], "y_val": Y[::5]}
    expected = clone(NET).fit(X, Y, **params)
    with sklearn.config_context(enable_metadata_routing=routing):
        classifier = clone(NET)
        if routing:
            classifier.set_fit_request(**dict.fromkeys(params, True))
        rejecting = RejectingClassifier(classifier).fit(X, Y, **params)
        if routing:
            # Before scikit-learn 1.8 a search needs a request for `score`, too.
            rejecting.set_score_request(sample_weight=False)
            grid = GridSearchCV(rejecting, {"threshold": [0.5, 0.9]}, cv=2)
            grid.fit(X, Y, sample_weight=weights, X_val=X[::5], y_val=Y[::5])
    np.testing.assert_array_equal(rejecting.predict_proba(X), expected.predict_proba(X))
    assert len(rejecting.estimator_.validation_scores_) == 20


def test_routing_rejects_metadata_that_is_not_requested():
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(ValueError, match="sample_weight"),
    ):
        RejectingClassifier(clone(NET)).fit(X, Y, sample_weight=np.ones(150))


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "decision_function"}, r"'method' .*\['predict_proba', 'score_samples'\]; got"),
        ({"method": np.array(["predict_proba"] * 2)}, r"'method' .*; got array"),
        ({"threshold": 1.5}, r"'threshold' .*\['auto'\] or a float in \[0, 1\]; got 1.5"),
        ({"threshold": float("nan")}, r"'threshold' .* got nan"),
        ({"threshold": None}, r"'threshold' .* got None"),
        ({"method": "score_samples", "threshold": "low"}, r"'threshold' .* got 'low'"),
    ],
)
def test_invalid_parameters_raise_and_change_nothing(options, message):
    rejecting = RejectingClassifier(NET).fit(X, Y)
    before = rejecting.estimator_
    rejecting.set_params(**options)
    with pytest.raises(ValueError, match=message):
        rejecting.fit(X, Y)
    for method in ("predict", "predict_with_rejection", "accepts"):
        with pytest.raises(ValueError, match=message):
            getattr(rejecting, method)(X)
    assert rejecting.estimator_ is before


@pytest.mark.parametrize(
    ("classifier", "method", "missing"),
    [
        (RidgeClassifier(), "predict_proba", "RidgeClassifier has none"),
        (GaussianNB(), "score_samples", "GaussianNB has none"),
        (clone(NET).set_params(activation="relu"), "score_samples", "needs a distance layer"),
    ],
    ids=str,
)
def test_classifier_must_have_the_method(classifier, method, missing):
    with pytest.raises(AttributeError, match=rf"method='{method}' needs .*{missing}"):
        RejectingClassifier(classifier, method=method).fit(X, Y)


@pytest.mark.parametrize(
    "classifier",
    [DistanceNetRegressor(), IsolationForest(), KMeans(), GaussianNB, None, "net"],
    ids=str,
)
def test_estimator_must_be_a_classifier(classifier):
    with pytest.raises(TypeError, match=r"'estimator' .* must be a classifier; got "):
        RejectingClassifier(classifier).fit(X, Y)


@pytest.mark.parametrize(
    "y", [np.column_stack([Y == 0, Y < 2]).astype(int), np.column_stack([Y, Y]), X[:, 0] / 7]
)
def test_fit_requires_one_class_per_row(y):
    with pytest.raises(ValueError, match="Unknown label type"):
        RejectingClassifier(NET).fit(X, y)


def test_fitted_multi_output_classifiers_raise():
    several = clone(NET).fit(X, np.column_stack([Y, Y]))
    for method in ("predict", "predict_with_rejection", "accepts"):
        with pytest.raises(ValueError, match=r"one label for each row; .* to 2 labels per row"):
            getattr(RejectingClassifier(several), method)(X)


class Scoring(GaussianNB):
    """A classifier with scores, but without a novelty threshold."""

    def score_samples(self, X):
        return -np.abs(X).max(axis=1)


def test_threshold_is_required_without_novelty_threshold():
    rejecting = RejectingClassifier(Scoring(), method="score_samples")
    with pytest.raises(ValueError, match=r"'threshold' .* float .*Scoring.*novelty_threshold_"):
        rejecting.fit(X, Y)
    rejecting.set_params(threshold=-6.0).fit(X, Y)
    np.testing.assert_array_equal(rejecting.accepts(X), np.abs(X).max(axis=1) <= 6.0)


@pytest.mark.parametrize(
    "method", ["predict", "predict_with_rejection", "accepts", "predict_proba"]
)
def test_methods_raise_before_the_fit(method):
    rejecting = RejectingClassifier(NET)
    with pytest.raises(NotFittedError):
        getattr(rejecting, method)(X)
    for name in ("classes_", "threshold_", "reject_label_", "n_features_in_"):
        assert not hasattr(rejecting, name)


def test_threshold_requires_fit_after_partial_fit():
    X, y = load_iris(return_X_y=True)
    net = DistanceNetClassifier(5).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError, match=r"novelty_threshold_ of .* partial_fit"):
        RejectingClassifier(net, method="score_samples").accepts(X)
