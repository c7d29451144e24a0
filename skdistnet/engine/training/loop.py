"""The training loop: epochs of batches."""

import numpy as np

from ..layers.dropout import Dropout
from ..layers.missing import fill_missing
from ..numerics import memory
from ..numerics.denormals import flush_averages, flush_parameters
from ..numerics.threads import blas_threads
from ..optim.weight_decay import WeightDecay
from .batches import Batches
from .mapped_rows import MappedRows
from .monitor import Monitor

#: Number of steps after which denormals are removed; parameters and averages decay little in them.
SWEEP = 16


class Trainer:
    """What the steps of a run share; an interrupted run has completed `n_epochs` before."""

    def __init__(self, network, input_map, rows, config, state, n_epochs=0):
        self.network, self.rows, self.config, self.state = network, rows, config, state
        self.params = network.views(state.theta)
        self.gradient = memory.empty(state.theta.shape, state.theta.dtype)
        self.grads = network.views(self.gradient)
        self.radius_mask = network.parameter_mask(["inverse_radii"])
        self.mapped_rows = MappedRows(input_map, rows.X, network.dtype)
        self.input_shares = input_map.input_shares
        self.workspaces = {}
        size = config.batch_size
        self.batches = Batches(rows.weights, len(rows), size, config.mean_weight)
        self.dropout = Dropout(network, size, len(rows))
        self.steps_per_epoch = self.batches.n_batches
        is_stream = config.mean_weight is not None
        self.total_steps = None if is_stream else self.steps_per_epoch * config.max_iter
        has_horizon = getattr(config.schedule, "has_horizon", False)
        self.first_step = state.n_steps - n_epochs * self.steps_per_epoch if has_horizon else 0
        self.weight_decay = None
        if config.alpha:
            options = config.penalty, config.alpha, input_map.origin
            self.weight_decay = WeightDecay(network, *options)

    def rate(self):
        """Return the learning rate of the next step."""
        step = self.state.n_steps - self.first_step
        factor = self.config.schedule(step, self.steps_per_epoch, self.total_steps)
        # A NumPy scalar would compute in its own precision, not in that of the network.
        return self.config.learning_rate_init * float(factor) * self.state.rate_factor

    def train_epoch(self):
        """Make a step for each batch and return the mean loss, each batch's before its step."""
        batches = list(self.batches.epoch(self.state.rng))  # draws the order, before dropout draws
        self.dropout.refresh(self.config.dropout, self.state.rng)
        total = mass = 0.0
        for batch in batches:
            value, weight = self.step(batch)
            total += value
            mass += weight
        return total / mass

    def step(self, batch):
        """Make one update from a batch of `Batches`; return its weighted loss and its weight."""
        batch, weights, total_weight = batch
        config, state, network = self.config, self.state, self.network
        target = self.rows.target
        # `take` is faster than fancy indexing.
        target = target[batch] if isinstance(batch, slice) else target.take(batch, axis=0)
        n_rows, dtype = len(target), network.dtype
        weights = np.full(n_rows, 1 / n_rows, dtype) if weights is None else weights.astype(dtype)
        work = self.workspaces.get(n_rows)
        if work is None:
            work = self.workspaces[n_rows] = network.workspace(n_rows, self.dropout.keep_prob)
        self.mapped_rows.gather(batch, work.X)
        if self.mapped_rows.incomplete:
            work.layers[0].observed = fill_missing(work.X, self.input_shares)
        network.prepare(self.params, work)
        masks = self.dropout.draw(n_rows, state.rng)
        raw = network.run_forward(self.params, work, masks)
        value = config.loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
        network.run_backward(self.params, work, self.grads, masks)
        rate = self.rate()
        if self.weight_decay is not None:
            self.weight_decay.apply(state.theta, self.gradient, rate, n_rows)
        config.solver.step(state.theta, self.gradient, state.solver_state, rate)
        state.n_steps += 1
        if state.n_steps % SWEEP == 0:
            values = state.solver_state.values()
            averages = [array for array in values if isinstance(array, np.ndarray)]
            flush_parameters(state.theta, averages, self.radius_mask)
            for array in averages:
                flush_averages(array)
        return value * n_rows, total_weight


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
    """Train `state.theta` in place and return a TrainingResult.

    A KeyboardInterrupt ends training only; the result's `reason` is then "interrupted".

    The best epoch is selected by the rows `validation`, if they are given; `score(raw)` returns the
    validation score of the raw output on them. `begin()` is called before each epoch, and
    `report(result, rate)`, which returns True to stop training, after it, with the result so far
    and the rate. `checkpoint.load()` returns a dict to continue from, or None. After each epoch
    `checkpoint.keep(result, to_dict)` is called; the function `to_dict` returns the dict to save.
    """
    monitor = Monitor(network, input_map, rows, config, state, validation, score)
    result = monitor.result
    saved = checkpoint and checkpoint.load()
    if saved is not None:
        monitor.restore(saved)
    # Overflow shows in the loss, which the rollback checks.
    with blas_threads(network, min(config.batch_size, len(rows))), np.errstate(all="ignore"):
        try:
            trainer = Trainer(network, input_map, rows, config, state, len(result.loss_curve))
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
