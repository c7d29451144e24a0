import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistnet.engine.optim.schedules import HORIZON_SCHEDULES, SCHEDULES

every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=list(SCHEDULES))


def compounded(epochs_done, decay_rate):
    """The reference's rule, an epoch at a time."""
    multiplier = 1.0
    for epoch in range(1, epochs_done + 1):
        multiplier /= 1.0 + decay_rate * epoch
    return multiplier


@every_schedule
@settings(deadline=None)
@given(
    step=st.integers(0, 10**5),
    steps_per_epoch=st.integers(1, 1000),
    total_steps=st.integers(1, 10**5),
    power_t=st.floats(0.0, 5.0),
    decay_rate=st.floats(0.0, 1e3),
)
def test_multiplier_lies_between_zero_and_one(
    schedule, step, steps_per_epoch, total_steps, power_t, decay_rate
):
    assert 0.0 <= schedule(step, steps_per_epoch, total_steps, power_t, decay_rate) <= 1.0


@every_schedule
def test_first_step_has_the_initial_rate(schedule):
    assert schedule(0, 10, 100, 0.5, 0.01) == 1.0


@every_schedule
def test_rate_never_rises(schedule):
    rates = [schedule(step, 7, 200, 0.5, 0.01) for step in range(220)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates))


@pytest.mark.parametrize("name", ["constant", "adaptive"])
def test_constant_and_adaptive_keep_the_rate(name):
    """What adaptive answers to is the loss, which the epoch loop sees."""
    assert [SCHEDULES[name](step, 5, 50, 0.5, 0.01) for step in range(60)] == [1.0] * 60


def test_cosine_falls_from_one_to_zero_at_the_horizon_and_stays():
    multipliers = [SCHEDULES["cosine"](step, 10, 100, 0.5, 0.01) for step in (0, 25, 50, 75, 100)]
    half = math.sqrt(0.5) / 2
    assert multipliers == pytest.approx([1.0, 0.5 + half, 0.5, 0.5 - half, 0.0], abs=1e-15)
    assert SCHEDULES["cosine"](170, 10, 100, 0.5, 0.01) == SCHEDULES["cosine"](100, 10, 100, 0.5, 0)


def test_schedules_with_a_horizon_are_those_that_feel_the_total():
    feel_total = {
        name
        for name, schedule in SCHEDULES.items()
        if schedule(30, 10, 100, 0.5, 0.01) != schedule(30, 10, 400, 0.5, 0.01)
    }
    assert feel_total == HORIZON_SCHEDULES


@pytest.mark.parametrize("power_t", [0.0, 0.5, 1.0, 2.0])
def test_invscaling_divides_by_a_power_of_the_step_counted_from_one(power_t):
    for step in (0, 1, 9, 99):
        expected = 1.0 / (step + 1) ** power_t
        assert SCHEDULES["invscaling"](step, 10, 100, power_t, 0.01) == pytest.approx(expected)


@settings(deadline=None)
@given(epochs=st.integers(0, 60), decay_rate=st.floats(1e-4, 2.0), within=st.integers(0, 6))
def test_inverse_time_compounds_over_the_epochs_done(epochs, decay_rate, within):
    multiplier = SCHEDULES["inverse_time"](7 * epochs + within, 7, 1, 0.5, decay_rate)
    assert multiplier == pytest.approx(compounded(epochs, decay_rate), rel=1e-9, abs=0.0)


@pytest.mark.parametrize("decay_rate", [0.0, 1e-300, 1e-15, 1e-12, 1e-9, 1e-6])
def test_inverse_time_leaves_the_rate_be_as_its_decay_rate_goes_to_zero(decay_rate):
    multiplier = SCHEDULES["inverse_time"](200, 10, 1000, 0.5, decay_rate)
    assert multiplier == pytest.approx(compounded(20, decay_rate), rel=1e-9)


@pytest.mark.parametrize(("epoch", "rate"), [(1, 0.01), (20, 1.7e-3), (50, 2.5e-7)])
def test_inverse_time_has_the_rates_of_the_reference(epoch, rate):
    """Epochs count from 1; all steps of one have the same rate, here 600 steps of 100 rows."""
    for step in (600 * (epoch - 1), 600 * epoch - 1):
        found = 0.01 * SCHEDULES["inverse_time"](step, 600, 30_000, 0.5, 0.01)
        assert float(f"{found:.1e}") == rate
