"""Initial centroids of each initialiser, and the rows that initialisation uses."""

import numpy as np
import pytest
from initial_networks import N_CLASSES, N_ROWS, N_UNITS, draw_rows, make_network, start

from skdistnet.engine import INITIALIZERS, Network
from skdistnet.engine.init.initializers import START_ROWS, draw_start_rows
from skdistnet.engine.layers.distances import RADIUS_TYPES

every_init = pytest.mark.parametrize("init", [*INITIALIZERS, "array", "callable"])


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def first_centroids(init, X, target, **options):
    network = make_network(X.shape[1])
    return network.unpack(start(network, X, target, init, **options)).centroids[0]


def test_sample_takes_rows_without_replacement(rng):
    X, target = draw_rows(rng)
    matches = (first_centroids("sample", X, target)[:, np.newaxis] == X).all(axis=2)
    assert matches.any(axis=1).all()
    assert matches.any(axis=0).sum() == N_UNITS


def test_sample_draws_by_weight(rng):
    X, target = draw_rows(rng)
    weights = np.where(np.arange(N_ROWS) < N_UNITS, 1.0, 1e-12)
    drawn = first_centroids("sample", X, target, weights=weights)
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(X[:N_UNITS], axis=0))


def test_kmeans_quantises_rows_better_than_a_sample_does(rng):
    X, target = draw_rows(rng)

    def error(centroids):
        return ((X[:, np.newaxis] - centroids) ** 2).sum(axis=2).min(axis=1).mean()

    errors = {init: error(first_centroids(init, X, target)) for init in ("kmeans", "sample")}
    assert errors["kmeans"] < 0.8 * errors["sample"]


def test_uniform_centroids_lie_between_bounds_around_origin(rng):
    X, target = draw_rows(rng)
    centroids = first_centroids("uniform", X, target)
    assert centroids.min() >= 0.5
    assert centroids.max() < 0.8
    origin = np.full(5, -3.0)
    moved = first_centroids("uniform", X, target, origin=origin)
    np.testing.assert_allclose(moved, centroids - 3.0)


@pytest.mark.parametrize("init", ["array", "callable"])
def test_given_centroids_are_used_unchanged(init, rng):
    X, target = draw_rows(rng)
    centroids = np.random.default_rng(3).normal(size=(N_UNITS, 5))
    network = make_network(5)
    calls = []

    def function(H, n_units, random_state):
        calls.append((H.copy(), n_units))
        return centroids

    theta = start(network, X, target, centroids.copy() if init == "array" else function)
    np.testing.assert_array_equal(network.unpack(theta).centroids[0], centroids)
    if init == "callable":
        np.testing.assert_array_equal(calls[0][0], X)
        assert [n_units for _, n_units in calls] == [N_UNITS]


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (lambda H, n, random_state: H, r"must have shape \(12, 5\); got \(120, 5\)"),
        (lambda H, n, random_state: H[:n, :1], r"must have shape \(12, 5\); got \(12, 1\)"),
        (lambda H, n, random_state: H[0], r"must have shape \(12, 5\); got \(5,\)"),
        (lambda H, n, random_state: np.full((n, 5), np.nan), "must be finite"),
    ],
)
def test_invalid_given_centroids_raise(init, message, rng):
    X, target = draw_rows(rng)
    with pytest.raises(ValueError, match=message):
        start(make_network(5), X, target, init)


@pytest.mark.parametrize("init", ["sample", "kmeans", "array", "callable"])
def test_output_centroids_start_at_weighted_class_means(init, rng):
    X, target = draw_rows(rng)
    weights = rng.random(N_ROWS)
    network = Network([5, N_CLASSES])
    codes = target.argmax(axis=1)
    centroids = network.unpack(start(network, X, target, init, weights=weights)).centroids[0]
    for code in range(N_CLASSES):
        rows = codes == code
        mean = np.average(X[rows], axis=0, weights=weights[rows])
        np.testing.assert_allclose(centroids[code], mean, rtol=1e-10)


@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
def test_data_free_radii_match_the_paper(radius_type, rng):
    n_inputs = 1000
    X, target = draw_rows(rng, n_inputs=n_inputs)
    network = Network([n_inputs, 1000, N_CLASSES], radius_type=radius_type)
    radii = network.unpack(start(network, X, target, "uniform", median=None)).inverse_radii[0]
    typical = np.sqrt(2 * np.log(1 / 0.1) / n_inputs)
    assert radii.mean() == pytest.approx(typical, rel=0.05)
    assert radii.std() == pytest.approx(0.4 * typical, rel=0.1)


@every_init
def test_weight_scale_does_not_change_initial_parameters(init, rng):
    X, target = draw_rows(rng)
    weights, network = rng.random(N_ROWS), make_network(5, depth=2)
    theta = start(network, X, target, init, weights=weights)
    scaled = start(network, X, target, init, weights=3.7e9 * weights)
    np.testing.assert_allclose(scaled, theta, rtol=1e-9, atol=1e-12)


@every_init
def test_initial_parameters_depend_on_the_generator(init, rng):
    X, target = draw_rows(rng)
    network = make_network(5, depth=2, activations=["gaussian", "tanh"])
    theta = start(network, X, target, init)
    np.testing.assert_array_equal(start(network, X, target, init), theta)
    assert not np.array_equal(start(network, X, target, init, seed=1), theta)


def test_start_rows_include_all_of_few_rows(rng):
    np.testing.assert_array_equal(draw_start_rows(Network([3, 4, 5]), np.eye(5), rng), np.arange(5))


@pytest.mark.parametrize("seed", range(5))
def test_start_rows_are_distinct_and_cover_each_class(seed):
    target = np.zeros((10 * START_ROWS, 4))
    target[:, 0] = 1
    target[[17, 39_000]] = np.eye(4)[1:3]  # two classes of one row, and one without any
    drawn = draw_start_rows(Network([3, 4, 4]), target, np.random.default_rng(seed))
    assert START_ROWS <= len(drawn) <= START_ROWS + 2
    assert len(np.unique(drawn)) == len(drawn)
    assert {17, 39_000} <= set(drawn)
    assert drawn.max() > 0.9 * len(target)


@pytest.mark.parametrize(
    ("dtype", "hidden", "expected"), [("f8", 5, 838), ("f4", 5, 1677), ("f8", 900, 900)]
)
def test_wide_data_use_fewer_start_rows(dtype, hidden, expected, rng):
    network, target = Network([10_000, hidden, 1], dtype=np.dtype(dtype)), np.ones((5_000, 1))
    assert len(draw_start_rows(network, target, rng)) == expected
