"""What `partial_fit` remembers of the rows of earlier calls.

A stream may begin with a single row, with one class, or with a part of the data's range. So the
start of a net, its input scale and the units of its target are made anew, from all rows so far,
whenever their number has doubled, until there are `ENOUGH` of them.

A call may bring a single row, whose step RMSProp makes as long as that of a full batch. So a batch
is filled up with rows of earlier calls, and its step is shorter by the root of the share of rows
that are new. As many rows are kept for it as make a batch: each new one takes the place of any of
those before, so that rows fade slowly and a stream that is sorted does not forget at once.

Several passes over the same rows are no more data than one pass. A sketch of the rows' hashes shows
how many different rows there have been, which the strength of weight decay depends on. It keeps the
smallest hashes: while it is not full the number is exact, and then estimated from how dense they
lie.
"""

from dataclasses import dataclass, field
from math import ceil, exp

import numpy as np
from scipy.sparse import issparse, vstack

from .engine.batches import mean_weight

__all__ = ["Stream", "step_length"]

#: Different rows that a start is made from; then it is final.
ENOUGH = 200
#: A stream that repeats fewer rows than that gets no other start after so many times as many.
PATIENCE = 10
#: Rows that a batch is filled up to, at most: they are kept between calls.
LARGEST_BATCH = 1000
#: Hashes in the sketch: the estimate is off by 3 %.
SKETCH = 1024
#: Numbers of a dense X that are hashed at a time.
PART = 1_000_000


def mixed(bits):
    """Spread the bits of 64-bit integers, in place (the finaliser of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        bits ^= bits >> np.uint64(33)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(33)
    return bits


def number_bits(numbers):
    """The bits of numbers as float64, alike for both zeros and for every NaN."""
    numbers = np.asarray(numbers, dtype=np.float64) + 0.0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def dense_hashes(X, factors):
    """Hashes of the rows of an array, some rows at a time so that X is never copied whole."""
    hashes, height = np.empty(len(X), dtype=np.uint64), max(1, PART // X.shape[1])
    for start in range(0, len(X), height):
        part = slice(start, start + height)
        hashes[part] = (mixed(number_bits(X[part])) * factors).sum(axis=1, dtype=np.uint64)
    return hashes


def row_hashes(X, y):
    """A hash (n_rows,) of each row of X and y, the same in every process."""
    columns = mixed(np.arange(1, X.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    if issparse(X):
        terms = mixed(number_bits(X.data)) * columns[X.indices]
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
        hashes = sums[X.indptr[1:]] - sums[X.indptr[:-1]]
    else:
        hashes = dense_hashes(X, columns)
    labels = y.reshape(len(y), -1)
    if labels.dtype.kind in "biuf":
        bits = number_bits(labels)
    else:
        text = np.ascontiguousarray(labels.astype(str))
        bits = text.view(np.uint32).reshape(len(y), -1).astype(np.uint64)
    factors = mixed(np.arange(1, bits.shape[1] + 1, dtype=np.uint64) << np.uint64(32))
    return mixed(hashes + (mixed(bits + factors) * (bits != 0)).sum(axis=1, dtype=np.uint64))


def some_of(indices, number, rng):
    """At most `number` of them, drawn at random, in order."""
    if number >= len(indices):
        return indices
    return np.sort(rng.choice(indices, max(0, number), replace=False))


def step_length(n_new, n_rows):
    """Length of a step over `n_rows` rows of which `n_new` are new, relative to the usual one.

    A stream of single rows makes as many steps as rows, which RMSProp, whatever the gradient, makes
    as long as others. The root is best on streams of four tables (see docs/benchmarks.md).
    """
    return (n_new / n_rows) ** 0.5


def join(rows, others):
    """X, y and weights of some rows, followed by those of others, in the wider of their dtypes.

    The narrower could not hold all numbers of the wider.
    """
    both = rows[0], others[0]
    X = vstack(both).tocsr() if any(map(issparse, both)) else np.concatenate(both)
    return [X, *map(np.concatenate, zip(rows[1:], others[1:]))]


@dataclass
class Stream:
    """The rows of a stream so far, as numbers and arrays that a saved estimator can hold."""

    n_before: float = 0.0
    """Rows of a `fit` that came before."""
    n_given: int = 0
    """Rows of all calls, repeated ones included."""
    n_steps: float = 0.0
    """Steps of usual length that have been made, a shorter one counting as a part."""
    n_first: int = 0
    """Rows of the first call, and how many of them differ."""
    n_different_first: float = 0.0
    n_started: float = 0.0
    """Number of different rows that the start was made from."""
    mean_weight: float = 1.0
    """Mean weight of all rows given."""
    sketch: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    """The smallest hashes of rows."""
    rows: list = field(default_factory=list)
    """X, y and weights of rows to fill up batches with, each once."""
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    """Of these rows."""

    @property
    def n_different(self):
        """Number of different rows, which may be an estimate."""
        if len(self.sketch) < SKETCH:
            return float(len(self.sketch))
        return (SKETCH - 1) / (float(self.sketch[-1]) / 2.0**64)

    @property
    def n_rows(self):
        """Number of rows of the data that the stream has gone through."""
        return self.n_before + self.n_first * (self.n_different / self.n_different_first)

    @property
    def is_settled(self):
        """Whether there will be no other start."""
        return bool(self.n_before or self.n_started >= ENOUGH or self.n_given > PATIENCE * ENOUGH)

    @property
    def is_due(self):
        """Whether the net is to start anew, from the rows kept, which are all there have been."""
        return not self.is_settled and self.n_different >= min(2 * self.n_started, ENOUGH)

    def add(self, X, y, weights, batch_size):
        """Take the rows of a call.

        Returns X, y and weights of these rows, and of earlier ones if they do not fill a batch.
        """
        filled, rng = min(batch_size, LARGEST_BATCH), np.random.default_rng(self.n_given)
        hashes = row_hashes(X, y)
        different, new = np.unique(hashes, return_index=True)
        self.sketch = np.union1d(self.sketch, different)[:SKETCH]
        if not self.n_given:
            self.n_first, self.n_different_first = len(y), self.n_different
        self.n_given += len(y)
        given = [X, y, np.ones(len(y)) if weights is None else weights]
        # A row that comes again is no earlier one.
        earlier = np.flatnonzero(~np.isin(self.hashes, different))
        filling = some_of(earlier, filled - len(y), rng)
        batch = join(given, [part[filling] for part in self.rows]) if len(filling) else given
        n_rows = len(y) + len(filling)
        self.n_steps += -(-n_rows // batch_size) * step_length(len(y), n_rows)
        limit = max(filled, ENOUGH)
        new = some_of(np.sort(new), limit, rng)
        n_left = limit - len(new)
        if self.is_settled:
            # Those that do not come again fade, though there may be room for all.
            n_left = min(n_left, ceil(len(earlier) * exp(-len(y) / limit)))
        earlier = some_of(earlier, n_left, rng)
        self.hashes = np.concatenate([self.hashes[earlier], hashes[new]])
        rows = [part[new] for part in given]
        self.rows = join([part[earlier] for part in self.rows], rows) if self.rows else rows
        # Where all rows weigh 1 they are trained on, bit for bit, as rows without weights.
        return [*batch[:2], None if np.all(batch[2] == 1.0) else batch[2]]

    def weigh(self, weights, n_rows):
        """Take the weights of a call's rows, None where all weigh 1, into their mean."""
        mean = 1.0 if weights is None else mean_weight(weights)
        # In this form rows that are repeated with the same weights change no bit.
        share = n_rows / self.n_given
        self.mean_weight = (
            mean if share == 1.0 else self.mean_weight + (mean - self.mean_weight) * share
        )

    def start(self):
        """Note that the net has been started from the rows so far."""
        self.n_started = self.n_different
