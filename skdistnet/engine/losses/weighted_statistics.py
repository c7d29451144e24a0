"""What losses ask of a target, and what they learn from one."""

import numpy as np

from ..numerics.statistics import weighted_moments

__all__ = [
    "normalized_weights",
    "robust_units",
    "weighted_quantiles",
]

#: Interquartile range of a standard normal variable.
QUARTILES_OF_NORMAL = 1.349
#: A spread of the middle half that is smaller than this share of the standard deviation is none.
SMALLEST_SPREAD = 1e-12


def normalized_weights(sample_weight, n_rows, dtype):
    """Weights of rows that sum to 1, so that scaling all of them changes nothing."""
    if sample_weight is None:
        return np.full(n_rows, 1.0 / n_rows, dtype=dtype)
    sample_weight = np.asarray(sample_weight, dtype=np.float64)
    if sample_weight.shape != (n_rows,) or not sample_weight.sum() > 0:
        raise ValueError(
            f"'sample_weight' must have shape {(n_rows,)} and a positive sum; "
            f"got shape {sample_weight.shape} and sum {sample_weight.sum()}."
        )
    if sample_weight.min() == sample_weight.max():
        # Divided by their sum they could differ from no weights by rounding.
        return np.full(n_rows, 1.0 / n_rows, dtype=dtype)
    return (sample_weight / sample_weight.sum()).astype(dtype)


def weighted_quantiles(columns, weights, level):
    """For each column the smallest value that a share `level` of the weights does not exceed.

    `weights` are positive and sum to 1. A whole-number weight counts as so many equal rows.
    """
    order = np.argsort(columns, axis=0)
    below = np.cumsum(weights[order], axis=0, dtype=np.float64)
    # The sums round: what is short of the level by rounding has reached it.
    reached = below >= level * below[-1] - 1e-9
    return np.take_along_axis(columns, order, axis=0)[reached.argmax(axis=0), range(len(order[0]))]


def robust_units(columns, weights):
    """Median of each column, and the standard deviation that its quartiles stand for.

    A few rows far off change neither. Where half of the rows are equal, the standard deviation
    itself is the scale.
    """
    median = weighted_quantiles(columns, weights, 0.5)
    spread = weighted_quantiles(columns, weights, 0.75) - weighted_quantiles(columns, weights, 0.25)
    spread = spread / QUARTILES_OF_NORMAL
    _, std, _ = weighted_moments(columns, weights)
    return median, np.where(spread > SMALLEST_SPREAD * std, spread, std)
