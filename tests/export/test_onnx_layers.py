"""ONNX models of nets of any layers predict what the nets do.

Every pair of options is tested, and with ``--all-combinations`` every combination.
"""

import numpy as np
import pytest
from combinations import all_pairs
from exported_tables import (
    LAYERS,
    QUICK,
    UNITS,
    net_of_layers,
    numbers,
    numeric_target,
    parametrize_layers,
    three_classes,
    with_missing,
)
from onnx_models import assert_converts, run

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import KERNELS
from skdistnet.export import to_onnx

pytest_generate_tests = parametrize_layers


def test_layers_of_classifiers_convert(combination):
    assert_converts(*net_of_layers(combination))


@pytest.mark.parametrize("first", UNITS)
def test_layers_of_regressors_convert(first):
    X = numbers()
    net = DistanceNetRegressor((6, 5), (first, "cauchy"), **QUICK).fit(X, numeric_target("huber"))
    assert_converts(net, with_missing(X) if first in KERNELS else X)


def with_radii_of(net, number, inverse_radius):
    """Return a net whose expanded squares cancel, as rows near centroids of small radii do."""
    net._network.views(net._theta_)[number]["inverse_radii"][:] = inverse_radius
    return net


def near(centroids, share):
    rows = centroids.repeat(20, axis=0)
    return rows * (1 + share * np.random.default_rng(0).normal(size=rows.shape))


@pytest.mark.parametrize("missing_values", [True, False])
@pytest.mark.parametrize("with_nan", [True, False])
@pytest.mark.parametrize("hidden", [(), (6,)])
def test_rounding_makes_no_distance_negative(hidden, with_nan, missing_values):
    rows = numbers()
    options = QUICK | {"hidden_layer_sizes": hidden, "linear_part": False}
    net = DistanceNetClassifier(**options).fit(rows, three_classes(rows))
    with_radii_of(net, -1, 1e4)
    if hidden:  # centroids of the last layer where rows are
        net._network.views(net._theta_)[-1]["centroids"][:] = net.transform(rows[:3])
    else:
        rows = near(net.centroids_[0], 1e-9)
    if with_nan and missing_values:
        rows = np.concatenate([rows, np.full((1, 4), np.nan)])
    options = {"raw_scores": True, "missing_values": missing_values}
    assert run(to_onnx(net, options=options), rows)["probabilities"].max() <= 0.0


@pytest.mark.parametrize("missing_values", [True, False])
@pytest.mark.parametrize("kernel", ["gaussian", "cauchy"])
def test_rounding_makes_no_activation_larger_than_one(kernel, missing_values):
    X = numbers().astype(np.float32)
    net = DistanceNetClassifier(6, kernel, output_layer="linear", linear_part=False, **QUICK)
    with_radii_of(net.fit(X, three_classes(X)), 0, 2e3)
    last = net._network.views(net._theta_)[1]
    last["coefs"][:], last["intercepts"][:] = np.eye(6, 3), 0.0
    rows = near(net.centroids_[0], 1e-6).astype(np.float32)
    options = {"raw_scores": True, "missing_values": missing_values}
    logits = run(to_onnx(net, options=options), rows)["probabilities"]
    assert 0.0 < logits.max() <= 1.0


def test_combinations_have_every_pair():
    pairs = {
        (one, a, other, b)
        for each in all_pairs(LAYERS)
        for one, a in each.items()
        for other, b in each.items()
    }
    for one, values in LAYERS.items():
        for other, others in LAYERS.items():
            if one != other:
                assert {(one, a, other, b) for a in values for b in others} <= pairs
