"""The rows of earlier calls that `partial_fit` keeps, and counts of all rows.

A stream may begin with a single row, with one class, or with a part of the data's range. So a net
starts anew from all rows so far, with a new input scale and new units of its target, whenever the
number of different rows has doubled, until there are `ENOUGH` of them.

RMSProp makes the step of a single row as long as that of a full batch. So rows of earlier calls
fill up a batch, and the length of its step is multiplied by the root of the share of new rows. A
stream keeps as many rows for this as make a batch. Each new row then replaces a random earlier one,
so that rows fade slowly and a net trained on a sorted stream does not forget its beginning at once.

Several passes over the same rows are no more data than one pass. The strength of weight decay
depends on the number of different rows, which a sketch of the rows' hashes counts. The sketch keeps
the smallest hashes: the number is exact until the sketch is full, and then estimated from their
density.
"""

from dataclasses import dataclass, field
from math import ceil, exp

import numpy as np
from scipy.sparse import csr_matrix, issparse, vstack

from ..engine.training.batches import mean_weight

__all__ = ["Stream", "step_length"]

#: Number of different rows after which there is no other start.
ENOUGH = 200
#: There is no other start after `PATIENCE * ENOUGH` rows, even if they are repeats of a few.
PATIENCE = 10
#: Largest number of rows that a batch is filled up to with rows of earlier calls.
LARGEST_BATCH = 1000
#: Hashes in the sketch; the relative standard error of the estimate is 3 %.
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
    """Return at most `number` of the indices, drawn at random, in their order."""
    if number >= len(indices):
        return indices
    return np.sort(rng.choice(indices, max(0, number), replace=False))


def step_length(n_new, n_rows):
    """Return the relative length of a step over `n_rows` rows, of which `n_new` are new.

    A stream of single rows makes a step for each row, and RMSProp makes all steps equally long,
    whatever the gradient. The root was chosen on streams of four tables (see docs/benchmarks.md).
    """
    return (n_new / n_rows) ** 0.5


def join(rows, others):
    """Return X, y and weights of some rows, followed by those of others, in the wider dtype.

    The narrower dtype could not hold all numbers of the wider one.
    """
    both = rows[0], others[0]
    X = vstack(both).tocsr() if any(map(issparse, both)) else np.concatenate(both)
    return [X, *map(np.concatenate, zip(rows[1:], others[1:]))]


@dataclass
class Stream:
    """State of a stream, in numbers and arrays that a saved estimator can hold."""

    n_before: float = 0.0
    """Rows of a `fit` that came before."""
    n_earlier: int = 0
    """Rows of the calls before the latest, repeated ones included."""
    n_given: int = 0
    """Rows of all calls, repeated ones included."""
    n_steps: float = 0.0
    """Steps made so far, in units of the usual length; a shorter step counts as a fraction."""
    n_first: int = 0
    """Rows of the first call."""
    n_different_first: float = 0.0
    """Number of different rows in the first call."""
    n_started: float = 0.0
    """Number of different rows that the start was made from."""
    mean_weight: float = 1.0
    """Mean weight of all rows given."""
    sketch: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    """The smallest hashes of rows."""
    rows: list = field(default_factory=list)
    """X, y and weights of the rows kept to fill up batches, each row once."""
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    """Hashes of the rows kept."""

    @classmethod
    def from_state(cls, state):
        """Return the stream that :meth:`state` has described."""
        rows = list(state["rows"])
        if rows and isinstance(rows[0], dict):
            rows[0] = csr_matrix(
                (rows[0]["data"], rows[0]["indices"], rows[0]["indptr"]), rows[0]["shape"]
            )
        return cls(**state | {"rows": rows})

    def state(self):
        """Return a dict of numbers, arrays, lists and dicts, which any format can save."""
        rows = list(self.rows)
        if rows and issparse(rows[0]):
            names = ("data", "indices", "indptr", "shape")
            rows[0] = {name: getattr(rows[0], name) for name in names}
        return vars(self) | {"rows": rows}

    @property
    def n_different(self):
        """Number of different rows, which may be an estimate."""
        if len(self.sketch) < SKETCH:
            return float(len(self.sketch))
        return (SKETCH - 1) / (float(self.sketch[-1]) / 2.0**64)

    @property
    def n_rows(self):
        """Number of rows of the data that the stream has gone through."""
        if not self.n_given:
            return self.n_before
        return self.n_before + self.n_first * (self.n_different / self.n_different_first)

    @property
    def is_settled(self):
        """Whether there will be no other start."""
        return bool(self.n_before or self.n_started >= ENOUGH or self.n_earlier > PATIENCE * ENOUGH)

    @property
    def is_due(self):
        """Whether the net is to start anew. Until then all different rows are kept."""
        return not self.is_settled and self.n_different >= min(2 * self.n_started, ENOUGH)

    def add(self, X, y, weights, batch_size):
        """Add the rows of a call to the stream.

        Returns X, y and weights of these rows, followed by earlier ones if they do not fill a
        batch.
        """
        filled, rng = min(batch_size, LARGEST_BATCH), np.random.default_rng(self.n_given)
        hashes = row_hashes(X, y)
        different, new = np.unique(hashes, return_index=True)
        self.sketch = np.union1d(self.sketch, different)[:SKETCH]
        if not self.n_given:
            self.n_first, self.n_different_first = len(y), self.n_different
        self.n_earlier = self.n_given
        self.n_given += len(y)
        given = [X, y, np.ones(len(y)) if weights is None else weights]
        # A row given again counts as new, not as an earlier one.
        earlier = np.flatnonzero(~np.isin(self.hashes, different))
        filling = some_of(earlier, filled - len(y), rng)
        batch = join(given, [part[filling] for part in self.rows]) if len(filling) else given
        n_rows = len(y) + len(filling)
        self.n_steps += -(-n_rows // batch_size) * step_length(len(y), n_rows)
        limit = max(filled, ENOUGH)
        new = some_of(np.sort(new), limit, rng)
        n_left = limit - len(new)
        if self.is_settled:
            # Rows that do not come again fade, even if there is room for all.
            n_left = min(n_left, ceil(len(earlier) * exp(-len(y) / limit)))
        earlier = some_of(earlier, n_left, rng)
        self.hashes = np.concatenate([self.hashes[earlier], hashes[new]])
        rows = [part[new] for part in given]
        self.rows = join([part[earlier] for part in self.rows], rows) if self.rows else rows
        # Rows that all weigh 1 give bitwise the same result as rows without weights.
        return [*batch[:2], None if np.all(batch[2] == 1.0) else batch[2]]

    def weigh(self, weights, n_rows):
        """Update the mean weight with the weights of a call's rows, None if all weigh 1."""
        mean = 1.0 if weights is None else mean_weight(weights)
        # In this form, rows repeated with the same weights leave the mean bitwise the same.
        share = n_rows / self.n_given
        self.mean_weight = (
            mean if share == 1.0 else self.mean_weight + (mean - self.mean_weight) * share
        )

    def start(self):
        """Record that the net has started from the rows so far."""
        self.n_started = self.n_different
