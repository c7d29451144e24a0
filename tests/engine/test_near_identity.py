"""Near-identity initialisation: deep layers whose activations are nearly their inputs."""

import numpy as np
import pytest
from initial_networks import draw_rows, make_network, start

from skdistnet.engine import KERNELS, Network
from skdistnet.engine.init.near_identity import near_identity_radii, starts_near_identity
from skdistnet.engine.layers import Distance

every_kernel = pytest.mark.parametrize("kernel", KERNELS)


def near_identity_layer(kernel, spread, n_units=6, n_inputs=6):
    """Return the activation function of a near-identity layer, and the mean of its inputs."""
    rng = np.random.default_rng(0)
    layer = Distance(n_inputs, n_units, kernel)
    mean = rng.random(n_inputs)
    centroids = mean + spread * rng.normal(size=(n_units, n_inputs))
    radii = near_identity_radii(layer, centroids, mean, np.full(n_inputs, spread))
    network = Network([n_inputs, n_units, 1], kernel, output_layer="linear")
    theta = network.pack(
        centroids=[centroids, None],
        inverse_radii=[radii, None],
        coefs=[None, np.ones((n_units, 1))],
        intercepts=[None, np.zeros(1)],
    )
    return (lambda H: network.forward(theta, H)[0]), mean


def slope_along(activation, mean, number):
    rows = np.tile(mean, (2, 1))
    rows[:, number] += [-1e-4, 1e-4]
    return np.diff(activation(rows), axis=0)[0] / 2e-4


def start_deep(kernel, depth=50):
    X, target = draw_rows(np.random.default_rng(1), n_rows=300, n_inputs=8)
    network = make_network(8, depth=depth, activations=kernel)
    return network, start(network, X, target), X, target


@every_kernel
def test_units_pass_their_input_with_slope_one(kernel):
    activation, mean = near_identity_layer(kernel, spread=0.01)
    np.testing.assert_allclose(activation(mean[np.newaxis])[0], KERNELS[kernel].steepest, atol=0.01)
    for number in range(len(mean)):
        slopes = slope_along(activation, mean, number)
        assert slopes[number] == pytest.approx(1.0, abs=0.01)
        assert np.abs(np.delete(slopes, number)).max() < 0.1
        aside = mean.copy()
        aside[number] += 0.2
        assert slope_along(activation, aside, number)[number] < 1


@every_kernel
def test_surplus_units_repeat_inputs_with_slope_minus_one(kernel):
    activation, mean = near_identity_layer(kernel, spread=0.01, n_units=15)
    np.testing.assert_allclose(slope_along(activation, mean, 2)[[2, 8, 14]], [1, -1, 1], atol=0.02)


@every_kernel
def test_wide_inputs_stay_on_one_side_of_centroids(kernel):
    activation, mean = near_identity_layer(kernel, spread=20.0)
    rows = mean + np.linspace(-30, 30, 9)[:, np.newaxis]
    assert (np.diff(activation(rows), axis=0) > 0).all()


@every_kernel
def test_similarities_keep_their_size_through_fifty_layers(kernel):
    network, theta, X, _ = start_deep(kernel)
    outputs = network.forward(theta, X)
    second, last = (outputs[number] - outputs[number].mean(axis=0) for number in (1, -2))
    assert 0.3 < last.std() / second.std() < 3
    similar = np.corrcoef((second @ second.T).ravel(), (last @ last.T).ravel())[0, 1]
    assert similar > 0.8


@every_kernel
def test_gradients_keep_their_size_through_fifty_layers(kernel):
    network, theta, X, target = start_deep(kernel)
    _, gradient = network.loss_and_grad(theta, X, target)
    norms = [np.linalg.norm(views["centroids"]) for views in network.views(gradient)[2:-1]]
    assert max(norms) < 10 * min(norms)


@pytest.mark.parametrize(
    ("number", "options", "init", "median", "expected"),
    [
        (2, {}, "sample", 0.5, True),
        (9, {"activation": "cauchy"}, "kmeans", 0.5, True),
        (2, {}, np.zeros((4, 3)), 0.5, True),
        (1, {}, "sample", 0.5, False),
        (2, {"n_units": 3}, "sample", 0.5, False),
        (2, {"radius_type": "spherical"}, "sample", 0.5, False),
        (2, {"radius_type": "tied"}, "sample", 0.5, False),
        (2, {"activation": None}, "sample", 0.5, False),
        (2, {}, "uniform", 0.5, False),
        (2, {}, lambda H, n_units, random_state: H[:n_units], 0.5, False),
        (2, {}, "sample", None, False),
    ],
)
def test_only_deep_layers_with_free_radii_qualify(number, options, init, median, expected):
    layer = Distance(**{"n_inputs": 4, "n_units": 4} | options)
    assert starts_near_identity(layer, number, init, median) == expected
