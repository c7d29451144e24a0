"""The epoch loop: batches, rate, decay, stopping, best parameters, history."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import memory
from .dropout import Dropout
from .inputs import MappedRows
from .losses import normalized_weights
from .missing import fill_missing
from .prediction import layer_output
from .regularization import Decay
from .rollback import Rollback
from .schedules import HORIZON_SCHEDULES, SCHEDULES
from .subnormals import flush_averages
from .threads import blas_threads

__all__ = ["Outcome", "Plan", "Rows", "Run", "train"]

#: Steps between two sweeps of parameters and averages, which decay little in so many.
SWEEP = 16
#: The adaptive schedule divides the rate by this when the loss stands still, to a smallest rate.
ADAPTIVE_DIVISOR, ADAPTIVE_SMALLEST = 5.0, 1e-6


@dataclass(frozen=True)
class Plan:
    """Settings of a training that stay as they are."""

    loss: Any
    solver: Any
    schedule: str
    rate: float
    batch_size: int
    max_epochs: int
    alpha: float = 0.0
    decay: str = "decoupled"
    dropout: float = 0.0
    power_t: float = 0.5
    decay_rate: float = 0.0
    shuffle: bool = True
    tol: float = 1e-4
    patience: int = 10
    watch_score: bool = False
    """Whether the score of the validation rows decides, the higher the better, not their loss."""


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
class Run:
    """What a training changes, and what continuing it needs."""

    theta: np.ndarray
    solver_state: dict
    rng: np.random.Generator
    n_steps: int = 0
    rate_factor: float = 1.0
    start: np.ndarray | None = None
    """Where theta was when training began, for a decay that pulls it back there."""


@dataclass
class Outcome:
    """How a training went; `theta` is what it found best."""

    theta: np.ndarray
    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_epoch: int = 0
    reason: str = "budget"
    """One of "budget", "plateau", "stopped", "diverged", "interrupted"."""

    def still_falling(self, tol):
        """Whether the loss fell by more than `tol` an epoch over the last tenth of the epochs."""
        window = max(1, len(self.loss_curve) // 10)
        if len(self.loss_curve) <= window:
            return True
        return self.loss_curve[-1 - window] - self.loss_curve[-1] > tol * window


def pick(array, batch):
    """The rows that a batch, a slice or indices, stands for; `take` has less to find out."""
    return array[batch] if isinstance(batch, slice) else array.take(batch, axis=0)


class Trainer:
    """One training: the buffers, views and constants that its steps share."""

    def __init__(self, network, input_map, rows, plan, run):
        self.network, self.input_map = network, input_map
        self.rows, self.plan, self.run = rows, plan, run
        self.params = network.views(run.theta)
        self.gradient = memory.empty(run.theta.shape, run.theta.dtype)
        self.grads = network.views(self.gradient)
        self.mapped_rows = MappedRows(input_map, rows.X, network.dtype)
        self.workspaces = {}
        self.steps_per_epoch = -(-len(rows) // plan.batch_size)
        self.first_step = run.n_steps
        self.total_steps = self.steps_per_epoch * plan.max_epochs
        self.dropout = self.decay = None
        dropout = Dropout(network, plan.dropout, plan.batch_size, len(rows))
        if dropout.kept < 1.0:
            self.dropout = dropout
        if plan.alpha:
            if plan.decay == "prior" and run.start is None:
                run.start = run.theta.copy()
            self.decay = Decay(network, plan.decay, plan.alpha, input_map.origin, run.start)

    def rate(self):
        """Rate of the step to come; a schedule with a horizon starts anew with each training."""
        plan, step = self.plan, self.run.n_steps
        if plan.schedule in HORIZON_SCHEDULES:
            step -= self.first_step
        multiplier = SCHEDULES[plan.schedule](
            step, self.steps_per_epoch, self.total_steps, plan.power_t, plan.decay_rate
        )
        return plan.rate * multiplier * self.run.rate_factor

    def epoch(self):
        """One pass over the rows; returns the mean loss, each batch before its step."""
        n_rows, batch_size = len(self.rows), self.plan.batch_size
        order = None
        if self.plan.shuffle and batch_size < n_rows:
            order = self.run.rng.permutation(n_rows)
        if self.dropout is not None:
            self.dropout.refresh(self.run.rng)
        total = mass = 0.0
        for start in range(0, n_rows, batch_size):
            batch = slice(start, start + batch_size)
            value, weight = self.step(batch if order is None else order[batch])
            total += value * weight
            mass += weight
        return total / mass

    def step(self, batch):
        """Make one update from the rows that `batch` picks; returns their loss and weight."""
        rows, plan, run = self.rows, self.plan, self.run
        target = pick(rows.target, batch)
        n_rows = len(target)
        picked = None if rows.weights is None else pick(rows.weights, batch)
        weights = normalized_weights(picked, n_rows, self.network.dtype)
        work = self.workspaces.get(n_rows)
        if work is None:
            work = self.network.workspace(n_rows, self.dropout.kept if self.dropout else 1.0)
            self.workspaces[n_rows] = work
        self.mapped_rows.gather(batch, work.X)
        if self.mapped_rows.incomplete:
            fill_missing(work.layers[0])
        self.network.prepare(self.params, work)
        masks = () if self.dropout is None else self.dropout.draw(n_rows, run.rng)
        raw = self.network.run_forward(self.params, work, masks)
        value = plan.loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
        self.network.run_backward(self.params, work, self.grads, masks)
        rate = self.rate()
        if self.decay is not None:
            dispersion = value
            if plan.decay == "prior":
                dispersion = plan.loss.dispersion(value, raw, target, weights)
            self.decay.act(run.theta, self.gradient, rate, dispersion, n_rows, len(rows))
        plan.solver.step(run.theta, self.gradient, run.solver_state, rate)
        run.n_steps += 1
        if run.n_steps % SWEEP == 0:
            self.sweep()
        return value, n_rows if picked is None else float(picked.sum())

    def sweep(self):
        """Set to zero what decays for ever."""
        for array in (self.run.theta, *self.run.solver_state.values()):
            if isinstance(array, np.ndarray):
                flush_averages(array)


@dataclass
class Watch:
    """Follows what decides: loss or score of the validation rows, else the loss of training."""

    network: Any
    input_map: Any
    plan: Plan
    run: Run
    outcome: Outcome
    validation: Any = None
    score: Any = None
    best: float = np.inf
    stalled: int = 0

    def record(self, loss):
        """Take the epoch's loss into the outcome and keep the parameters if they are best."""
        watched = loss if self.validation is None else self.validate()
        self.outcome.loss_curve.append(loss)
        self.stalled = self.stalled + 1 if watched > self.best - self.plan.tol else 0
        # Without validation the latest parameters are kept: a batch's luck is no reason to go back.
        # Some epoch is best, even if its score is not defined.
        if self.validation is None or watched < self.best or not self.outcome.best_epoch:
            np.copyto(self.outcome.theta, self.run.theta)
            self.outcome.best_epoch = len(self.outcome.loss_curve)
        self.best = min(self.best, watched)

    def validate(self):
        """Take the validation loss and the score into the outcome; return what is to fall."""
        rows, outcome = self.validation, self.outcome
        raw = layer_output(self.network, self.run.theta, self.input_map, rows.X)
        weights = normalized_weights(rows.weights, len(raw), self.network.dtype)
        loss, score = self.plan.loss.value(raw, rows.target, weights), self.score(raw)
        # Both or neither: an interrupt in the score leaves curves of one length.
        outcome.validation_loss_curve.append(loss)
        outcome.validation_scores.append(score)
        return -score if self.plan.watch_score else loss

    def must_stop(self):
        """Whether the loss has stood still for long; lowers the rate first if that is the plan."""
        if self.stalled <= self.plan.patience:
            return False
        run = self.run
        if (
            self.plan.schedule == "adaptive"
            and self.plan.rate * run.rate_factor > ADAPTIVE_SMALLEST
        ):
            run.rate_factor /= ADAPTIVE_DIVISOR
            self.stalled = 0
            return False
        # A schedule with a horizon has yet to lower its rate: only validation may cut it short.
        return self.validation is not None or self.plan.schedule not in HORIZON_SCHEDULES


def train(
    network, input_map, rows, plan, run, validation=None, score=None, report=None, begin=None
):
    """Train `run.theta` in place and return the outcome.

    Parameters
    ----------
    network : Network
    input_map : InputMap
    rows : Rows
    plan : Plan
    run : Run
    validation : Rows, default=None
        When given, the parameters of the epoch that did best on it are the outcome's.
    score : callable, default=None
        Called with the raw output on the validation rows; recorded in `validation_scores`.
    report : callable, default=None
        Called with the outcome so far and the rate, after each epoch; training stops if it answers
        True.
    begin : callable, default=None
        Called before each epoch.

    Returns
    -------
    outcome : Outcome
        A KeyboardInterrupt ends the training, not the program: `reason` is then "interrupted". An
        epoch that ends in numbers that are not finite, or as good as that, is undone (see
        rollback.py); if that was once too often, `reason` is "diverged".
    """
    trainer = Trainer(network, input_map, rows, plan, run)
    outcome = Outcome(theta=run.theta.copy())
    watch = Watch(network, input_map, plan, run, outcome, validation, score)
    # Overflow shows in the loss, where it is dealt with.
    rollback = Rollback(run)
    # Distances multiply squares of parameters: larger ones are as good as infinite. Where features
    # keep their units, parameters may be large from the start.
    largest = float(np.finfo(run.theta.dtype).max) ** 0.5
    farthest = largest * max(1.0, float(run.theta @ run.theta))
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")
    with blas_threads(network, min(plan.batch_size, len(rows))), quiet:
        try:
            while len(outcome.loss_curve) < plan.max_epochs:
                if begin is not None:
                    begin()
                rate = trainer.rate()
                rollback.begin()
                loss = trainer.epoch()
                if not (abs(loss) < largest and float(run.theta @ run.theta) < farthest):
                    if rollback.go_back():
                        continue
                    outcome.reason = "diverged"
                    if validation is None:
                        np.copyto(outcome.theta, run.theta)
                    break
                rollback.end(loss)
                watch.record(loss)
                if report is not None and report(outcome, rate):
                    outcome.reason = "stopped"
                    break
                if watch.must_stop():
                    outcome.reason = "plateau"
                    break
        except KeyboardInterrupt:
            outcome.reason = "interrupted"
    return outcome
