"""What `partial_fit` remembers of the rows of earlier calls.

A stream may begin with a single row, with one class, or with a part of the data's range. So the
start of a net, its input scale and the units of its target are made anew, from all rows so far,
whenever their number has doubled, until there are `ENOUGH` of them. Up to then the rows are kept.

Several passes over the same rows are no more data than one pass. A sketch of the rows' hashes tells
how many different rows there have been: the strength of weight decay and the length of steps depend
on it. The sketch keeps the smallest hashes; while it is not full the number is exact, and then
estimated from how dense they lie.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import issparse, vstack

from .engine.batches import mean_weight

__all__ = ["ENOUGH", "Stream"]

#: Different rows that a start is made from; then it is final.
ENOUGH = 200
#: A stream that repeats fewer rows than that gets no other start after so many times as many.
PATIENCE = 10
#: Hashes in the sketch: the estimate is off by 3 %.
SKETCH = 1024


def mixed(bits):
    """Spread the bits of 64-bit integers, in place (the finaliser of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        bits ^= bits >> np.uint64(33)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(33)
    return bits


def number_bits(numbers):
    """The bits of numbers as float64, alike for both zeros."""
    return (np.asarray(numbers, dtype=np.float64) + 0.0).view(np.uint64)


def row_hashes(X, y):
    """A hash (n_rows,) of each row of X and y, the same in every process."""
    columns = mixed(np.arange(1, X.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    if issparse(X):
        terms = mixed(number_bits(X.data)) * columns[X.indices]
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
        hashes = sums[X.indptr[1:]] - sums[X.indptr[:-1]]
    else:
        hashes = (mixed(number_bits(X)) * columns).sum(axis=1, dtype=np.uint64)
    labels = y.reshape(len(y), -1)
    if labels.dtype.kind in "biuf":
        bits = number_bits(labels)
    else:
        text = np.ascontiguousarray(labels.astype(str))
        bits = text.view(np.uint32).reshape(len(y), -1).astype(np.uint64)
    factors = mixed(np.arange(1, bits.shape[1] + 1, dtype=np.uint64) << np.uint64(32))
    return mixed(hashes + (mixed(bits + factors) * (bits != 0)).sum(axis=1, dtype=np.uint64))


@dataclass
class Stream:
    """The rows of a stream so far, as numbers and arrays that a saved estimator can hold."""

    n_before: float = 0.0
    """Rows of a `fit` that came before."""
    n_given: int = 0
    """Rows of all calls, repeated ones included."""
    n_first: int = 0
    """Rows of the first call, and how many of them differ."""
    n_different_first: float = 0.0
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    mean_weight: float = 1.0
    """Mean weight of all rows given."""
    n_started: float = 0.0
    """Number of different rows that the start was made from."""
    rows: list | None = field(default_factory=list)
    """X, y and weights of all different rows; None once there are enough."""

    @property
    def n_different(self):
        """Number of different rows, which may be an estimate."""
        if len(self.hashes) < SKETCH:
            return float(len(self.hashes))
        return (SKETCH - 1) / (float(self.hashes[-1]) / 2.0**64)

    @property
    def n_rows(self):
        """Number of rows of the data that the stream has gone through."""
        return self.n_before + self.n_first * (self.n_different / self.n_different_first)

    @property
    def is_due(self):
        """Whether the net is to start anew, from the rows kept."""
        n_different = self.n_different
        if self.rows is None or n_different == self.n_started:
            return False
        return n_different >= min(2 * self.n_started, ENOUGH)

    def add(self, X, y, weights):
        """Take the rows of a call."""
        hashes, first = np.unique(row_hashes(X, y), return_index=True)
        new = np.sort(first[~np.isin(hashes, self.hashes)])
        self.hashes = np.union1d(self.hashes, hashes)[:SKETCH]
        if not self.n_given:
            self.n_first, self.n_different_first = len(y), self.n_different
        self.n_given += len(y)
        if self.n_before or (not self.n_started and self.n_different >= ENOUGH):
            self.rows = None
        if self.rows is not None and len(new):
            weights = np.ones(len(y)) if weights is None else weights
            self._keep(X[new], y[new], weights[new])

    def _keep(self, *new):
        if self.rows:
            stack = vstack if issparse(new[0]) or issparse(self.rows[0]) else np.concatenate
            X = stack([self.rows[0], new[0].astype(self.rows[0].dtype)])
            others = [np.concatenate(pair) for pair in zip(self.rows[1:], new[1:])]
            new = (X.tocsr() if issparse(X) else X, *others)
        self.rows = list(new)

    def weigh(self, weights, n_rows):
        """Take the weights of a call's rows, None where all weigh 1, into their mean."""
        mean = 1.0 if weights is None else mean_weight(weights)
        if n_rows == self.n_given:
            self.mean_weight = mean
        # In this form rows that are repeated with the same weights change no bit.
        self.mean_weight += (mean - self.mean_weight) * (n_rows / self.n_given)

    def start(self):
        """Note that the net has been started from the rows so far."""
        self.n_started = self.n_different

    def settle(self):
        """Keep no rows any more if there will be no other start."""
        if self.n_started >= ENOUGH or self.n_given >= PATIENCE * ENOUGH:
            self.rows = None
