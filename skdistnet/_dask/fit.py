"""The order of steps in a fit on a cluster."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from time import perf_counter
from types import SimpleNamespace

import dask
import numpy as np
from sklearn.base import is_classifier

from .._base import start, training
from .._base.checkpoints import checkpoints_of
from .._base.messages import constant_loss, print_epoch, warn_about_fit
from ..engine.training.config import TrainingState
from ..engine.training.loop import Updater, train_epochs
from ..engine.training.monitor import Monitor
from . import start as tasks_of_start
from .partitions import partitions_of
from .rounds import ClusterEvaluator, RoundTrainer, identity, plan_rounds
from .summary import merge, summarize

#: Number of summaries that are merged at a time.
MERGED = 8


class ClusterFit:
    """A fit of `estimator`, one of this process's own kind, by `tasks` of a cluster.

    Futures are kept here, and so the data that tasks have left on the workers.
    """

    def __init__(self, tasks, estimator, n_shards, local_steps):
        self.tasks, self.estimator = tasks, estimator
        self.n_shards, self.local_steps = n_shards, local_steps
        self.seeds = estimator._draw_seeds(estimator.n_init)

    def run(self, data, validation, task):
        """Return the fitted candidate; `task` is that of scikit-learn's callbacks, or None."""
        partitions = partitions_of(*data)
        self._validation_partitions(validation)
        self._begin(partitions)
        self._encode(partitions)
        self._start()
        candidate, result, checkpoints = self._train(task)
        training.drop_folds(candidate)
        seed, arguments = self.seeds[0], (self.encoder, self.summary, self.tried)
        calibrated = tasks_of_start.calibrate_novelty
        state = self._result("novelty", calibrated, candidate, *arguments, self.validation, seed)
        if state is not None:
            candidate._novelty_ = state
        if result.reason != "interrupted":
            for checkpoint in filter(None, checkpoints):
                checkpoint.remove()
        find = partial(self._result, "constant-loss", sample_constant_loss, *arguments[:2])
        warn_about_fit(candidate, result, find)
        return candidate

    def _result(self, label, function, *arguments):
        return self.tasks.result(self.tasks.submit(label, function, *arguments))

    # Statistics of all rows -----------------------------------------------------------------------

    def _validation_partitions(self, validation):
        X, y, weights = validation
        self.validation, self.validation_parts = None, None
        if X is None and y is None and weights is None:
            return
        if X is None or y is None:
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"'X_val' and 'y_val' must be given together; {missing!r} is None.")
        self.validation_parts = partitions_of(X, y, weights, "_val")

    def _begin(self, partitions):
        """Summarise all rows, and learn their columns, classes and units."""
        tasks, seed, estimator = self.tasks, self.seeds[0], self.estimator
        shared = dask.delayed(estimator)
        summaries = [
            dask.delayed(summarize)(
                shared, seed, one.number, *one.delayed, dask_key_name=tasks.key("summarize")
            )
            for one in partitions
        ]
        while len(summaries) > 1:
            groups = [summaries[at : at + MERGED] for at in range(0, len(summaries), MERGED)]
            summaries = [
                dask.delayed(merge)(group, dask_key_name=tasks.key("merge-summaries"))
                for group in groups
            ]
        (self.summary,) = tasks.compute(summaries)
        learned = self._result("fit-encoder", tasks_of_start.fit_encoder, estimator, self.summary)
        encoder, self.sizes, self.digest = learned
        self.candidate = encoder.candidate
        # From here on, what a dead worker had is computed from this copy and the partitions.
        self.encoder = tasks.submit("encoder", identity, encoder)

    # Rows to train and to validate on -------------------------------------------------------------

    def _encode(self, partitions):
        """Encode the rows of all shards, and those to validate on; set the number of shards."""
        tasks, n_rows = self.tasks, sum(self.sizes.values())
        held_from = 1.0
        if self.validation_parts is None and self.candidate.early_stopping is True:
            share = min(self.candidate.validation_fraction, tasks_of_start.MOST_VALIDATED / n_rows)
            held_from = 1.0 - share
        self.held_from = held_from
        n_shards = min(self.n_shards or tasks.n_workers(), n_rows)
        encoded = [
            self._encoded_shard(pieces, partitions, (0.0, held_from))
            for pieces in divide_rows(self.sizes, n_shards)
        ]
        if held_from < 1.0:
            held_out = tasks_of_start.encode_held_out, self.sizes, partitions, (held_from, 1.0)
            encoded.append(self._encoded_validation(*held_out))
        *rows, last = futures = tasks.compute(encoded)
        self.rows, self.validation = (rows, last) if held_from < 1.0 else (futures, None)
        if self.validation_parts is not None:
            self.validation = self._encode_given_validation(self.validation_parts)

    def _encode_given_validation(self, partitions):
        """Return the future of the rows that the user has given to validate on."""
        count = dask.delayed(tasks_of_start.count_validation)
        counts = self.tasks.compute([count(one.number, *one.delayed) for one in partitions])
        sizes = dict(enumerate(self.tasks.results(counts)))
        share = min(1.0, tasks_of_start.MOST_VALIDATED / max(1, sum(sizes.values())))
        passed = tasks_of_start.encode_validation, sizes, partitions, (0.0, share)
        (future,) = self.tasks.compute([self._encoded_validation(*passed)])
        return future

    def _encoded_shard(self, pieces, partitions, selected):
        """Return the selected rows of pieces of partitions, delayed."""
        parts = [partitions[number].delayed for number, _ in pieces]
        arguments = self.encoder, self.seeds[0], pieces, parts, selected
        name = self.tasks.key("encode-rows")
        return dask.delayed(tasks_of_start.encode_shard)(*arguments, dask_key_name=name)

    def _encoded_validation(self, encode, sizes, partitions, selected):
        """Return what `encode` returns for the selected rows of partitions of these sizes, delayed.

        A task for each partition selects them: a worker need not have all partitions in memory.
        """
        select, key = dask.delayed(tasks_of_start.select_rows), self.tasks.key
        parts = []
        for number, size in sizes.items():
            own = number, slice(0, size), partitions[number].delayed, selected
            parts.append(select(self.seeds[0], *own, dask_key_name=key("select-rows")))
        return dask.delayed(encode)(self.encoder, parts, dask_key_name=key("encode-rows"))

    # Start ----------------------------------------------------------------------------------------

    def _start(self):
        """Find how many epochs to train for, and set the initial candidate of each seed."""
        submit, encoder = self.tasks.submit, self.encoder
        # Before the trials: while these keep a worker busy, Dask would move its shards to others.
        measured = [submit("measure", tasks_of_start.measure_shard, r, encoder) for r in self.rows]
        measures = self.tasks.results(measured)
        self.rows = [rows for rows, (n, *_) in zip(self.rows, measures) if n]
        measures = [one for one in measures if one[0]]
        self.shard_sizes = [n for n, *_ in measures]
        self.n_trained = sum(self.shard_sizes)
        if self.n_trained < 2:
            raise ValueError(
                f"{type(self.estimator).__name__} needs at least 2 rows, of positive weight, to "
                f"fit; got n_samples = {self.n_trained}."
            )
        self.weights = [weight for _, weight, _ in measures]
        self.mean_weight = sum(self.weights) / self.n_trained
        statistics = tasks_of_start.merge_measures(measures)
        # An epoch has as many steps as one over the rows of a shard, each of which does more.
        n_rows = round(self.n_trained / len(self.rows) ** 0.5)
        arguments = encoder, self.summary, self.validation, self.seeds[0], n_rows, self.held_from
        self.tried = submit("trials", tasks_of_start.run_trials, *arguments)
        initialize = partial(submit, "initialize", tasks_of_start.initialize, encoder, self.summary)
        initialized = [initialize(self.tried, statistics, seed) for seed in self.seeds]
        self.starts = self.tasks.results(initialized)

    # Training -------------------------------------------------------------------------------------

    def _train(self, task):
        """Train each start; return the best candidate, its result and all checkpoints."""
        first, tasks = self.starts[0], self.tasks
        config = start.training_config(first, self.n_trained, first._planned_epochs())
        choices = self.shard_sizes, self.local_steps, is_classifier(first)
        config, rounds = plan_rounds(first._network, config, *choices)
        candidate = tasks.submit("candidate", identity, first)
        prepare = partial(tasks.submit, "prepare-shard", tasks_of_start.prepare_shard)
        options = candidate, config.batch_size, self.mean_weight
        self.shards = [prepare(number, rows, *options) for number, rows in enumerate(self.rows)]
        counted = [tasks.submit("batches", number_of_batches, one) for one in self.shards]
        rounds = replace(rounds, steps_per_epoch=max(tasks.results(counted)))
        self.n_shards_, self.local_steps_ = len(self.shards), rounds.local_steps
        checkpoints = self._checkpoints(rounds)
        trained = []
        for each in zip(self.starts, self.seeds, checkpoints):
            part = task.part("start") if task is not None and len(self.seeds) > 1 else task
            trained.append(self._train_start(*each, candidate, config, rounds, part))
            if trained[-1][1].reason == "interrupted":
                break
        scores = [training.start_score(*one) for one in trained]
        best, result = trained[int(np.argmax(scores))]
        best.init_scores_ = scores
        if trained[-1][1].reason == "interrupted":
            result = replace(result, reason="interrupted")
        return best, result, checkpoints

    def _train_start(self, candidate, seed, checkpoint, shared, config, rounds, task):
        """Train a candidate from its initial parameters; return it and the result."""
        if task is not None and len(self.seeds) > 1:
            task.begin()
        began, theta = perf_counter(), candidate._theta_
        state = TrainingState(theta, config.solver.init(theta), np.random.default_rng(0))
        updater = Updater(candidate._network, config, candidate._input_map.origin)
        trained = self.tasks, self.shards, self.weights, config
        trainer = RoundTrainer(*trained, state, seed, rounds, updater)
        evaluated = self.tasks, self.shards, self.weights, shared, config.loss, self.validation
        monitor = Monitor(config, state, ClusterEvaluator(*evaluated))
        saved = checkpoint and checkpoint.load()
        if saved is not None:
            monitor.restore(saved)

        def report(result, rate):
            if self.estimator.verbose:
                print_epoch(result, rate, config.max_iter, perf_counter() - began)
            return task is not None and task.end_epoch(candidate, state.theta)

        begin = task and task.begin_epoch
        with np.errstate(all="ignore"):
            result = train_epochs(trainer, monitor, report, begin, checkpoint)
        candidate._theta_ = result.theta
        training.record(candidate, result, self.n_trained, self.validation)
        if task is not None and len(self.seeds) > 1:
            task.end(candidate)
        return candidate, result

    def _checkpoints(self, rounds):
        """Return the checkpoint of each start, or None for each."""
        candidate = self.starts[0]._candidate(keep=True)
        candidate.checkpoint, candidate.verbose = self.estimator.checkpoint, self.estimator.verbose
        decisive = {"data": self.digest, "n_shards": len(self.shards)} | vars(rounds)
        if candidate.checkpoint is not None and self.validation is not None:
            digested = self._result("digest", tasks_of_start.digest_rows, self.validation)
            decisive["validation"] = digested
        return checkpoints_of(candidate, SimpleNamespace(**decisive), None, self.seeds)


def divide_rows(sizes, n_shards):
    """Return for each shard pieces of partitions: their numbers and slices of their rows.

    Shards have the same number of rows, up to one. Those that follow each other in a shard come
    from partitions far apart, so that in data that is sorted shards are less different.
    """
    numbers = [number for first in range(n_shards) for number in sorted(sizes)[first::n_shards]]
    total, pieces = sum(sizes.values()), []
    bounds = [shard * total // n_shards for shard in range(n_shards + 1)]
    ends = np.cumsum([sizes[number] for number in numbers]).tolist()
    begins = [0, *ends[:-1]]
    for low, high in pairwise(bounds):
        overlaps = [
            (number, slice(max(low, begin) - begin, min(high, end) - begin))
            for number, begin, end in zip(numbers, begins, ends)
            if max(low, begin) < min(high, end)
        ]
        pieces.append(overlaps)
    return pieces


# Tasks --------------------------------------------------------------------------------------------


def number_of_batches(shard):
    return shard.n_batches


def sample_constant_loss(encoder, summary, candidate, result):
    """Return what `constant_loss` does on the sample of rows."""
    return constant_loss(encoder.encode_sample(summary)[0], candidate, result)
