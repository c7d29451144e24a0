"""The configuration, the data and the state of a training run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..optim.solvers import copy_state


@dataclass(frozen=True)
class TrainingConfig:
    """Settings that do not change during a training run.

    In a stream, where rows are a part of the data, `mean_weight` is that of all rows so far, else
    None. With `maximize_score`, the best epoch is the one with the highest validation score, not
    the one with the lowest validation loss.
    """

    loss: Any
    solver: Any
    schedule: Callable
    learning_rate_init: float
    batch_size: int
    max_iter: int
    alpha: float = 0.0
    penalty: str = "decoupled"
    dropout: float = 0.0
    tol: float = 1e-4
    n_iter_no_change: int = 10
    maximize_score: bool = False
    mean_weight: float | None = None

    def rate(self, state, steps_per_epoch, first_step=0):
        """Return the learning rate of the state's next step; the run began with `first_step`."""
        is_stream = self.mean_weight is not None
        total_steps = None if is_stream else steps_per_epoch * self.max_iter
        factor = self.schedule(state.n_steps - first_step, steps_per_epoch, total_steps)
        # A NumPy scalar would compute in its own precision, not in that of the network.
        return self.learning_rate_init * float(factor) * state.rate_factor


@dataclass(frozen=True)
class Rows:
    """Data in input units (an array or sparse rows), the target, and positive weights or None."""

    X: Any
    target: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self):
        return len(self.target)

    def __sizeof__(self):
        """Return the bytes of the data: Dask sends a large object to each worker only once."""
        X = self.X
        parts = [X] if isinstance(X, np.ndarray) else [X.data, X.indices, X.indptr]
        return sum(part.nbytes for part in (*parts, self.target, self.weights) if part is not None)

    def take(self, rows):
        """Return the rows of a slice or of indices."""
        weights = None if self.weights is None else self.weights[rows]
        return Rows(self.X[rows], self.target[rows], weights)


@dataclass
class TrainingState:
    """What a training run changes."""

    theta: np.ndarray
    solver_state: dict
    rng: np.random.Generator
    n_steps: int = 0
    rate_factor: float = 1.0

    def averages(self):
        """Return the arrays of the solver's state."""
        return [value for value in self.solver_state.values() if isinstance(value, np.ndarray)]

    def to_dict(self):
        """Return all but theta as arrays, numbers and strings, without copies."""
        state = vars(self) | {"rng_state": self.rng.bit_generator.state}
        return {name: value for name, value in state.items() if name not in ("theta", "rng")}

    def restore(self, saved):
        """Continue from a dict of :meth:`to_dict`, which is left unchanged."""
        self.solver_state = copy_state(saved["solver_state"])
        self.rng.bit_generator.state = saved["rng_state"]
        self.n_steps, self.rate_factor = saved["n_steps"], saved["rate_factor"]
