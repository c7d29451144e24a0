"""Tasks that need a long memory, for our recurrent nets and a GRU of PyTorch."""

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np
from _sequence_runs import Job, describe, make_key, seeded, timed

__all__ = ["TASKS", "MemoryTask", "memory_jobs"]

N_TRAIN, N_TEST = 2500, 1000
#: The validation part decides which of these the GRU takes, with seed 0.
GRU_RATES = (0.005, 0.01)
BATCH_SIZE = 50
OURS, GRU = "recurrent net", "GRU"


@dataclass(frozen=True)
class MemoryTask:
    """Random sequences with one target each.

    Parameters
    ----------
    name : str
    n_steps : int
    draw : callable
        Takes the numbers of sequences and steps and a generator; returns X and y.
    classes : bool
        Whether y holds classes, and the score is the accuracy; else it is the squared error.
    trivial : str
        The score of the best prediction without memory.
    """

    name: str
    n_steps: int
    draw: object
    classes: bool
    trivial: str

    @property
    def about(self):
        score = "accuracy" if self.classes else "squared error"
        return {"score": score, "without memory": self.trivial}

    def sample(self, seed):
        """Training and test sequences of a seed."""
        X, y = self.draw(N_TRAIN + N_TEST, self.n_steps, np.random.default_rng(seed))
        return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]

    def score(self, y, predictions):
        if self.classes:
            return float(np.mean(predictions == y))
        return float(np.mean((predictions - y) ** 2))


def draw_adding(n_sequences, n_steps, rng):
    """Values between 0 and 1 and two marks, one in each half; the target adds the marked values."""
    values = rng.uniform(size=(n_sequences, n_steps))
    marks, rows = np.zeros_like(values), np.arange(n_sequences)
    marks[rows, rng.integers(n_steps // 2, size=n_sequences)] = 1
    marks[rows, rng.integers(n_steps // 2, n_steps, size=n_sequences)] = 1
    return np.stack([values, marks], axis=2), (values * marks).sum(axis=1)


def draw_comparison(n_sequences, n_steps, rng):
    """Values between 0 and 1; the class is whether the last is below the first."""
    values = rng.uniform(size=(n_sequences, n_steps))
    return values[:, :, None], (values[:, -1] < values[:, 0]).astype(int)


TASKS = (
    MemoryTask("adding, 50 steps", 50, draw_adding, False, "0.167"),
    MemoryTask("adding, 100 steps", 100, draw_adding, False, "0.167"),
    MemoryTask("adding, 200 steps", 200, draw_adding, False, "0.167"),
    MemoryTask("last below first, 50 steps", 50, draw_comparison, True, "0.75"),
)


def fit_and_predict(estimator, X, y, X_test):
    return estimator.fit(X, y).predict(X_test)


def run_ours(ledger, task, net, seed):
    """Fit the recurrent net and predict."""
    X, y, X_test, y_test = task.sample(seed)
    predictions, seconds = timed(fit_and_predict, seeded(net, seed), X, y, X_test)
    return {"score": task.score(y_test, predictions), "seconds": seconds}


def gru_predictions(task, net, rate, seed, X, y, X_test):
    """Predictions of a GRU with as many units, epochs and rows in a batch as our net."""
    from _sequence_gru import fit_and_predict_gru

    options = {"n_units": net.n_units, "n_epochs": net.max_iter, "batch_size": BATCH_SIZE}
    return fit_and_predict_gru(X, y, X_test, task.classes, rate=rate, seed=seed, **options)


def choose_rate(task, net):
    """The learning rate that does best on the last fifth of the training sequences of seed 0."""
    X, y, _, _ = task.sample(0)
    n_fit = N_TRAIN - N_TRAIN // 5
    scores = [
        task.score(y[n_fit:], gru_predictions(task, net, rate, 0, X[:n_fit], y[:n_fit], X[n_fit:]))
        for rate in GRU_RATES
    ]
    return {"rate": GRU_RATES[int(np.argmax(scores) if task.classes else np.argmin(scores))]}


def run_gru(ledger, task, net, settings, seed):
    """Choose the rate, unless the ledger has the choice, fit and predict."""
    key = make_key(task.name, GRU, "choice", settings)
    rate = ledger.run(key, f"{task.name}, {GRU}, choice", partial(choose_rate, task, net), False)
    X, y, X_test, y_test = task.sample(seed)
    predictions, seconds = timed(gru_predictions, task, net, rate["rate"], seed, X, y, X_test)
    return {"score": task.score(y_test, predictions), "seconds": seconds} | rate


def memory_jobs(tasks, nets, n_seeds):
    """The runs of both models; `nets` has the recurrent nets by task."""
    for task in tasks:
        net = nets[task.name]
        settings = f"{net.n_units} units, {net.max_iter} epochs, rates {GRU_RATES}"
        for seed in range(n_seeds):
            run = partial(run_ours, task=task, net=net, seed=seed)
            yield Job(task.name, OURS, describe(net), seed, run, True)
        for seed in range(n_seeds if find_spec("torch") else 0):
            run = partial(run_gru, task=task, net=net, settings=settings, seed=seed)
            yield Job(task.name, GRU, settings, seed, run)
