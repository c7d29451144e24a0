"""Fitted attributes reproduce the predictions, in the units of the data."""

import pickle
from io import BytesIO

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.exceptions import NotFittedError

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, KERNELS
from skdistnet.engine.layers.distances import RADIUS_TYPES

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
# Without values far out, which the net compresses.
WINE, DIABETES = (np.clip(X, *np.quantile(X, [0.02, 0.98], axis=0)) for X in (WINE, DIABETES))
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0}
BOTH = [
    (DistanceNetClassifier, WINE, WINE_Y),
    (DistanceNetRegressor, DIABETES, DIABETES_Y),
]
both_kinds = pytest.mark.parametrize(
    ("kind", "X", "y"), BOTH, ids=lambda v: getattr(v, "__name__", "")
)


def naive_output(net, X, activations):
    """Return the raw output computed from fitted attributes alone, with explicit differences.

    `X` are the rows of the fit, at whose mean the linear part is zero.
    """
    H = np.asarray(X, dtype=np.float64)
    linear_part = (H - H.mean(axis=0)) @ net.linear_coef_.T
    for layer, name in enumerate([*activations, None]):
        if net.centroids_[layer] is None:
            H = H @ net.coefs_[layer] + net.intercepts_[layer]
            if name is not None:
                ACTIVATIONS[name].value(H)
            continue
        differences = H[:, np.newaxis, :] - net.centroids_[layer]
        H = -0.5 * ((differences * net.inverse_radii_[layer]) ** 2).sum(axis=2)
        if name is not None:
            KERNELS[name].value(H.copy(), H)
    return H + linear_part


def raw_output(net, X):
    is_regressor = isinstance(net, DistanceNetRegressor)
    return net.predict(X) if is_regressor else net.decision_function(X)


def assert_reproduces(net, X, activations):
    actual = naive_output(net, X, activations)
    expected = raw_output(net, X)
    np.testing.assert_allclose(actual.reshape(expected.shape), expected, rtol=1e-8, atol=1e-8)


# Parameters in input units ------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("standardize", [True, False])
def test_distance_net_is_reproduced_from_attributes(kind, X, y, radius_type, kernel, standardize):
    net = kind(**SMALL, activation=kernel, radius_type=radius_type, standardize=standardize)
    net.fit(X, y)
    assert_reproduces(net, X, [kernel, kernel])
    assert net.coefs_[:2] == net.intercepts_[:2] == [None, None]
    for centroids, radii in zip(net.centroids_[:2], net.inverse_radii_[:2]):
        assert np.broadcast_shapes(radii.shape, centroids.shape) == centroids.shape
        assert radii.min() >= 0


@both_kinds
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_hybrid_net_is_reproduced_from_attributes(kind, X, y, activation, first, standardize):
    names = [activation, "gaussian"] if first else ["gaussian", activation]
    net = kind(**SMALL, activation=names, standardize=standardize)
    net.fit(X - X.mean(axis=0), y)
    assert_reproduces(net, X - X.mean(axis=0), names)
    dense, distance = (0, 1) if first else (1, 0)
    assert net.centroids_[dense] is net.inverse_radii_[dense] is None
    assert net.coefs_[distance] is net.intercepts_[distance] is None
    assert net.coefs_[dense].shape == ((X.shape[1] if first else 6), net.intercepts_[dense].size)


@both_kinds
@pytest.mark.parametrize("standardize", [True, False])
def test_net_without_hidden_layers_is_reproduced(kind, X, y, standardize):
    net = kind(hidden_layer_sizes=(), max_iter=3, random_state=0, standardize=standardize)
    assert_reproduces(net.fit(X, y), X, [])


def test_linear_output_and_several_targets_are_reproduced():
    net = DistanceNetClassifier(**SMALL, output_layer="linear").fit(WINE, WINE_Y)
    assert_reproduces(net, WINE, ["gaussian"] * 2)
    targets = np.column_stack([1e6 * DIABETES_Y, DIABETES_Y - 500, np.sin(DIABETES_Y)])
    net = DistanceNetRegressor(**SMALL).fit(DIABETES, targets)
    np.testing.assert_allclose(
        naive_output(net, DIABETES, ["gaussian"] * 2), net.predict(DIABETES), rtol=1e-8, atol=1e-8
    )


def test_sample_centroids_start_at_rows_in_input_units():
    net = DistanceNetClassifier(**SMALL | {"max_iter": 1, "learning_rate_init": 1e-12})
    first = net.fit(WINE, WINE_Y).centroids_[0]
    nearest = np.abs(first[:, np.newaxis] - WINE).max(axis=2).min(axis=1)
    np.testing.assert_allclose(nearest, 0, atol=1e-7)


@pytest.mark.parametrize("standardize", [True, False])
def test_init_array_is_in_input_units(standardize):
    changes = WINE[:6] + 0.5
    options = SMALL | {"max_iter": 1, "learning_rate_init": 1e-12, "init": changes}
    net = DistanceNetClassifier(**options, standardize=standardize).fit(WINE, WINE_Y)
    np.testing.assert_allclose(net.centroids_[0], changes, rtol=1e-7)


@both_kinds
def test_fitted_parameters_are_read_only_and_detached(kind, X, y):
    net = kind(**SMALL, activation=["tanh", "gaussian"]).fit(X, y)
    before = raw_output(net, X)
    for name in ("centroids_", "inverse_radii_", "coefs_", "intercepts_"):
        parts = getattr(net, name)
        assert len(parts) == 3
        assert {part is None for part in parts} == {True, False} or kind is DistanceNetClassifier
        for part in (part for part in parts if part is not None):
            with pytest.raises(ValueError, match="read-only"):
                part[...] = 0
        with pytest.raises(AttributeError):
            setattr(net, name, parts)
    np.testing.assert_array_equal(raw_output(net, X), before)


@both_kinds
@pytest.mark.parametrize(
    "name",
    ["centroids_", "inverse_radii_", "coefs_", "intercepts_", "n_layers_", "n_outputs_", "n_iter_"],
)
def test_unfitted_net_has_no_fitted_attributes(kind, X, y, name):
    with pytest.raises((NotFittedError, AttributeError)):
        getattr(kind(), name)


# Counts, names and curves -------------------------------------------------------------------------


def test_classifier_records_counts_and_names():
    names = np.array(["b", "a", "c"])[WINE_Y]
    net = DistanceNetClassifier(**SMALL).fit(WINE, names)
    assert (net.n_layers_, net.n_outputs_, net.n_features_in_) == (4, 3, 13)
    assert (net.n_iter_, net.t_, len(net.loss_curve_)) == (3, 3 * len(WINE), 3)
    assert net.out_activation_ == "softmax"
    assert net.classes_.tolist() == ["a", "b", "c"]
    assert net.loss_ == net.loss_curve_[-1]
    assert net.best_loss_ == min(net.loss_curve_)
    assert not hasattr(net, "feature_names_in_")
    assert not hasattr(net, "validation_loss_curve_")


@pytest.mark.parametrize("n_targets", [1, 3])
def test_regressor_records_counts_and_names(n_targets):
    y = np.column_stack([DIABETES_Y] * n_targets)
    net = DistanceNetRegressor(**SMALL | {"hidden_layer_sizes": 7}).fit(DIABETES, y)
    assert (net.n_layers_, net.n_outputs_, net.n_features_in_) == (3, n_targets, 10)
    assert net.out_activation_ == "identity"
    assert not hasattr(net, "classes_")


@both_kinds
def test_second_fit_starts_from_scratch(kind, X, y):
    net = kind(**SMALL).fit(X[:, :5], y)
    net.fit(X, y)
    fresh = kind(**SMALL).fit(X, y)
    assert vars(net).keys() == vars(fresh).keys()
    assert joblib.hash(vars(net)) == joblib.hash(vars(fresh))


# Copies and files ---------------------------------------------------------------------------------


def through_joblib(net):
    buffer = BytesIO()
    joblib.dump(net, buffer)
    return joblib.load(buffer)


@both_kinds
@pytest.mark.parametrize("copy", [lambda net: pickle.loads(pickle.dumps(net)), through_joblib])
def test_saved_net_predicts_and_continues_training(kind, X, y, copy):
    net = kind(**SMALL, warm_start=True, learning_rate="constant").fit(X, y)
    saved = copy(net)
    np.testing.assert_array_equal(raw_output(saved, X), raw_output(net, X))
    np.testing.assert_array_equal(raw_output(saved.fit(X, y), X), raw_output(net.fit(X, y), X))


@both_kinds
@pytest.mark.parametrize("train", ["fit", "partial_fit"])
def test_single_rows_follow_further_training(kind, X, y, train):
    net = kind(**SMALL, warm_start=True, learning_rate="constant").fit(X, y)
    before = raw_output(net, X[:1])
    np.testing.assert_allclose(before, raw_output(net, X)[:1], rtol=1e-9)
    getattr(net, train)(X, y)
    np.testing.assert_allclose(raw_output(net, X[:1]), raw_output(net, X)[:1], rtol=1e-9)
    assert not np.allclose(raw_output(net, X[:1]), before, rtol=1e-9)


@both_kinds
def test_predictions_do_not_enlarge_saved_nets(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    before = pickle.dumps(net)
    net.predict(X[:1])
    assert pickle.dumps(net) == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_net_stores_each_number_once(dtype):
    X, y = load_digits(return_X_y=True)
    options = {"hidden_layer_sizes": (300, 100), "max_iter": 1, "dtype": dtype, "random_state": 0}
    net = DistanceNetClassifier(**options).fit(X[:200], y[:200])
    parameters = [p for p in net.centroids_ + net.inverse_radii_ if p is not None]
    assert sum(p.size for p in parameters) > 99_000
    # The statistics of the novelty score do not grow with the layers.
    layers = net._novelty_["layers"]
    novelty = [layer[name] for layer in layers for name in ("packed", "means", "origin")]
    assert sum(array.size for array in novelty) < 20_000
    size = sum(array.nbytes for array in parameters + novelty)
    assert size < len(pickle.dumps(net)) <= 1.2 * size + 4_000


@both_kinds
def test_clone_has_parameters_but_no_fitted_state(kind, X, y):
    net = kind(**SMALL, init=X[:6] * 1.0).fit(X, y)
    copy = clone(net)
    assert vars(copy).keys() == vars(kind()).keys() == set(kind().get_params())
    np.testing.assert_array_equal(copy.init, net.init)
    np.testing.assert_array_equal(raw_output(copy.fit(X, y), X), raw_output(net, X))


@both_kinds
def test_set_params_round_trips(kind, X, y):
    changes = SMALL | {"init": "kmeans", "rho": 0.5, "activation": ["tanh", "cauchy"]}
    assert changes.items() <= kind().set_params(**changes).get_params().items()
    with pytest.raises(ValueError, match="Invalid parameter 'hidden'"):
        kind().set_params(hidden=3)
