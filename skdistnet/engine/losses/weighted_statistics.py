"""Normalised weights of rows, and weighted quantiles."""

import numpy as np


def normalized_weights(sample_weight, n_rows, dtype):
    """Return weights of rows that sum to 1; equal ones where `sample_weight` is None."""
    if sample_weight is not None:
        weights = np.asarray(sample_weight, dtype=np.float64)
        if weights.shape != (n_rows,) or not weights.sum() > 0:
            raise ValueError(
                f"'sample_weight' must have shape {(n_rows,)} and a positive sum; "
                f"got shape {weights.shape} and sum {weights.sum()}."
            )
        # Equal weights divided by their sum could differ from no weights by rounding.
        if weights.min() != weights.max():
            return (weights / weights.sum()).astype(dtype)
    return np.full(n_rows, 1.0 / n_rows, dtype=dtype)


def weighted_quantiles(columns, weights, level):
    """Return for each column the smallest value whose cumulative weight reaches `level`.

    There is one level, or one for each column. An integer weight is the same as that many rows.
    """
    order = np.argsort(columns, axis=0)
    below = np.cumsum(weights[order], axis=0, dtype=np.float64)
    # The tolerance is for the rounding of the sums.
    reached = below >= (level - 1e-9) * below[-1]
    return np.take_along_axis(columns, order, axis=0)[reached.argmax(axis=0), range(len(order[0]))]
