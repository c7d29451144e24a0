"""Statistics of the accuracy benchmark: ranks with ties, their intervals, paired differences."""

import numpy as np

__all__ = ["TIE", "bootstrap_interval", "count_outcomes", "paired_difference", "rank_models"]

#: Differences of at most this are ties.
TIE = 0.002
#: Scores are means of folds, whose rounding error must not decide a rank.
ROUNDING = 1e-9
N_RESAMPLES, COVERAGE = 2000, 0.9


def better(scores, others):
    """Whether scores are better than others by more than a tie; NaN is worse than any number."""
    scores, others = (
        np.where(np.isnan(values), -np.inf, values)
        for values in (np.asarray(scores, dtype=float), np.asarray(others, dtype=float))
    )
    return scores > others + (TIE + ROUNDING)


def rank_models(scores):
    """Ranks of models, 1 for the best, from scores of shape (tables, models).

    The rank is 1, plus 1 for each better model and 1/2 for each tied model. Without ties that are
    not transitive, tied models thus share the average of their ranks.
    """
    scores = np.asarray(scores, dtype=float)
    # The axes are table, model and other model.
    wins = better(scores[:, :, None], scores[:, None, :])
    above, below = wins.sum(axis=1), wins.sum(axis=2)
    return (scores.shape[1] + 1 + above - below) / 2


def bootstrap_interval(ranks):
    """Bounds of the mean rank of each model, shape (2, models), by resampling tables."""
    rows = np.random.default_rng(0).integers(len(ranks), size=(N_RESAMPLES, len(ranks)))
    tail = (1 - COVERAGE) / 2
    return np.quantile(ranks[rows].mean(axis=1), (tail, 1 - tail), axis=0)


def count_outcomes(own, others):
    """Numbers of tables with a win, a tie and a loss of `own`."""
    wins, losses = int(better(own, others).sum()), int(better(others, own).sum())
    return wins, len(own) - wins - losses, losses


def paired_difference(own, others):
    """Mean of others - own over the same folds, and its standard error.

    The error takes folds for independent, though their training parts overlap.
    """
    differences = np.subtract(others, own)
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    return float(differences.mean()), float(error)
