"""Class weights multiply sample weights wherever rows are weighted."""

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.metrics import recall_score
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from skdistnet import DistanceNetClassifier
from skdistnet._base import training as _fitting
from skdistnet.engine.training import loop as training
from skdistnet.inspection import gradient_flow

X, Y = load_wine(return_X_y=True)
WORDS = np.array(["red", "rosé", "white"])[Y]
OUTPUTS = np.column_stack([Y, np.arange(len(Y)) % 5 == 0])
LABELS = np.column_stack([Y == 0, Y < 2, X[:, 0] > 13]).astype(int)
ROWS = 1.0 + np.arange(len(Y)) % 3
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 4, "random_state": 0, "batch_size": 50}


@pytest.fixture
def seen(monkeypatch):
    """The training and validation rows of the last fit."""
    parts = {}

    def spy(network, input_map, rows, *args, validation=None, **options):
        parts.update(training=rows, validation=validation)
        return training.train(network, input_map, rows, *args, validation=validation, **options)

    monkeypatch.setattr(_fitting, "train", spy)
    return parts


def assert_same_net(net, other):
    for mine, others in zip(net.centroids_, other.centroids_):
        np.testing.assert_array_equal(mine, others)
    assert net.loss_curve_ == other.loss_curve_


# Weights of rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("sample_weight", [None, ROWS], ids=["alike", "weighted"])
def test_dict_multiplies_sample_weights(sample_weight, early_stopping):
    options = SMALL | {"early_stopping": early_stopping}
    net = DistanceNetClassifier(**options, class_weight={"red": 2.0, "white": 0.25})
    net.fit(X, WORDS, sample_weight)
    product = np.array([2.0, 1.0, 0.25])[Y] * (1.0 if sample_weight is None else sample_weight)
    other = DistanceNetClassifier(**options).fit(X, WORDS, product)
    assert_same_net(net, other)
    if early_stopping:
        assert net.validation_scores_ == other.validation_scores_
        assert net.validation_loss_curve_ == other.validation_loss_curve_


def test_dict_multiplies_partial_fit_weights():
    net = DistanceNetClassifier(**SMALL, class_weight={0: 4, 2: np.float32(0.5)})
    other = DistanceNetClassifier(**SMALL)
    for part in (slice(None, None, 2), slice(1, None, 2), slice(0, 20)):
        net.partial_fit(X[part], Y[part], ROWS[part], classes=[0, 1, 2])
        product = ROWS[part] * np.array([4.0, 1.0, 0.5])[Y[part]]
        other.partial_fit(X[part], Y[part], product, classes=[0, 1, 2])
    assert_same_net(net, other)


def test_balanced_weights_equal_scikit_learn(seen):
    DistanceNetClassifier(**SMALL, class_weight="balanced").fit(X, WORDS)
    np.testing.assert_allclose(seen["training"].weights, compute_sample_weight("balanced", WORDS))


def test_balancing_treats_weights_like_repeated_rows(seen):
    DistanceNetClassifier(**SMALL, class_weight="balanced").fit(X, Y, ROWS)
    repeated = np.repeat(Y, ROWS.astype(int))
    by_class = compute_class_weight("balanced", classes=np.arange(3), y=repeated)
    np.testing.assert_allclose(seen["training"].weights, ROWS * by_class[Y])
    sums = [seen["training"].weights[label == Y].sum() for label in range(3)]
    np.testing.assert_allclose(sums, sum(sums) / 3)


@pytest.mark.parametrize("y", [OUTPUTS, LABELS], ids=["outputs", "labels"])
def test_class_weights_of_many_outputs_are_multiplied(y, seen):
    DistanceNetClassifier(**SMALL, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(seen["training"].weights, compute_sample_weight("balanced", y))
    dicts = [{0: 2.0, 1: 3.0}, {1: 5.0}, {}][: y.shape[1]]
    DistanceNetClassifier(**SMALL, class_weight=dicts).fit(X, y)
    first = np.array([2.0, 3.0, 1.0])[y[:, 0]]
    np.testing.assert_allclose(seen["training"].weights, first * np.array([1.0, 5.0])[y[:, 1]])


def test_class_weights_apply_to_held_out_rows(seen):
    options = SMALL | {"early_stopping": True, "validation_fraction": 0.4}
    net = DistanceNetClassifier(**options, class_weight={0: 2.0, 1: 3.0, 2: 5.0}).fit(X, Y)
    rows = seen["validation"]
    codes = rows.target.argmax(axis=1)
    np.testing.assert_array_equal(rows.weights, np.array([2.0, 3.0, 5.0])[codes])
    right = net.predict(rows.X) == codes
    assert net.best_validation_score_ == pytest.approx(np.average(right, weights=rows.weights))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_class_weights_apply_to_validation_set(method, seen):
    by_class = np.array([2.0, 3.0, 5.0])
    class_weight = dict(enumerate(by_class))
    options = {"X_val": X[::5], "y_val": Y[::5], "sample_weight_val": ROWS[::5]}
    options |= {"classes": [0, 1, 2]} if method == "partial_fit" else {}
    net = DistanceNetClassifier(**SMALL, class_weight=class_weight)
    getattr(net, method)(X, Y, **options)
    np.testing.assert_array_equal(seen["validation"].weights, ROWS[::5] * by_class[Y[::5]])


def test_validation_set_uses_training_balance(seen):
    net = DistanceNetClassifier(**SMALL, class_weight="balanced")
    net.fit(X, Y, X_val=X[:70], y_val=Y[:70])
    by_class = compute_class_weight("balanced", classes=np.arange(3), y=Y)
    np.testing.assert_allclose(seen["validation"].weights, by_class[Y[:70]])


def test_class_weights_apply_to_gradient_flow():
    net = DistanceNetClassifier(**SMALL, class_weight={0: 4.0, 2: 0.5}).fit(X, Y)
    actual = gradient_flow(net, X, Y).gradient_norm
    plain = net.set_params(class_weight=None)
    weighted = gradient_flow(plain, X, Y, np.array([4.0, 1.0, 0.5])[Y]).gradient_norm
    np.testing.assert_allclose(actual, weighted)
    assert np.all(actual != gradient_flow(plain, X, Y).gradient_norm)


def test_balancing_improves_recall_of_rare_class():
    data, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    data = data[:, :2] + rng.normal(size=(len(y), 2)) * data[:, :2].std(axis=0)
    kept = (y == 1) | (rng.random(len(y)) < 0.2)
    recalls = [
        recall_score(
            y[kept],
            DistanceNetClassifier(8, class_weight=weights, max_iter=30, random_state=0)
            .fit(data[kept], y[kept])
            .predict(data[kept]),
            pos_label=0,
        )
        for weights in (None, "balanced")
    ]
    assert recalls[1] > recalls[0] + 0.1


def test_warm_start_balances_present_classes():
    net = DistanceNetClassifier(**SMALL, class_weight="balanced", warm_start=True).fit(X, Y)
    net.fit(X[:100], Y[:100])
    assert np.isfinite(net.predict_proba(X)).all()


# Absent classes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", [{0: 2.0, 1: 3.0, 2: 5.0}, {0: 2.0}, {2: 5.0}, {}])
def test_dict_semantics_follow_scikit_learn(class_weight, seen):
    rows = Y < 2
    net = DistanceNetClassifier(**SMALL, class_weight=class_weight)
    try:
        expected = compute_sample_weight(class_weight, Y[rows])
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error).split(" are not")[0].replace("[", r"\[")):
            net.fit(X[rows], Y[rows])
    else:
        net.fit(X[rows], Y[rows])
        np.testing.assert_array_equal(seen["training"].weights, expected)


def test_list_semantics_follow_scikit_learn(seen):
    rows, dicts = Y < 2, [{0: 2.0, 1: 3.0, 2: 5.0}, {0: 7.0}]
    net = DistanceNetClassifier(**SMALL, class_weight=dicts)
    y = OUTPUTS[rows] + [[0, 1]]  # not an indicator matrix
    with pytest.raises(ValueError, match=r"The classes, \[1, 2\], are not in class_weight"):
        net.fit(X[rows], y)
    dicts[1] = {0: 7.0, 1: 11.0, 2: 13.0}
    net.fit(X[rows], y)
    np.testing.assert_array_equal(seen["training"].weights, compute_sample_weight(dicts, y))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_later_calls_weight_all_known_classes(method, seen):
    net = DistanceNetClassifier(**SMALL, warm_start=True, class_weight={0: 2.0, 1: 3.0, 2: 5.0})
    getattr(net, method)(X, Y, **({"classes": [0, 1, 2]} if method == "partial_fit" else {}))
    getattr(net, method)(X[Y < 2], Y[Y < 2])
    np.testing.assert_array_equal(seen["training"].weights, np.array([2.0, 3.0])[Y[Y < 2]])
    net.set_params(class_weight={0: 2.0, 1: 3.0, 7: 5.0})
    with pytest.raises(ValueError, match=r"The classes, \[2\], are not in class_weight"):
        getattr(net, method)(X[Y < 2], Y[Y < 2])


def test_numeric_string_labels_are_weighted():
    net = DistanceNetClassifier(**SMALL, class_weight={"0": 2.0, "1": 3.0, "2": 5.0})
    other = DistanceNetClassifier(**SMALL, class_weight={0: 2.0, 1: 3.0, 2: 5.0})
    assert_same_net(net.fit(X, Y.astype(str)), other.fit(X, Y))


def test_balancing_ignores_classes_of_weight_zero(seen):
    net = DistanceNetClassifier(**SMALL, class_weight="balanced").fit(X, Y, ROWS * (Y > 0))
    other = compute_class_weight(
        "balanced", classes=np.arange(1, 3), y=Y[Y > 0], sample_weight=ROWS[Y > 0]
    )
    np.testing.assert_allclose(seen["training"].weights, (ROWS * np.r_[0, other][Y])[Y > 0])
    assert net.classes_.tolist() == [0, 1, 2]


# Errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_weight", "y", "message"),
    [
        ({0: 1.0, 7: 2.0}, Y, r"\[1, 2\], are not in class_weight, which names \[0, 7\]"),
        ({0: 1.0}, WORDS, r"\['red', 'rosé', 'white'\], are not in class_weight, .* \[0\]: name"),
        ([{0: 1.0}], Y, r"must be None, 'balanced' or a dict for this 'y'; got \["),
        ({0: 1.0}, LABELS, r"a list of dicts, one for each of the 3 outputs for this 'y'; got {"),
        ([{}, {}], LABELS, r"one for each of the 3 outputs for this 'y'; got \[{}, {}\]"),
        ([{0: 1.0}, {2: 1.0}], OUTPUTS, r"The classes, \[0, 1\], are not in class_weight"),
    ],
)
def test_mismatched_class_weights_are_refused(class_weight, y, message):
    net = DistanceNetClassifier(**SMALL, class_weight=class_weight)
    before = joblib.hash(vars(net))
    with pytest.raises(ValueError, match=message):
        net.fit(X, y)
    assert joblib.hash(vars(net)) == before


@pytest.mark.parametrize("factor", [1e100, 1e-100])
def test_overflowing_weight_products_are_refused(factor):
    net = DistanceNetClassifier(**SMALL, class_weight=[{0: factor, 1: factor}] * 4)
    with pytest.raises(ValueError, match=r"multiply to weights .* a finite sum; got (inf|0.0) to"):
        net.fit(X, np.column_stack([LABELS, LABELS[:, 0]]))


def test_too_extreme_weights_cannot_be_balanced():
    weights = np.where(Y == 0, 3e-310, 1.0)
    net = DistanceNetClassifier(**SMALL, class_weight="balanced")
    with pytest.raises(ValueError, match=r"too far apart for class_weight='balanced' to balance"):
        net.fit(X, Y, weights)
    assert vars(net) == vars(DistanceNetClassifier(**SMALL, class_weight="balanced"))


def test_partial_fit_refuses_balanced_with_advice():
    net = DistanceNetClassifier(**SMALL, class_weight="balanced")
    with pytest.raises(ValueError, match=r"partial_fit.*set a dict.*compute_class_weight"):
        net.partial_fit(X, Y, classes=[0, 1, 2])
    assert vars(net) == vars(DistanceNetClassifier(**SMALL, class_weight="balanced"))
