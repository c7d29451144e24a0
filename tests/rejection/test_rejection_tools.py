"""In scikit-learn's tools a RejectingClassifier equals the wrapped classifier."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skdistnet import RejectingClassifier

X, Y = load_iris(return_X_y=True)
X = X[:, :2]
NAMES = np.array(["setosa", "versicolor", "virginica"])
PLAIN = LogisticRegression()
REJECTING = RejectingClassifier(PLAIN, threshold=0.9)
LABELS = np.column_stack([Y == 0, Y < 2]).astype(int)


@pytest.fixture
def rejecting():
    model = RejectingClassifier(PLAIN, threshold=0.9).fit(X, NAMES[Y])
    assert 0 < model.accepts(X).mean() < 1
    return model


# Methods ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes",
    [np.array([3, 5, 9], np.uint8), np.array([0.0, 1.0, 2.0]), NAMES, NAMES.astype(object)],
    ids=["uint8", "float", "str", "object"],
)
def test_predict_returns_classes_in_their_dtype(classes):
    y = classes[Y]
    model = RejectingClassifier(PLAIN, threshold=1.0).fit(X, y)
    labels = model.predict(X)
    assert not model.accepts(X).any()
    assert labels.dtype == model.classes_.dtype == classes.dtype
    np.testing.assert_array_equal(labels, model.estimator_.predict(X))


class ListedLabels(GaussianNB):
    """A classifier that returns lists."""

    def predict(self, X):
        return super().predict(X).tolist()

    def predict_proba(self, X):
        return super().predict_proba(X).tolist()


def test_lists_of_a_classifier_become_arrays():
    y = np.array(["a name that no row has", "setosa", "versicolor"])[np.minimum(Y + 1, 2)]
    y[0] = "a name that no row has"
    model = RejectingClassifier(ListedLabels(), threshold=0.9).fit(X, y)
    rows = X[50:]
    labels, accepted = model.predict(rows), model.accepts(rows)
    assert set(labels.tolist()) <= {"setosa", "versicolor"}
    assert labels.dtype == model.classes_.dtype
    np.testing.assert_array_equal(
        model.predict_with_rejection(rows), np.where(accepted, labels, "reject")
    )


def test_rejections_do_not_change_the_score(rejecting):
    weights = np.arange(150.0)
    expected = accuracy_score(NAMES[Y], rejecting.estimator_.predict(X), sample_weight=weights)
    assert rejecting.score(X, NAMES[Y], weights) == expected


class Counting(ClassifierMixin, BaseEstimator):
    """A classifier that counts the calls of its methods."""

    def fit(self, X, y):
        self.classes_, self.calls_ = np.unique(y), []
        return self

    def predict(self, X):
        self.calls_.append("predict")
        return self.classes_[np.zeros(len(X), int)]

    def predict_proba(self, X):
        self.calls_.append("predict_proba")
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def score_samples(self, X):
        self.calls_.append("score_samples")
        return np.zeros(len(X))


def test_each_wrapped_method_is_called_once():
    model = RejectingClassifier(Counting(), threshold=0.5).fit(X, Y)
    calls = model.estimator_.calls_
    assert (model.predict_with_rejection(X) == -1).all()
    assert sorted(calls) == ["predict", "predict_proba"]
    calls.clear()
    model.set_params(method="score_samples").predict_with_rejection(X)
    assert sorted(calls) == ["predict", "score_samples"]
    calls.clear()
    assert not model.accepts(X).any()
    assert calls == ["score_samples"]
    calls.clear()
    model.predict(X)
    assert calls == ["predict"]


class Score(GaussianNB):
    """A classifier whose scores are the first feature, in a dtype."""

    def __init__(self, dtype="float64"):
        super().__init__()
        self.dtype = dtype

    def score_samples(self, X):
        return X[:, 0].astype(self.dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int64", "object"])
def test_scores_of_any_dtype_are_compared_exactly(dtype):
    first = np.arange(150.0)
    column = np.column_stack([first, X[:, 0]])
    model = RejectingClassifier(Score(dtype), method="score_samples").set_params(threshold=-1)
    assert model.fit(column, Y).accepts(column).all()
    # Rounded to float16 or float32, this threshold would be 100.
    model.set_params(threshold=float(np.nextafter(100.0, 200.0)))
    np.testing.assert_array_equal(model.accepts(column), first > 100)


def test_reject_label_set_to_a_class_raises():
    model = RejectingClassifier(PLAIN, threshold=0.9).fit(X, Y)
    model.set_params(reject_label=1)
    with pytest.raises(ValueError, match="must not be one of the classes"):
        model.predict_with_rejection(X)
    assert set(model.predict(X).tolist()) == {0, 1, 2}
    assert 0 < model.accepts(X).mean() < 1


@pytest.mark.parametrize(("name", "label"), [(7, -1), ("only", "reject"), (-4, -5)])
@pytest.mark.parametrize(
    "classifier", [DummyClassifier(), DecisionTreeClassifier(), GaussianNB()], ids=str
)
def test_a_single_class_can_be_rejected(classifier, name, label):
    y = np.full(150, name)
    model = RejectingClassifier(classifier).fit(X, y)
    assert model.classes_.tolist() == [name]
    assert model.predict_proba(X).shape == (150, 1)
    np.testing.assert_array_equal(model.predict(X), y)
    np.testing.assert_array_equal(model.predict_with_rejection(X), y)
    assert model.reject_label_ == label
    assert model.score(X, y) == 1.0
    uncertain = RejectingClassifier(Counting(), method="score_samples", threshold=1.0).fit(X, y)
    assert not uncertain.accepts(X).any()
    assert set(uncertain.predict_with_rejection(X).tolist()) == {label}
    assert set(uncertain.predict(X).tolist()) == {name}


def test_classification_report_has_only_classes(rejecting):
    report = classification_report(NAMES[Y], rejecting.predict(X), output_dict=True)
    assert report["accuracy"] == rejecting.score(X, NAMES[Y])
    assert "reject" not in report


# Meta-estimators ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one: VotingClassifier([("a", one), ("b", one)], voting="hard"),
        lambda one: VotingClassifier([("a", one), ("b", one)], voting="soft"),
        lambda one: StackingClassifier([("a", one)], LogisticRegression(), stack_method="predict"),
        lambda one: StackingClassifier([("a", one)], cv=3),
        lambda one: BaggingClassifier(one, 3, random_state=0),
        lambda one: OneVsRestClassifier(one),
        lambda one: CalibratedClassifierCV(one, cv=3),
        lambda one: GridSearchCV(one, {}, cv=3),
    ],
    ids=["hard vote", "soft vote", "stack", "stack proba", "bag", "rest", "calibrated", "search"],
)
def test_ensembles_equal_those_of_the_wrapped_classifier(wrap):
    ensemble, plain = wrap(REJECTING).fit(X, NAMES[Y]), wrap(PLAIN).fit(X, NAMES[Y])
    np.testing.assert_array_equal(ensemble.predict(X), plain.predict(X))
    assert set(ensemble.predict(X).tolist()) <= set(NAMES.tolist())


@pytest.mark.parametrize("kind", [MultiOutputClassifier, ClassifierChain])
def test_multi_output_equals_that_of_the_wrapped(kind):
    plain = kind(PLAIN).fit(X, LABELS)
    np.testing.assert_array_equal(kind(REJECTING).fit(X, LABELS).predict(X), plain.predict(X))


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_cross_val_predict_equals_that_of_the_wrapped(method):
    expected = cross_val_predict(PLAIN, X, NAMES[Y], cv=3, method=method)
    predicted = cross_val_predict(REJECTING, X, NAMES[Y], cv=3, method=method)
    np.testing.assert_array_equal(predicted, expected)
    assert predicted.dtype == expected.dtype


def reward(estimator, X, y):
    """Return 1 for a correct prediction, 0.8 for a rejection, 0 for an error: Chow's 0.8."""
    labels = estimator.predict_with_rejection(X)
    return np.mean(np.where(labels == estimator.reject_label_, 0.8, labels == y))


def test_a_scorer_weighs_rejections_against_errors():
    X, y = load_wine(return_X_y=True)
    rejecting = RejectingClassifier(GaussianNB())
    grid = {"threshold": [0.0, 0.8, 1.0], "estimator__var_smoothing": [1e-4]}
    search = GridSearchCV(rejecting, grid, scoring=reward, cv=3).fit(X, y)
    assert search.best_params_["threshold"] == 0.8
    plain = GridSearchCV(rejecting, grid, cv=3).fit(X, y)
    assert np.ptp(plain.cv_results_["mean_test_score"]) == 0.0
    assert cross_val_score(rejecting, X, y, cv=3).min() > 0.8
