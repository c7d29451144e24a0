"""How the rows of an epoch are dealt into batches, and what each row weighs in its batch.

Weights are normalised once, by their mean over all rows, so that the loss of a batch is an unbiased
estimate of the loss of all rows: a batch that happens to hold more weight has a larger gradient.
Normalised batch by batch, a single heavy row could never do more than one batch does.

Solvers that divide a gradient by its own size undo part of that, and plain gradient descent makes
a huge step where a heavy row comes up. So a row of more than `LARGEST_SHARE` of a usual batch's
weight is dealt into several batches, with an equal part of its weight in each. All batches then
weigh nearly the same, whatever the solver.
"""

from typing import Any

import numpy as np

__all__ = ["Batches", "batch_slice", "mean_weight"]

#: The share of a batch's usual weight that a row may have before its weight is split.
LARGEST_SHARE = 1 / 16


def mean_weight(weights):
    """Mean of positive weights; exactly their value where all are equal."""
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
        Positive; None where all rows weigh 1.
    n_rows, batch_size : int
    shuffle : bool
    mean : float or None
        Mean weight of all rows, of which these may be a part; None: of these.

    Attributes
    ----------
    n_batches : int
        Batches of an epoch.
    """

    def __init__(self, weights, n_rows, batch_size, shuffle, mean=None):
        self.n_rows, self.shuffle = n_rows, shuffle
        self.rows: Any = None
        self.parts: Any = None
        self.weights: Any = None
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
        """Find into how many parts each row goes, no more than there are batches."""
        largest = max(1.0, LARGEST_SHARE * batch_size) * mean_weight(self.relative)
        parts = np.minimum(np.ceil(self.relative / largest), n_batches).astype(np.intp)
        if parts.max() > 1:
            self.parts = parts
            self.rows = np.repeat(np.arange(self.n_rows), parts)
            self.relative = (self.relative / parts)[self.rows]
            # A batch has so much more of lighter parts.
            self.relative *= len(self.rows) / self.n_rows

    def epoch(self, rng):
        """Yield for each batch its rows, as a slice or indices, its weights and their sum.

        The weights, None where all rows weigh the same, sum to 1 in the mean over the batches.
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
        """The order of the parts, None for that of the rows; those of a row lie far apart."""
        if self.rows is None:
            return rng.permutation(self.n_rows) if self.shuffle else None
        number = np.arange(len(self.rows)) - np.repeat(
            np.cumsum(self.parts) - self.parts, self.parts
        )
        first = (np.arange(self.n_rows) + 0.5) / self.n_rows
        if self.shuffle:
            first = rng.random(self.n_rows)
        return np.argsort((first[self.rows] + number) / self.parts[self.rows], kind="stable")
