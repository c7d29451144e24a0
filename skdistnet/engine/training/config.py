"""What a training is told, given and changes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..optim.solvers import copy_state

__all__ = ["Rows", "TrainingConfig", "TrainingState"]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training that stay as they are."""

    loss: Any
    solver: Any
    schedule: str
    learning_rate_init: float
    batch_size: int
    max_iter: int
    alpha: float = 0.0
    penalty: str = "decoupled"
    dropout: float = 0.0
    dropout_schedule: str = "constant"
    power_t: float = 0.5
    decay_rate: float = 0.0
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: int = 10
    maximize_score: bool = False
    """Whether the score of the validation rows decides, the higher the better, not their loss."""
    n_rows: float | None = None
    """Number of rows of all data, where a stream trains on some at a time; None: those given."""
    mean_weight: float | None = None
    """Mean weight of all data, in the same way."""


@dataclass(frozen=True)
class Rows:
    """Data in input units, the target as the loss wants it, and positive weights or None.

    `X` is an array, or sparse with rows to slice.
    """

    X: Any
    target: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self):
        return len(self.target)


@dataclass
class TrainingState:
    """What a training changes, and what continuing it needs."""

    theta: np.ndarray
    solver_state: dict
    rng: np.random.Generator
    n_steps: int = 0
    rate_factor: float = 1.0
    start: np.ndarray | None = None
    """Where theta was when training began, for a decay that pulls it back there."""

    def state(self):
        """All but theta, as arrays, numbers and strings; nothing is copied."""
        return {
            "solver_state": self.solver_state,
            "rng_state": self.rng.bit_generator.state,
            "n_steps": self.n_steps,
            "rate_factor": self.rate_factor,
            "start": self.start,
        }

    def restore(self, state):
        """Go on from a `state`, which may be used again."""
        self.solver_state = copy_state(state["solver_state"])
        self.rng.bit_generator.state = state["rng_state"]
        self.n_steps, self.rate_factor = state["n_steps"], state["rate_factor"]
        self.start = state["start"]
