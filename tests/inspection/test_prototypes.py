"""Tests of `prototypes`: contributions sum to the output, feature shares to distances."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import is_classifier
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import KERNELS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.inspection import prototypes

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (7,), "max_iter": 5, "random_state": 0}
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def classifier(**options):
    return DistanceNetClassifier(**SMALL | options).fit(WINE, WINE_Y)


def regressor(y=DIABETES_Y, **options):
    return DistanceNetRegressor(**SMALL | options).fit(DIABETES, y)


nets = pytest.mark.parametrize(
    ("make", "options"),
    [
        *((classifier, {"radius_type": name}) for name in RADIUS_TYPES),
        *((classifier, {"activation": name, "output_layer": "linear"}) for name in KERNELS),
        (classifier, {"standardize": False}),
        (classifier, {"hidden_layer_sizes": (6, 5, 4)}),
        (classifier, {"hidden_layer_sizes": (6, 5), "activation": ["relu", "gaussian"]}),
        *((regressor, {"activation": name}) for name in KERNELS),
        (regressor, {"hidden_layer_sizes": (6, 5), "radius_type": "tied"}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)


def rows_of(net):
    return (WINE if is_classifier(net) else DIABETES)[::9]


@nets
def test_contributions_and_other_parts_sum_to_the_output(make, options):
    net = make(**options)
    X = rows_of(net)
    explanation = prototypes(net, X)
    parts = explanation.contributions.sum(axis=1) + explanation.intercept + explanation.linear_part
    assert np.abs(explanation.linear_part).max() > 0.01
    np.testing.assert_allclose(parts, explanation.raw_output, **EXACT)
    if not is_classifier(net):
        np.testing.assert_allclose(parts, net.predict(X), **EXACT)
        return
    np.testing.assert_allclose(parts, net.decision_function(X).max(axis=1), **EXACT)
    np.testing.assert_array_equal(net.classes_[explanation.output], net.predict(X))


@nets
def test_feature_shares_sum_to_squared_distances(make, options):
    net = make(**options)
    explanation = prototypes(net, rows_of(net), n_prototypes=100)
    np.testing.assert_allclose(
        explanation.feature_shares.sum(axis=2), explanation.squared_distances, **EXACT
    )
    assert explanation.feature_shares.min() >= 0
    activations = np.empty_like(explanation.activations)
    KERNELS[net._network.activations[-1]].value(-0.5 * explanation.squared_distances, activations)
    np.testing.assert_allclose(activations, explanation.activations, **EXACT)


@pytest.mark.parametrize("output_layer", ["distance", "linear"])
def test_support_sums_to_logit_minus_mean_logit(output_layer):
    net = classifier(output_layer=output_layer)
    explanation = prototypes(net, WINE)
    linear_parts = [prototypes(net, WINE, output=output).linear_part for output in range(3)]
    logits = net.decision_function(WINE) - np.transpose(linear_parts)
    shared = logits.mean(axis=1)
    if output_layer == "linear":
        shared = shared - net.intercepts_[-1].mean() + explanation.intercept
    explained = np.take_along_axis(logits, explanation.output[:, np.newaxis], axis=1)[:, 0]
    np.testing.assert_allclose(explanation.support.sum(axis=1), explained - shared, **EXACT)


def test_units_of_largest_support_and_their_centroids():
    net = classifier()
    explanation = prototypes(net, WINE, n_prototypes=4)
    ranked = np.sort(explanation.support, axis=1)[:, ::-1]
    picked = np.take_along_axis(explanation.support, explanation.units, axis=1)
    np.testing.assert_array_equal(picked, ranked[:, :4])
    np.testing.assert_array_equal(explanation.centroids, net.centroids_[0][explanation.units])
    assert explanation.centroids.shape == explanation.feature_shares.shape == (len(WINE), 4, 13)


def test_any_class_can_be_explained():
    net = classifier()
    for output in range(3):
        explanation = prototypes(net, WINE, output=output)
        np.testing.assert_allclose(explanation.raw_output, net.decision_function(WINE)[:, output])
        assert set(explanation.output) == {output}


def test_several_targets_need_output():
    y = np.column_stack([DIABETES_Y, -3 * DIABETES[:, 0]])
    net = regressor(y)
    explanation = prototypes(net, DIABETES, output=1)
    np.testing.assert_allclose(explanation.raw_output, net.predict(DIABETES)[:, 1], **EXACT)
    with pytest.raises(ValueError, match=r"'output' must be given for a net of 2 outputs.*None"):
        prototypes(net, DIABETES)


@pytest.mark.parametrize("sizes", [(7,), (6, 5)])
def test_nearest_row_has_the_largest_activation(sizes):
    net = classifier(hidden_layer_sizes=sizes)
    explanation = prototypes(net, WINE[:2], X_train=WINE)
    of_all = prototypes(net, WINE, n_prototypes=sizes[-1])
    for unit, nearest in zip(explanation.units.ravel(), explanation.nearest_rows.ravel()):
        activations = of_all.activations[of_all.units == unit]
        assert np.argmax(activations) == nearest


def test_batches_do_not_change_the_explanation(monkeypatch):
    net = classifier()
    full = prototypes(net, WINE)
    monkeypatch.setitem(prototypes.__globals__, "BATCH_NUMBERS", 500)
    for name, value in prototypes(net, WINE).items():
        np.testing.assert_allclose(value, full[name], rtol=1e-12, atol=1e-12)


def test_single_precision_sums_within_its_precision():
    net = classifier(dtype="float32")
    explanation = prototypes(net, WINE)
    logits = net.decision_function(WINE).max(axis=1)
    np.testing.assert_allclose(explanation.raw_output, logits, rtol=1e-4, atol=1e-4)


def test_net_without_last_distance_layer_raises():
    for options in ({"activation": "relu"}, {"hidden_layer_sizes": ()}):
        with pytest.raises(ValueError, match=r"radial 'activation' .* got hidden layers of \("):
            prototypes(classifier(**options), WINE)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, None, "3"])
def test_n_prototypes_must_be_a_positive_int(value):
    with pytest.raises(
        ValueError,
        match=r"'n_prototypes' parameter of prototypes must be an int in \[1, .*\]; got",
    ):
        prototypes(classifier(), WINE, n_prototypes=value)


@pytest.mark.parametrize("value", [-1, 3, 0.5, False, "a"])
def test_output_must_be_a_column(value):
    with pytest.raises(
        ValueError, match=r"'output' parameter of prototypes must be an int in \[0, 2\]; got"
    ):
        prototypes(classifier(), WINE, output=value)


def test_only_fitted_distance_nets_are_explained():
    with pytest.raises(TypeError, match=r"prototypes takes .* got MLPClassifier"):
        prototypes(MLPClassifier(), WINE)
    with pytest.raises(NotFittedError):
        prototypes(DistanceNetClassifier(), WINE)
    with pytest.raises(ValueError, match="features"):
        prototypes(classifier(), WINE[:, :4])


def test_several_outputs_need_output():
    y = np.column_stack([WINE_Y, WINE_Y > 0])
    net = DistanceNetClassifier(**SMALL).fit(WINE, y)
    with pytest.raises(ValueError, match=r"'output' must be given .* 2 outputs.*\[0, 4\]"):
        prototypes(net, WINE)
    of_classes = [prototypes(net, WINE, output=output) for output in range(5)]
    margin = of_classes[4].raw_output - of_classes[3].raw_output
    np.testing.assert_allclose(margin, net.decision_function(WINE)[1], **EXACT)
    # The mean over the classes of an output is subtracted, so that the supports sum to zero.
    for group in (of_classes[:3], of_classes[3:]):
        np.testing.assert_allclose(sum(explanation.support for explanation in group), 0, atol=1e-9)


@pytest.mark.parametrize("sizes", [(7,), (6, 5)])
def test_missing_features_have_no_share(sizes):
    X = WINE.copy()
    X[::3, 2] = X[1, :5] = X[2] = np.nan
    net = DistanceNetClassifier(**SMALL | {"hidden_layer_sizes": sizes}).fit(X, WINE_Y)
    explanation = prototypes(net, X, X_train=X)
    np.testing.assert_allclose(
        explanation.raw_output, net.decision_function(X).max(axis=1), **EXACT
    )
    np.testing.assert_allclose(
        np.exp(-0.5 * explanation.squared_distances), explanation.activations, **EXACT
    )
    if sizes == (7,):
        assert not explanation.feature_shares[1, :, :5].any()


def test_sparse_rows_are_explained_as_dense_ones():
    net = classifier()
    dense, sparse = (prototypes(net, X, X_train=X) for X in (WINE, csr_array(WINE)))
    for name, value in sparse.items():
        np.testing.assert_allclose(value, dense[name], rtol=1e-12)
