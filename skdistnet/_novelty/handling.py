"""What a classifier answers about rows unlike its training data: its own answer, or the prior."""

import numpy as np
from scipy.special import log_softmax

from .mixin import measures_distance

__all__ = ["check_handling", "kept_share", "toward_prior"]


def check_handling(estimator):
    """Raise a ValueError where `handle_novelty` asks for what the network cannot tell."""
    if getattr(estimator, "handle_novelty", None) is None:
        return
    try:
        measures_distance(estimator)
    except AttributeError as error:
        raise ValueError(f"handle_novelty={estimator.handle_novelty!r}: {error}") from error


def kept_share(scores, threshold):
    """How much of the network's answer is kept: 1 down to the threshold, then falling smoothly.

    It falls by ``exp(-q^2)``, with q how far below the threshold a score is, in thresholds.
    """
    beyond = np.maximum(threshold - scores, 0.0) / max(-threshold, 1.0)
    return np.exp(-(np.minimum(beyond, 1e3) ** 2))


def toward_prior(raw, kept, prior, groups):
    """Logarithms of probabilities, mixed of the network's and the prior's in each group of columns.

    Parameters
    ----------
    raw : ndarray of shape (n_rows, n_outputs)
        Raw output.
    kept : ndarray of shape (n_rows,)
        The network's share, in [0, 1]; the rest is the prior's.
    prior : ndarray of shape (n_outputs,)
    groups : list of slice
        Columns of each softmax.

    Returns
    -------
    mixed : ndarray of shape (n_rows, n_outputs)
        Finite: no probability is below the least number of the dtype.
    """
    mixed = np.empty_like(raw)
    with np.errstate(divide="ignore"):
        ours, others = np.log(kept)[:, np.newaxis], np.log1p(-kept)[:, np.newaxis]
        log_prior = np.log(prior)
    for group in groups:
        own = log_softmax(raw[:, group], axis=1)
        mixed[:, group] = np.logaddexp(ours + own, others + log_prior[group])
    return np.maximum(mixed, np.log(np.finfo(raw.dtype).tiny))
