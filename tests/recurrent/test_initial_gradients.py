"""At the start gradients neither vanish nor explode over hundreds of steps."""

from functools import cache

import numpy as np
import pytest

from skdistnet import RecurrentDistanceNetClassifier
from skdistnet.engine.init.recurrent import STATE_INITIALIZERS
from skdistnet.engine.layers.kernels import KERNELS

N_SEQUENCES, N_STEPS = 12, 201


@cache
def draw_data(kind, n_features):
    rng = np.random.default_rng(7)
    X = rng.normal(size=(N_SEQUENCES, N_STEPS, n_features))
    if kind == "random walk":
        return X.cumsum(axis=1)
    if kind == "heavy tails":
        return rng.standard_t(2, X.shape)
    if kind == "slow wave":
        phase = rng.uniform(0, 6, (N_SEQUENCES, 1, n_features))
        return np.sin(np.arange(N_STEPS)[:, np.newaxis] / 20 + phase) + 0.1 * X
    return X


DATA = ["noise", "random walk", "heavy tails", "slow wave"]


def untrained(X, **options):
    """Return a net as it is before training."""
    options = {"max_iter": 1, "solver": "sgd", "learning_rate_init": 1e-300} | options
    net = RecurrentDistanceNetClassifier(early_stopping=False, random_state=0, **options)
    return net.fit(X, np.arange(len(X)) % 2)


def norms_by_step(net, X):
    """Return norms of the gradient by the states of steps, given that of the last state only."""
    network, params = net._network, net._network.views(net._theta_)
    rng = np.random.default_rng(1)
    for _, work in network.passes(net._theta_, X, net._input_map):
        states = work.layers[0]
        states.d_H[...] = 0
        states.d_H[-1] = rng.normal(size=states.d_H[-1].shape)
        gradient = np.empty_like(net._theta_)
        network.layers[0].backward(params[0], states, network.views(gradient)[0])
        return np.linalg.norm(states.d_H, axis=(1, 2))


@pytest.mark.parametrize("init", ["mixed", "identity"])
@pytest.mark.parametrize("activation", KERNELS)
@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("n_features", [1, 6])
def test_gradients_reach_the_first_step(init, activation, kind, n_features):
    X = draw_data(kind, n_features)
    norms = norms_by_step(untrained(X, init=init, activation=activation), X)
    assert 0.1 < norms[0] / norms[-1] < 10


@pytest.mark.parametrize("activation", KERNELS)
@pytest.mark.parametrize("kind", DATA)
def test_gradients_vanish_at_the_full_rate(activation, kind):
    X = draw_data(kind, 1)
    net = untrained(X, init="integrator", leaking_rate=1.0, activation=activation)
    norms = norms_by_step(net, X)
    assert norms[0] < 1e-6 * norms[-1]


# Units of the start -------------------------------------------------------------------------------


def test_all_initializers_are_tested():
    assert set(STATE_INITIALIZERS) == {"identity", "integrator", "mixed"}


@pytest.mark.parametrize(
    ("init", "n_reading"), [("integrator", 0), ("mixed", 32), ("identity", 64)]
)
@pytest.mark.parametrize("activation", KERNELS)
def test_units_that_read_their_state_repeat_it(init, n_reading, activation):
    X = draw_data("noise", 3)
    net = untrained(X, init=init, activation=activation)
    own = np.diag(net.state_inverse_radii_)
    others = net.state_inverse_radii_[~np.eye(64, dtype=bool)]
    assert np.count_nonzero(own > 5 * others.max()) == n_reading
    assert (others > 0).all()
    reading = own > 5 * others.max()
    distance = own * (np.diag(net.state_centroids_) - net.initial_state_)
    # At the point of inflection of the kernel, where the derivative by the state is 1.
    u = -0.5 * distance[reading] ** 2 + input_exponents(net, X)[reading]
    value = np.exp(u) if activation == "gaussian" else 1 / (1 - 2 * u)
    slope = value if activation == "gaussian" else 2 * value**2
    np.testing.assert_allclose(value, net.initial_state_[reading], rtol=1e-3)
    np.testing.assert_allclose(slope * distance[reading] * own[reading], 1, rtol=1e-3)


def input_exponents(net, X):
    """Return the kernel's argument at which each unit's mean activation of the inputs is."""
    steps = X.reshape(-1, X.shape[2])
    differences = (steps[:, np.newaxis] - net.centroids_) * net.inverse_radii_
    u = -0.5 * (differences**2).sum(axis=2)
    gaussian = net.activation == "gaussian"
    mean = (np.exp(u) if gaussian else 1 / (1 - 2 * u)).mean(axis=0)
    return np.log(mean) if gaussian else 0.5 * (1 - 1 / mean)


@pytest.mark.parametrize("n_steps", [1, 2, 50, 201])
def test_leaking_rates_spread_to_the_length(n_steps):
    X = draw_data("noise", 1)[:, :n_steps]
    rates = np.sort(untrained(X).leaking_rates_)
    assert rates[0] > 0.9 / n_steps
    assert rates[0] < 1.1 / n_steps ** (1 - 1 / 64)
    assert rates[-1] < 1
    if n_steps > 2:
        ratios = rates[1:] / rates[:-1]
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-3)


def test_leaking_rates_spread_to_the_window():
    X = draw_data("noise", 1)
    options = {"max_iter": 1, "learning_rate_init": 1e-300, "random_state": 0}
    net = RecurrentDistanceNetClassifier(**options, truncation=20).fit(X, (X[:, :, 0] > 0) * 1)
    assert 0.9 / 20 < net.leaking_rates_.min() < 1.1 / 20 ** (1 - 1 / 64)


EACH = np.linspace(0.1, 1.0, 64)


@pytest.mark.parametrize("rates", [0.3, EACH, EACH.tolist(), tuple(EACH), 1e-60])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_given_leaking_rates_stay_as_given(rates, dtype):
    X = draw_data("noise", 1)[:, :20]
    net = untrained(X, leaking_rate=rates, learning_rate_init=0.1, max_iter=3, dtype=dtype)
    np.testing.assert_allclose(net.leaking_rates_, np.broadcast_to(rates, 64), atol=2e-6)


def test_trained_leaking_rates_change():
    X, y = draw_data("noise", 1)[:, :20], np.arange(N_SEQUENCES) % 2
    net = RecurrentDistanceNetClassifier(max_iter=3, random_state=0, early_stopping=False).fit(X, y)
    assert (net.leaking_rates_ != untrained(X).leaking_rates_).all()
