"""The configuration, the data and the state of a training run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..optim.solvers import copy_state

__all__ = ["Rows", "TrainingConfig", "TrainingState"]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings that do not change during a training run."""

    loss: Any
    solver: Any
    schedule: Callable
    learning_rate_init: float
    batch_size: int
    max_iter: int
    alpha: float = 0.0
    penalty: str = "decoupled"
    dropout: float = 0.0
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: int = 10
    maximize_score: bool = False
    """Select the epoch with the highest validation score, not the one with the lowest loss."""
    n_rows: float | None = None
    """In a stream, the number of rows of all data so far; None where the rows are all data."""
    mean_weight: float | None = None
    """In a stream, the mean weight of all data so far."""


@dataclass(frozen=True)
class Rows:
    """Data in input units, the target in the form of the loss, and positive weights or None.

    `X` is an array or a sparse matrix that can be sliced by rows.
    """

    X: Any
    target: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self):
        return len(self.target)


@dataclass
class TrainingState:
    """What a training run changes, and what is needed to continue it."""

    theta: np.ndarray
    solver_state: dict
    rng: np.random.Generator
    n_steps: int = 0
    rate_factor: float = 1.0
    initial_theta: np.ndarray | None = None
    """Theta before the first step, the centre of the "prior" penalty."""

    def to_dict(self):
        """Return all but theta as arrays, numbers and strings, without copies."""
        return {
            "solver_state": self.solver_state,
            "rng_state": self.rng.bit_generator.state,
            "n_steps": self.n_steps,
            "rate_factor": self.rate_factor,
            "initial_theta": self.initial_theta,
        }

    def restore(self, saved):
        """Continue from a dict of :meth:`to_dict`, which is left unchanged."""
        self.solver_state = copy_state(saved["solver_state"])
        self.rng.bit_generator.state = saved["rng_state"]
        for name in ("n_steps", "rate_factor", "initial_theta"):
            setattr(self, name, saved[name])
