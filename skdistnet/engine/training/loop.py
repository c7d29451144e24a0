"""The training loop: epochs of batches, and the state that goes from one epoch to the next."""

import numpy as np

from ..input_scaling import MappedRows
from ..layers.dropout import Dropout
from ..layers.missing import fill_missing
from ..numerics import memory
from ..numerics.denormals import flush_averages, settle
from ..numerics.threads import blas_threads
from ..optim.weight_decay import WeightDecay
from .batches import Batches
from .monitor import Monitor, TrainingResult
from .rollback import Rollback

__all__ = ["train"]

#: Number of steps after which denormals are removed; parameters and averages decay little in them.
SWEEP = 16


def take_rows(array, batch):
    """Return the rows of a batch, a slice or indices; `take` is faster than fancy indexing."""
    return array[batch] if isinstance(batch, slice) else array.take(batch, axis=0)


class Trainer:
    """The buffers, views and constants that the steps of a training run share.

    `n_epochs` is the number of epochs that an interrupted run has completed.
    """

    def __init__(self, network, input_map, rows, config, state, n_epochs=0):
        self.network, self.rows, self.config, self.state = network, rows, config, state
        self.params = network.views(state.theta)
        self.gradient = memory.empty(state.theta.shape, state.theta.dtype)
        self.grads = network.views(self.gradient)
        self.radius_mask = network.radius_mask()
        self.mapped_rows = MappedRows(input_map, rows.X, network.dtype)
        self.workspaces = {}
        self.batches = Batches(
            rows.weights, len(rows), config.batch_size, config.shuffle, config.mean_weight
        )
        self.dropout = Dropout(network, config.batch_size, len(rows))
        self.steps_per_epoch = self.batches.n_batches
        is_stream = config.n_rows is not None
        self.n_rows = config.n_rows if is_stream else len(rows)
        self.total_steps = None if is_stream else self.steps_per_epoch * config.max_iter
        self.first_step = 0
        if getattr(config.schedule, "has_horizon", False):
            self.first_step = state.n_steps - n_epochs * self.steps_per_epoch
        self.weight_decay = None
        if config.alpha:
            if config.penalty == "prior" and state.initial_theta is None:
                state.initial_theta = state.theta.copy()
            self.weight_decay = WeightDecay(
                network, config.penalty, config.alpha, input_map.origin, state.initial_theta
            )

    def rate(self):
        """Return the learning rate of the next step."""
        step = self.state.n_steps - self.first_step
        factor = self.config.schedule(step, self.steps_per_epoch, self.total_steps)
        return self.config.learning_rate_init * factor * self.state.rate_factor

    def train_epoch(self):
        """Make a step for each batch and return the mean loss, each batch's before its step."""
        total = mass = 0.0
        batches = self.batches.epoch(self.state.rng)
        batch = next(batches)  # draws the order, which precedes the numbers that dropout draws
        self.dropout.refresh(self.config.dropout, self.state.rng)
        while batch is not None:
            value, weight = self.step(batch)
            total += value
            mass += weight
            batch = next(batches, None)
        return total / mass

    def step(self, batch):
        """Make one update from a batch of `Batches`; return its weighted loss and its weight."""
        batch, weights, total_weight = batch
        config, state, network = self.config, self.state, self.network
        target = take_rows(self.rows.target, batch)
        n_rows, dtype = len(target), network.dtype
        weights = np.full(n_rows, 1 / n_rows, dtype) if weights is None else weights.astype(dtype)
        work = self.workspaces.get(n_rows)
        if work is None:
            work = self.workspaces[n_rows] = network.workspace(n_rows, self.dropout.kept)
        self.mapped_rows.gather(batch, work.X)
        if self.mapped_rows.incomplete:
            fill_missing(work.layers[0])
        network.prepare(self.params, work)
        masks = self.dropout.draw(n_rows, state.rng)
        raw = network.run_forward(self.params, work, masks)
        value = config.loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
        network.run_backward(self.params, work, self.grads, masks)
        rate = self.rate()
        if self.weight_decay is not None:
            dispersion = value
            if config.penalty == "prior":
                dispersion = config.loss.dispersion(value, raw, target, weights)
            self.weight_decay.apply(
                state.theta, self.gradient, rate, dispersion, n_rows, self.n_rows
            )
        config.solver.step(state.theta, self.gradient, state.solver_state, rate)
        state.n_steps += 1
        if state.n_steps % SWEEP == 0:
            self.remove_denormals()
        return value * n_rows, total_weight

    def remove_denormals(self):
        """Stop parameters and averages that only decay from becoming denormal."""
        values = self.state.solver_state.values()
        averages = [array for array in values if isinstance(array, np.ndarray)]
        settle(self.state.theta, averages, self.radius_mask)
        for array in averages:
            flush_averages(array)


class ResumeState:
    """Gathers all that is needed to continue a run after an epoch, for a checkpoint to save."""

    def __init__(self, state, monitor, rollback):
        self.state, self.monitor, self.rollback = state, monitor, rollback

    def to_dict(self):
        """Return a dict of arrays, numbers, strings, lists and such dicts, without copies."""
        return {
            "theta": self.state.theta,
            "state": self.state.to_dict(),
            "result": vars(self.monitor.result),
            "best": self.monitor.best,
            "n_stalled": self.monitor.n_stalled,
            "rollback": self.rollback.to_dict(),
        }

    def restore(self, saved):
        """Continue from a dict of :meth:`to_dict`."""
        np.copyto(self.state.theta, saved["theta"])
        self.state.restore(saved["state"])
        vars(self.monitor.result).update(saved["result"])
        self.monitor.best, self.monitor.n_stalled = saved["best"], saved["n_stalled"]
        self.rollback.restore(saved["rollback"])


def train(
    network,
    input_map,
    rows,
    config,
    state,
    validation=None,
    score=None,
    report=None,
    begin=None,
    checkpoint=None,
):
    """Train `state.theta` in place.

    Parameters
    ----------
    network : Network
    input_map : InputMap
    rows : Rows
    config : TrainingConfig
    state : TrainingState
    validation : Rows, default=None
        Rows by which the best epoch is selected.
    score : callable, default=None
        Called with the raw output on the validation rows; recorded in `validation_scores`.
    report : callable, default=None
        Called with the result so far and the rate after each epoch; stops training if it returns
        True.
    begin : callable, default=None
        Called before each epoch.
    checkpoint : object, default=None
        `load()` returns a dict to continue from or None; `keep(result, to_dict)` is called after
        each epoch, `to_dict` being a function that returns the dict to save.

    Returns
    -------
    result : TrainingResult
        `reason` is "interrupted" after a KeyboardInterrupt, which ends training only, and
        "diverged" where epochs have diverged too often (see rollback.py).
    """
    result = TrainingResult(theta=state.theta.copy())
    monitor = Monitor(network, input_map, config, state, result, validation, score)
    rollback = Rollback(state)
    resume_state = ResumeState(state, monitor, rollback)
    saved = checkpoint and checkpoint.load()
    if saved is not None:
        resume_state.restore(saved)
    # Overflow shows in the loss, which the rollback checks.
    with blas_threads(network, min(config.batch_size, len(rows))), np.errstate(all="ignore"):
        try:
            trainer = Trainer(network, input_map, rows, config, state, len(result.loss_curve))
            while not result.reason:
                if begin is not None:
                    begin()
                rate = trainer.rate()
                rollback.begin(len(result.loss_curve))
                finish_epoch(trainer.train_epoch(), rate, rows, monitor, rollback, report)
                if checkpoint is not None:
                    checkpoint.keep(result, resume_state.to_dict)
        except KeyboardInterrupt:
            result.reason = "interrupted"
    return result


def finish_epoch(loss, rate, rows, monitor, rollback, report):
    """Record an epoch of this loss, or undo it if it has diverged, and decide whether to stop."""
    result = monitor.result
    if rollback.has_diverged(loss, lambda theta: monitor.loss_of(theta, rows)):
        if not rollback.go_back():
            result.reason = "diverged"
            candidates = [
                (rollback.good_epoch, monitor.state.theta),
                (0, rollback.initial_theta),
            ]
            monitor.keep_best(candidates, rows)
        result.n_halvings = rollback.n_halvings
        return
    rollback.end(loss)
    monitor.record(loss)
    if report is not None and report(result, rate):
        result.reason = "stopped"
    elif monitor.should_stop():
        result.reason = "plateau"
    elif len(result.loss_curve) == monitor.config.max_iter:
        result.reason = "budget"
