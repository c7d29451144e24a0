"""Runs of the benchmark of sequences: a model on a task with a seed, results kept in a file."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from sklearn.base import clone

__all__ = ["Job", "collect", "describe", "make_key", "run_jobs", "seeded", "timed"]


def make_key(*parts):
    """A key of the ledger: the names as they are, of the last part a digest."""
    *names, settings = parts
    return " | ".join([*names, hashlib.sha256(settings.encode()).hexdigest()[:12]])


@dataclass(frozen=True)
class Job:
    """A run of a model on a task.

    Parameters
    ----------
    task, model : str
    settings : str
        All that the result depends on besides, except for the source.
    seed : int
    run : callable
        Takes the ledger and returns a dict of a score, seconds and what JSON can hold besides.
    own : bool
        Whether the result depends on the source of this package.
    """

    task: str
    model: str
    settings: str
    seed: int
    run: Callable
    own: bool = False

    @property
    def key(self):
        return make_key(self.task, self.model, f"seed {self.seed}", self.settings)


def describe(estimator):
    """The settings of an estimator in one line."""
    return " ".join(repr(estimator).split())


def seeded(estimator, seed):
    """A copy of an estimator in which every `random_state` is the seed."""
    names = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
    return clone(estimator).set_params(**dict.fromkeys(names, seed))


def timed(function, *args):
    """The result of a call and its seconds."""
    start = time.perf_counter()
    result = function(*args)
    return result, time.perf_counter() - start


def run_jobs(jobs, ledger):
    """Run the jobs whose results the ledger does not hold."""
    for job in jobs:
        label = f"{job.task}, {job.model}, seed {job.seed}"
        ledger.run(job.key, label, lambda job=job: job.run(ledger), job.own)


def collect(jobs, ledger):
    """The results of all seeds by task and model, where the ledger holds every seed's."""
    runs, results = ledger.content["runs"], {}
    for job in jobs:
        results.setdefault((job.task, job.model), []).append(runs.get(job.key))
    return {pair: seeds for pair, seeds in results.items() if None not in seeds}
