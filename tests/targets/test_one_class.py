"""With rows of one class, the classifier predicts it and everything else works as usual."""

import pickle

import numpy as np
import pytest
import skops.io
from interrupted_fits import checkpoint_every
from sklearn.datasets import load_wine
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier

from skdistnet import DistanceNetClassifier, RejectingClassifier
from skdistnet.inspection import gradient_flow, prototypes, prune, unit_report

X, Y = load_wine(return_X_y=True)
SAME = np.full(len(X), "same")
SMALL = {"hidden_layer_sizes": (8, 6), "max_iter": 4, "random_state": 0}
FAR = X + 100.0 * X.std(axis=0)


def fitted(y=SAME, **options):
    return DistanceNetClassifier(**SMALL | options).fit(X, y)


def assert_predicts(net, label, rows=X):
    n_rows = len(rows)
    predicted, decisions = net.predict(rows), net.decision_function(rows)
    assert net.classes_.tolist() == [label]
    assert predicted.dtype == net.classes_.dtype
    assert (predicted == label).all()
    np.testing.assert_array_equal(net.predict_proba(rows), np.ones((n_rows, 1)))
    np.testing.assert_array_equal(net.predict_log_proba(rows), np.zeros((n_rows, 1)))
    assert decisions.shape == (n_rows, 1)
    assert np.isfinite(decisions).all()
    assert net.score(rows, np.full(n_rows, label)) == 1.0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"output_layer": "linear"},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (), "output_layer": "linear"},
        {"hidden_layer_sizes": (8,) * 4},
        {"activation": "relu"},
        {"radius_type": "tied"},
        {"init": "uniform"},
        {"init_median_activation": None},
        {"solver": "sgd"},
        {"solver": "adam", "learning_rate": "adaptive"},
        {"alpha": 0.1},
        {"label_smoothing": 0.5},
        {"n_init": 2},
        {"early_stopping": True},
        {"early_stopping": True, "scoring": "accuracy"},
        {"class_weight": "balanced"},
        {"class_weight": {"same": 2.0, "other": 3.0}},
        {"dtype": "float32"},
    ],
    ids=str,
)
def test_one_class_is_predicted_under_any_parameters(options):
    net = fitted(**options)
    assert_predicts(net, "same")
    assert_predicts(net, "same", FAR)
    assert net.loss_curve_ == [0.0] * 4


@pytest.mark.parametrize("label", [True, False, 0, 1, -3, 2.0, "word", ""])
def test_single_label_keeps_its_type(label):
    assert_predicts(fitted(np.full(len(X), label)), label)


def test_smoothing_of_one_class_changes_nothing():
    smoothed, plain = fitted(label_smoothing=0.9), fitted(label_smoothing=0.0)
    np.testing.assert_array_equal(smoothed._theta_, plain._theta_)


def test_novelty_is_detected_with_one_class():
    net = fitted()
    assert 0.9 < (net.score_samples(X) >= net.novelty_threshold_).mean() < 1.0
    assert (net.score_samples(FAR) < net.novelty_threshold_).all()


def test_one_class_can_be_inspected():
    net = fitted()
    assert net.feature_relevances_.sum() == pytest.approx(1.0)
    assert net.transform(X).shape == (len(X), 6)
    np.testing.assert_array_equal(gradient_flow(net, X, SAME).gradient_norm, 0.0)
    np.testing.assert_array_equal(prototypes(net, X).output, 0)
    assert len(unit_report(net, X).unit) == 14
    pruned, score = prune(net, X, SAME)
    assert score == 1.0
    assert_predicts(pruned, "same")


def test_one_class_is_saved_and_loaded():
    net = fitted()
    assert_predicts(pickle.loads(pickle.dumps(net)), "same")
    saved = skops.io.dumps(net)
    trusted = skops.io.get_untrusted_types(data=saved)
    assert_predicts(skops.io.loads(saved, trusted=trusted), "same")


def test_one_class_continues_under_warm_start():
    net = fitted(warm_start=True).fit(X, SAME)
    assert net.n_iter_ == 8
    assert_predicts(net, "same")
    with pytest.raises(ValueError, match=r"only the known classes, \['same'\]; got \['new'\]"):
        net.fit(X, np.where(Y == 0, "new", "same"))
    assert_predicts(net, "same")


def test_partial_fit_accepts_one_class():
    net = DistanceNetClassifier(**SMALL).partial_fit(X[:9], SAME[:9], classes=["same"])
    assert_predicts(net.partial_fit(X, SAME), "same")


def test_validation_set_must_have_the_same_class():
    net = DistanceNetClassifier(**SMALL).fit(X[9:], SAME[9:], X_val=X[:9], y_val=SAME[:9])
    assert net.validation_scores_ == [1.0] * 4
    with pytest.raises(ValueError, match=r"In the validation set .* got \['new'\] too"):
        net.fit(X, SAME, X_val=X[:9], y_val=np.full(9, "new"))


def test_checkpoints_work_with_one_class(tmp_path):
    with checkpoint_every(1):
        net = fitted(checkpoint=tmp_path)
    assert_predicts(net, "same")
    assert not list(tmp_path.iterdir())


# Several outputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("output_layer", ["distance", "linear"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_columns_of_one_label_each_are_predicted(output_layer, early_stopping):
    y = np.column_stack([SAME, np.full(len(X), "more")])
    net = fitted(y, output_layer=output_layer, early_stopping=early_stopping)
    np.testing.assert_array_equal(net.predict(FAR), y)
    for outputs, value in ((net.predict_proba(X), 1.0), (net.predict_log_proba(X), 0.0)):
        np.testing.assert_array_equal(outputs, np.full((2, len(X), 1), value))
    assert [each.shape for each in net.decision_function(X)] == [(len(X), 1)] * 2


@pytest.mark.parametrize("value", [0, 1])
def test_constant_indicator_columns_are_predicted(value):
    y = np.full((len(X), 2), value)
    net = fitted(y)
    np.testing.assert_array_equal(net.predict(X), y)
    assert net.predict_proba(X).shape == y.shape


# With other tools of scikit-learn -----------------------------------------------------------------


def test_bags_may_hold_one_class():
    rare = Y * (np.arange(len(Y)) % 9 == 0) == 2
    bags = BaggingClassifier(DistanceNetClassifier(**SMALL), 12, max_samples=9, random_state=0)
    bags.fit(X, rare)
    # Bags are indices or zero weights, depending on scikit-learn's version.
    assert min(len(np.unique(net.predict(X))) for net in bags.estimators_) == 1
    assert bags.score(X, rare) > 0.9


@pytest.mark.parametrize("wrap", [ClassifierChain, MultiOutputClassifier, OneVsRestClassifier])
def test_wrappers_may_fit_columns_of_one_class(wrap):
    y = np.column_stack([Y == 0, np.ones(len(Y)), np.zeros(len(Y))]).astype(int)
    if wrap is OneVsRestClassifier:
        y = y[:, 0]  # it handles constant columns itself, with a warning
    net = wrap(DistanceNetClassifier(**SMALL | {"max_iter": 20})).fit(X, y)
    assert (net.predict(X) == y).mean() > 0.9


def test_folds_may_hold_one_class():
    grid = {"early_stopping": [False, True]}
    search = GridSearchCV(DistanceNetClassifier(**SMALL), grid, cv=KFold(3), error_score="raise")
    search.fit(X[Y > 0], Y[Y > 0])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_rejection_accepts_a_net_of_one_class():
    net = RejectingClassifier(DistanceNetClassifier(**SMALL)).fit(X, SAME)
    assert set(net.predict(X)) == {"same"}


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [[], [[], [1]]])
def test_empty_classes_are_refused(classes):
    y = np.column_stack([Y, Y]) if classes else Y
    net = DistanceNetClassifier(**SMALL)
    with pytest.raises(ValueError, match=r"'classes' must hold at least one label; got \["):
        net.partial_fit(X, y, classes=classes)
    assert vars(net) == vars(DistanceNetClassifier(**SMALL))


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        DistanceNetClassifier(**SMALL).fit(X[:0], Y[:0])
