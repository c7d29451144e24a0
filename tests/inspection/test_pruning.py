"""Tests of `prune`: pruned nets are smaller, as good, and as usable as any other."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_wine, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.inspection import gradient_flow, prototypes, prune, unit_report
from skdistnet.inspection.pruning import remaining_units, removal_order, subnet
from skdistnet.inspection.units import measure_units

WINE, WINE_Y = load_wine(return_X_y=True)
FRIEDMAN, FRIEDMAN_Y = make_friedman1(200, random_state=0)
SMALL = {"max_iter": 15, "random_state": 0}


def classifier(sizes=24, **options):
    return DistanceNetClassifier(sizes, **SMALL | options).fit(WINE[::2], WINE_Y[::2])


def regressor(sizes=(12, 12), **options):
    return DistanceNetRegressor(sizes, **SMALL | options).fit(FRIEDMAN[::2], FRIEDMAN_Y[::2])


def held_out(net):
    if isinstance(net, DistanceNetClassifier):
        return WINE[1::2], WINE_Y[1::2]
    return FRIEDMAN[1::2], FRIEDMAN_Y[1::2]


@pytest.mark.parametrize(
    "net",
    [
        *(classifier(radius_type=name) for name in RADIUS_TYPES),
        classifier((16, 12), activation=["gaussian", "relu"], output_layer="linear"),
        classifier((12, 8, 8), activation=["tanh", "cauchy", "gaussian"], dtype="float32"),
        regressor(),
        regressor(20, loss="quantile", quantile=[0.1, 0.9]),
    ],
    ids=str,
)
@pytest.mark.parametrize("with_train", [False, True])
def test_pruned_net_is_small_and_fully_usable(net, with_train):
    X, y = held_out(net)
    before = joblib.hash(vars(net))
    pruned, score = prune(net, X, y, tolerance=0.3, X_train=X[::-1] if with_train else None)
    assert joblib.hash(vars(net)) == before
    assert type(pruned) is type(net)
    assert len(pruned.hidden_layer_sizes) == net.n_layers_ - 2
    assert sum(pruned.hidden_layer_sizes) <= sum(net._network.sizes[1:-1]) // 2
    assert score >= net.score(X, y) - 0.4
    assert pruned.predict(X).shape == net.predict(X).shape
    assert unit_report(pruned, X).use.shape == (sum(pruned.hidden_layer_sizes),)
    assert np.isfinite(gradient_flow(pruned, X, y).gradient_norm).all()
    again = pickle.loads(pickle.dumps(pruned))
    np.testing.assert_array_equal(again.predict(X), pruned.predict(X))
    theta = pruned._theta_.copy()
    assert not np.array_equal(pruned.partial_fit(X, y)._theta_, theta)
    assert pruned.n_iter_ == net.n_iter_ + 1


def test_large_net_loses_half_but_not_score():
    settings = {"label_smoothing": 0.0, "random_state": 0}
    net = DistanceNetClassifier(60, **settings).fit(WINE[::2], WINE_Y[::2])
    X, y = held_out(net)
    pruned, score = prune(net, X, y, X_train=WINE[::2])
    assert pruned.hidden_layer_sizes[0] <= 30
    assert score >= net.score(X, y) - 0.005
    assert prototypes(pruned, X[:3]).units.shape == (3, 3)


def test_net_of_necessary_units_stays_complete():
    net = classifier(2, max_iter=100, linear_part=False)
    X, y = held_out(net)
    pruned, score = prune(net, X, y, 0.0)
    assert pruned is not net
    assert pruned.hidden_layer_sizes in (2, (2,))
    np.testing.assert_allclose(score, net.score(X, y), atol=1e-2)
    np.testing.assert_array_equal(pruned.predict_proba(X), net.predict_proba(X))


# Order of removal ---------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [0, 1])
def test_dead_and_duplicate_units_go_first(layer):
    net = classifier((8, 7), max_iter=30)
    views = net._network.views(net._theta_)[layer]
    views["centroids"][[1, 4]] = 1e4
    for values in views.values():
        values[[3, 5]] = values[0]
    order = removal_order(measure_units(net, WINE, None))
    first = set([unit for number, unit in order if number == layer][:4])
    assert {1, 4} <= first
    assert len(first & {0, 3, 5}) == 2
    assert len(order) == 8 + 7 - 2


def test_explained_shares_are_those_of_regression():
    """Costs are the use times the share that least squares on the other units does not explain."""
    net = classifier(6)
    (layer,) = measure_units(net, WINE, None)
    activations = net.transform(WINE)
    activations = (activations - activations.mean(axis=0)) / activations.std(axis=0)
    left, expected = list(range(6)), []
    while len(left) > 1:
        costs = []
        for unit in left:
            others = activations[:, [other for other in left if other != unit]]
            gram = others.T @ others / len(WINE) + 0.01 * np.eye(len(left) - 1)
            with_unit = others.T @ activations[:, unit] / len(WINE)
            costs.append(layer.use[unit] * (1.01 - with_unit @ np.linalg.solve(gram, with_unit)))
        expected.append((0, left.pop(int(np.argmin(costs)))))
    assert removal_order([layer]) == expected


def test_subnet_keeps_the_parameters_of_its_units():
    net = classifier((6, 5), activation=["gaussian", "relu"], output_layer="linear")
    small = subnet(net, [np.array([1, 2, 5]), np.array([0, 4])])
    np.testing.assert_array_equal(small.centroids_[0], net.centroids_[0][[1, 2, 5]])
    np.testing.assert_array_equal(small.inverse_radii_[0], net.inverse_radii_[0][[1, 2, 5]])
    np.testing.assert_array_equal(small.coefs_[1], net.coefs_[1][np.ix_([1, 2, 5], [0, 4])])
    np.testing.assert_array_equal(small.intercepts_[1], net.intercepts_[1][[0, 4]])
    np.testing.assert_array_equal(small.coefs_[2], net.coefs_[2][[0, 4]])
    np.testing.assert_array_equal(small.intercepts_[2], net.intercepts_[2])
    full = subnet(net, remaining_units([6, 5], [], 11))
    np.testing.assert_array_equal(full.predict_proba(WINE), net.predict_proba(WINE))


# State of the pruned net --------------------------------------------------------------------------


def test_novelty_is_calibrated_anew_with_the_box():
    net = classifier(max_iter=40)
    X, y = held_out(net)
    pruned, _ = prune(net, X, y, 0.1)
    assert (pruned.score_samples(X) < pruned.novelty_threshold_).mean() < 0.15
    assert (pruned.score_samples(X + 1e4) < pruned.novelty_threshold_).all()
    assert (pruned._novelty_["bounds"][1] >= net._novelty_["bounds"][1]).all()
    # Without novelty scores of the large net, the small one has none.
    pruned, _ = prune(net.partial_fit(X, y), X, y, 0.1)
    with pytest.raises(NotFittedError, match="calibrated by fit"):
        pruned.score_samples(X)


def test_array_init_is_pruned_with_its_units():
    net = classifier(20, init=WINE[:20])
    pruned, _ = prune(net, *held_out(net), 0.3)
    assert pruned.init.shape == (pruned.hidden_layer_sizes[0], 13)
    assert clone(pruned).fit(WINE, WINE_Y).n_iter_ == 15
    assert net.init.shape == (20, 13)


def test_warm_start_continues_from_the_pruned_net():
    net = classifier(warm_start=True)
    pruned, _ = prune(net, *held_out(net), 0.3)
    before = pruned.n_iter_
    assert pruned.fit(WINE, WINE_Y).n_iter_ == before + 15


@pytest.mark.parametrize("class_weight", [None, {0: 10.0, 1: 1.0, 2: 1.0}])
def test_class_weights_leave_the_score_high(class_weight):
    net = classifier(30, class_weight=class_weight)
    X, y = held_out(net)
    pruned, score = prune(net, X[10:], y[10:], 0.1, X_train=WINE[::2])
    assert sum(pruned.hidden_layer_sizes) <= 15
    assert score > 0.8


# Rows and weights ---------------------------------------------------------------------------------


def test_rows_of_weight_zero_have_no_effect():
    net = classifier()
    X, y = held_out(net)
    weights = np.where(np.arange(len(X)) % 5, 1.0, 0.0)
    pruned, score = prune(net, X, y, 0.1, sample_weight=weights)
    without, expected = prune(net, X[weights > 0], y[weights > 0], 0.1)
    assert score == pytest.approx(expected)
    np.testing.assert_allclose(pruned.predict_proba(X), without.predict_proba(X))


def test_pruning_is_deterministic():
    net = classifier(random_state=None)
    (first, _), (second, _) = (prune(net, *held_out(net), 0.1) for _ in range(2))
    np.testing.assert_array_equal(first._theta_, second._theta_)


def test_frames_missing_values_sparse_rows_and_strings():
    frame = pd.DataFrame(WINE).rename(columns=str).mask(lambda x: x > x.quantile(0.95))
    both = np.column_stack([WINE_Y, WINE[:, 0] > 13])
    net = DistanceNetClassifier(16, **SMALL).fit(frame[::2], both[::2])
    pruned, _ = prune(net, frame[1::2], both[1::2], 0.3)
    assert pruned.predict(frame).shape == both.shape
    X = csr_array(np.where(WINE.mean(axis=0) < WINE, WINE, 0))
    names = np.array(["b", "a", "c"])[WINE_Y]
    net = DistanceNetClassifier(16, **SMALL).fit(X, names)
    pruned, _ = prune(net, X, names, 0.3, X_train=X)
    assert set(pruned.predict(X)) <= set(names)


def test_unsuitable_arguments_of_prune_raise():
    net = classifier()
    X, y = held_out(net)
    with pytest.raises(NotFittedError):
        prune(DistanceNetClassifier(), X, y)
    with pytest.raises(TypeError, match="prune takes a DistanceNetClassifier or a"):
        prune(MLPClassifier(), X, y)
    with pytest.raises(ValueError, match="prune needs hidden units"):
        prune(classifier(()), X, y)
    for tolerance in (-0.1, "0.1", None, float("nan"), True):
        with pytest.raises(
            ValueError, match=r"'tolerance' parameter of prune must be a float in \[0.0, inf\); got"
        ):
            prune(net, X, y, tolerance)
    with pytest.raises(ValueError, match="prune needs at least 6 rows"):
        prune(net, X[:5], y[:5])
    with pytest.raises(ValueError, match="features"):
        prune(net, X, y, X_train=X[:, :3])
