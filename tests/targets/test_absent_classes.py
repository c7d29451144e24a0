"""Classes without training rows stay in `classes_` and are not predicted near the data."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import training as _fitting
from skdistnet._targets.labels import MultiOutputCodec, SingleLabelCodec
from skdistnet.engine.training import loop as training
from skdistnet.inspection import gradient_flow

X, Y = load_wine(return_X_y=True)
SMALL = {"hidden_layer_sizes": (8, 8), "max_iter": 5, "random_state": 0}
STRUCTURES = [
    {},
    {"max_iter": 1},
    {"label_smoothing": 0.3},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (), "max_iter": 1},
    {"hidden_layer_sizes": (), "output_layer": "linear"},
    {"output_layer": "linear"},
    {"activation": "relu"},
    {"radius_type": "tied"},
    {"radius_type": "spherical"},
    {"init": "uniform"},
    {"init_median_activation": None},
    {"standardize": False},
    {"early_stopping": True},
    {"class_weight": "balanced"},
]
each_structure = pytest.mark.parametrize("options", STRUCTURES, ids=str)


@pytest.fixture
def seen(monkeypatch):
    """The training rows and the start of the last fit."""
    parts = {}

    def spy(network, input_map, rows, config, state, **options):
        parts.update(rows=rows, start=state.theta.copy())
        return training.train(network, input_map, rows, config, state, **options)

    monkeypatch.setattr(_fitting, "train", spy)
    return parts


# Weight zero --------------------------------------------------------------------------------------


@each_structure
def test_class_of_weight_zero_is_never_predicted(options):
    """A strict version of scikit-learn's check, which accepts some wrong predictions."""
    rng = np.random.RandomState(0)
    rows, new, y = rng.uniform(size=(10, 10)), rng.uniform(size=(10, 10)), np.arange(10) % 2
    for seed in range(5):
        net = DistanceNetClassifier(random_state=seed, **options).fit(rows, y, sample_weight=y)
        assert net.classes_.tolist() == [0, 1]
        assert net.predict_proba(new).shape == (10, 2)
        np.testing.assert_array_equal(net.predict(np.concatenate([rows, new])), 1)


@each_structure
def test_absent_middle_class_is_never_predicted(options):
    rows, y = load_iris(return_X_y=True)
    net = DistanceNetClassifier(random_state=0, **options).fit(rows, y, (y != 1) * 1.0)
    assert net.predict_proba(rows).shape == (150, 3)
    assert set(net.predict(rows[y != 1])) <= {0, 2}


@pytest.mark.parametrize("output_layer", ["distance", "linear"])
def test_several_outputs_keep_classes_of_weight_zero(output_layer):
    weights, options = (Y > 0) * 1.0, {"output_layer": output_layer, "random_state": 0}
    columns = np.column_stack([Y, 5 + (X[:, 9] > 5)])
    net = DistanceNetClassifier(20, max_iter=20, **options).fit(X, columns, weights)
    assert [classes.tolist() for classes in net.classes_] == [[0, 1, 2], [5, 6]]
    assert [each.shape[1] for each in net.predict_proba(X)] == [3, 2]
    assert set(net.predict(X[Y > 0])[:, 0]) == {1, 2}
    labels = np.column_stack([Y == 0, Y == 1, Y == 2]).astype(int)
    net = DistanceNetClassifier(20, max_iter=20, **options).fit(X, labels, weights)
    assert net.predict_proba(X).shape == (len(X), 3)
    assert net.predict(X[Y > 0]).max(axis=0).tolist() == [0, 1, 1]


def test_rows_of_weight_zero_determine_target_type():
    y = np.column_stack([Y > 0, Y > 1]).astype(int)
    y[7, 0] = 2
    weights = (np.arange(len(y)) != 7) * 1.0
    net = DistanceNetClassifier(**SMALL).fit(X, y, weights)
    assert [each.shape[1] for each in net.predict_proba(X)] == [3, 2]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_rows_of_weight_zero_are_not_trained_on(early_stopping, seen):
    """The fit equals one without these rows, bit for bit."""
    kept = np.arange(len(Y)) % 3 > 0
    options = SMALL | {"early_stopping": early_stopping}
    net = DistanceNetClassifier(**options).fit(X, Y, kept)
    with_zeros = dict(seen)
    other = DistanceNetClassifier(**options).fit(X[kept], Y[kept], np.ones(kept.sum()))
    np.testing.assert_array_equal(with_zeros["rows"].X, seen["rows"].X)
    np.testing.assert_array_equal(with_zeros["rows"].target, seen["rows"].target)
    np.testing.assert_array_equal(net._theta_, other._theta_)


def test_regressor_ignores_targets_of_weight_zero():
    weights = (np.arange(len(Y)) > 0) * 1.0
    outlier = np.where(weights > 0, Y, 1e300)
    net = DistanceNetRegressor(**SMALL).fit(X, outlier, weights)
    other = DistanceNetRegressor(**SMALL).fit(X[1:], Y[1:], weights[1:])
    np.testing.assert_array_equal(net._theta_, other._theta_)


def test_validation_rows_may_have_an_absent_class():
    net = DistanceNetClassifier(**SMALL)
    net.fit(X, Y, (Y > 0) * 1.0, X_val=X[Y < 2], y_val=Y[Y < 2])
    share = (Y[Y < 2] == 1).mean()
    assert max(net.validation_scores_) <= share
    assert np.isfinite(net.validation_loss_curve_).all()


def test_labels_are_smoothed_over_classes_with_rows():
    options = SMALL | {"label_smoothing": 0.3}
    net = DistanceNetClassifier(**options).fit(X, Y, (Y > 0) * 1.0)
    two = DistanceNetClassifier(**options).fit(X[Y > 0], Y[Y > 0])
    target = np.eye(3)[Y[Y > 0]]
    np.testing.assert_array_equal(
        net._codec.smoothed(target)[:, 1:], two._codec.smoothed(target[:, 1:])
    )
    assert not net._codec.smoothed(target)[:, 0].any()
    assert np.isfinite(gradient_flow(net, X, Y).gradient_norm).all()


def test_warm_start_smooths_over_earlier_classes():
    net = DistanceNetClassifier(**SMALL, label_smoothing=0.3, warm_start=True)
    net.fit(X, Y).fit(X[Y > 0], Y[Y > 0])
    np.testing.assert_allclose(net._codec.smoothed(np.eye(3)), 0.7 * np.eye(3) + 0.1)


def test_partial_fit_smooths_over_all_classes():
    net = DistanceNetClassifier(**SMALL, label_smoothing=0.3)
    net.partial_fit(X[Y > 0], Y[Y > 0], classes=[0, 1, 2])
    np.testing.assert_allclose(net._codec.smoothed(np.eye(3)), 0.7 * np.eye(3) + 0.1)
    for _ in range(40):
        net.partial_fit(X, Y)
    assert net.score(X, Y) > 0.95


# The start ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("output_layer", ["distance", "linear"])
@pytest.mark.parametrize("hidden", [(), (8, 8)])
@pytest.mark.parametrize("init", ["sample", "uniform"])
def test_absent_classes_start_improbable_at_every_row(output_layer, hidden, init, seen):
    options = {"output_layer": output_layer, "hidden_layer_sizes": hidden, "init": init}
    net = DistanceNetClassifier(**SMALL | options).fit(X, Y, (Y > 0) * 1.0)
    net._theta_ = seen["start"]
    assert net.predict_proba(X[Y > 0])[:, 0].max() < 1.001e-4


def test_two_absent_classes_start_apart(seen):
    net = DistanceNetClassifier(**SMALL).fit(X, Y, (Y == 2) * 1.0)
    net._theta_ = seen["start"]
    first, second, _ = net.centroids_[-1]
    assert np.abs(first - second).max() > 0.01


def test_absent_classes_change_no_other_start(seen):
    net = DistanceNetClassifier(**SMALL, output_layer="distance").fit(X, Y, (Y > 0) * 1.0)
    net._theta_ = seen["start"]
    centroids = net.centroids_
    other = DistanceNetClassifier(**SMALL).fit(X[Y > 0], Y[Y > 0])
    other._theta_ = seen["start"]
    for layer in range(2):
        np.testing.assert_array_equal(centroids[layer], other.centroids_[layer])
    np.testing.assert_array_equal(centroids[2][1:], other.centroids_[2])


# The validation split -----------------------------------------------------------------------------


def split_of(codes, n_classes, fraction=0.3, seed=0):
    codec = SingleLabelCodec(np.arange(n_classes))
    return codec.split(np.eye(n_classes)[codes], fraction, seed)


@pytest.mark.parametrize("present", [[0, 1], [0, 2], [1, 3]])
@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.9])
def test_absent_classes_change_no_split(present, fraction):
    codes = np.arange(40) % 2
    for seed in range(3):
        expected = split_of(codes, 2, fraction, seed)
        actual = split_of(np.array(present)[codes], 4, fraction, seed)
        for part, other in zip(actual, expected):
            np.testing.assert_array_equal(part, other)


def test_single_class_is_split():
    training_rows, held = split_of(np.zeros(10, dtype=int), 1)
    assert len(held) == 3
    np.testing.assert_array_equal(np.sort(np.r_[training_rows, held]), np.arange(10))


def test_classes_of_one_row_are_trained_on():
    codes = np.array([0, 1, 3, 3, 3, 3])
    for fraction in (0.1, 0.9):
        training_rows, held = split_of(codes, 5, fraction)
        assert {0, 1} <= set(training_rows)
        assert len(held) in (1, 3)
        assert set(codes[training_rows]) == {0, 1, 3}
    with pytest.raises(ValueError, match="early_stopping=True needs a class of at least two rows"):
        split_of(np.array([0, 2, 3]), 5)


def test_absent_classes_of_several_outputs_are_split():
    codec = MultiOutputCodec([np.arange(3), np.arange(2)])
    target = np.zeros((10, 5))
    target[:, [2, 3]] = 1
    target[0, [0, 2]] = 1, 0
    for seed in range(5):
        training_rows, held = codec.split(target, 0.5, seed)
        assert 0 in training_rows
        assert len(held) == 5
