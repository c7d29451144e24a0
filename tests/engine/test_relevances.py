"""Relevances follow their formula and are zero for inputs that do not matter."""

import numpy as np
import pytest

from skdistnet.engine import KERNELS, Network
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.relevances import input_relevances


def random_net(activation="gaussian", radius_type="diag", sizes=(4, 6, 3), dtype=np.float64):
    network = Network(sizes, activation, "distance", radius_type, dtype)
    theta = np.random.default_rng(0).normal(size=network.n_parameters).astype(dtype)
    return network, theta


@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@pytest.mark.parametrize("activation", KERNELS)
def test_relevances_equal_their_formula(activation, radius_type):
    network, theta = random_net(activation, radius_type)
    views = network.views(theta)[0]
    c, r = views["centroids"], np.broadcast_to(views["inverse_radii"], (6, 4))
    expected = np.zeros(4)
    for j in range(6):
        parts = (r[j] * (c - c[j])) ** 2
        activations = np.empty(6)
        KERNELS[activation].value(-0.5 * parts.sum(axis=1), activations)
        parts = parts.sum(axis=0)
        expected += np.var(activations) * parts / parts.sum()
    np.testing.assert_allclose(input_relevances(network, theta), expected / expected.sum())


def test_inputs_without_radii_or_spread_count_nothing():
    network, theta = random_net()
    views = network.views(theta)[0]
    views["inverse_radii"][:, 1] = 0
    views["centroids"][:, 2] = 5.0
    relevances = input_relevances(network, theta)
    assert relevances[1] == relevances[2] == 0
    assert relevances[0] > 0
    assert relevances[3] > 0


def test_relevances_do_not_depend_on_input_units():
    network, theta = random_net()
    before = input_relevances(network, theta)
    factors = np.array([1e-3, 1.0, 7.0, 1e4])
    views = network.views(theta)[0]
    views["centroids"][...] *= factors
    views["inverse_radii"][...] /= factors
    np.testing.assert_allclose(input_relevances(network, theta), before, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relevances_sum_to_one_with_equal_centroids(dtype):
    network, theta = random_net(sizes=(4, 1, 3), dtype=dtype)
    np.testing.assert_array_equal(input_relevances(network, theta), [0.25] * 4)
    network, theta = random_net(sizes=(4, 3), activation=(), dtype=dtype)
    assert input_relevances(network, theta).sum() == pytest.approx(1)


def test_dense_first_layer_raises():
    with pytest.raises(ValueError, match="a distance layer as the first layer; got Dense"):
        input_relevances(*random_net("relu"))
