"""DistanceNetClassifier learns, and follows scikit-learn's conventions."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.network import OUTPUT_LAYERS
from skdistnet.recipes import inverse_time_decay

IRIS, IRIS_Y = load_iris(return_X_y=True)
SMALL = {"hidden_layer_sizes": (10, 10), "max_iter": 5, "random_state": 0}


# Learning -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("output_layer", OUTPUT_LAYERS)
def test_defaults_classify_held_out_digits(output_layer):
    parts = train_test_split(*load_digits(return_X_y=True), test_size=0.3, random_state=0)
    net = DistanceNetClassifier(output_layer=output_layer, max_iter=30, random_state=0)
    assert net.fit(parts[0], parts[2]).score(parts[1], parts[3]) > 0.95


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_defaults_classify_held_out_small_tables(load, dtype):
    net = DistanceNetClassifier(random_state=0, dtype=dtype, max_iter=40)
    assert cross_val_score(net, *load(return_X_y=True), cv=3).mean() > 0.92


def test_enclosed_class_is_learned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = (X**2).sum(axis=1) < 1
    net = DistanceNetClassifier(**SMALL | {"max_iter": 60}).fit(X, y)
    assert net.score(X, y) > 0.95
    assert net.classes_.dtype == bool


CHOICES = [
    *({"solver": name} for name in SOLVERS),
    *({"learning_rate": name} for name in SCHEDULES),
    pytest.param({"learning_rate": inverse_time_decay}, id="callable learning_rate"),
    *({"activation": name} for name in [*KERNELS, *ACTIVATIONS]),
    *({"radius_type": name} for name in RADIUS_TYPES),
    *({"init": name} for name in INITIALIZERS),
    *({"output_layer": name} for name in OUTPUT_LAYERS),
    {"solver": "sgd"},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (8,) * 6},
    {"activation": ["relu", "gaussian"]},
    {"alpha": 0.01},
    {"alpha": 0.01, "penalty": "coupled"},
    {"batch_size": 7},
    {"standardize": False},
    {"init_median_activation": 0.1},
]


@pytest.mark.parametrize("options", CHOICES, ids=str)
def test_training_lowers_the_loss_for_any_settings(options):
    options = {"max_iter": 30, "batch_size": 30, "learning_rate_init": 0.03} | options
    net = DistanceNetClassifier(**SMALL | options).fit(IRIS, IRIS_Y)
    assert min(net.loss_curve_) > 0
    assert net.loss_curve_[-1] < 0.8 * net.loss_curve_[0]
    assert log_loss(IRIS_Y, net.predict_proba(IRIS)) < 0.8 * net.loss_curve_[0]
    assert net.score(IRIS, IRIS_Y) > 0.6


def test_recorded_loss_is_the_log_loss():
    options = SMALL | {"max_iter": 1, "learning_rate_init": 1e-12, "dropout": 0.0}
    net = DistanceNetClassifier(**options, label_smoothing=0.0).fit(IRIS, IRIS_Y)
    probabilities = net.predict_proba(IRIS)
    assert log_loss(IRIS_Y, probabilities) == pytest.approx(net.loss_, rel=1e-6)
    smoothed = DistanceNetClassifier(**options, label_smoothing=0.3).fit(IRIS, IRIS_Y)
    expected = 0.7 * net.loss_ - 0.1 * np.log(probabilities).sum(axis=1).mean()
    assert smoothed.loss_ == pytest.approx(expected, rel=1e-6)


def test_label_smoothing_limits_probabilities():
    options = SMALL | {"max_iter": 200, "early_stopping": False, "dropout": 0.0}
    sure, unsure = (
        DistanceNetClassifier(**options, label_smoothing=share).fit(IRIS, IRIS_Y)
        for share in (0.0, 0.3)
    )
    assert sure.predict_proba(IRIS).max(axis=1).mean() > 0.95
    # The largest smoothed label is 1 - 0.3 * 2/3.
    assert unsure.predict_proba(IRIS).max(axis=1).mean() == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_dropout_affects_training_only(kind):
    options = SMALL | {"max_iter": 5}
    without = kind(**options, dropout=0.0).fit(IRIS, IRIS_Y)
    dropped = kind(**options, dropout=0.3).fit(IRIS, IRIS_Y)
    assert dropped.loss_ != without.loss_
    np.testing.assert_array_equal(dropped.predict(IRIS), dropped.predict(IRIS))
    again = kind(**options, dropout=0.3).fit(IRIS, IRIS_Y)
    np.testing.assert_array_equal(dropped.predict(IRIS), again.predict(IRIS))


@pytest.mark.parametrize("activation", [*KERNELS, "relu", "tanh"])
@pytest.mark.parametrize("output_layer", OUTPUT_LAYERS)
def test_nets_trained_with_dropout_predict_without_it(activation, output_layer):
    """Otherwise the differences would accumulate over the layers."""
    X, y = load_digits(return_X_y=True)
    rate = "auto" if activation in KERNELS else 0.003
    net = DistanceNetClassifier(
        (60, 60, 60), activation, output_layer=output_layer, dropout=0.8, learning_rate_init=rate
    )
    net.set_params(max_iter=30, early_stopping=False, random_state=0)
    assert net.fit(X, y).score(X, y) > 0.97


@pytest.mark.parametrize(
    ("hidden", "expected"), [((), 0.03), (30, 0.03), ((5, 5), 0.03 / 2**0.5), ((5,) * 9, 0.01)]
)
def test_automatic_learning_rate_depends_on_depth(hidden, expected):
    options = SMALL | {"hidden_layer_sizes": hidden}
    automatic = DistanceNetClassifier(**options).fit(IRIS, IRIS_Y)
    explicit = DistanceNetClassifier(**options, learning_rate_init=expected).fit(IRIS, IRIS_Y)
    assert automatic.learning_rate_init == "auto"
    assert automatic.loss_curve_ == pytest.approx(explicit.loss_curve_, rel=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_defaults_train_thirty_layers(kernel):
    X, y = load_digits(return_X_y=True)
    net = DistanceNetClassifier((64,) * 30, kernel, max_iter=15, dtype="float32", random_state=0)
    assert net.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.85


# Predictions --------------------------------------------------------------------------------------


def test_probabilities_decisions_and_labels_agree():
    net = DistanceNetClassifier(**SMALL, linear_part=False).fit(IRIS, IRIS_Y)
    probabilities, decisions = net.predict_proba(IRIS), net.decision_function(IRIS)
    assert probabilities.shape == decisions.shape == (150, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(net.predict_log_proba(IRIS), np.log(probabilities), atol=1e-12)
    np.testing.assert_array_equal(net.predict(IRIS), probabilities.argmax(axis=1))
    np.testing.assert_array_equal(net.predict(IRIS), decisions.argmax(axis=1))
    assert (decisions <= 0).all()


def test_binary_decision_sign_is_the_label():
    X, y = load_breast_cancer(return_X_y=True)
    labels = np.array(["malignant", "benign"])[y]
    net = DistanceNetClassifier(**SMALL).fit(X, labels)
    decisions = net.decision_function(X)
    assert decisions.shape == (len(X),)
    np.testing.assert_array_equal(net.predict(X), net.classes_[(decisions > 0).astype(int)])
    assert set(net.predict(X)) == {"benign", "malignant"}
    np.testing.assert_allclose(
        net.predict_proba(X)[:, 1], 1 / (1 + np.exp(-decisions)), rtol=1e-10, atol=1e-15
    )


def test_log_probabilities_are_exact_far_away():
    net = DistanceNetClassifier((), standardize=False, max_iter=20, random_state=0)
    net.fit(IRIS, IRIS_Y)
    logs = net.predict_log_proba(1e3 * IRIS)
    assert np.isfinite(logs).all()
    assert logs.min() < -1000
    np.testing.assert_allclose(np.exp(logs), net.predict_proba(1e3 * IRIS), atol=1e-12)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["setosa", "versicolor", "virginica"]),
        np.array(["b", "c", "a"], dtype=object),
        np.array([10, -5, 3]),
        np.array([0.0, 2.0, 1.0]),
    ],
    ids=lambda labels: labels.dtype.kind,
)
def test_predicted_labels_keep_their_type(labels):
    net = DistanceNetClassifier(**SMALL).fit(IRIS, labels[IRIS_Y])
    np.testing.assert_array_equal(net.classes_, np.unique(labels))
    predicted = net.predict(IRIS)
    assert predicted.dtype == labels.dtype
    codes = DistanceNetClassifier(**SMALL).fit(IRIS, np.argsort(np.argsort(labels))[IRIS_Y])
    np.testing.assert_array_equal(predicted, np.sort(labels)[codes.predict(IRIS)])


def test_label_column_is_accepted_with_warning():
    net = DistanceNetClassifier(**SMALL)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        net.fit(IRIS, IRIS_Y[:, np.newaxis])
    assert net.predict(IRIS).shape == (150,)


# Input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("input_dtype", "dtype", "computed"),
    [
        ("float64", None, "float64"),
        ("float32", None, "float32"),
        ("int64", None, "float64"),
        ("uint8", None, "float64"),
        ("bool", None, "float64"),
        ("float16", None, "float64"),
        ("float64", "float32", "float32"),
        ("int64", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
def test_precision_follows_input_or_dtype(input_dtype, dtype, computed):
    X = (10 * IRIS).astype(input_dtype)
    net = DistanceNetClassifier(**SMALL, dtype=dtype).fit(X, IRIS_Y)
    assert net.predict_proba(X).dtype == computed
    assert net.decision_function(X).dtype == computed
    assert {part.dtype for part in net.centroids_} == {np.dtype(computed)}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_feature_names_are_checked(make):
    frame = make({name: IRIS[:, i] for i, name in enumerate("abcd")})
    net = DistanceNetClassifier(**SMALL).fit(frame, IRIS_Y)
    assert net.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    plain = DistanceNetClassifier(**SMALL).fit(IRIS, IRIS_Y)
    np.testing.assert_allclose(net.predict_proba(frame), plain.predict_proba(IRIS), rtol=1e-9)
    with pytest.raises(ValueError, match="feature names should match"):
        net.predict(make(dict.fromkeys("abce", IRIS[:, 0])))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        net.predict(IRIS)


@pytest.mark.parametrize("X", [IRIS.tolist(), np.asfortranarray(IRIS), IRIS[::-1][::-1]])
def test_memory_layout_does_not_change_the_net(X):
    expected = DistanceNetClassifier(**SMALL).fit(IRIS, IRIS_Y).predict_proba(IRIS)
    actual = DistanceNetClassifier(**SMALL).fit(X, IRIS_Y.tolist()).predict_proba(X)
    np.testing.assert_allclose(actual, expected, rtol=1e-10)


@pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])
def test_negative_strides_change_no_bit(kind):
    """Sums over such views add in the opposite order."""
    X, y = load_wine(return_X_y=True)
    weights = np.random.default_rng(0).random(len(y))
    parts = [X, y * 0.1 if kind is DistanceNetRegressor else y, weights]
    turned = [part[::-1].copy()[::-1] for part in parts]
    options = {"max_iter": 3, "random_state": 0, "early_stopping": True}
    first, second = kind(**options).fit(*parts), kind(**options).fit(*turned)
    np.testing.assert_array_equal(first._theta_, second._theta_)
    assert first.novelty_threshold_ == second.novelty_threshold_


def test_input_data_are_not_modified():
    X, y, weights = IRIS.copy(), IRIS_Y.copy(), np.arange(150.0)
    net = DistanceNetClassifier(**SMALL, init=IRIS[:10].copy()).fit(X, y, weights)
    net.predict(X)
    np.testing.assert_array_equal(X, IRIS)
    np.testing.assert_array_equal(y, IRIS_Y)
    np.testing.assert_array_equal(weights, np.arange(150.0))
    np.testing.assert_array_equal(net.init, IRIS[:10])


def test_grid_search_over_init_and_learning_rate():
    pipeline = make_pipeline(StandardScaler(), DistanceNetClassifier(**SMALL | {"max_iter": 10}))
    grid = {
        "distancenetclassifier__init": sorted(INITIALIZERS),
        "distancenetclassifier__learning_rate_init": [1e-9, 0.03],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(IRIS, IRIS_Y)
    assert search.best_params_["distancenetclassifier__learning_rate_init"] == 0.03
    assert search.best_score_ > 0.85
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
