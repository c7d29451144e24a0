"""Batches of an epoch, and the weight of each row in its batch.

Weights are normalised once, by their mean over all rows, so that the loss of a batch is an unbiased
estimate of the loss of all rows: a batch that happens to hold more weight has a larger gradient.
With weights normalised batch by batch, a heavy row could never count for more than one batch.

Solvers that divide a gradient by its own size undo part of this, and plain gradient descent makes a
huge step for a heavy row. So the weight of a row that has more than `LARGEST_SHARE` of a usual
batch's weight is split into equal parts over several batches. All batches then have nearly the same
weight, whatever the solver.
"""

from typing import Any

import numpy as np

__all__ = ["Batches", "batch_slice", "mean_weight"]

#: Largest share of a batch's usual weight that a row may have without being split.
LARGEST_SHARE = 1 / 16
#: A row of at most this many mean weights is never split. In small batches every row above the mean
#: would be split otherwise, and an epoch could have up to twice the steps.
WHOLE = 2.0


def mean_weight(weights):
    """Return the mean of positive weights; exactly their value if all are equal."""
    return float(weights[0] if weights.min() == weights.max() else weights.mean())


def batch_slice(number, n_batches, n_rows):
    """The slice of one batch of an epoch: sizes differ by one row at most.

    Batches that are full but for the last would leave a few rows to that one, or a single row,
    whose step is as long as any other: RMSProp divides gradients by their size.
    """
    return slice(number * n_rows // n_batches, (number + 1) * n_rows // n_batches)


class Batches:
    """The batches of an epoch over `n_rows` rows.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,) or None
        Positive weights; None if all rows weigh 1.
    n_rows, batch_size : int
    shuffle : bool
    mean : float or None
        Mean weight of all data, of which these rows may be a part; None for the mean of these rows.

    Attributes
    ----------
    n_batches : int
        Batches of an epoch.
    """

    def __init__(self, weights, n_rows, batch_size, shuffle, mean=None):
        self.n_rows, self.shuffle = n_rows, shuffle
        self.rows: Any = None
        self.parts: Any = None
        n_batches = -(-n_rows // batch_size)
        if weights is None:
            weights = np.ones(n_rows)
        self.relative = weights / (mean_weight(weights) if mean is None else mean)
        if np.all(self.relative == 1.0):
            self.relative = None
        elif n_batches > 1:
            self._split_heavy_rows(batch_size, n_batches)
        self.n_parts = n_rows if self.rows is None else len(self.rows)
        self.n_batches = -(-self.n_parts // batch_size)

    def _split_heavy_rows(self, batch_size, n_batches):
        """Split the weight of heavy rows into at most as many parts as there are batches."""
        largest = max(WHOLE, LARGEST_SHARE * batch_size) * mean_weight(self.relative)
        parts = np.minimum(np.ceil(self.relative / largest), n_batches).astype(np.intp)
        if parts.max() > 1:
            self.parts = parts
            self.rows = np.repeat(np.arange(self.n_rows), parts)
            self.relative = (self.relative / parts)[self.rows]
            # There are more parts than rows, so the mean weight of a part is smaller.
            self.relative *= len(self.rows) / self.n_rows

    def epoch(self, rng):
        """Yield for each batch its rows, as a slice or indices, its weights and their sum.

        The weights are None if all rows weigh the same; else their sums average 1 over the batches.
        """
        order = self._order(rng) if self.n_batches > 1 else None
        for number in range(self.n_batches):
            batch = batch_slice(number, self.n_batches, self.n_parts)
            size = batch.stop - batch.start
            batch = batch if order is None else order[batch]
            if self.relative is None:
                yield batch, None, size
            else:
                relative = self.relative[batch]
                yield (
                    batch if self.rows is None else self.rows[batch],
                    relative / size,
                    float(relative.sum()),
                )

    def _order(self, rng):
        """Return the order of the parts, None for that of the rows; a row's parts lie far apart."""
        if self.rows is None:
            return rng.permutation(self.n_rows) if self.shuffle else None
        number = np.arange(len(self.rows)) - np.repeat(
            np.cumsum(self.parts) - self.parts, self.parts
        )
        first = (np.arange(self.n_rows) + 0.5) / self.n_rows
        if self.shuffle:
            first = rng.random(self.n_rows)
        return np.argsort((first[self.rows] + number) / self.parts[self.rows], kind="stable")
