"""Weight decay within the training loop, and parameters that decay to denormals."""

from dataclasses import replace

import numpy as np
import pytest
from training_runs import (
    CONFIG,
    IDENTITY,
    N_INPUTS,
    N_ROWS,
    NETWORK,
    make_rows,
    make_state,
    standstill,
)

from skdistnet.engine import SOLVERS, Network
from skdistnet.engine.input_scaling import InputMap
from skdistnet.engine.training.config import Rows, TrainingState
from skdistnet.engine.training.loop import SWEEP, train

ONE_PLAIN_STEP = replace(
    CONFIG, solver=SOLVERS["sgd"](momentum=0.0), alpha=0.3, batch_size=N_ROWS, max_iter=1
)


@pytest.mark.parametrize("solver", SOLVERS)
def test_decoupled_decay_shrinks_geometrically_without_gradient(solver):
    network, rows, make = standstill()
    config = replace(CONFIG, solver=SOLVERS[solver](), alpha=0.5, batch_size=4, max_iter=5)
    state = make(config)
    start = state.theta.copy()
    result = train(network, IDENTITY, rows, config, state)
    np.testing.assert_allclose(result.theta, start * (1 - 0.01 * 0.5) ** 10, rtol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_coupled_decay_equals_that_of_loss_and_grad(offset):
    """A network over shifted inputs pulls its centroids to the zero of the input units."""
    shift = np.full(N_INPUTS, offset)
    rows = make_rows()
    config = replace(ONE_PLAIN_STEP, penalty="coupled")
    state = make_state(config)
    in_input_units = state.theta.copy()
    NETWORK.views(in_input_units)[0]["centroids"][...] += offset
    _, gradient = NETWORK.loss_and_grad(
        in_input_units, rows.X + offset, rows.target, decay=config.alpha / N_ROWS
    )
    expected = state.theta - config.learning_rate_init * gradient
    moved = replace(rows, X=rows.X + offset)
    train(NETWORK, InputMap(shift, np.ones(N_INPUTS), -shift), moved, config, state)
    np.testing.assert_allclose(state.theta, expected, rtol=1e-11, atol=1e-13)


def test_decay_spares_intercepts():
    network, rows, make = standstill()
    state = make(CONFIG)
    network.views(state.theta)[0]["intercepts"][...] = 5.0
    rows = replace(rows, target=rows.target + 5.0)
    train(network, IDENTITY, rows, replace(CONFIG, alpha=1.0), state)
    np.testing.assert_array_equal(network.unpack(state.theta).intercepts[0], 5.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_denormals_are_removed_from_parameters_and_averages(dtype):
    network, rows, _ = standstill()
    network = Network(network.sizes, output_layer="linear", dtype=dtype)
    tiny = np.finfo(dtype).tiny
    theta = network.pack(coefs=[[[tiny], [1e-10], [1.0]]], intercepts=[[0.0]])
    config = replace(
        CONFIG,
        learning_rate_init=0.01,
        alpha=1.0,
        max_iter=SWEEP,
        batch_size=8,
        n_iter_no_change=1000,
    )
    state = TrainingState(theta, config.solver.init(theta), np.random.default_rng(0))
    state.solver_state["mean_square"][:] = tiny * 2.0**10
    result = train(
        network, IDENTITY, Rows(*(a.astype(dtype) for a in (rows.X, rows.target))), config, state
    )
    coefs = network.unpack(result.theta).coefs[0][:, 0]
    assert coefs[0] == 0
    np.testing.assert_allclose(coefs[1:], np.array([1e-10, 1]) * 0.99**SWEEP, rtol=1e-4)
    np.testing.assert_array_equal(state.solver_state["mean_square"], 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decaying_radii_never_have_denormal_squares(dtype):
    """Such as the radius of a constant pixel, with the decay of the reference implementation."""
    network = Network([N_INPUTS, 4, 1], output_layer="linear", dtype=dtype)
    config = replace(CONFIG, learning_rate_init=0.001, alpha=1e-4, penalty="coupled", max_iter=1)
    state = make_state(config)
    state = TrainingState(
        state.theta.astype(dtype), config.solver.init(state.theta.astype(dtype)), state.rng
    )
    params = network.views(state.theta)[0]
    params["centroids"][:, 0] = 0
    params["inverse_radii"][:, 0] = 1e-4
    rows = make_rows()
    rows.X[:, 0] = 0
    rows = Rows(rows.X.astype(dtype), rows.target.astype(dtype))
    radii = params["inverse_radii"]
    while state.n_steps < 20_000 and np.abs(radii[:, 0]).max() > 1e-70:
        train(network, IDENTITY, rows, config, state)
        assert np.min(radii[:, 0] ** 2) >= np.finfo(dtype).tiny
    assert np.abs(radii[:, 0]).max() < 1e-11 < np.abs(radii[:, 1:]).min()


def test_decayed_radii_recover_when_inputs_become_informative():
    network = Network([N_INPUTS, 4, 1], output_layer="linear", dtype=np.float32)
    config = replace(CONFIG, learning_rate_init=0.01, alpha=1e-3, penalty="coupled", max_iter=100)
    state = make_state(config)
    state = TrainingState(
        state.theta.astype(np.float32),
        config.solver.init(state.theta.astype(np.float32)),
        state.rng,
    )
    params = network.views(state.theta)[0]
    params["inverse_radii"][:, 0] = 1e-20
    X = make_rows(n_rows=200).X.astype(np.float32)
    rows = Rows(X, np.sin(2 * X[:, :1]))
    result = train(network, IDENTITY, rows, config, state)
    assert result.loss_curve[-1] < 0.2 * result.loss_curve[0]
