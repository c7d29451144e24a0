"""Several labels per row: indicator matrices, and columns of labels with their own classes."""

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix
from sklearn.datasets import load_wine, make_multilabel_classification
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.utils import get_tags

from skdistnet import DistanceNetClassifier
from skdistnet._base import training as _fitting
from skdistnet._targets.labels import KINDS
from skdistnet.engine.network import OUTPUT_LAYERS
from skdistnet.engine.training import loop as training
from skdistnet.inspection import gradient_flow

X, WINE_Y = load_wine(return_X_y=True)
LABELS = np.column_stack([WINE_Y == 0, WINE_Y < 2, X[:, 0] > 13, X[:, 9] > 5]).astype(int)
COLUMNS = np.column_stack(
    [np.array(["red", "rosé", "white"])[WINE_Y], np.where(X[:, 0] > 13, "strong", "light")]
)
SMALL = {"hidden_layer_sizes": (8, 8), "max_iter": 5, "random_state": 0, "batch_size": 50}
TARGETS = {"single-output": WINE_Y, "multilabel": LABELS, "multi-output": COLUMNS}
MANY = {kind: y for kind, y in TARGETS.items() if y.ndim == 2}
CLASSES = {
    "single-output": [2, 1, 0],
    "multilabel": range(4),
    "multi-output": [["white", "red", "rosé"], ["strong", "light"]],
}
FOLDS = KFold(3, shuffle=True, random_state=0)
each_kind = pytest.mark.parametrize("kind", TARGETS)
many = pytest.mark.parametrize("y", MANY.values(), ids=MANY)


def fitted(y, **options):
    return DistanceNetClassifier(**SMALL | options).fit(X, y)


def test_every_target_type_is_covered():
    assert set(TARGETS) == set(KINDS)


# Predictions --------------------------------------------------------------------------------------


@many
@pytest.mark.parametrize("output_layer", OUTPUT_LAYERS)
def test_several_labels_are_learned_at_once(y, output_layer):
    net = DistanceNetClassifier(output_layer=output_layer, max_iter=40, random_state=0)
    assert cross_val_score(net, X, y, cv=FOLDS).mean() > 0.8


@pytest.mark.parametrize("output_layer", OUTPUT_LAYERS)
def test_multilabel_predictions_agree_with_probabilities(output_layer):
    net = fitted(LABELS, output_layer=output_layer)
    predicted, probabilities = net.predict(X), net.predict_proba(X)
    decisions = net.decision_function(X)
    assert predicted.shape == probabilities.shape == decisions.shape == LABELS.shape
    assert predicted.dtype == np.int64
    np.testing.assert_array_equal(predicted, probabilities > 0.5)
    np.testing.assert_array_equal(predicted, decisions > 0)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-decisions)), rtol=1e-10)
    np.testing.assert_allclose(net.predict_log_proba(X), np.log(probabilities), rtol=1e-9)
    assert net.classes_.tolist() == [0, 1, 2, 3]
    assert net.n_outputs_ == 8
    assert net.score(X, LABELS) == accuracy_score(LABELS, predicted)


def test_multioutput_probabilities_are_lists():
    net = fitted(COLUMNS)
    predicted, probabilities = net.predict(X), net.predict_proba(X)
    assert [classes.tolist() for classes in net.classes_] == [
        ["red", "rosé", "white"],
        ["light", "strong"],
    ]
    assert predicted.shape == COLUMNS.shape
    assert [each.shape for each in probabilities] == [(len(X), 3), (len(X), 2)]
    assert [each.shape for each in net.decision_function(X)] == [(len(X), 3), (len(X),)]
    for number, (classes, each) in enumerate(zip(net.classes_, probabilities)):
        np.testing.assert_allclose(each.sum(axis=1), 1.0)
        np.testing.assert_array_equal(predicted[:, number], classes[each.argmax(axis=1)])
        np.testing.assert_allclose(np.exp(net.predict_log_proba(X)[number]), each)
    right = (predicted == COLUMNS).all(axis=1)
    assert net.score(X, COLUMNS) == right.mean()
    weights = 1.0 + np.arange(len(X))
    assert net.score(X, COLUMNS, weights) == pytest.approx(np.average(right, weights=weights))


@each_kind
def test_recorded_loss_sums_output_log_losses(kind):
    options = {"max_iter": 1, "learning_rate_init": 1e-12, "dropout": 0.0, "label_smoothing": 0.0}
    y, net = TARGETS[kind], fitted(TARGETS[kind], **options)
    probabilities = net.predict_proba(X)
    probabilities = list(probabilities.T) if kind == "multilabel" else probabilities
    pairs = zip(y.T, probabilities) if y.ndim == 2 else [(y, probabilities)]
    assert net.loss_ == pytest.approx(sum(log_loss(*pair) for pair in pairs), rel=1e-6)


def test_labels_are_smoothed_within_each_output():
    options = {"max_iter": 300, "learning_rate_init": 0.03, "dropout": 0.0, "label_smoothing": 0.3}
    net = fitted(COLUMNS, **options)
    assert net.score(X, COLUMNS) == 1.0
    # The largest smoothed label is 1 - 0.3 * (n_classes - 1) / n_classes.
    means = [each.max(axis=1).mean() for each in net.predict_proba(X)]
    np.testing.assert_allclose(means, [0.8, 0.85], atol=0.03)


def test_output_centroids_start_at_label_means():
    rows = np.clip(X, *np.quantile(X, [0.02, 0.98], axis=0))  # values far out are compressed
    options = {"max_iter": 1, "learning_rate_init": 1e-12, "early_stopping": False}
    net = DistanceNetClassifier((), random_state=0, **options).fit(rows, LABELS)
    means = [rows[LABELS[:, label] == value].mean(axis=0) for label in range(4) for value in (0, 1)]
    np.testing.assert_allclose(net.centroids_[0], means, rtol=1e-6)


def test_gradient_flow_uses_each_output_softmax():
    net = fitted(LABELS, label_smoothing=0.0)
    # The residuals of a label's two logits, without and with it, are opposite.
    residuals = np.sqrt(2.0) * (net.predict_proba(X) - LABELS)
    expected = np.sqrt(np.mean(np.sum(residuals**2, axis=1)))
    assert gradient_flow(net, X, LABELS).output_gradient_norm[-1] == pytest.approx(expected)


# Accepted targets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        csr_matrix,
        csc_matrix,
        pd.DataFrame,
        np.asfortranarray,
        lambda y: y.tolist(),
        lambda y: y.astype(bool),
        lambda y: y.astype(float),
    ],
    ids=["csr", "csc", "frame", "fortran", "list", "bool", "float"],
)
def test_indicator_matrix_may_have_any_form(convert):
    net, other = fitted(LABELS), fitted(convert(LABELS))
    np.testing.assert_array_equal(net.predict_proba(X), other.predict_proba(X))
    assert other.score(X, convert(LABELS)) == net.score(X, LABELS)


def test_score_accepts_sparse_label_columns():
    columns = np.column_stack([WINE_Y, WINE_Y > 0])
    net = fitted(csr_matrix(columns))
    assert net.score(X, csc_matrix(columns)) == net.score(X, columns) > 0


@pytest.mark.parametrize("values", [(1, 2), ("0", "1"), (-1, 1)])
def test_binary_columns_keep_their_labels(values):
    y = np.array(values)[LABELS]
    net = fitted(y)
    assert set(np.unique(net.predict(X))) <= set(values)
    np.testing.assert_array_equal(net.predict(X), np.array(values)[fitted(LABELS).predict(X)])
    assert len(net.predict_proba(X)) == 4
    assert net.score(X, y) == fitted(LABELS).score(X, LABELS)


def test_constant_label_column_is_predicted():
    y = np.column_stack([WINE_Y, np.full(len(X), 7)])
    net = fitted(y)
    assert set(net.predict(X)[:, 1]) == {7}
    np.testing.assert_array_equal(net.predict_proba(X)[1], np.ones((len(X), 1)))
    nobody = np.column_stack([LABELS, np.zeros(len(X), dtype=int)])
    assert fitted(nobody, max_iter=30).predict(X)[:, 4].sum() == 0


@many
def test_rows_of_weight_zero_are_ignored(y):
    weights = (np.arange(len(X)) % 3 > 0) * 1.0
    net = DistanceNetClassifier(**SMALL).fit(X, y, weights)
    kept = weights > 0
    other = DistanceNetClassifier(**SMALL).fit(X[kept], y[kept], weights[kept])
    np.testing.assert_array_equal(net.centroids_[0], other.centroids_[0])


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y.astype(bool),
        lambda y: y.astype(float),
        lambda y: y.tolist(),
        lambda y: y.astype(float).tolist(),
        csr_matrix,
        pd.DataFrame,
        lambda y: pd.DataFrame(y.astype(bool)),
        lambda y: pd.DataFrame(y).astype("Int64"),
    ],
    ids=["bool", "float", "list", "list of floats", "csr", "frame", "bool frame", "Int64 frame"],
)
def test_zeros_and_ones_are_an_indicator_matrix(convert):
    y = LABELS.copy()
    assert fitted(convert(y)).predict_proba(X).shape == y.shape
    y[7, 0] = 0
    y[:7, 1] = 0
    assert fitted(convert(y)).predict_proba(X).shape == y.shape


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y.astype(str),
        lambda y: y.astype(str).tolist(),
        lambda y: pd.DataFrame(y.astype(str)),
        lambda y: 2 * y,
        lambda y: csr_matrix(2 * y),
        lambda y: y - 1.0,
        lambda y: np.where(np.arange(len(y))[:, np.newaxis] == 7, 2, y),
    ],
    ids=["words", "list of words", "frame of words", "twos", "csr of twos", "minus one", "one two"],
)
def test_all_other_columns_are_several_outputs(convert):
    probabilities = fitted(convert(LABELS)).predict_proba(X)
    assert [len(each) for each in probabilities] == [len(X)] * 4


def test_string_columns_stay_multioutput_over_folds():
    y = LABELS[:, :2].copy()
    y[7, 0] = 2
    kinds = {
        name: {
            type(DistanceNetClassifier(**SMALL).fit(X[rows], labels[rows]).classes_)
            for rows, _ in FOLDS.split(X)
        }
        for name, labels in (("numbers", y), ("words", y.astype(str)))
    }
    assert kinds == {"numbers": {np.ndarray, list}, "words": {list}}


# Partial fits -------------------------------------------------------------------------------------


@each_kind
def test_partial_fits_equal_one_fit(kind):
    options = SMALL | {"learning_rate": "constant", "max_iter": 3, "early_stopping": False}
    one_fit = DistanceNetClassifier(**options).fit(X, TARGETS[kind])
    parts = DistanceNetClassifier(**options)
    for _ in range(3):
        parts.partial_fit(X, TARGETS[kind], classes=CLASSES[kind])
    assert one_fit.loss_curve_ == parts.loss_curve_
    np.testing.assert_array_equal(one_fit.predict(X), parts.predict(X))
    assert parts.partial_fit(X[:9], TARGETS[kind][:9]).n_iter_ == 4


def test_classes_argument_keeps_binary_columns_separate():
    y = np.column_stack([WINE_Y, WINE_Y % 2])
    net = DistanceNetClassifier(**SMALL)
    for _ in range(3):
        net.partial_fit(X[:100], y[:100], classes=[[0, 1, 2], [0, 1]])
    assert len(net.predict_proba(X)) == 2
    assert net.score(X[:100], y[:100]) == (net.predict(X[:100]) == y[:100]).all(axis=1).mean()


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        (LABELS, [0, 1], r"numbers of the labels, 0 to 3, .*; got \[0, 1\]"),
        (LABELS + 1, [0, 1, 2, 3], r"one for each of the 4 columns of 'y'; got \[0, 1, 2, 3\]"),
        (COLUMNS, [["red"]], r"one for each of the 2 columns of 'y'; got \[\['red'\]\]"),
        (
            COLUMNS,
            [["red"], ["light", "strong"]],
            r"Column 0 of 'y' must hold only .*\['red'\]",
        ),
        (WINE_Y, [[0, 1, 2]], r"must be a list of labels where 'y' has one column; got \[\["),
    ],
)
def test_mismatched_classes_are_refused(y, classes, message):
    net = DistanceNetClassifier(**SMALL)
    with pytest.raises(ValueError, match=message):
        net.partial_fit(X, y, classes=classes)
    assert vars(net) == vars(DistanceNetClassifier(**SMALL))


@each_kind
def test_changed_target_type_is_refused(kind):
    net = fitted(TARGETS[kind], warm_start=True)
    before = joblib.hash(vars(net))
    others = [y for other, y in TARGETS.items() if other != kind]
    for y in [*others, np.column_stack([LABELS, LABELS])]:
        with pytest.raises(ValueError, match=r"'y' must (have shape|hold only)"):
            net.fit(X, y)
        assert joblib.hash(vars(net)) == before
    with pytest.raises(ValueError, match="'classes' must be those of the first call"):
        net.partial_fit(X, TARGETS[kind], classes=[["a", "b"], ["c", "d"]])


# Early stopping -----------------------------------------------------------------------------------


@many
def test_every_class_keeps_a_training_row(y, monkeypatch):
    parts = []

    def spy(network, input_map, rows, *args, validation=None, **options):
        parts[:] = rows, validation
        return training.train(network, input_map, rows, *args, validation=validation, **options)

    monkeypatch.setattr(_fitting, "train", spy)
    y = y.copy()
    y[:, 0] = y[0, 0]
    y[-2:, 0] = y[0, 1] if y.dtype.kind == "U" else 1 - y[0, 0]
    for seed in range(5):
        options = {"early_stopping": True, "validation_fraction": 0.9, "random_state": seed}
        net = fitted(y, **options | {"max_iter": 2})
        assert parts[0].target.any(axis=0).all()
        assert len(parts[1]) == round(0.9 * len(X))
        together = np.concatenate([part.X for part in parts])
        np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(X, axis=0))
        raw = net._raw_output(net._check_rows(parts[1].X))
        right = (net._codec.codes(raw) == net._codec.codes(parts[1].target)).all(axis=1)
        assert net.best_validation_score_ == pytest.approx(right.mean())


@many
def test_validation_set_has_the_fitted_target_type(y):
    held_out = {"X_val": X[::3], "y_val": y[::3]}
    net = DistanceNetClassifier(**SMALL, scoring=lambda net, X, y: net.score(X, y))
    net.fit(X[1::3], y[1::3], **held_out)
    assert net.best_validation_score_ == max(net.validation_scores_) == net.score(X[::3], y[::3])
    plain = DistanceNetClassifier(**SMALL).fit(X[1::3], y[1::3], **held_out)
    assert plain.validation_scores_ == net.validation_scores_
    with pytest.raises(ValueError, match=r"In the validation set .*'y' must have shape"):
        net.fit(X, y, X_val=X, y_val=WINE_Y)


def test_unshared_labels_cannot_be_validated():
    with pytest.raises(ValueError, match=r"early_stopping=True needs a row .*; got none"):
        DistanceNetClassifier(**SMALL, early_stopping=True).fit(X[:3], np.eye(3, dtype=int))


def test_score_refuses_numbers_for_named_labels():
    net = fitted(COLUMNS)
    with pytest.raises(ValueError, match=r"labels of one kind; got strings.*and numbers"):
        net.score(X, LABELS[:, :2])


# With other tools of scikit-learn -----------------------------------------------------------------


def test_tags_declare_multi_output_support():
    tags = get_tags(DistanceNetClassifier())
    assert tags.classifier_tags.multi_label
    assert tags.target_tags.multi_output
    assert tags.target_tags.single_output


@many
def test_search_and_cross_validation_accept_many_outputs(y):
    net = DistanceNetClassifier(**SMALL)
    search = GridSearchCV(net, {"class_weight": [None, "balanced"]}, cv=FOLDS, error_score="raise")
    assert search.fit(X, y).best_score_ > 0
    folds = cross_val_predict(net, X, y, cv=FOLDS, method="predict_proba")
    shapes = [np.shape(each) for each in net.fit(X, y).predict_proba(X)]
    assert [np.shape(each) for each in folds] == shapes


def test_ranking_scorers_accept_label_probabilities():
    data, y = make_multilabel_classification(200, 10, n_classes=4, random_state=0)
    net = DistanceNetClassifier(**SMALL | {"max_iter": 30})
    assert cross_val_score(net, data, y, cv=3, scoring="roc_auc").mean() > 0.75
