"""Evaluation of models on splits of a table: parallel processes of one thread each."""

import pickle
import signal
import warnings
from contextlib import closing, contextmanager
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from .results import SplitResult
from .splits import split_rows

__all__ = [
    "Failure",
    "Job",
    "Stopped",
    "loss_of",
    "metric_names",
    "on_interrupt",
    "predict",
    "run_jobs",
    "score_of",
    "stop",
]

#: A setting is chosen on folds of the training rows; of more rows than this, on one of the folds.
INNER_FOLDS, MAX_ROWS_OF_FOLDS = 3, 1000
#: With two classes of which one has a smaller share of the rows, accuracy says little.
RARE_SHARE = 0.2
#: Predictions are timed on so many rows.
TIMED_ROWS = 1000
SCORERS = {"accuracy": "accuracy", "ROC AUC": "roc_auc", "R^2": "r2"}


class Stopped(BaseException):
    """Ctrl-C. A net would take a KeyboardInterrupt as the end of its training and return."""


def stop(*_):
    """Raise Stopped, and ignore further Ctrl-C until :func:`on_interrupt` ends."""
    # A second one while processes are ended would leave this one waiting for them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Stopped


@contextmanager
def on_interrupt(action):
    """Handle Ctrl-C by an action: `stop`, or signal.SIG_IGN."""
    before = signal.signal(signal.SIGINT, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Failure(str):
    """The message of an error that a model raised."""


@dataclass(frozen=True)
class Job:
    """A model to evaluate on a split.

    Attributes
    ----------
    candidate : Candidate
    split : int
    train, held_out : ndarray of int
        Positions of rows.
    keep : bool
        Whether the result has the fitted model.
    """

    candidate: object
    split: int
    train: np.ndarray
    held_out: np.ndarray
    keep: bool = False


def metric_names(table, splits):
    """Return the names of the score and the loss of a table."""
    if not table.is_classification:
        return "R^2", "MAE"
    shares = np.unique(table.y, return_counts=True)[1] / len(table.y)
    is_rare = len(shares) == 2 and shares.min() < RARE_SHARE
    # Without both classes among the held-out rows there is no ROC curve.
    if is_rare and all(len(np.unique(table.y[held_out])) == 2 for _, held_out in splits):
        return "ROC AUC", "log-loss"
    return "accuracy", "log-loss"


def score_of(score_name, y, prediction, classes):
    """Return the score of a prediction, as :func:`predict` returns it."""
    if score_name == "R^2":
        return float(r2_score(y, prediction))
    if score_name == "ROC AUC":
        return float(roc_auc_score(y == classes[1], prediction[:, 1]))
    return float(accuracy_score(y, classes[np.argmax(prediction, axis=1)]))


def loss_of(table, y, prediction):
    """Return the log-loss or the mean absolute error of a prediction."""
    if not table.is_classification:
        return float(mean_absolute_error(y, prediction))
    # A class without training rows has probability 0.
    probabilities = np.clip(prediction, 1e-15, None)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return float(log_loss(y, probabilities, labels=table.classes))


def predict(table, estimator, X):
    """Return probabilities in the order of all classes of the table, or predicted numbers."""
    if not table.is_classification:
        return np.asarray(estimator.predict(X), dtype=float)
    # Training rows need not have all classes.
    probabilities = np.zeros((len(X), len(table.classes)))
    columns = np.searchsorted(table.classes, estimator.classes_)
    probabilities[:, columns] = estimator.predict_proba(X)
    return probabilities


def fit(job, table, score_name, seed):
    """Return a fitted model, its setting, and the time of its fit without the search."""
    X, y = table.X.iloc[job.train], table.y[job.train]
    model = clone(job.candidate.estimator)
    if not job.candidate.grid:
        start = perf_counter()
        return model.fit(X, y), {}, perf_counter() - start
    inner = split_rows(table, job.train, INNER_FOLDS, seed)
    if len(job.train) > MAX_ROWS_OF_FOLDS:
        inner = inner[-1:]  # by time, the one that holds out the latest rows
    scoring = SCORERS[score_name]
    search = GridSearchCV(model, job.candidate.grid, scoring=scoring, cv=inner).fit(X, y)
    return search.best_estimator_, search.best_params_, search.refit_time_


def milliseconds(table, model, held_out):
    """Return the time to predict 1,000 rows: the median of three measurements."""
    X, times = table.X.iloc[np.resize(held_out, TIMED_ROWS)], []
    for _ in range(3):
        start = perf_counter()
        predict(table, model, X)
        times.append(perf_counter() - start)
    return 1e6 * float(np.median(times)) / TIMED_ROWS


def evaluate(job, table, score_name, seed):
    """Fit and judge a model."""
    model, setting, seconds = fit(job, table, score_name, seed)
    y = table.y[job.held_out]
    prediction = predict(table, model, table.X.iloc[job.held_out])
    return SplitResult(
        model=job.candidate.name,
        split=job.split,
        score=score_of(score_name, y, prediction, table.classes),
        loss=loss_of(table, y, prediction),
        fit_seconds=seconds,
        predict_ms=milliseconds(table, model, job.held_out),
        n_bytes=len(pickle.dumps(model)),
        setting=setting,
        prediction=prediction,
        estimator=model if job.keep else None,
    )


def run_job(job, table, score_name, seed):
    """Evaluate, and return the job and the time with the result: results arrive in any order."""
    start = perf_counter()
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = evaluate(job, table, score_name, seed)
        except Exception as error:
            result = Failure(" ".join(f"{type(error).__name__}: {error}".split()))
    return job, result, perf_counter() - start


def run_jobs(jobs, table, score_name, *, n_jobs, random_state):
    """Yield each job with its `SplitResult` or `Failure`, and the seconds it took.

    Parameters
    ----------
    jobs : list of Job
    table : Table
    score_name : str
    n_jobs : int
        Number of processes.
    random_state : int
        For the folds that choose a setting.
    """
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", max_nbytes=None)
    calls = (delayed(run_job)(job, table, score_name, random_state) for job in jobs)
    # Ctrl-C reaches every process. New ones inherit that they ignore it; this one ends them.
    with on_interrupt(signal.SIG_IGN):
        results = parallel(calls)
    with closing(results):
        yield from results
