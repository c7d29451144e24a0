"""Rounds of training: how long they are, and epochs of them as tasks on a cluster."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from types import SimpleNamespace

import dask
import numpy as np

from .._base.training import validation_score
from ..engine.numerics.threads import single_blas_thread
from ..engine.training.monitor import Evaluator
from ..engine.training.shards import Replica, average, joint_step

#: Seconds that a round costs besides its steps, and that it costs for each parameter, as
#: benchmarks/dask_training.py measures them on a machine's own network.
ROUND_SECONDS, PARAMETER_SECONDS = 0.02, 1e-7
#: Seconds of a step, and for each product of a weight with a row.
STEP_SECONDS, PRODUCT_SECONDS = 4e-4, 2e-10
#: Number of rounds that are submitted together; the time to build a graph grows with its square.
ROUNDS_IN_A_GRAPH = 20
#: Name of the momentum over rounds in a solver's state.
MOVE = "move"
#: Share of the time of a round that communication may take.
COMMUNICATION = 0.125
#: Rounds of at least this many steps have momentum. Where an epoch has not two of them, or needs no
#: momentum, rounds have `SHORT_ROUND` steps or a quarter of an epoch's.
LONG_ROUND, SHORT_ROUND = 20, 8
#: Data are small if they make at most this number of usual batches.
FEW_BATCHES = 10
#: Steps per epoch that regression has at least, unless batches become smaller than those of a
#: local fit divided by the number of shards.
REGRESSION_STEPS = 64


@dataclass(frozen=True)
class Rounds:
    """How an epoch is divided into rounds, and what is done between them."""

    steps_per_epoch: int
    local_steps: int
    momentum: float = 0.0

    @property
    def sizes(self):
        """Number of steps of each round of an epoch, as equal as possible."""
        n_rounds = math.ceil(self.steps_per_epoch / self.local_steps)
        bounds = [number * self.steps_per_epoch // n_rounds for number in range(n_rounds + 1)]
        return [stop - start for start, stop in pairwise(bounds)]


def plan_rounds(network, config, shard_sizes, local_steps, is_classifier):
    """Return the configuration of training on shards of these sizes, and the rounds of an epoch.

    On P shards with batches of b rows an epoch has B / (P b) as many steps as with the usual
    batches of B rows on one machine. So that it gets as far, either the learning rate is multiplied
    by a gain or, in longer rounds, the moves from round to round get the momentum of
    ``1 - 1 / gain``, which keeps steps small. The gain is P b / B for classification. Rates of
    regression are higher, so its gain is the root of that, and batches are smaller if rows are few.

    If rows make a few usual batches only, these are divided among the shards, and all rounds are of
    a single step: the fit is that of one machine.
    """
    usual, largest, n_shards = config.batch_size, max(shard_sizes), len(shard_sizes)
    smallest = max(1, usual // n_shards)
    is_small = local_steps == "auto" and sum(shard_sizes) <= FEW_BATCHES * usual
    if is_small:
        batch_size, local_steps = smallest, 1
    elif is_classifier:
        batch_size = usual
    else:
        batch_size = min(usual, max(smallest, math.ceil(largest / REGRESSION_STEPS)))
    batch_size = min(batch_size, largest)
    gain = max(1.0, n_shards * batch_size / usual) ** (1.0 if is_classifier else 0.5)
    steps_per_epoch = math.ceil(largest / batch_size)
    if local_steps == "auto":
        # Long rounds are for momentum. An epoch has two of them, or four if they are longer.
        is_long = gain > 1.0 and steps_per_epoch >= 2 * LONG_ROUND
        least = LONG_ROUND if is_long else SHORT_ROUND
        most = max(least, math.ceil(steps_per_epoch / 4))
        local_steps = min(affordable_steps(network, batch_size), most)
    rounds = Rounds(steps_per_epoch, min(local_steps, steps_per_epoch))
    rate = config.learning_rate_init
    if rounds.local_steps >= LONG_ROUND:
        rounds = replace(rounds, momentum=1.0 - 1.0 / gain)
    else:
        rate *= gain
    return replace(config, batch_size=batch_size, learning_rate_init=rate), rounds


def affordable_steps(network, batch_size):
    """Return the number of steps in a round for which communication takes its share of the time.

    It follows from sizes and from times that were measured once: were they measured in each fit,
    the net would depend on them.
    """
    n_products = batch_size * sum(m * n for m, n in pairwise(network.sizes))
    step = STEP_SECONDS + PRODUCT_SECONDS * n_products
    overhead = ROUND_SECONDS + PARAMETER_SECONDS * network.n_parameters
    return math.ceil(overhead * (1.0 - COMMUNICATION) / (COMMUNICATION * step))


class RoundTrainer:
    """Trains epochs in rounds of tasks; it has what `train_epochs` needs of a trainer.

    A round has a task for each shard, and one that computes their mean. The parameters stay on the
    workers from round to round. At the end of an epoch they come here, with the averages of the
    solver, so that the chain of tasks that a dead worker leaves to be repeated stays short.
    """

    def __init__(self, tasks, shards, weights, config, state, seed, rounds, updater):
        self.tasks, self.shards, self.weights = tasks, shards, weights
        self.config, self.state, self.seed, self.rounds = config, state, seed, rounds
        self.updater = updater
        # Momentum over rounds is a part of the state, which is restored after divergence.
        state.solver_state.setdefault(MOVE, np.zeros_like(state.theta))

    def rate(self):
        """Return the learning rate of the next step."""
        return self.config.rate(self.state, self.rounds.steps_per_epoch)

    def train_epoch(self):
        """Train for an epoch and return its mean loss, that of each batch before its step."""
        state = self.state
        solver_state = {name: part for name, part in state.solver_state.items() if name != MOVE}
        values = state.theta, solver_state, state.solver_state[MOVE]
        replica = Replica(*values, state.n_steps, state.rate_factor)
        latest = self._task("begin-epoch", identity, replica)
        # Many rounds are a graph: between them nothing passes through this process.
        for number, n_steps in enumerate(self.rounds.sizes, start=1):
            latest = self._round(latest, n_steps)
            if number % ROUNDS_IN_A_GRAPH == 0:
                (latest,) = self.tasks.compute([latest])
        (replica,) = self.tasks.results(self.tasks.compute([latest]))
        np.copyto(state.theta, replica.theta)
        state.solver_state = replica.solver_state | {MOVE: replica.move}
        state.n_steps = replica.n_steps
        return replica.loss / replica.weight

    def _task(self, label, function, *arguments):
        return dask.delayed(function)(*arguments, dask_key_name=self.tasks.key(label))

    def _round(self, before, n_steps):
        """Return the replica after a round, delayed."""
        config, n_batches = self.config, self.rounds.steps_per_epoch
        if self.rounds.local_steps == 1:
            shared = before, config, self.seed, n_batches
            parts = [self._task("differentiate", differentiate, s, *shared) for s in self.shards]
            return self._task("step", joint_step, before, parts, self.updater, config, n_batches)
        options = before, config, self.seed, n_steps, n_batches
        replicas = [self._task("train", advance, shard, *options) for shard in self.shards]
        momentum = self.rounds.momentum
        return self._task("average", average, before, replicas, self.weights, momentum)


class ClusterEvaluator:
    """Losses and scores of parameters as tasks; see `Evaluator` for its methods."""

    def __init__(self, tasks, shards, weights, candidate, loss, validation):
        self.tasks, self.shards, self.weights = tasks, shards, weights
        self.candidate, self.loss, self.validation = candidate, loss, validation

    @property
    def validates(self):
        return self.validation is not None

    def training_loss(self, theta):
        parts = [self.tasks.submit("loss", shard_loss, s, theta, self.loss) for s in self.shards]
        return float(np.average(self.tasks.results(parts), weights=self.weights))

    def validation_loss_and_score(self, theta):
        arguments = self.candidate, theta, self.loss, self.validation
        return self.tasks.result(self.tasks.submit("validate", validate, *arguments))


# Tasks --------------------------------------------------------------------------------------------


def identity(value):
    return value


def advance(shard, *arguments):
    return shard.advance(*arguments)


def differentiate(shard, *arguments):
    return shard.differentiate(*arguments)


def shard_loss(shard, theta, loss):
    """Return the mean loss of parameters over a shard."""
    with single_blas_thread(), np.errstate(all="ignore"):
        return shard.loss(theta, loss)


def validate(candidate, theta, loss, validation):
    """Return the loss and the score of parameters on validation rows."""
    net = candidate._candidate(keep=True)
    net._theta_ = theta
    with single_blas_thread(), np.errstate(all="ignore"):
        score = validation_score(net, validation, SimpleNamespace(theta=theta))
        arguments = net._network, net._input_map, None, loss, validation, score
        return Evaluator(*arguments).validation_loss_and_score(theta)
