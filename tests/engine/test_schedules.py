"""Schedules: the factor on the initial learning rate at each step."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistnet.engine.optim.schedules import SCHEDULES

every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=list(SCHEDULES))


@every_schedule
@settings(deadline=None)
@given(
    step=st.integers(0, 10**5),
    steps_per_epoch=st.integers(1, 1000),
    total_steps=st.integers(1, 10**5) | st.none(),
)
def test_factor_lies_between_zero_and_one(make, step, steps_per_epoch, total_steps):
    assert 0.0 <= make()(step, steps_per_epoch, total_steps) <= 1.0


@every_schedule
def test_first_step_has_the_initial_rate(make):
    assert make()(0, 10, 100) == 1.0
    assert make()(0, 10, None) == 1.0


@every_schedule
def test_rate_never_rises(make):
    rates = [make()(step, 7, 200) for step in range(220)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates))


@every_schedule
def test_schedules_compare_by_their_parameters(make):
    """So that a frozen dataclass can stand in a configuration, and be pickled."""
    assert make() == make()
    assert hash(make()) == hash(make())


@pytest.mark.parametrize("name", ["constant", "adaptive"])
def test_constant_and_adaptive_keep_the_rate(name):
    """An adaptive rate depends on the loss, which the training loop sees."""
    assert [SCHEDULES[name]()(step, 5, 50) for step in range(60)] == [1.0] * 60
    assert getattr(SCHEDULES[name](), "adapts_to_loss", False) == (name == "adaptive")


def test_cosine_falls_to_zero_at_the_horizon():
    cosine = SCHEDULES["cosine"]()
    factors = [cosine(step, 10, 100) for step in (0, 25, 50, 75, 100)]
    half = math.sqrt(0.5) / 2
    assert factors == pytest.approx([1.0, 0.5 + half, 0.5, 0.5 - half, 0.0], abs=1e-15)
    assert cosine(170, 10, 100) == cosine(100, 10, 100)


def test_cosine_is_constant_in_a_stream():
    assert [SCHEDULES["cosine"]()(step, 5, None) for step in range(60)] == [1.0] * 60


def test_schedules_with_a_horizon_use_total_steps():
    for make in SCHEDULES.values():
        uses_total = make()(30, 10, 100) != make()(30, 10, 400)
        assert getattr(make(), "has_horizon", False) == uses_total
