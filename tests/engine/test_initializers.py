"""Initial parameters: active units at any width and depth, whatever the data."""

import numpy as np
import pytest
from initial_networks import N_UNITS, draw_rows, make_network, resolve, start

from skdistnet.engine import ACTIVATIONS, INITIALIZERS, KERNELS, Network
from skdistnet.engine.init.initializers import (
    START_ROWS,
    class_means,
    draw_start_rows,
    initialize,
    remove_rounding,
    variances,
    weighted_median,
)
from skdistnet.engine.init.near_identity import starts_near_identity
from skdistnet.engine.layers import Distance
from skdistnet.engine.layers.distances import RADIUS_TYPES


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def without_own_rows(outputs):
    """Return activations without those of units for the row that is their centroid."""
    return outputs[outputs < 1 - 1e-4]


every_init = pytest.mark.parametrize("init", [*INITIALIZERS, "array", "callable"])
every_radius_type = pytest.mark.parametrize("radius_type", RADIUS_TYPES)


# Activity -----------------------------------------------------------------------------------------


@every_init
@every_radius_type
@pytest.mark.parametrize("n_inputs", [1, 5, 300, 2000])
def test_units_are_active_at_any_width(init, radius_type, n_inputs, rng):
    X, target = draw_rows(rng, n_inputs=n_inputs)
    network = make_network(n_inputs, radius_type=radius_type)
    theta = start(network, X, target, init, median=0.5)
    assert np.isfinite(theta).all()
    hidden = network.forward(theta, X)[0]
    assert np.mean(hidden > 1e-6) > 0.9
    assert np.median(without_own_rows(hidden)) == pytest.approx(0.5, abs=0.05)
    _, gradient = network.loss_and_grad(theta, X, target)
    for centroids in network.unpack(gradient).centroids:
        assert np.abs(centroids).max() > 1e-6


@every_init
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("median", [0.1, 0.8])
def test_layers_start_at_median_or_near_identity(init, kernel, median, rng):
    X, target = draw_rows(rng)
    network = make_network(5, depth=8, activations=kernel)
    theta = start(network, X, target, init, median)
    for number, outputs in enumerate(network.forward(theta, X)[:-1]):
        chosen = resolve(init, X, N_UNITS)
        if starts_near_identity(network.layers[number], number, chosen, median):
            # The activation at the mean of the input, the median where inputs are not skewed.
            assert np.median(without_own_rows(outputs)) == pytest.approx(
                KERNELS[kernel].steepest, abs=0.15
            )
        else:
            assert np.median(without_own_rows(outputs)) == pytest.approx(median, abs=0.05)
    _, gradient = network.loss_and_grad(theta, X, target)
    for centroids in network.unpack(gradient).centroids:
        assert np.abs(centroids).max() > 0


@pytest.mark.parametrize("init", INITIALIZERS)
def test_distance_output_starts_at_typical_activation(init, rng):
    X, target = draw_rows(rng)
    network = make_network(5)
    raw = network.forward(start(network, X, target, init), X)[-1]
    assert np.median(np.exp(raw)) == pytest.approx(0.1, abs=0.02)


@every_init
@pytest.mark.parametrize("name", [*KERNELS, *ACTIVATIONS])
def test_hybrid_nets_have_gradients_in_every_layer(init, name, rng):
    X, target = draw_rows(rng)
    network = make_network(5, depth=3, activations=["tanh", name, "gaussian"])
    theta = start(network, X, target, init)
    _, gradient = network.loss_and_grad(theta, X, target)
    for views in network.views(gradient):
        for part in views.values():
            assert np.abs(part).max() > 0


# Difficult rows -----------------------------------------------------------------------------------

DIFFICULT = {
    "constant features": lambda X: np.where(np.arange(X.shape[1]) < 3, 0.0, X),
    "duplicate rows": lambda X: np.repeat(X[:6], 20, axis=0),
    "fewer rows than units": lambda X: X[:5],
    "one feature": lambda X: X[:, :1],
    "one feature of two values": lambda X: np.sign(X[:, :1]),
    "float32": lambda X: X.astype(np.float32),
    "spreads far apart": lambda X: X * np.logspace(-4, 4, X.shape[1]),
}


@every_init
@every_radius_type
@pytest.mark.parametrize("kind", DIFFICULT)
@pytest.mark.parametrize("depth", [1, 4])
def test_difficult_rows_give_finite_active_distinct_units(init, radius_type, kind, depth, rng):
    X, target = draw_rows(rng)
    X = DIFFICULT[kind](X)
    target = target[: len(X)].astype(X.dtype)
    network = make_network(X.shape[1], depth, radius_type=radius_type, dtype=X.dtype)
    theta = start(network, X, target, init)
    assert theta.dtype == X.dtype
    assert np.isfinite(theta).all()
    for centroids, outputs in zip(network.unpack(theta).centroids, network.forward(theta, X)):
        assert len(np.unique(centroids, axis=0)) == len(centroids)
        assert np.isfinite(outputs).all()
    for outputs in network.forward(theta, X)[:-1]:
        assert np.mean(outputs > 1e-6) > 0.5
    _, gradient = network.loss_and_grad(theta, X, target)
    for centroids in network.unpack(gradient).centroids:
        assert np.abs(centroids).max() > 0


@pytest.mark.parametrize("init", INITIALIZERS)
@every_radius_type
def test_units_differ_for_a_single_row(init, radius_type):
    """As in a first partial_fit with one row: units that start equal would stay equal."""
    X, target = np.zeros((1, 4)), np.array([[1.0, 0.0, 0.0]])
    network = make_network(4, depth=2, radius_type=radius_type)
    theta = start(network, X, target, init)
    assert np.isfinite(theta).all()
    for centroids in network.unpack(theta).centroids:
        assert len(np.unique(centroids, axis=0)) == len(centroids)


@every_init
@every_radius_type
def test_float32_parameters_follow_float64(init, radius_type, rng):
    """The choice of rows, clusters and medians must not depend on the last bit."""
    X, target = draw_rows(rng, dtype=np.float32)
    networks = [make_network(5, 2, radius_type=radius_type, dtype=d) for d in ("f4", "f8")]
    single = start(networks[0], X, target, init)
    double = start(networks[1], X.astype(np.float64), target.astype(np.float64), init)
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_rows", range(2, 100, 2))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_median_is_the_lower_middle_value(n_rows, dtype):
    values = np.arange(1.0, n_rows + 1)[:, np.newaxis]
    weights = np.full(n_rows, 1 / n_rows, dtype=dtype)
    assert weighted_median(values, weights) == n_rows // 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_differences_by_rounding_are_removed(dtype):
    rng, weights = np.random.default_rng(0), np.random.default_rng(1).dirichlet(np.ones(150))
    H = np.full((150, 3), 0.3, dtype)
    H[:, 1] *= 1 + rng.integers(-60, 61, 150) * np.finfo(dtype).eps
    H[:, 2] += 0.01 * rng.normal(size=150).astype(dtype)
    varying = H[:, 2].copy()
    remove_rounding(H)
    np.testing.assert_array_equal(H[:, :2], np.tile(H[:1, :2], (150, 1)))
    np.testing.assert_array_equal(H[:, 2], varying)
    assert variances(H, weights)[:2].tolist() == [0, 0]
    target = np.eye(3)[rng.integers(0, 3, 150)]
    means = class_means(H, target, weights, rng)
    np.testing.assert_array_equal(means[:, :2], np.tile(H[:1, :2], (3, 1)))


def test_radii_ignore_rounding_between_equal_rows(monkeypatch):
    rng, whole = np.random.default_rng(0), Distance.forward

    def forward(self, params, work, out):
        whole(self, params, work, out)
        out *= 1 + rng.integers(-60, 61, out.shape) * np.finfo(out.dtype).eps

    monkeypatch.setattr(Distance, "forward", forward)
    network = Network([4, 10, 10, 3])
    theta = initialize(
        network,
        np.zeros((150, 4)),
        np.eye(3)[np.arange(150) % 3],
        np.full(150, 1 / 150),
        init="sample",
        median_activations=(0.5, 0.5),
        origin=np.zeros(4),
        rng=np.random.default_rng(0),
        kmeans=None,
    )
    assert np.abs(theta).max() < 1e3


# Start rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[3, 5000, 2], [3, 10, 5000, 2]], ids=str)
@pytest.mark.parametrize(("n_rows", "expected"), [(20_000, 5000), (4500, 4500)])
def test_start_rows_are_enough_for_all_units(sizes, n_rows, expected, rng):
    network = Network(sizes, output_layer="linear")
    drawn = draw_start_rows(network, np.ones((n_rows, sizes[-1])), rng)
    assert len(drawn) == len(np.unique(drawn)) == expected


@pytest.mark.parametrize(("n_inputs", "expected"), [(3, START_ROWS), (1_000_000, 50)])
def test_start_rows_of_narrow_nets_are_bounded(n_inputs, expected, rng):
    network = Network([n_inputs, 50, 2], output_layer="linear")
    assert len(draw_start_rows(network, np.ones((6000, 2)), rng)) == expected


def test_start_rows_include_every_class(rng):
    target = np.eye(2)[np.arange(10_000) // 9_999]
    drawn = draw_start_rows(Network([3, 5, 2]), target, rng)
    assert target[drawn].any(axis=0).all()


def test_centroids_of_wide_layers_are_rows(rng):
    X = rng.normal(size=(20_000, 2))
    target = np.ones((len(X), 1))
    network = Network([2, 5000, 1], output_layer="linear")
    drawn = draw_start_rows(network, target, rng)
    theta = start(network, X[drawn], target[drawn], "sample")
    centroids = network.unpack(theta).centroids[0]
    assert len(np.unique(centroids, axis=0)) == 5000
    distinct = {tuple(row) for row in X}
    assert all(tuple(row) in distinct for row in centroids)
