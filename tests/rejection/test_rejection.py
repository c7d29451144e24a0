"""Which rows a RejectingClassifier rejects, their label, and what it refuses."""

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


@pytest.mark.parametrize("inside", [NET, GaussianNB(), LogisticRegression(max_iter=1000)], ids=str)
@pytest.mark.parametrize("threshold", [0.0, 0.8, 0.97, 1.0])
def test_rows_of_a_small_top_probability_are_rejected_and_no_others(inside, threshold):
    rejecting = RejectingClassifier(inside, threshold=threshold).fit(X, Y)
    alone = clone(inside).fit(X, Y)
    accepted = alone.predict_proba(X).max(axis=1) >= threshold
    np.testing.assert_array_equal(rejecting.accepts(X), accepted)
    expected = np.where(accepted, alone.predict(X), -1)
    np.testing.assert_array_equal(rejecting.predict_with_rejection(X), expected)
    assert accepted.all() == (threshold == 0.0)


def test_of_a_classifier_with_a_cut_of_its_own_the_class_it_answers_is_to_be_probable():
    cut = FixedThresholdClassifier(GaussianNB(), threshold=0.1, response_method="predict_proba")
    y = np.where(Y == 0, "b", "a")
    y[::7] = "a"
    rejecting = RejectingClassifier(cut, threshold=0.8).fit(X[:, :1], y)
    inside = rejecting.estimator_
    answers, probable = inside.predict(X[:, :1]), inside.predict_proba(X[:, :1])
    of_answer = np.where(answers == "a", probable[:, 0], probable[:, 1])
    assert ((of_answer < 0.2) & (probable.max(axis=1) >= 0.8)).any()
    np.testing.assert_array_equal(rejecting.accepts(X[:, :1]), of_answer >= 0.8)


def test_a_probability_at_the_threshold_is_answered(net):
    top = net.predict_proba(X).max(axis=1)
    rejecting = RejectingClassifier(net, threshold=float(top[100]))
    assert rejecting.accepts(X)[100]
    rejecting.set_params(threshold=float(np.nextafter(top[100], 1)))
    assert not rejecting.accepts(X)[100]


def test_what_is_novel_is_rejected_below_the_threshold_of_the_net(net):
    rejecting = RejectingClassifier(NET, method="score_samples").fit(X, Y)
    assert rejecting.threshold_ == net.novelty_threshold_
    known = net.score_samples(X) >= net.novelty_threshold_
    np.testing.assert_array_equal(rejecting.accepts(X), known)
    assert (rejecting.predict_with_rejection(FAR) == -1).all()
    assert RejectingClassifier(net, threshold=0.5).accepts(FAR).any()
    rejecting.set_params(threshold=-1e9)
    np.testing.assert_array_equal(rejecting.predict_with_rejection(FAR), net.predict(FAR))


@pytest.mark.parametrize(
    "inside",
    [
        make_pipeline(StandardScaler(), NET),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), NET)),
        GridSearchCV(NET, {"init": ["sample", "kmeans"]}, cv=2),
    ],
    ids=["pipeline", "pipeline in a pipeline", "search"],
)
def test_the_threshold_is_found_inside_pipelines_and_searches(inside):
    rejecting = RejectingClassifier(inside, method="score_samples").fit(X, Y)
    assert rejecting.threshold_ < 0
    assert 0 < rejecting.accepts(X).mean() < 1
    assert not rejecting.accepts(FAR).any()


def test_the_default_answers_whatever_is_more_probable_than_not():
    assert RejectingClassifier(NET).fit(X[Y > 0], Y[Y > 0]).accepts(X).all()
    rejecting = RejectingClassifier(NET).fit(X, Y)
    assert rejecting.threshold_ == 0.5


class NotANumber(ClassifierMixin, BaseEstimator):
    """Its probabilities of the first half of rows are missing."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        probabilities = np.full((len(X), len(self.classes_)), np.nan)
        probabilities[len(X) // 2 :] = np.eye(len(self.classes_))[0]
        return probabilities

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_a_certainty_that_is_not_a_number_is_rejected():
    rejecting = RejectingClassifier(NotANumber()).fit(X, Y)
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
        (np.array(["a", "bb", "c"]), "do not know", "do not know", "U"),
    ],
    ids=str,
)
def test_labels_keep_what_they_are_beside_the_one_of_rejected_rows(
    classes, reject_label, expected, kind
):
    y = classes[Y]
    rejecting = RejectingClassifier(GaussianNB(), threshold=0.99, reject_label=reject_label)
    answers = rejecting.fit(X, y).predict_with_rejection(X)
    accepted = rejecting.accepts(X)
    assert 0 < accepted.mean() < 1
    assert rejecting.reject_label_ == expected
    assert set(answers[~accepted].tolist()) == {expected}
    assert answers[accepted].tolist() == rejecting.estimator_.predict(X)[accepted].tolist()
    assert answers.dtype.kind in kind
    rejecting.set_params(threshold=0.0)
    assert rejecting.predict_with_rejection(X).dtype == answers.dtype
    np.testing.assert_array_equal(rejecting.classes_, classes)


def test_two_truth_values_become_numbers():
    y = Y == 2
    rejecting = RejectingClassifier(GaussianNB(), threshold=0.99).fit(X, y)
    answers = rejecting.predict_with_rejection(X)
    assert set(answers.tolist()) == {-1, 0, 1}
    assert accuracy_score(y, answers) < 1


def test_not_a_number_marks_the_rejected_rows_of_float_labels():
    rejecting = RejectingClassifier(GaussianNB(), threshold=0.99, reject_label=np.nan).fit(X, Y)
    labels = rejecting.predict_with_rejection(X)
    np.testing.assert_array_equal(np.isnan(labels), ~rejecting.accepts(X))


@pytest.mark.parametrize(
    ("y", "label"), [(Y, 2), (Y, 2.0), (np.array(["a", "b", "reject"])[Y], "auto")]
)
def test_a_label_that_is_a_class_is_refused(y, label):
    rejecting = RejectingClassifier(GaussianNB(), reject_label=label)
    with pytest.raises(ValueError, match=r"'reject_label' .* not be one of .*, \[.*\]; got "):
        rejecting.fit(X, y)
    assert not hasattr(rejecting, "estimator_")


def test_a_label_that_is_an_array_is_refused():
    with pytest.raises(ValueError, match=r"'reject_label' .* got \[-1\]"):
        RejectingClassifier(GaussianNB(), reject_label=[-1]).fit(X, Y)


# The wrapped classifier ---------------------------------------------------------------------------


def test_a_fitted_classifier_needs_no_fit_and_a_frozen_one_keeps_its_own(net):
    rejecting = RejectingClassifier(net, threshold=0.9)
    check_is_fitted(rejecting)
    assert not hasattr(rejecting, "estimator_")
    assert rejecting.n_features_in_ == 4
    frozen = RejectingClassifier(FrozenEstimator(net), threshold=0.9).fit(X[:3], Y[:3])
    labels = rejecting.predict_with_rejection(X)
    np.testing.assert_array_equal(frozen.predict_with_rejection(X), labels)
    by_score = RejectingClassifier(FrozenEstimator(net), method="score_samples").fit(X, Y)
    assert by_score.threshold_ == net.novelty_threshold_


def test_the_estimator_given_is_not_touched():
    inside = clone(NET)
    RejectingClassifier(inside).fit(X, Y)
    assert not hasattr(inside, "centroids_")


def test_other_methods_are_those_of_the_classifier_inside(net):
    rejecting = RejectingClassifier(NET).fit(X, Y)
    for method in ("predict_proba", "predict_log_proba", "decision_function", "score_samples"):
        np.testing.assert_array_equal(getattr(rejecting, method)(X), getattr(net, method)(X))
    assert not hasattr(RejectingClassifier(GaussianNB()), "decision_function")
    assert not hasattr(RejectingClassifier(GaussianNB()), "score_samples")
    assert not hasattr(RejectingClassifier(LinearSVC()), "predict_proba")


def test_names_of_features_are_those_of_the_last_fit():
    frame, y = load_iris(return_X_y=True, as_frame=True)
    rejecting = RejectingClassifier(NET).fit(frame, y)
    assert rejecting.feature_names_in_.tolist() == frame.columns.tolist()
    assert not hasattr(rejecting.fit(X, Y), "feature_names_in_")


@pytest.mark.parametrize("routing", [False, True])
def test_weights_and_a_validation_set_reach_the_classifier_inside(routing):
    weights = np.where(Y == 0, 1.0, 0.1)
    given = {"sample_weight": weights, "X_val": X[::5], "y_val": Y[::5]}
    expected = clone(NET).fit(X, Y, **given)
    with sklearn.config_context(enable_metadata_routing=routing):
        inside = clone(NET)
        if routing:
            inside.set_fit_request(**dict.fromkeys(given, True))
        rejecting = RejectingClassifier(inside).fit(X, Y, **given)
        if routing:
            # Before scikit-learn 1.8 a search asks where weights go in `score`, too.
            rejecting.set_score_request(sample_weight=False)
            grid = GridSearchCV(rejecting, {"threshold": [0.5, 0.9]}, cv=2)
            grid.fit(X, Y, sample_weight=weights, X_val=X[::5], y_val=Y[::5])
    np.testing.assert_array_equal(rejecting.predict_proba(X), expected.predict_proba(X))
    assert len(rejecting.estimator_.validation_scores_) == 20


def test_metadata_that_were_not_asked_for_are_refused_under_routing():
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(ValueError, match="sample_weight"),
    ):
        RejectingClassifier(clone(NET)).fit(X, Y, sample_weight=np.ones(150))


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "decision_function"}, r"'method' .*\['predict_proba', 'score_samples'\]; got"),
        ({"threshold": 1.5}, r"'threshold' .*\['auto'\] or a float in \[0, 1\]; got 1.5"),
        ({"threshold": float("nan")}, r"'threshold' .* got nan"),
        ({"threshold": None}, r"'threshold' .* got None"),
        ({"method": "score_samples", "threshold": "low"}, r"'threshold' .* got 'low'"),
    ],
)
def test_parameters_out_of_their_range_are_refused_and_nothing_changes(options, message):
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
    ("inside", "method", "missing"),
    [
        (RidgeClassifier(), "predict_proba", "RidgeClassifier has none"),
        (GaussianNB(), "score_samples", "GaussianNB has none"),
        (clone(NET).set_params(activation="relu"), "score_samples", "needs a distance layer"),
    ],
    ids=str,
)
def test_a_classifier_without_the_method_is_refused(inside, method, missing):
    with pytest.raises(AttributeError, match=rf"method='{method}' needs .*{missing}"):
        RejectingClassifier(inside, method=method).fit(X, Y)


@pytest.mark.parametrize(
    "inside",
    [DistanceNetRegressor(), IsolationForest(), KMeans(), GaussianNB, None, "net"],
    ids=str,
)
def test_what_is_no_classifier_is_refused(inside):
    with pytest.raises(TypeError, match=r"'estimator' .* must be a classifier; got "):
        RejectingClassifier(inside).fit(X, Y)


@pytest.mark.parametrize(
    "y", [np.column_stack([Y == 0, Y < 2]).astype(int), np.column_stack([Y, Y]), X[:, 0] / 7]
)
def test_several_labels_a_row_and_numbers_are_refused(y):
    with pytest.raises(ValueError, match="Unknown label type"):
        RejectingClassifier(NET).fit(X, y)


def test_a_net_of_several_outputs_that_is_fitted_already_is_refused():
    several = clone(NET).fit(X, np.column_stack([Y, Y]))
    for method in ("predict", "predict_with_rejection", "accepts"):
        with pytest.raises(ValueError, match=r"one label for each row; .* to 2 labels per row"):
            getattr(RejectingClassifier(several), method)(X)


class Scoring(GaussianNB):
    """A classifier of another package that has scores, but no threshold."""

    def score_samples(self, X):
        return -np.abs(X).max(axis=1)


def test_scores_without_a_threshold_need_one():
    rejecting = RejectingClassifier(Scoring(), method="score_samples")
    with pytest.raises(ValueError, match=r"'threshold' .* float .*Scoring.*novelty_threshold_"):
        rejecting.fit(X, Y)
    rejecting.set_params(threshold=-6.0).fit(X, Y)
    np.testing.assert_array_equal(rejecting.accepts(X), np.abs(X).max(axis=1) <= 6.0)


@pytest.mark.parametrize(
    "method", ["predict", "predict_with_rejection", "accepts", "predict_proba"]
)
def test_nothing_is_answered_before_the_fit(method):
    rejecting = RejectingClassifier(NET)
    with pytest.raises(NotFittedError):
        getattr(rejecting, method)(X)
    for name in ("classes_", "threshold_", "reject_label_", "n_features_in_"):
        assert not hasattr(rejecting, name)


def test_a_net_that_was_partially_fitted_says_that_it_has_no_threshold_yet():
    X, y = load_iris(return_X_y=True)
    net = DistanceNetClassifier(5).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError, match=r"novelty_threshold_ of .* partial_fit"):
        RejectingClassifier(net, method="score_samples").accepts(X)
