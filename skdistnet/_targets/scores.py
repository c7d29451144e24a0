"""Scores of regression: R^2, and D^2 of the losses that have a deviance of their own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, r2_score

from ..engine.losses import normalized_weights
from ..engine.numerics.statistics import weighted_quantiles

#: If a target varies by less than this share of itself, rounding hides its Poisson deviance.
LEAST_SPREAD = float(np.finfo(np.float64).eps) ** 0.5


def r2(y, prediction, sample_weight, quantile):
    """Return R^2, averaged over targets."""
    return r2_score(y, prediction, sample_weight=sample_weight)


def d2_poisson(y, prediction, sample_weight, quantile):
    """Return the explained share of the Poisson deviance, averaged over targets.

    For a target that is constant except for rounding it is 1 if the target is met exactly, else 0,
    as with R^2.
    """
    counting = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
    y = y.astype(np.float64)  # a range of bools is not defined
    columns = zip(y.reshape(len(y), -1).T, prediction.reshape(len(y), -1).T, strict=True)
    return np.mean(
        [
            d2_tweedie_score(target, predicted, sample_weight=sample_weight, power=1)
            if np.ptp(target[counting]) > LEAST_SPREAD * target[counting].max()
            else float(np.array_equal(target[counting], predicted[counting]))
            for target, predicted in columns
        ]
    )


def d2_pinball(y, prediction, sample_weight, quantile):
    """Return the explained share of the pinball loss, averaged over targets or levels."""
    levels, columns = np.atleast_1d(quantile), prediction.T if np.ndim(quantile) else [prediction]
    return np.mean(
        [
            d2_pinball_score(y, predicted, sample_weight=sample_weight, alpha=level)
            for level, predicted in zip(levels, columns, strict=True)
        ]
    )


# Deviances ----------------------------------------------------------------------------------------


def squared_error(y, prediction, quantile):
    return (y - prediction) ** 2


def half_poisson_deviance(y, prediction, quantile):
    return xlogy(y, y / prediction) - y + prediction


def pinball_loss(y, prediction, quantile):
    error, level = y - prediction, np.asarray(quantile)
    return np.maximum(level * error, (level - 1) * error)


def mean(y, weights, quantile):
    return weights @ y


def quantiles(y, weights, quantile):
    return weighted_quantiles(y, weights, np.asarray(quantile))


@dataclass(frozen=True)
class Score:
    """The share of the deviance of targets that predictions explain, averaged over columns.

    Call it with ``(y, prediction, sample_weight, quantile)`` for scikit-learn's metric.
    """

    metric: Callable
    deviance: Callable
    """Of each row and column, a function ``(y, prediction, quantile)``."""
    best_constant: Callable
    """Of each column, a function ``(y, weights, quantile)``."""
    least_spread: float = 0.0
    """A column counts as constant if it varies by at most this share of its maximum."""

    def __call__(self, y, prediction, sample_weight, quantile):
        return self.metric(y, prediction, sample_weight, quantile)

    def of_rows(self, y, sample_weight, quantile):
        """Return the metric for predictions of the same rows, which are many times scored.

        scikit-learn would validate `y` and compute its deviance anew each time, which takes longer
        than an epoch on a small table. A column of `y` is repeated for each level of the quantile.
        """
        weights = normalized_weights(sample_weight, len(y), np.float64)
        y = y.astype(np.float64)
        counted = y[weights > 0]
        is_constant = np.ptp(counted, axis=0) <= self.least_spread * counted.max(axis=0)

        def total(prediction):
            with np.errstate(over="ignore", invalid="ignore"):
                return weights @ self.deviance(y, prediction, quantile)

        largest = np.where(is_constant, 0.0, total(self.best_constant(y, weights, quantile)))
        divisor = np.where(largest > 0, largest, 1.0)

        def score(prediction):
            remaining = total(prediction)
            share = np.where(largest > 0, 1.0 - remaining / divisor, 0.0)
            return float(np.mean(np.where(remaining == 0, 1.0, share)))

        return score


R2 = Score(r2, squared_error, mean)

#: The score of each loss.
SCORES = {
    "squared_error": R2,
    "absolute_error": R2,
    "huber": R2,
    "poisson": Score(d2_poisson, half_poisson_deviance, mean, LEAST_SPREAD),
    "quantile": Score(d2_pinball, pinball_loss, quantiles),
}
