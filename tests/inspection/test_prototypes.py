"""Explanations add up: contributions to the output, shares of features to distances."""

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
def test_contributions_and_intercept_sum_to_the_output_of_the_prediction(make, options):
    net = make(**options)
    X = rows_of(net)
    found = prototypes(net, X)
    parts = found.contributions.sum(axis=1) + found.intercept
    np.testing.assert_allclose(parts, found.raw_output, **EXACT)
    if not is_classifier(net):
        np.testing.assert_allclose(parts, net.predict(X), **EXACT)
        return
    np.testing.assert_allclose(parts, net.decision_function(X).max(axis=1), **EXACT)
    np.testing.assert_array_equal(net.classes_[found.output], net.predict(X))


@nets
def test_feature_shares_sum_to_distances_that_units_answer_by(make, options):
    net = make(**options)
    found = prototypes(net, rows_of(net), n_prototypes=100)
    np.testing.assert_allclose(found.feature_shares.sum(axis=2), found.squared_distances, **EXACT)
    assert found.feature_shares.min() >= 0
    answers = np.empty_like(found.activations)
    KERNELS[net._network.activations[-1]].value(-0.5 * found.squared_distances, answers)
    np.testing.assert_allclose(answers, found.activations, **EXACT)


@pytest.mark.parametrize("output_layer", ["distance", "linear"])
def test_support_sums_to_the_logit_less_the_mean_of_all(output_layer):
    net = classifier(output_layer=output_layer)
    found = prototypes(net, WINE)
    logits = net.decision_function(WINE)
    shared = logits.mean(axis=1)
    if output_layer == "linear":
        shared = shared - net.intercepts_[-1].mean() + found.intercept
    np.testing.assert_allclose(found.support.sum(axis=1), logits.max(axis=1) - shared, **EXACT)


def test_units_are_those_of_largest_support_and_centroids_theirs():
    net = classifier()
    found = prototypes(net, WINE, n_prototypes=4)
    ranked = np.sort(found.support, axis=1)[:, ::-1]
    picked = np.take_along_axis(found.support, found.units, axis=1)
    np.testing.assert_array_equal(picked, ranked[:, :4])
    np.testing.assert_array_equal(found.centroids, net.centroids_[0][found.units])
    assert found.centroids.shape == found.feature_shares.shape == (len(WINE), 4, 13)


def test_an_unchosen_class_can_be_explained():
    net = classifier()
    for output in range(3):
        found = prototypes(net, WINE, output=output)
        np.testing.assert_allclose(found.raw_output, net.decision_function(WINE)[:, output])
        assert set(found.output) == {output}


def test_the_class_explained_is_the_predicted_one_where_novel_rows_are_handled():
    net = DistanceNetClassifier(8, max_iter=20, random_state=0)
    rows = np.concatenate([WINE, 2.0 * WINE.max(axis=0) - WINE])
    plain = net.fit(WINE, WINE_Y).decision_function(rows)
    net.set_params(handle_novelty="prior").fit(WINE, WINE_Y)
    found = prototypes(net, rows)
    np.testing.assert_array_equal(net.classes_[found.output], net.predict(rows))
    assert (found.output != plain.argmax(axis=1)).any()
    np.testing.assert_allclose(found.raw_output, plain[np.arange(len(rows)), found.output])


def test_of_several_targets_one_must_be_chosen():
    y = np.column_stack([DIABETES_Y, -3 * DIABETES[:, 0]])
    net = regressor(y)
    found = prototypes(net, DIABETES, output=1)
    np.testing.assert_allclose(found.raw_output, net.predict(DIABETES)[:, 1], **EXACT)
    with pytest.raises(ValueError, match=r"'output' must be given for a net of 2 outputs.*None"):
        prototypes(net, DIABETES)


@pytest.mark.parametrize("sizes", [(7,), (6, 5)])
def test_the_nearest_row_is_the_one_that_the_unit_answers_most_to(sizes):
    net = classifier(hidden_layer_sizes=sizes)
    found = prototypes(net, WINE[:2], X_train=WINE)
    of_all = prototypes(net, WINE, n_prototypes=sizes[-1])
    for unit, nearest in zip(found.units.ravel(), found.nearest_rows.ravel()):
        answers = of_all.activations[of_all.units == unit]
        assert np.argmax(answers) == nearest


def test_rows_are_taken_in_batches_that_add_up(monkeypatch):
    net = classifier()
    whole = prototypes(net, WINE)
    monkeypatch.setitem(prototypes.__globals__, "BATCH_NUMBERS", 500)
    for name, value in prototypes(net, WINE).items():
        np.testing.assert_allclose(value, whole[name], rtol=1e-12, atol=1e-12)


def test_single_precision_holds_to_its_own_precision():
    net = classifier(dtype="float32")
    found = prototypes(net, WINE)
    logits = net.decision_function(WINE).max(axis=1)
    np.testing.assert_allclose(found.raw_output, logits, rtol=1e-4, atol=1e-4)


def test_a_net_without_distance_units_at_its_end_is_told_what_to_set():
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
def test_output_must_be_a_column_of_the_raw_output(value):
    with pytest.raises(
        ValueError, match=r"'output' parameter of prototypes must be an int in \[0, 2\]; got"
    ):
        prototypes(classifier(), WINE, output=value)


def test_it_wants_a_fitted_distance_net():
    with pytest.raises(TypeError, match=r"prototypes takes .* got MLPClassifier"):
        prototypes(MLPClassifier(), WINE)
    with pytest.raises(NotFittedError):
        prototypes(DistanceNetClassifier(), WINE)
    with pytest.raises(ValueError, match="features"):
        prototypes(classifier(), WINE[:, :4])


def test_of_several_outputs_one_class_must_be_chosen():
    y = np.column_stack([WINE_Y, WINE_Y > 0])
    net = DistanceNetClassifier(**SMALL).fit(WINE, y)
    with pytest.raises(ValueError, match=r"'output' must be given .* 2 outputs.*\[0, 4\]"):
        prototypes(net, WINE)
    of_classes = [prototypes(net, WINE, output=output) for output in range(5)]
    margin = of_classes[4].raw_output - of_classes[3].raw_output
    np.testing.assert_allclose(margin, net.decision_function(WINE)[1], **EXACT)
    # What the classes of an output have in common is taken off, so that nothing is left of all.
    for group in (of_classes[:3], of_classes[3:]):
        np.testing.assert_allclose(sum(found.support for found in group), 0, atol=1e-9)


@pytest.mark.parametrize("sizes", [(7,), (6, 5)])
def test_missing_features_have_no_share(sizes):
    X = WINE.copy()
    X[::3, 2] = X[1, :5] = X[2] = np.nan
    net = DistanceNetClassifier(**SMALL | {"hidden_layer_sizes": sizes}).fit(X, WINE_Y)
    found = prototypes(net, X, X_train=X)
    np.testing.assert_allclose(found.raw_output, net.decision_function(X).max(axis=1), **EXACT)
    np.testing.assert_allclose(np.exp(-0.5 * found.squared_distances), found.activations, **EXACT)
    if sizes == (7,):
        assert not found.feature_shares[1, :, :5].any()


def test_sparse_rows_are_explained_as_dense_ones():
    net = classifier()
    dense, sparse = (prototypes(net, X, X_train=X) for X in (WINE, csr_array(WINE)))
    for name, value in sparse.items():
        np.testing.assert_allclose(value, dense[name], rtol=1e-12)
