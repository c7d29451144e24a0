"""Decay in the epoch loop, and numbers too small to matter."""

from dataclasses import replace

import numpy as np
import pytest
from training_runs import IDENTITY, N_INPUTS, N_ROWS, NETWORK, PLAN, make_rows, make_run, standstill

from skdistnet.engine import SOLVERS, Network
from skdistnet.engine.inputs import InputMap
from skdistnet.engine.training import SWEEP, Rows, Run, train


@pytest.mark.parametrize("solver", SOLVERS)
def test_decoupled_decay_without_a_gradient_shrinks_geometrically(solver):
    network, rows, make = standstill()
    plan = replace(PLAN, solver=SOLVERS[solver](), alpha=0.5, batch_size=4, max_epochs=5)
    run = make(plan)
    start = run.theta.copy()
    outcome = train(network, IDENTITY, rows, plan, run)
    np.testing.assert_allclose(outcome.theta, start * (1 - 0.01 * 0.5) ** 10, rtol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_coupled_decay_is_that_of_the_networks_own_gradient(offset):
    """A network over shifted inputs pulls its centroids to zero of the input units all the same."""
    shift = np.full(N_INPUTS, offset)
    rows = make_rows()
    plan = replace(
        PLAN,
        solver=SOLVERS["sgd"](momentum=0.0),
        alpha=0.3,
        coupled=True,
        batch_size=N_ROWS,
        max_epochs=1,
    )
    run = make_run(plan)
    in_input_units = run.theta.copy()
    NETWORK.views(in_input_units)[0]["centroids"][...] += offset
    _, gradient = NETWORK.loss_and_grad(
        in_input_units, rows.X + offset, rows.target, decay=plan.alpha / N_ROWS
    )
    expected = run.theta - plan.rate * gradient
    moved = replace(rows, X=rows.X + offset)
    train(NETWORK, InputMap(shift, np.ones(N_INPUTS), -shift), moved, plan, run)
    np.testing.assert_allclose(run.theta, expected, rtol=1e-11, atol=1e-13)


def test_decay_spares_intercepts():
    network, rows, make = standstill()
    run = make(PLAN)
    network.views(run.theta)[0]["intercepts"][...] = 5.0
    rows = replace(rows, target=rows.target + 5.0)
    train(network, IDENTITY, rows, replace(PLAN, alpha=1.0), run)
    np.testing.assert_array_equal(network.unpack(run.theta).intercepts[0], 5.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subnormal_numbers_are_swept_from_parameters_and_averages(dtype):
    network, rows, _ = standstill()
    network = Network(network.sizes, output_layer="linear", dtype=dtype)
    tiny = np.finfo(dtype).tiny
    theta = network.pack(coefs=[[[tiny], [1e-20], [1.0]]], intercepts=[[0.0]])
    plan = replace(PLAN, rate=0.01, alpha=1.0, max_epochs=SWEEP, batch_size=8, patience=1000)
    run = Run(theta, plan.solver.init(theta), np.random.default_rng(0))
    run.solver_state["mean_square"][:] = tiny * 2.0**10
    outcome = train(
        network, IDENTITY, Rows(*(a.astype(dtype) for a in (rows.X, rows.target))), plan, run
    )
    coefs = network.unpack(outcome.theta).coefs[0][:, 0]
    assert coefs[0] == 0
    np.testing.assert_allclose(coefs[1:], np.array([1e-20, 1]) * 0.99**SWEEP, rtol=1e-4)
    np.testing.assert_array_equal(run.solver_state["mean_square"], 0)
