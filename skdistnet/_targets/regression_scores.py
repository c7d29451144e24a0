"""What a regressor's score is, for each loss."""

import numpy as np
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, r2_score

__all__ = ["SCORES"]

#: Of a target that varies by less than this share of itself, the deviance is lost in rounding.
LEAST_SPREAD = float(np.finfo(np.float64).eps) ** 0.5


def r2(y, prediction, sample_weight, quantile):
    """R^2, averaged over targets."""
    return r2_score(y, prediction, sample_weight=sample_weight)


def d2_poisson(y, prediction, sample_weight, quantile):
    """Explained share of the Poisson deviance, averaged over targets.

    Of a target that is constant, but for rounding, there is nothing to explain: 1 if it is met,
    else 0, as with R^2.
    """
    counting = slice(None) if sample_weight is None else np.asarray(sample_weight) > 0
    y = y.astype(np.float64)  # truth values have no range
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
    """Explained share of the pinball loss, averaged over targets or over levels."""
    if np.ndim(quantile) == 0:
        return d2_pinball_score(y, prediction, sample_weight=sample_weight, alpha=quantile)
    return np.mean(
        [
            d2_pinball_score(y, predicted, sample_weight=sample_weight, alpha=level)
            for level, predicted in zip(quantile, prediction.T, strict=True)
        ]
    )


#: For each loss a function ``(y, prediction, sample_weight, quantile)``.
SCORES = {
    "squared_error": r2,
    "absolute_error": r2,
    "huber": r2,
    "poisson": d2_poisson,
    "quantile": d2_pinball,
}
