"""The state between two epochs is all that a training needs to go on as if it had not stopped."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from training_runs import CONFIG, IDENTITY, N_ROWS, NETWORK, make_rows, make_run

from skdistnet.engine import SCHEDULES, SOLVERS
from skdistnet.engine.training.loop import train


class Kept:
    """A checkpoint in memory: every state, and the one to go on from."""

    def __init__(self, state=None):
        self.state, self.states = state, []

    def load(self):
        return self.state

    def keep(self, outcome, state):
        self.states.append(deepcopy(state()))


def trained(config, kept, seed=0):
    run = make_run(config, seed=seed)
    options = {"validation": make_rows(1), "score": lambda raw: float(raw.mean())}
    return run, train(NETWORK, IDENTITY, make_rows(), config, run, checkpoint=kept, **options)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_training_goes_on_from_any_epoch_to_the_same(solver, schedule):
    config = replace(
        CONFIG,
        solver=SOLVERS[solver](),
        schedule=SCHEDULES[schedule](),
        dropout=0.2,
        alpha=0.5,
        penalty="prior",
    )
    kept = Kept()
    run, outcome = trained(config, kept)
    assert len(kept.states) == config.max_iter
    for number, state in enumerate(kept.states, start=1):
        rest = Kept(state)
        # Another start and generator must not show.
        resumed, again = trained(config, rest, seed=9)
        assert len(rest.states) == config.max_iter - number
        np.testing.assert_array_equal(resumed.theta, run.theta)
        np.testing.assert_array_equal(again.theta, outcome.theta)
        assert vars(again) | {"theta": None} == vars(outcome) | {"theta": None}
        assert resumed.rng.bit_generator.state == run.rng.bit_generator.state
        assert resumed.n_steps == run.n_steps


@pytest.mark.parametrize("rate", [1e3, 1e4, 1e30])
def test_a_training_that_diverged_goes_on_with_the_rate_that_is_left(rate):
    config = replace(
        CONFIG, solver=SOLVERS["sgd"](), learning_rate_init=rate, max_iter=12, batch_size=N_ROWS
    )
    kept = Kept()
    run, outcome = trained(config, kept)
    assert any(state["rollback"]["n_halvings"] for state in kept.states)
    for state in kept.states:
        resumed, again = trained(config, Kept(state))
        np.testing.assert_array_equal(again.theta, outcome.theta)
        assert vars(again) | {"theta": None} == vars(outcome) | {"theta": None}
        assert resumed.rate_factor == run.rate_factor


def test_an_interrupted_epoch_is_not_kept():
    class Interrupted(Kept):
        def keep(self, outcome, state):
            super().keep(outcome, state)
            if len(self.states) == 3:
                raise KeyboardInterrupt

    kept = Interrupted()
    _, outcome = trained(CONFIG, kept)
    assert (outcome.reason, len(kept.states)) == ("interrupted", 3)
    assert kept.states[-1]["result"]["reason"] == ""
