"""Learning-rate schedules: the factor on the initial rate as a function of the step.

A schedule is a callable ``schedule(step, steps_per_epoch, total_steps)`` that returns the factor of
the next step. `step` counts the steps taken so far; `total_steps` is their number in the run,
None in `partial_fit`, where the end is not known. Two attributes, False if they are missing,
change the training loop:

``has_horizon``
    The factor falls towards the end of the run. Steps count from the start of the run, and only
    validation may stop it early: a plateau of the training loss would cut off the best epochs.
``adapts_to_loss``
    The training loop divides the rate whenever the loss has reached a plateau.

To add a schedule, write a frozen dataclass, whose fields are parameters of the estimators with
defaults, and list it in `SCHEDULES`.
"""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Constant:
    """The initial rate in every step."""

    def __call__(self, step, steps_per_epoch, total_steps):
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine, from 1 at the first step to 0 after the last (Loshchilov & Hutter, 2017).

    In a stream the factor stays 1.
    """

    has_horizon = True

    def __call__(self, step, steps_per_epoch, total_steps):
        if total_steps is None:
            return 1.0
        return 0.5 * (1.0 + math.cos(math.pi * min(step / total_steps, 1.0)))


@dataclass(frozen=True)
class Adaptive(Constant):
    """The initial rate, until the training loop lowers it at a plateau of the loss."""

    adapts_to_loss = True


SCHEDULES: dict[str, Any] = {
    "adaptive": Adaptive,
    "constant": Constant,
    "cosine": Cosine,
}
