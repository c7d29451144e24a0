"""The epoch loop: batches, rate, decay, and the state that goes on from one epoch to the next."""

import numpy as np

from ..input_scaling import MappedRows
from ..layers.dropout import Dropout
from ..layers.missing import fill_missing
from ..numerics import memory
from ..numerics.denormals import flush_averages, settle
from ..numerics.threads import blas_threads
from ..optim.schedules import HORIZON_SCHEDULES, SCHEDULES
from ..optim.weight_decay import WeightDecay
from .batches import Batches
from .monitor import Monitor, TrainingResult
from .rollback import Rollback

__all__ = ["train"]

#: Steps between two sweeps of parameters and averages, which decay little in so many.
SWEEP = 16


def pick(array, batch):
    """The rows that a batch, a slice or indices, stands for; `take` has less to find out."""
    return array[batch] if isinstance(batch, slice) else array.take(batch, axis=0)


class Trainer:
    """One training: the buffers, views and constants that its steps share.

    `n_epochs` is the number of epochs that it has behind it.
    """

    def __init__(self, network, input_map, rows, config, run, n_epochs=0):
        self.network, self.input_map = network, input_map
        self.rows, self.config, self.run = rows, config, run
        self.params = network.views(run.theta)
        self.gradient = memory.empty(run.theta.shape, run.theta.dtype)
        self.grads = network.views(self.gradient)
        self.radii = network.radius_mask()
        self.mapped_rows = MappedRows(input_map, rows.X, network.dtype)
        self.workspaces = {}
        self.batches = Batches(
            rows.weights, len(rows), config.batch_size, config.shuffle, config.mean_weight
        )
        self.steps_per_epoch = self.batches.n_batches
        self.n_rows = len(rows) if config.n_rows is None else config.n_rows
        self.first_step = run.n_steps - n_epochs * self.steps_per_epoch
        self.total_steps = self.steps_per_epoch * config.max_iter
        self.dropout, self.decay = Dropout(network, config.batch_size, len(rows)), None
        if config.alpha:
            if config.penalty == "prior" and run.start is None:
                run.start = run.theta.copy()
            self.decay = WeightDecay(
                network, config.penalty, config.alpha, input_map.origin, run.start
            )

    def rate(self):
        """Rate of the step to come; a schedule with a horizon starts anew with each training."""
        config, step = self.config, self.run.n_steps
        if config.schedule in HORIZON_SCHEDULES:
            step -= self.first_step
        multiplier = SCHEDULES[config.schedule](
            step, self.steps_per_epoch, self.total_steps, config.power_t, config.decay_rate
        )
        return config.learning_rate_init * multiplier * self.run.rate_factor

    def epoch(self):
        """One pass over the rows; returns the mean loss, each batch before its step."""
        total = mass = 0.0
        batches = self.batches.epoch(self.run.rng)
        batch = next(batches)  # draws the order, which comes before what dropout draws
        self.begin_dropout()
        while batch is not None:
            value, weight = self.step(batch)
            total += value
            mass += weight
            batch = next(batches, None)
        return total / mass

    def begin_dropout(self):
        """Draw what an epoch drops; buffers are of the share that is kept."""
        share, before = self.config.dropout, self.dropout.kept
        if self.config.dropout_schedule == "learning_rate":
            share *= self.rate() / self.config.learning_rate_init
        self.dropout.refresh(share, self.run.rng)
        if self.dropout.kept != before:
            self.workspaces.clear()

    def step(self, batch):
        """Make one update from a batch as from `Batches`; returns its weighted loss and weight."""
        batch, weights, total_weight = batch
        rows, config, run = self.rows, self.config, self.run
        target = pick(rows.target, batch)
        n_rows = len(target)
        dtype = self.network.dtype
        weights = np.full(n_rows, 1 / n_rows, dtype) if weights is None else weights.astype(dtype)
        work = self.workspaces.get(n_rows)
        if work is None:
            work = self.network.workspace(n_rows, self.dropout.kept)
            self.workspaces[n_rows] = work
        self.mapped_rows.gather(batch, work.X)
        if self.mapped_rows.incomplete:
            fill_missing(work.layers[0])
        self.network.prepare(self.params, work)
        masks = self.dropout.draw(n_rows, run.rng)
        raw = self.network.run_forward(self.params, work, masks)
        value = config.loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
        self.network.run_backward(self.params, work, self.grads, masks)
        rate = self.rate()
        if self.decay is not None:
            dispersion = value
            if config.penalty == "prior":
                dispersion = config.loss.dispersion(value, raw, target, weights)
            self.decay.act(run.theta, self.gradient, rate, dispersion, n_rows, self.n_rows)
        config.solver.step(run.theta, self.gradient, run.solver_state, rate)
        run.n_steps += 1
        if run.n_steps % SWEEP == 0:
            self.sweep()
        return value * n_rows, total_weight

    def sweep(self):
        """Stop what decays for ever."""
        state = self.run.solver_state.values()
        averages = [array for array in state if isinstance(array, np.ndarray)]
        settle(self.run.theta, averages, self.radii)
        for array in averages:
            flush_averages(array)


class ResumeState:
    """Where a training is between two epochs, as a state that a file can hold, and back."""

    def __init__(self, run, watch, rollback):
        self.run, self.watch, self.rollback = run, watch, rollback

    def state(self):
        """All that going on needs: a dict of arrays, numbers, strings, lists and such dicts."""
        watch = self.watch
        return {
            "theta": self.run.theta,
            "run": self.run.state(),
            "outcome": vars(watch.outcome),
            "best": watch.best,
            "stalled": watch.stalled,
            "rollback": self.rollback.state(),
        }

    def restore(self, state):
        """Go on from a `state`."""
        watch = self.watch
        np.copyto(self.run.theta, state["theta"])
        self.run.restore(state["run"])
        vars(watch.outcome).update(state["outcome"])
        watch.best, watch.stalled = state["best"], state["stalled"]
        self.rollback.restore(state["rollback"])


def train(
    network,
    input_map,
    rows,
    config,
    run,
    validation=None,
    score=None,
    report=None,
    begin=None,
    checkpoint=None,
):
    """Train `run.theta` in place and return the outcome.

    Parameters
    ----------
    network : Network
    input_map : InputMap
    rows : Rows
    config : TrainingConfig
    run : TrainingState
    validation : Rows, default=None
        When given, the parameters of the epoch that did best on it are the outcome's.
    score : callable, default=None
        Called with the raw output on the validation rows; recorded in `validation_scores`.
    report : callable, default=None
        Called with the outcome so far and the rate, after each epoch; training stops if it answers
        True.
    begin : callable, default=None
        Called before each epoch.
    checkpoint : object, default=None
        Its `load` returns the state to go on from, or None; its `keep` is called after each epoch
        with the outcome so far and a function that returns the state (see `ResumeState.state`).

    Returns
    -------
    outcome : TrainingResult
        A KeyboardInterrupt ends the training, not the program: `reason` is then "interrupted". An
        epoch that ends in numbers that are not finite, or beyond reason, is undone (see
        rollback.py); if that was once too often, `reason` is "diverged".
    """
    outcome = TrainingResult(theta=run.theta.copy())
    watch = Monitor(network, input_map, config, run, outcome, validation, score)
    rollback = Rollback(run)
    progress = ResumeState(run, watch, rollback)
    saved = checkpoint and checkpoint.load()
    if saved is not None:
        progress.restore(saved)
    # Overflow shows in the loss, where it is dealt with.
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")
    with blas_threads(network, min(config.batch_size, len(rows))), quiet:
        try:
            trainer = Trainer(network, input_map, rows, config, run, len(outcome.loss_curve))
            while not outcome.reason:
                train_epoch(trainer, watch, rollback, begin, report)
                if checkpoint is not None:
                    checkpoint.keep(outcome, progress.state)
        except KeyboardInterrupt:
            outcome.reason = "interrupted"
    return outcome


def train_epoch(trainer, watch, rollback, begin, report):
    """Train for an epoch, take what it comes to into the outcome, or undo it."""
    outcome, config = watch.outcome, watch.config
    if begin is not None:
        begin()
    rate = trainer.rate()
    rollback.begin(len(outcome.loss_curve))
    loss = trainer.epoch()
    if rollback.has_diverged(loss, lambda theta: watch.loss_of(theta, trainer.rows)):
        if not rollback.go_back():
            outcome.reason = "diverged"
            candidates = [(rollback.good_epoch, watch.run.theta), (0, rollback.start)]
            watch.keep_best(candidates, trainer.rows)
        outcome.n_halvings = rollback.n_halvings
        return
    rollback.end(loss)
    watch.record(loss)
    if report is not None and report(outcome, rate):
        outcome.reason = "stopped"
    elif watch.should_stop():
        outcome.reason = "plateau"
    elif len(outcome.loss_curve) == config.max_iter:
        outcome.reason = "budget"
