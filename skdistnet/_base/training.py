"""Training of a candidate: from validated rows and parameters to a trained network."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from ..engine.training import Rows, train
from . import locations, start
from .categories import levels_of_codes
from .messages import print_epoch
from .stream import step_length
from .validation import check_scorer


@dataclass(frozen=True)
class ValidationRows(Rows):
    """Rows to validate on, with `y` as a scorer takes it."""

    y: Any = None


class FitData(NamedTuple):
    """What a fit trains and validates on; its trials do so on parts of it."""

    rows: Rows
    y: Any
    validation: ValidationRows | None


# Training runs ------------------------------------------------------------------------------------


def train_start(candidate, rows, validation, seed, task=None, checkpoint=None):
    """Train a copy of the candidate from a seed, as fit does; return it and the result."""
    candidate, rng = candidate._candidate(keep=True), np.random.default_rng(seed)
    if candidate._is_started():
        state = start.resume_training(candidate, rows, rng)
    else:
        state = candidate._initialize(rows, rng)
    config = start.training_config(candidate, len(rows), candidate._planned_epochs())
    result = run(candidate, rows, validation, config, state, task, checkpoint)
    record(candidate, result, len(rows), validation)
    candidate.__dict__.pop("_progress_", None)  # so that a saved model stays small
    if candidate.warm_start:
        start.save_progress(candidate, state)
    else:
        drop_folds(candidate)
    vars(candidate).setdefault("init_scores_", [start_score(candidate, result)])
    return candidate, result


def drop_folds(candidate):
    """Drop the locations of levels in folds, which only training needs."""
    if candidate._input_locations_ is not None:
        without = {"of_folds": None}
        candidate._input_locations_ = [one | without for one in candidate._input_locations_]


def train_starts(candidate, data, seeds, task, checkpoints, alone=True):
    """Train a copy of the candidate from each seed; return the best and its result.

    `alone` means that the task has no other parts: the epochs of a single start are then its own.
    """
    rows, validation = data.rows, data.validation
    if len(seeds) == 1 and alone:
        return train_start(candidate, rows, validation, seeds[0], task, checkpoints[0])
    tasks = [task and task.part("start") for _ in seeds]
    starts = [(candidate, rows, validation, *each) for each in zip(seeds, tasks, checkpoints)]
    results = run_parts(train_task, starts, candidate.n_jobs)
    scores = [start_score(*trained) for trained in results]
    best, result = results[int(np.argmax(scores))]
    best.init_scores_ = scores
    if any(other.reason == "interrupted" for _, other in results):
        # The user must be warned even if another start is better.
        result = replace(result, reason="interrupted")
    return best, result


def train_task(candidate, rows, validation, seed, task, checkpoint):
    """Train a copy of the candidate as a task of its own, one of several."""
    if task is not None:
        task.begin()
    candidate, result = train_start(candidate, rows, validation, seed, task, checkpoint)
    if task is not None:
        task.end(candidate)
    return candidate, result


def run_parts(train_part, arguments, n_jobs):
    """Train the parts of a fit, in parallel if `n_jobs` says so; return what `train_part` does.

    It returns a candidate, its result and maybe more. No part begins after one was interrupted.
    """
    if effective_n_jobs(n_jobs) > 1:
        return Parallel(n_jobs=n_jobs)(delayed(train_part)(*each) for each in arguments)
    trained = []
    for each in arguments:
        trained.append(train_part(*each))
        if trained[-1][1].reason == "interrupted":
            break
    return trained


def start_score(candidate, result):
    """Return the score that starts are compared by: the monitored one, or minus a loss."""
    score = -np.inf if result.reason == "diverged" else -candidate.loss_
    if result.validation_scores:
        scores = result.validation_scores
        if candidate.scoring == "loss":
            scores = [-loss for loss in result.validation_loss_curve]
        score = [-np.inf, *scores][result.best_epoch]  # 0: no epoch was better than the start
    return -np.inf if np.isnan(score) else float(score)


def train_block(candidate, rows, validation, state, stream, n_new, n_epochs):
    """Train for a call of partial_fit, in which the first `n_new` rows are new."""
    config = start.training_config(candidate, len(rows), n_epochs)
    config = replace(
        config,
        learning_rate_init=config.learning_rate_init * step_length(n_new, len(rows)),
        mean_weight=stream.mean_weight,
    )
    n_halvings = 0
    if n_epochs > 1:
        # A new start trains for all its epochs. Only the last one is validated, because the call is
        # one entry of the curves and its result is the latest net.
        first = replace(config, max_iter=n_epochs - 1, n_iter_no_change=n_epochs)
        result = run(candidate, rows, None, first, state)
        if result.reason == "interrupted":
            return result
        n_halvings = result.n_halvings
    result = run(candidate, rows, validation, replace(config, max_iter=1), state)
    result.n_halvings += n_halvings
    return result


def run(candidate, rows, validation, config, state, task=None, checkpoint=None):
    """Train the candidate from a state; both then have the selected parameters of the result."""
    began = perf_counter()

    def report(result, rate):
        if candidate.verbose:
            print_epoch(result, rate, config.max_iter, perf_counter() - began)
        return task is not None and task.end_epoch(candidate, state.theta)

    input_map = candidate._input_map
    rows = locations.rows_to_train(input_map, rows)
    result = train(
        candidate._network,
        input_map,
        replace(rows, target=candidate._codec.smoothed(rows.target)),
        config,
        state,
        validation=validation,
        score=validation and validation_score(candidate, validation, state),
        begin=task and task.begin_epoch,
        report=report,
        checkpoint=checkpoint,
        batched_rows=candidate._batched_rows(),
    )
    candidate._theta_ = state.theta = result.theta
    return result


def validation_score(candidate, validation, state):
    """Return the score as a function of the raw output on the validation rows."""
    if candidate.scoring == "loss":
        return candidate._codec.score_of(validation)
    scorer, weights = check_scorer(candidate, validation.weights)

    def score(raw):
        snapshot = candidate._candidate(keep=True)
        snapshot._theta_ = state.theta.copy()
        # The rows have been validated, and are an array without the names of features.
        snapshot.__dict__.pop("feature_names_in_", None)
        snapshot._levels_ = levels_of_codes(candidate._levels_)
        return float(scorer(snapshot, validation.X, validation.y, **weights))

    return score


# History ------------------------------------------------------------------------------------------


def record(candidate, result, n_rows, validation):
    """Set the fitted attributes that describe a training run over `n_rows` rows."""
    nan, n_epochs = float("nan"), len(result.loss_curve)
    if validation is not None or hasattr(candidate, "validation_loss_curve_"):
        # The curves have NaN for epochs without validation.
        for name in ("validation_loss_curve", "validation_scores"):
            before = getattr(candidate, f"{name}_", [nan] * candidate.n_iter_)
            new = [nan] * n_epochs if validation is None else getattr(result, name)
            setattr(candidate, f"{name}_", before + new)
    if validation is not None:
        # Epoch 0 is the start: no epoch was better than the result of an earlier call, if any.
        earlier = getattr(candidate, "best_validation_score_", nan)
        candidate.best_validation_score_ = [earlier, *result.validation_scores][result.best_epoch]
    candidate.best_epoch_ = candidate.n_iter_ + result.best_epoch
    candidate.n_iter_ += n_epochs
    candidate.t_ += n_epochs * n_rows
    candidate.loss_curve_ = candidate.loss_curve_ + result.loss_curve
    # Training may end before its first epoch does.
    losses = candidate.loss_curve_ or [nan]
    candidate.loss_, candidate.best_loss_ = losses[-1], min(losses)
