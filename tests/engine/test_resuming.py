"""A run that continues from a saved epoch ends as if it had not been interrupted."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from training_runs import CONFIG, IDENTITY, N_ROWS, NETWORK, make_rows, make_state

from skdistnet.engine import SCHEDULES, SOLVERS
from skdistnet.engine.training.loop import train


class MemoryCheckpoint:
    """A checkpoint in memory: all dicts saved so far, and the one to continue from."""

    def __init__(self, initial=None):
        self.initial, self.saved = initial, []

    def load(self):
        return self.initial

    def keep(self, result, to_dict):
        self.saved.append(deepcopy(to_dict()))


def train_with(config, checkpoint, seed=0):
    state = make_state(config, seed=seed)
    options = {"validation": make_rows(1), "score": lambda raw: float(raw.mean())}
    return state, train(
        NETWORK, IDENTITY, make_rows(), config, state, checkpoint=checkpoint, **options
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resuming_from_any_epoch_gives_same_result(solver, schedule):
    config = replace(
        CONFIG,
        solver=SOLVERS[solver](),
        schedule=SCHEDULES[schedule](),
        dropout=0.2,
        alpha=0.5,
        penalty="coupled",
    )
    checkpoint = MemoryCheckpoint()
    state, result = train_with(config, checkpoint)
    assert len(checkpoint.saved) == config.max_iter
    for number, saved in enumerate(checkpoint.saved, start=1):
        rest = MemoryCheckpoint(saved)
        # Neither the initial theta nor the generator may matter.
        resumed, again = train_with(config, rest, seed=9)
        assert len(rest.saved) == config.max_iter - number
        np.testing.assert_array_equal(resumed.theta, state.theta)
        np.testing.assert_array_equal(again.theta, result.theta)
        assert vars(again) | {"theta": None} == vars(result) | {"theta": None}
        assert resumed.rng.bit_generator.state == state.rng.bit_generator.state
        assert resumed.n_steps == state.n_steps


@pytest.mark.parametrize("rate", [1e3, 1e4, 1e30])
def test_resuming_after_divergence_keeps_the_halved_rate(rate):
    config = replace(
        CONFIG, solver=SOLVERS["sgd"](), learning_rate_init=rate, max_iter=12, batch_size=N_ROWS
    )
    checkpoint = MemoryCheckpoint()
    state, result = train_with(config, checkpoint)
    assert any(saved["rollback"]["n_halvings"] for saved in checkpoint.saved)
    for saved in checkpoint.saved:
        resumed, again = train_with(config, MemoryCheckpoint(saved))
        np.testing.assert_array_equal(again.theta, result.theta)
        assert vars(again) | {"theta": None} == vars(result) | {"theta": None}
        assert resumed.rate_factor == state.rate_factor


def test_interrupted_epoch_is_not_saved():
    class Interrupted(MemoryCheckpoint):
        def keep(self, result, to_dict):
            super().keep(result, to_dict)
            if len(self.saved) == 3:
                raise KeyboardInterrupt

    checkpoint = Interrupted()
    _, result = train_with(CONFIG, checkpoint)
    assert (result.reason, len(checkpoint.saved)) == ("interrupted", 3)
    assert checkpoint.saved[-1]["result"]["reason"] == ""
