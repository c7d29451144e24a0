"""The same training from several starts, by joblib, and the best of them."""

from dataclasses import replace

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

__all__ = ["best_restart"]


def best_restart(draft, rows, validation, seeds):
    """Train a copy of the draft from each seed; returns the best copy and its outcome.

    The copy's `init_scores_` has a score for each seed, the higher the better.
    """
    if effective_n_jobs(draft.n_jobs) == 1 or len(seeds) == 1:
        results = []
        for seed in seeds:
            results.append(draft._train_copy(rows, validation, seed))
            if results[-1][1].reason == "interrupted":
                break
    else:
        restart = delayed(type(draft)._train_copy)
        results = Parallel(n_jobs=draft.n_jobs)(
            restart(draft, rows, validation, seed) for seed in seeds
        )
    scores = [restart_score(copy, outcome) for copy, outcome in results]
    best, outcome = results[int(np.argmax(scores))]
    best.init_scores_ = scores
    if results[-1][1].reason == "interrupted":
        # It is to be told even if an earlier start is better.
        outcome = replace(outcome, reason="interrupted")
    return best, outcome


def restart_score(copy, outcome):
    """What restarts are compared by: the score watched, or a loss with its sign turned."""
    if outcome.validation_scores:
        watched = outcome.validation_loss_curve if copy.scoring == "loss" else None
        best = outcome.best_epoch - 1
        score = outcome.validation_scores[best] if watched is None else -watched[best]
    else:
        score = -np.inf if outcome.reason == "diverged" else -copy.loss_
    return -np.inf if np.isnan(score) else float(score)
