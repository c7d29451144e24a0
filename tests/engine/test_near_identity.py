"""Relays: deep layers that start by handing on what they are given."""

import numpy as np
import pytest
from starting import draw_rows, make_network, start

from skdistnet.engine import KERNELS, Network
from skdistnet.engine.init.near_identity import near_identity_radii, starts_near_identity
from skdistnet.engine.layers import Distance

every_kernel = pytest.mark.parametrize("kernel", KERNELS)


def relay_layer(kernel, spread, n_units=6, n_inputs=6):
    """What a layer of relays answers, and the mean of its inputs."""
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


def rise_along(answer, mean, number):
    rows = np.tile(mean, (2, 1))
    rows[:, number] += [-1e-4, 1e-4]
    return np.diff(answer(rows), axis=0)[0] / 2e-4


def start_deep(kernel, depth=50):
    X, target = draw_rows(np.random.default_rng(1), n_rows=300, n_inputs=8)
    network = make_network(8, depth=depth, activations=kernel)
    return network, start(network, X, target), X, target


@every_kernel
def test_a_relay_answers_its_own_input_with_slope_one_where_it_is_steepest(kernel):
    answer, mean = relay_layer(kernel, spread=0.01)
    np.testing.assert_allclose(answer(mean[np.newaxis])[0], KERNELS[kernel].steepest, atol=0.01)
    for number in range(len(mean)):
        rise = rise_along(answer, mean, number)
        assert rise[number] == pytest.approx(1.0, abs=0.01)
        assert np.abs(np.delete(rise, number)).max() < 0.1
        aside = mean.copy()
        aside[number] += 0.2
        assert rise_along(answer, aside, number)[number] < 1


@every_kernel
def test_more_units_than_inputs_hand_them_on_from_the_other_side(kernel):
    answer, mean = relay_layer(kernel, spread=0.01, n_units=15)
    np.testing.assert_allclose(rise_along(answer, mean, 2)[[2, 8, 14]], [1, -1, 1], atol=0.02)


@every_kernel
def test_an_input_that_spreads_far_does_not_reach_beyond_the_centroid(kernel):
    answer, mean = relay_layer(kernel, spread=20.0)
    rows = mean + np.linspace(-30, 30, 9)[:, np.newaxis]
    assert (np.diff(answer(rows), axis=0) > 0).all()


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
def test_relays_are_for_deep_layers_free_to_choose_their_radii(
    number, options, init, median, expected
):
    layer = Distance(**{"n_inputs": 4, "n_units": 4} | options)
    assert starts_near_identity(layer, number, init, median) == expected
