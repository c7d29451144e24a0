"""Learning rate as a function of the step: what the initial rate is multiplied by.

A schedule is called as ``schedule(step, steps_per_epoch, total_steps, power_t, decay_rate)`` with
the number of steps taken so far, and returns the multiplier of the step to come. To add one, write
such a function and list it in `SCHEDULES`.
"""

import math
from functools import lru_cache

__all__ = ["HORIZON_SCHEDULES", "SCHEDULES"]


def constant(step, steps_per_epoch, total_steps, power_t, decay_rate):
    """The initial rate throughout."""
    return 1.0


def cosine(step, steps_per_epoch, total_steps, power_t, decay_rate):
    """Half a cosine, from 1 at the first step to 0 after the last (Loshchilov & Hutter, 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * min(step / total_steps, 1.0)))


def invscaling(step, steps_per_epoch, total_steps, power_t, decay_rate):
    """``1 / t ** power_t``, t counting steps from 1."""
    return (step + 1.0) ** -power_t


def inverse_time(step, steps_per_epoch, total_steps, power_t, decay_rate):
    """The rule of the reference, which compounds: after epoch e, divide by ``1 + decay_rate e``.

    Epochs count from 1, so that the first division comes after epoch 1.
    """
    return compounded(step // steps_per_epoch, decay_rate)


@lru_cache(maxsize=16)
def compounded(epochs, decay_rate):
    """Return 1 / prod (1 + decay_rate e) over the epochs done; kept, as each step asks for it."""
    return math.exp(-math.fsum(math.log1p(decay_rate * e) for e in range(1, epochs + 1)))


#: "adaptive" is constant here: it answers to the loss, so the epoch loop lowers its rate.
SCHEDULES = {
    "adaptive": constant,
    "constant": constant,
    "cosine": cosine,
    "inverse_time": inverse_time,
    "invscaling": invscaling,
}

#: Schedules that end where the config ends, so that stopping early would waste their last part.
HORIZON_SCHEDULES = frozenset({"cosine"})
