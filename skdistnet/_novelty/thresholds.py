"""Thresholds of novelty scores: quantiles of the scores of known rows.

Scores of training rows are many, but differ somewhat from those of new rows. Scores of held-out
rows are those of new rows, but there may be few of them.
"""

import numpy as np

MOST_SCORES = 1001  # more are represented by this number of quantiles


def quantiles(scores):
    """Return the scores in increasing order, or evenly spaced quantiles of more than 1001."""
    scores = np.sort(scores)
    return scores if len(scores) <= MOST_SCORES else np.quantile(scores, levels(MOST_SCORES))


def levels(size):
    """Return the levels of sorted scores as quantiles, from 0 to 1."""
    return np.arange(size) / max(size - 1, 1)


def threshold(known_scores, held_out_scores, n_held_out, rate):
    """Return the score below which a share `rate` of known rows falls.

    `known_scores` are of training rows, `held_out_scores` of `n_held_out` other rows, both as
    returned by :func:`quantiles`. As in conformal prediction, the probability that a new row is
    below the k-th lowest of n held-out scores is k / (n + 1). Lower rates, for which there are too
    few held-out rows, take the shape of the tail from the training rows.
    """
    if not n_held_out:
        return float(np.quantile(known_scores, rate))
    lowest, lowest_share = held_out_scores[0], 1.0 / (n_held_out + 1)
    if rate < lowest_share:
        level = np.interp(lowest, known_scores, levels(len(known_scores)), left=0.0)
        return float(min(lowest, np.quantile(known_scores, level * rate / lowest_share)))
    shares = (1.0 + levels(len(held_out_scores)) * (n_held_out - 1)) * lowest_share
    return float(np.interp(rate, shares, held_out_scores))
