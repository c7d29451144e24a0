"""The training loop: epochs of batches."""

import numpy as np

from ..layers.dropout import Dropout
from ..numerics import memory
from ..numerics.denormals import flush_averages, flush_parameters
from ..numerics.threads import blas_threads
from ..optim.weight_decay import WeightDecay
from .mapped_rows import BatchedRows
from .monitor import Evaluator, Monitor

#: Number of steps after which denormals are removed; parameters and averages decay little in them.
SWEEP = 16


class Updater:
    """Updates of parameters along gradients: weight decay, the solver's step, no denormals.

    `origin` (n_inputs,) is the zero, in network units, of the first layer's own input.
    """

    def __init__(self, network, config, origin):
        self.solver, self.weight_decay = config.solver, None
        self.radius_mask = network.parameter_mask(["inverse_radii", "state_inverse_radii"])
        if config.alpha:
            self.weight_decay = WeightDecay(network, config.penalty, config.alpha, origin)

    def step(self, state, gradient, rate, n_rows):
        """Make a step along the gradient of `n_rows` rows, which coupled decay changes in place."""
        if self.weight_decay is not None:
            self.weight_decay.apply(state.theta, gradient, rate, n_rows)
        self.solver.step(state.theta, gradient, state.solver_state, rate)
        state.n_steps += 1
        if state.n_steps % SWEEP == 0:
            averages = state.averages()
            flush_parameters(state.theta, averages, self.radius_mask)
            for array in averages:
                flush_averages(array)


class Trainer:
    """What the steps of a run share: gradients of batches, and updates of the state by them.

    Schedules count steps from `first_step` on, in epochs of `steps_per_epoch`.
    """

    def __init__(self, network, batched_rows, config, state, steps_per_epoch=None, first_step=0):
        self.network, self.rows, self.config, self.state = network, batched_rows, config, state
        self.steps_per_epoch = steps_per_epoch or batched_rows.batches.n_batches
        self.first_step = first_step
        self.params = network.views(state.theta)
        self.gradient = memory.empty(state.theta.shape, state.theta.dtype)
        self.grads = network.views(self.gradient)
        self.workspaces = {}
        self.dropout = Dropout(network, batched_rows.batch_size, len(batched_rows))
        self.updater = Updater(network, config, batched_rows.origin)

    def rate(self):
        """Return the learning rate of the next step."""
        return self.config.rate(self.state, self.steps_per_epoch, self.first_step)

    def train_epoch(self):
        """Make a step for each batch and return the mean loss, each batch's before its step."""
        # Draws the order, before dropout draws.
        batches = self.rows.epoch(self.state.theta, self.state.rng)
        self.dropout.refresh(self.config.dropout, self.state.rng)
        total, mass = self.train_batches(batches)
        return total / mass

    def train_batches(self, batches):
        """Make a step for each batch of `Batches`; return the sums of their losses and weights."""
        total = mass = 0.0
        for batch in batches:
            value, weight = self.step(batch)
            total += value
            mass += weight
        return total, mass

    def step(self, batch):
        """Make one update from a batch of `Batches`; return its weighted loss and its weight."""
        value, n_rows = self.differentiate(*batch[:2])
        self.updater.step(self.state, self.gradient, self.rate(), n_rows)
        return value * n_rows, batch[2]

    def differentiate(self, rows, weights):
        """Fill `gradient` for a batch; return its mean loss and its number of rows."""
        network, state = self.network, self.state
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        work = self.workspaces.get(n_rows)
        if work is None:
            work = self.workspaces[n_rows] = self.rows.workspace(n_rows, self.dropout.keep_prob)
        target, dtype = self.rows.load(rows, work), network.dtype
        weights = np.full(n_rows, 1 / n_rows, dtype) if weights is None else weights.astype(dtype)
        network.prepare(self.params, work)
        masks = self.dropout.draw(n_rows, state.rng)
        raw = network.run_forward(self.params, work, masks)
        loss, d_raw = self.config.loss, work.d_outputs[-1]
        value = loss.value_and_gradient(raw, target, weights, out=d_raw)
        network.run_backward(self.params, work, self.grads, masks)
        return value, n_rows


def train_epochs(trainer, monitor, report=None, begin=None, checkpoint=None):
    """Train for epochs until the monitor has a reason to stop, and return its TrainingResult.

    The arguments are those of :func:`train`.
    """
    result = monitor.result
    try:
        while not result.reason:
            if begin is not None:
                begin()
            rate = trainer.rate()
            monitor.rollback.begin(len(result.loss_curve))
            monitor.end_epoch(trainer.train_epoch(), rate, report)
            if checkpoint is not None:
                checkpoint.keep(result, monitor.to_dict)
    except KeyboardInterrupt:
        result.reason = "interrupted"
    return result


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
    batched_rows=BatchedRows,
):
    """Train `state.theta` in place and return a TrainingResult.

    A KeyboardInterrupt ends training only; the result's `reason` is then "interrupted".

    The best epoch is selected by the rows `validation`, if they are given; `score(raw)` returns the
    validation score of the raw output on them. `begin()` is called before each epoch, and
    `report(result, rate)`, which returns True to stop training, after it, with the result so far
    and the rate. `checkpoint.load()` returns a dict to continue from, or None. After each epoch
    `checkpoint.keep(result, to_dict)` is called; the function `to_dict` returns the dict to save.
    `batched_rows` is the class of what divides the rows into batches.
    """
    evaluator = Evaluator(network, input_map, rows, config.loss, validation, score)
    monitor = Monitor(config, state, evaluator)
    saved = checkpoint and checkpoint.load()
    if saved is not None:
        monitor.restore(saved)
    # Overflow shows in the loss, which the rollback checks.
    with blas_threads(network, min(config.batch_size, len(rows))), np.errstate(all="ignore"):
        try:
            batched = batched_rows(network, input_map, rows, config.batch_size, config.mean_weight)
        except KeyboardInterrupt:
            monitor.result.reason = "interrupted"
            return monitor.result
        first_step = 0
        if getattr(config.schedule, "has_horizon", False):
            first_step = state.n_steps - len(monitor.result.loss_curve) * batched.batches.n_batches
        trainer = Trainer(network, batched, config, state, first_step=first_step)
        return train_epochs(trainer, monitor, report, begin, checkpoint)
