"""How an epoch is divided into rounds, and how rates, momentum and batches follow from shards."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_runs import CONFIG

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe", reason="needs the extra 'dask'")

from skdistnet._dask.rounds import (
    FEW_BATCHES,
    LONG_ROUND,
    SHORT_ROUND,
    Rounds,
    affordable_steps,
    plan_rounds,
)
from skdistnet.engine import Network

USUAL = replace(CONFIG, batch_size=200, learning_rate_init=0.03)
NETWORK = Network([20, 200, 8])
LARGE_NETWORK = Network([784, 500, 500, 10])


def plan(n_rows, n_shards, local_steps="auto", is_classifier=True, network=NETWORK):
    bounds = [number * n_rows // n_shards for number in range(n_shards + 1)]
    sizes = [stop - start for start, stop in pairwise(bounds)]
    return plan_rounds(network, USUAL, sizes, local_steps, is_classifier)


@pytest.mark.parametrize("n_shards", [2, 4, 8])
def test_long_rounds_have_momentum_at_usual_rate(n_shards):
    config, rounds = plan(400_000, n_shards)
    assert rounds.local_steps >= LONG_ROUND
    assert rounds.momentum == pytest.approx(1 - 1 / n_shards)
    assert (config.learning_rate_init, config.batch_size) == (0.03, 200)


@pytest.mark.parametrize("n_shards", [2, 4, 8])
def test_short_rounds_have_a_higher_rate(n_shards):
    config, rounds = plan(2_500 * n_shards, n_shards)
    assert (rounds.local_steps, rounds.momentum) == (SHORT_ROUND, 0.0)
    assert config.learning_rate_init == pytest.approx(0.03 * n_shards)


def test_requested_steps_decide_between_rate_and_momentum():
    for local_steps in (1, LONG_ROUND - 1, LONG_ROUND, 100):
        config, rounds = plan(400_000, 4, local_steps)
        assert rounds.local_steps == local_steps
        is_long = local_steps >= LONG_ROUND
        assert rounds.momentum == (0.75 if is_long else 0.0)
        assert config.learning_rate_init == pytest.approx(0.03 if is_long else 0.12)


@pytest.mark.parametrize("is_classifier", [True, False])
def test_few_rows_are_trained_as_on_one_machine(is_classifier):
    config, rounds = plan(FEW_BATCHES * 200, 4, "auto", is_classifier)
    assert (rounds.local_steps, rounds.momentum) == (1, 0.0)
    assert 4 * config.batch_size == 200
    assert config.learning_rate_init == 0.03
    more = plan(FEW_BATCHES * 200 + 200, 4, "auto", is_classifier)[1]
    assert more.local_steps > 1


def test_regression_has_smaller_batches_if_rows_are_few():
    config, rounds = plan(9_000, 4, is_classifier=False)
    assert config.batch_size == 50
    assert (config.learning_rate_init, rounds.momentum) == (0.03, 0.0)
    config, rounds = plan(1_000_000, 4, is_classifier=False)
    assert config.batch_size == 200
    assert rounds.momentum == pytest.approx(0.5)


@pytest.mark.parametrize("is_classifier", [True, False])
def test_one_shard_is_trained_as_locally(is_classifier):
    config, rounds = plan(50_000, 1, is_classifier=is_classifier)
    assert (config, rounds.momentum) == (USUAL, 0.0)


def test_rounds_are_longer_where_steps_are_shorter():
    small, large = affordable_steps(NETWORK, 200), affordable_steps(LARGE_NETWORK, 200)
    assert small > large > 1
    assert affordable_steps(NETWORK, 50) > small


@given(st.integers(1, 10**7), st.integers(1, 64), st.booleans())
def test_plans_are_possible_for_any_size(n_rows, n_shards, is_classifier):
    n_shards = min(n_shards, n_rows)
    config, rounds = plan(n_rows, n_shards, "auto", is_classifier)
    largest = -(-n_rows // n_shards)
    assert 1 <= config.batch_size <= min(200, largest)
    assert 1 <= rounds.local_steps <= rounds.steps_per_epoch
    assert (rounds.steps_per_epoch - 1) * config.batch_size < largest
    assert 0 <= rounds.momentum < 1


@given(st.integers(1, 500), st.integers(1, 600))
def test_rounds_divide_an_epoch_evenly(steps_per_epoch, local_steps):
    sizes = Rounds(steps_per_epoch, local_steps).sizes
    assert sum(sizes) == steps_per_epoch
    assert max(sizes) <= local_steps
    assert max(sizes) - min(sizes) <= 1
