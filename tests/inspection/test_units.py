"""Tests of `unit_report`: dead, saturated and duplicate units, and the use of each."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.special import rel_entr
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.inspection import _fitted_net, gradient_flow, unit_report

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = (part[::4] for part in load_diabetes(return_X_y=True))
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 5, "random_state": 0}


def classifier(y=WINE_Y, **options):
    return DistanceNetClassifier(**SMALL | options).fit(WINE, y)


def set_units(net, layer, units, **values):
    views = net._network.views(net._theta_)[layer]
    for name, value in values.items():
        views[name][units] = value


def copy_unit(net, layer, source, target):
    for values in net._network.views(net._theta_)[layer].values():
        values[target] = values[source]


def assert_same(report, other, **tolerance):
    assert report.keys() == other.keys()
    for name in report:
        np.testing.assert_allclose(report[name], other[name], err_msg=name, **tolerance)


def test_report_has_a_row_per_hidden_unit():
    net = classifier()
    table = pd.DataFrame(unit_report(net, WINE))
    assert table.layer.tolist() == [0] * 6 + [1] * 5
    assert table.unit.tolist() == [*range(6), *range(5)]
    activations = net.transform(WINE)
    np.testing.assert_allclose(table["mean"][6:], activations.mean(axis=0))
    np.testing.assert_allclose(table["std"][6:], activations.std(axis=0))
    assert (table.duplicate_of == -1).all()
    assert not table.dead.any()
    assert not table.saturated.any()


def test_dead_and_saturated_units_match_gradient_flow():
    net = classifier()
    set_units(net, 0, [1, 4], centroids=1e4)
    set_units(net, 1, [2], inverse_radii=0.0)
    report, flow = unit_report(net, WINE), gradient_flow(net, WINE, WINE_Y)
    assert np.flatnonzero(report.dead).tolist() == [1, 4, 8]
    assert np.flatnonzero(report.saturated).tolist() == [8]
    for name in ("dead", "saturated"):
        shares = [report[name][report.layer == layer].mean() for layer in (0, 1)]
        np.testing.assert_allclose(flow[f"{name}_share"][:2], shares)
    np.testing.assert_allclose(report.use[report.dead], 0, atol=1e-6)


def test_duplicates_name_the_unit_of_largest_use():
    net = classifier()
    for target in (3, 5):
        copy_unit(net, 0, 0, target)
    copy_unit(net, 1, 1, 2)
    # The weights of the next layer decide which duplicate has the largest use.
    set_units(net, 1, slice(None), inverse_radii=1.0)
    net._network.views(net._theta_)[1]["inverse_radii"][:, 3] *= 3
    report = unit_report(net, WINE)
    assert report.duplicate_of[report.layer == 0].tolist() == [3, -1, -1, -1, -1, 3]
    leader, other = (1, 2) if report.use[7] >= report.use[8] else (2, 1)
    expected = [-1] * 5
    expected[other] = leader
    assert report.duplicate_of[report.layer == 1].tolist() == expected


def test_dead_units_are_no_duplicates():
    net = classifier()
    set_units(net, 0, [1, 4], centroids=1e4)
    assert (unit_report(net, WINE).duplicate_of == -1).all()


def divergence_without(net, X, unit):
    """Compute the divergence with a unit of the last hidden layer fixed at its mean."""
    activations, views = net.transform(X), net._network.views(net._theta_)[-1]
    coefs = net._network.linear_scale * views["linear_coefs"]
    linear_part = net._input_map.scale_points(X) @ coefs

    def output(activations):
        if "coefs" in views:
            return activations @ views["coefs"] + views["intercepts"] + linear_part
        gaps = (activations[:, np.newaxis] - views["centroids"]) * views["inverse_radii"]
        return linear_part - 0.5 * np.sum(gaps**2, axis=2)

    held = activations.copy()
    # A small part of the change, so that only the second order counts.
    held[:, unit] += 1e-3 * (activations[:, unit].mean() - activations[:, unit])
    before, after = output(activations), output(held)
    if isinstance(net, DistanceNetRegressor):
        return 0.5 * np.mean(np.sum((before - after) ** 2, axis=1)) * 1e6
    total = 0.0
    for group in net._codec.groups:
        p, q = (np.exp(raw[:, group]) for raw in (before, after))
        p, q = (part / part.sum(axis=1, keepdims=True) for part in (p, q))
        total += np.mean(np.sum(rel_entr(p, q), axis=1)) * 1e6
    return total


@pytest.mark.parametrize(
    "net",
    [
        classifier(),
        classifier(radius_type="tied", activation=["relu", "cauchy"]),
        classifier(output_layer="linear"),
        classifier(np.column_stack([WINE_Y == 0, WINE[:, 0] > 13]).astype(int)),
        classifier(np.column_stack([WINE_Y, WINE[:, 0] > 13])),
        DistanceNetRegressor(**SMALL).fit(WINE, WINE[:, :2]),
    ],
    ids=["distance", "hybrid", "linear", "multilabel", "multi-output", "regressor"],
)
def test_use_is_the_divergence_with_mean_activation(net):
    use = unit_report(net, WINE).use[6:]
    expected = [divergence_without(net, WINE, unit) for unit in range(5)]
    np.testing.assert_allclose(use, expected, rtol=1e-2)


def test_batches_and_weights_add_up(monkeypatch):
    net, counts = classifier(), np.arange(len(WINE)) % 3
    full = unit_report(net, np.repeat(WINE, counts, axis=0))
    monkeypatch.setattr(_fitted_net, "BATCH_NUMBERS", 7 * sum(net._network.sizes))
    assert_same(unit_report(net, WINE, 0.1 * counts), full, rtol=1e-7, atol=1e-12)
    # The first batch may have no weight.
    last = np.arange(len(WINE)) >= 20
    assert_same(
        unit_report(net, WINE, last.astype(float)),
        unit_report(net, WINE[last]),
        rtol=1e-7,
        atol=1e-12,
    )


def test_sparse_rows_and_single_precision():
    X = np.where(WINE.mean(axis=0) < WINE, WINE, 0)
    net = DistanceNetClassifier(**SMALL).fit(X, WINE_Y)
    assert_same(unit_report(net, csr_array(X)), unit_report(net, X), rtol=1e-7)
    single = DistanceNetClassifier(**SMALL, dtype="float32").fit(X, WINE_Y)
    single._theta_ = net._theta_.astype(np.float32)
    assert_same(unit_report(single, X), unit_report(net, X), rtol=1e-2, atol=1e-5)


def test_unsuitable_arguments_of_unit_report_raise():
    with pytest.raises(NotFittedError):
        unit_report(DistanceNetClassifier(), WINE)
    with pytest.raises(TypeError, match="unit_report takes a DistanceNetClassifier or a"):
        unit_report(MLPClassifier(), WINE)
    with pytest.raises(ValueError, match=r"needs hidden units; got a DistanceNetClassifier"):
        unit_report(classifier(hidden_layer_sizes=()), WINE)
    with pytest.raises(ValueError, match="sample_weight"):
        unit_report(classifier(), WINE, np.ones(3))
