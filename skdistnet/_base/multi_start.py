"""The same training from several starts, by joblib, and the best of them."""

from dataclasses import replace

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

__all__ = ["best_restart"]


def best_restart(draft, rows, validation, seeds, task, checkpoints):
    """Train a copy of the draft from each seed; returns the best copy and its outcome.

    `checkpoints` has one for each seed, or None for each.

    The copy's `init_scores_` has a score for each seed, the higher the better; one that goes on
    from an earlier fit keeps those it has.
    """
    if len(seeds) == 1:
        results = [draft._train_copy(rows, validation, seeds[0], task, checkpoints[0])]
    else:
        tasks = [task and task.start(number) for number in range(len(seeds))]
        results = train_all(draft, rows, validation, list(zip(seeds, tasks, checkpoints)))
    scores = [restart_score(copy, outcome) for copy, outcome in results]
    best, outcome = results[int(np.argmax(scores))]
    vars(best).setdefault("init_scores_", scores)
    if any(other.reason == "interrupted" for _, other in results):
        # It is to be told even if another start is better.
        outcome = replace(outcome, reason="interrupted")
    return best, outcome


def train_all(draft, rows, validation, starts):
    """A copy of the draft and its outcome for each start, up to one that is interrupted."""
    if effective_n_jobs(draft.n_jobs) > 1:
        return Parallel(n_jobs=draft.n_jobs)(
            delayed(train_one)(draft, rows, validation, *start) for start in starts
        )
    results = []
    for start in starts:
        results.append(train_one(draft, rows, validation, *start))
        if results[-1][1].reason == "interrupted":
            break
    return results


def train_one(draft, rows, validation, seed, task, checkpoint):
    """A copy of the draft, trained from a seed, and its outcome."""
    if task is not None:
        task.begin()
    copy, outcome = draft._train_copy(rows, validation, seed, task, checkpoint)
    if task is not None:
        task.end(copy)
    return copy, outcome


def restart_score(copy, outcome):
    """What restarts are compared by: the score watched, or a loss with its sign turned."""
    if outcome.validation_scores and not outcome.best_epoch:
        return -np.inf  # no epoch was better than the start
    if outcome.validation_scores:
        watched = outcome.validation_loss_curve if copy.scoring == "loss" else None
        best = outcome.best_epoch - 1
        score = outcome.validation_scores[best] if watched is None else -watched[best]
    else:
        score = -np.inf if outcome.reason == "diverged" else -copy.loss_
    return -np.inf if np.isnan(score) else float(score)
