"""Batches of an epoch, and the weight of each row in its batch.

Weights are divided by their mean over all rows, so that the loss of a batch is an unbiased estimate
of the loss of all rows. Normalised batch by batch, a heavy row could not count for more than one.

Solvers that divide a gradient by its own size undo part of this, and plain gradient descent makes a
huge step for a heavy row. So the weight of a row that has more than `LARGEST_SHARE` of a usual
batch's weight is split into equal parts over several batches: all batches then have nearly the same
weight, whatever the solver.
"""

from itertools import pairwise
from typing import Any

import numpy as np

#: Largest share of a batch's usual weight that a row may have without being split.
LARGEST_SHARE = 1 / 16
#: A row of at most this many mean weights is never split. Otherwise, in small batches, every row
#: above the mean would be split, and an epoch could have up to twice the steps.
NEVER_SPLIT = 2.0


def mean_weight(weights):
    """Return the mean of positive weights; exactly their value if all are equal."""
    return float(weights[0] if weights.min() == weights.max() else weights.mean())


class Batches:
    """The `n_batches` batches of an epoch over `n_rows` rows.

    `weights` are positive, or None if all rows weigh 1; `mean` is the mean weight of all data, of
    which the rows may be a part, or None for the mean of the rows.
    """

    def __init__(self, weights, n_rows, batch_size, mean=None):
        self.n_rows = n_rows
        self.rows: Any = None
        self.parts: Any = None
        n_batches = -(-n_rows // batch_size)
        if weights is None:
            weights = np.ones(n_rows)
        self.relative = weights / (mean_weight(weights) if mean is None else mean)
        if np.all(self.relative == 1.0):
            self.relative = None
        elif n_batches > 1:
            largest = max(NEVER_SPLIT, LARGEST_SHARE * batch_size) * mean_weight(self.relative)
            parts = np.minimum(np.ceil(self.relative / largest), n_batches).astype(np.intp)
            if parts.max() > 1:
                self.parts = parts
                self.rows = np.repeat(np.arange(n_rows), parts)
                self.relative = (self.relative / parts)[self.rows]
                # There are more parts than rows, so the mean weight of a part is smaller.
                self.relative *= len(self.rows) / n_rows
        self.n_parts = n_rows if self.rows is None else len(self.rows)
        self.n_batches = -(-self.n_parts // batch_size)

    def epoch(self, rng, n_batches=None):
        """Yield for each batch its rows, as a slice or indices, its weights and their sum.

        Weights are None if all rows weigh the same; else their sums average 1 over the batches.
        There are `n_batches` if that is given, at most one for each row.
        """
        n_batches = n_batches or self.n_batches
        # The order does not matter in a single batch, which is faster as a slice.
        order = self._order(rng) if n_batches > 1 else None
        # Sizes differ by at most one row: if all batches but the last were full, that might hold a
        # single row, whose step RMSProp makes as long as any other.
        bounds = [number * self.n_parts // n_batches for number in range(n_batches + 1)]
        for start, stop in pairwise(bounds):
            size = stop - start
            batch = slice(start, stop) if order is None else order[start:stop]
            if self.relative is None:
                yield batch, None, size
            else:
                relative = self.relative[batch]
                rows = batch if self.rows is None else self.rows[batch]
                yield rows, relative / size, float(relative.sum())

    def _order(self, rng):
        """Return a random order of the parts, a row's parts far apart."""
        if self.rows is None:
            return rng.permutation(self.n_rows)
        first_part = np.repeat(np.cumsum(self.parts) - self.parts, self.parts)
        number = np.arange(len(self.rows)) - first_part
        start = rng.random(self.n_rows)
        return np.argsort((start[self.rows] + number) / self.parts[self.rows], kind="stable")
