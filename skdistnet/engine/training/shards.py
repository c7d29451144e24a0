"""Data-parallel training: shards of the rows, rounds of steps on each of them, and their mean.

All shards start a round from the same `Replica`. They make a few steps each, on batches of their
own, and the next round starts from the mean of where they have got to; see :func:`average`. In a
round of a single step they return gradients instead, whose mean is that of a joint batch; see
:func:`joint_step`. A round depends on its arguments only, so that it can be repeated anywhere.

References
----------
S. U. Stich, "Local SGD converges fast and communicates little", ICLR 2019, for means of parameters;
A. Douillard et al., "DiLoCo: distributed low-communication training of language models",
arXiv:2311.08105, 2023, for momentum of the moves from round to round.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..numerics import memory
from ..numerics.statistics import normalized_weights
from ..numerics.threads import single_blas_thread
from ..optim.solvers import copy_state
from ..prediction import layer_output
from .config import TrainingState
from .loop import Trainer
from .mapped_rows import BatchedRows


@dataclass(frozen=True)
class Replica:
    """Parameters and averages of the solver, between two rounds of an epoch or after one of them.

    `move` is the momentum of the moves from round to round. `loss` and `weight` are sums over the
    batches of the epoch so far, `n_steps` counts the steps of each shard in the whole run.
    """

    theta: np.ndarray
    solver_state: dict
    move: Any
    n_steps: int
    rate_factor: float = 1.0
    loss: float = 0.0
    weight: float = 0.0

    def __sizeof__(self):
        """Return the bytes of the arrays: Dask prefers to move small objects."""
        arrays = self.theta, self.move, *self.solver_state.values()
        return sum(part.nbytes for part in arrays if isinstance(part, np.ndarray))

    def state(self, rng):
        """Return copies as a state to train."""
        solver_state = copy_state(self.solver_state)
        return TrainingState(
            memory.copy(self.theta), solver_state, rng, self.n_steps, self.rate_factor
        )


@dataclass(frozen=True)
class ShardGradient:
    """The gradient of a batch of `n_rows` rows, its loss and the weight of the rows, both sums."""

    gradient: np.ndarray
    n_rows: int
    loss: float
    weight: float

    def __sizeof__(self):
        return self.gradient.nbytes


class Shard:
    """A part of the rows that are trained on, ready for training; `number` is its own among all.

    Weights of rows are relative to `mean_weight`, that of all rows.
    """

    def __init__(self, number, network, input_map, rows, batch_size, mean_weight):
        self.number, self.network = number, network
        self.rows = BatchedRows(network, input_map, rows, batch_size, mean_weight)
        self.weights = rows.weights
        self._epoch: tuple[Any, list] = (None, [])

    def __sizeof__(self):
        """Return the bytes of the rows: Dask brings tasks to a large object, not it to them."""
        return self.rows.nbytes

    @property
    def n_batches(self):
        """Number of batches that the shard would have on its own."""
        return self.rows.batches.n_batches

    def advance(self, replica, config, seed, n_steps, steps_per_epoch):
        """Return the replica after `n_steps` steps on this shard; its loss is that of the round."""
        trainer, batches = self._trainer(replica, config, seed, n_steps, steps_per_epoch)
        with single_blas_thread(), np.errstate(all="ignore"):
            loss, weight = trainer.train_batches(batches)
        state = trainer.state
        # The mean takes the momentum over rounds from the replica before.
        changed = {"solver_state": state.solver_state, "n_steps": state.n_steps, "move": None}
        return replace(replica, theta=state.theta, loss=loss, weight=weight, **changed)

    def differentiate(self, replica, config, seed, steps_per_epoch):
        """Return the gradient of the shard's next batch."""
        trainer, ((rows, weights, weight),) = self._trainer(
            replica, config, seed, 1, steps_per_epoch
        )
        with single_blas_thread(), np.errstate(all="ignore"):
            loss, n_rows = trainer.differentiate(rows, weights)
        return ShardGradient(trainer.gradient, n_rows, loss * n_rows, weight)

    def loss(self, theta, loss):
        """Return the weighted mean loss of parameters over the rows."""
        mapped, target = self.rows.mapped, self.rows.target
        raw = layer_output(self.network, theta, mapped.input_map, mapped.X)
        weights = normalized_weights(self.weights, len(target), self.network.dtype)
        return loss.value(raw, target, weights)

    def _trainer(self, replica, config, seed, n_steps, steps_per_epoch):
        """Return a trainer for the replica, and the batches of a round."""
        epoch, first = divmod(replica.n_steps, steps_per_epoch)
        rng = np.random.default_rng((seed, self.number, replica.n_steps, 2))
        state = replica.state(rng)
        trainer = Trainer(self.network, self.rows, config, state, steps_per_epoch)
        trainer.dropout.refresh(config.dropout, rng)
        batches = self._batches((seed, self.number, epoch * steps_per_epoch), steps_per_epoch)
        return trainer, batches[first : first + n_steps]

    def _batches(self, seed, n_batches):
        """Return the batches of an epoch, the last one of which is cached for its other rounds."""
        if self._epoch[0] != seed:
            rng, batches = np.random.default_rng((*seed, 1)), self.rows.batches
            # A shard of fewer rows than others have batches repeats its own.
            own = list(batches.epoch(rng, min(n_batches, batches.n_parts)))
            self._epoch = seed, [own[number % len(own)] for number in range(n_batches)]
        return self._epoch[1]


# Means --------------------------------------------------------------------------------------------


def weighted_mean(arrays, weights):
    """Return the mean of arrays, added in their order so that it is always the same."""
    mean = arrays[0] * (weights[0] / sum(weights))
    for array, weight in zip(arrays[1:], weights[1:]):
        mean += array * (weight / sum(weights))
    return memory.copy(mean)


def average(before, replicas, weights, momentum):
    """Return the replica after a round, in which shards of these weights came from `before`.

    With d the mean of the shards' parameters minus those before::

        move  = momentum * move + d
        theta = theta + d + momentum * move

    This is Nesterov's momentum over rounds. The solver's averages are means over the shards.
    """
    first = replicas[0]
    mean = weighted_mean([each.theta for each in replicas], weights)
    # Zero momentum leaves the mean as it is, to the last bit.
    move, theta = before.move, mean
    if momentum:
        change = mean - before.theta
        move = momentum * move + change
        theta = memory.copy(mean + momentum * move)
    solver_state = {
        name: weighted_mean([each.solver_state[name] for each in replicas], weights)
        if isinstance(value, np.ndarray)
        else value
        for name, value in first.solver_state.items()
    }
    return replace(
        before,
        theta=theta,
        solver_state=solver_state,
        move=move,
        n_steps=first.n_steps,
        loss=before.loss + sum(each.loss for each in replicas),
        weight=before.weight + sum(each.weight for each in replicas),
    )


def joint_step(before, gradients, updater, config, steps_per_epoch):
    """Return the replica after a step along the mean gradient of all shards' batches.

    It is the step of a single process on the joint batch.
    """
    state, n_rows = before.state(rng=None), [each.n_rows for each in gradients]
    gradient = weighted_mean([each.gradient for each in gradients], n_rows)
    with single_blas_thread(), np.errstate(all="ignore"):
        updater.step(state, gradient, config.rate(state, steps_per_epoch), sum(n_rows))
    return replace(
        before,
        theta=state.theta,
        solver_state=state.solver_state,
        n_steps=state.n_steps,
        loss=before.loss + sum(each.loss for each in gradients),
        weight=before.weight + sum(each.weight for each in gradients),
    )
