"""A run that diverges goes back to the best epoch, at half the rate."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from training_runs import CONFIG, IDENTITY, N_INPUTS, N_ROWS, NETWORK, make_rows, make_state

from skdistnet.engine import SOLVERS, Network
from skdistnet.engine.training.loop import train
from skdistnet.engine.training.rollback import MAX_HALVINGS

STEPS_PER_EPOCH = 5


@dataclass(frozen=True)
class Fragile:
    """A solver that makes NaN at a rate above a limit, from a step on."""

    solver: Any
    limit: float
    first: int = 0

    def init(self, theta):
        return self.solver.init(theta) | {"made": 0}

    def step(self, theta, gradient, state, rate):
        self.solver.step(theta, gradient, state, rate)
        if rate > self.limit and state["made"] >= self.first:
            for array in (theta, *state.values()):
                if isinstance(array, np.ndarray):
                    array[0] = np.nan
        state["made"] += 1


def fragile(name, n_halvings, first=0):
    limit = 0.75 * CONFIG.learning_rate_init / 2 ** (n_halvings - 1)
    solver = Fragile(SOLVERS[name](), limit, first)
    return replace(CONFIG, solver=solver, max_iter=8, n_iter_no_change=100)


def draw_order(state):
    """Draw the order of the rows, as an epoch that diverges does."""
    state.rng.permutation(N_ROWS)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_halvings", [1, 3, MAX_HALVINGS])
def test_early_divergence_restarts_at_a_lower_rate(solver, n_halvings):
    config = fragile(solver, n_halvings)
    state, rates = make_state(config), []
    result = train(
        NETWORK, IDENTITY, make_rows(), config, state, report=lambda _, rate: rates.append(rate)
    )
    lower = replace(
        config,
        solver=SOLVERS[solver](),
        learning_rate_init=config.learning_rate_init / 2**n_halvings,
    )
    start = make_state(lower)
    for _ in range(n_halvings):
        draw_order(start)
    expected = train(NETWORK, IDENTITY, make_rows(), lower, start)
    np.testing.assert_array_equal(result.theta, expected.theta)
    assert result.loss_curve == expected.loss_curve
    assert (result.reason, rates) == ("budget", [lower.learning_rate_init] * config.max_iter)
    assert state.rate_factor == 0.5**n_halvings
    assert state.n_steps == config.max_iter * STEPS_PER_EPOCH


@pytest.mark.parametrize("solver", SOLVERS)
def test_late_divergence_returns_to_best_epoch_start(solver):
    config = fragile(solver, 1, first=4 * STEPS_PER_EPOCH + 2)
    state = make_state(config)
    result = train(NETWORK, IDENTITY, make_rows(), config, state)
    assert (result.reason, len(result.loss_curve)) == ("budget", config.max_iter)
    assert state.n_steps == config.max_iter * STEPS_PER_EPOCH
    assert np.isfinite(result.theta).all()
    sound = replace(config, solver=SOLVERS[solver](), max_iter=4)
    start = make_state(sound)
    before = train(NETWORK, IDENTITY, make_rows(), sound, start).loss_curve
    assert result.loss_curve[:4] == before
    best = int(np.argmin(before))
    assert best >= 2
    again = make_state(sound)
    train(NETWORK, IDENTITY, make_rows(), replace(sound, max_iter=best), again)
    draw_order(start)
    again.rng = start.rng
    halved = replace(sound, learning_rate_init=config.learning_rate_init / 2, max_iter=4)
    rest = train(NETWORK, IDENTITY, make_rows(), halved, again)
    assert result.loss_curve[4:] == rest.loss_curve
    np.testing.assert_array_equal(result.theta, rest.theta)


@pytest.mark.parametrize("validated", [True, False])
def test_repeated_divergence_keeps_the_best_parameters(validated):
    config = fragile("rmsprop", MAX_HALVINGS + 2)
    state = make_state(config)
    start = state.theta.copy()
    validation = (make_rows(seed=1), lambda raw: 0.0) if validated else ()
    result = train(NETWORK, IDENTITY, make_rows(), config, state, *validation)
    assert (result.reason, result.loss_curve) == ("diverged", [])
    np.testing.assert_array_equal(result.theta, start)
    assert all(np.isfinite(value).all() for value in state.solver_state.values())


def test_unbounded_growth_ends_with_initial_parameters():
    """The last finite parameters are as good as infinite."""
    network = Network([N_INPUTS, 1], output_layer="linear")
    config = replace(
        CONFIG, solver=SOLVERS["sgd"](), learning_rate_init=1e8, max_iter=200, n_iter_no_change=1000
    )
    state = make_state(config, network)
    start = state.theta.copy()
    result = train(network, IDENTITY, make_rows(), config, state)
    assert result.reason == "diverged"
    assert len(result.loss_curve) < 200
    assert np.isfinite(result.loss_curve).all()
    np.testing.assert_array_equal(result.theta, start)
