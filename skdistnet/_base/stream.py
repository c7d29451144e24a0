"""Rows of earlier calls that `partial_fit` keeps, and counts of all rows.

A stream may begin with a single row, one class, or part of the range of the data. So a net is
restarted from all rows so far, with a new input scale and new units of its target, whenever the
number of different rows has doubled, until there are `ENOUGH` of them.

RMSProp makes the step of a single row as long as that of a full batch. So rows of earlier calls
fill up a batch, and its step is shortened by the root of the share of new rows. A stream keeps as
many rows as a batch has; each new row then replaces a random earlier one, so that a net trained on
a sorted stream does not forget its beginning at once.

Several passes over the same rows add no data. So different rows are counted, by their hashes.
"""

from dataclasses import dataclass, field
from math import ceil, exp

import numpy as np
from scipy.sparse import csr_matrix, issparse, vstack

from ..engine.training.batches import mean_weight

ENOUGH = 200  # different rows, after which there is no restart
PATIENCE = 10  # nor is there one after `PATIENCE * ENOUGH` rows, even if they are repeats of a few
LARGEST_BATCH = 1000  # rows of earlier calls fill up a batch to at most this number
PART = 1_000_000  # numbers of a dense X hashed at a time, so that X is never copied in full
CSR_PARTS = ("data", "indices", "indptr", "shape")
NO_HASHES = np.empty(0, dtype=np.uint64)


def mix_bits(bits):
    """Spread the bits of 64-bit integers, in place (the finaliser of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        bits ^= bits >> np.uint64(33)
        bits *= np.uint64(factor)
    bits ^= bits >> np.uint64(33)
    return bits


def number_bits(numbers):
    """Return the bits of numbers as float64, the same for both zeros and for every NaN."""
    numbers = np.asarray(numbers, dtype=np.float64) + 0.0
    numbers[np.isnan(numbers)] = np.nan
    return numbers.view(np.uint64)


def row_hashes(X, y):
    """Return a hash of each row of X and y, (n_rows,), the same in every process."""
    if not issparse(X):
        X = X.reshape(len(X), -1)
    columns = mix_bits(np.arange(1, X.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    if issparse(X):
        terms = mix_bits(number_bits(X.data)) * columns[X.indices]
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
        hashes = sums[X.indptr[1:]] - sums[X.indptr[:-1]]
    else:
        hashes, height = np.empty(len(X), dtype=np.uint64), max(1, PART // X.shape[1])
        for start in range(0, len(X), height):
            part = slice(start, start + height)
            hashes[part] = (mix_bits(number_bits(X[part])) * columns).sum(axis=1, dtype=np.uint64)
    labels = y.reshape(len(y), -1)
    if labels.dtype.kind in "biuf":
        bits = number_bits(labels)
    else:
        bits = labels.astype(str, order="C").view(np.uint32).reshape(len(y), -1).astype(np.uint64)
    factors = mix_bits(np.arange(1, bits.shape[1] + 1, dtype=np.uint64) << np.uint64(32))
    return mix_bits(hashes + (mix_bits(bits + factors) * (bits != 0)).sum(axis=1, dtype=np.uint64))


def draw_subset(indices, number, rng):
    """Return at most `number` of the indices, drawn at random, in their order."""
    if number >= len(indices):
        return indices
    return np.sort(rng.choice(indices, max(0, number), replace=False))


def step_length(n_new, n_rows):
    """Return the relative length of a step over `n_rows` rows, of which `n_new` are new."""
    # The root was chosen on streams of four tables (see docs/benchmarks.md).
    return (n_new / n_rows) ** 0.5


def join(rows, others):
    """Return X, y and weights of some rows, followed by those of others, in the wider dtype."""
    both = rows[0], others[0]
    X = vstack(both).tocsr() if any(map(issparse, both)) else np.concatenate(both)
    return [X, *map(np.concatenate, zip(rows[1:], others[1:]))]


@dataclass
class Stream:
    """State of a stream, in numbers and arrays that a saved estimator can hold."""

    follows_fit: bool = False  # whether a `fit` came before
    n_earlier: int = 0  # rows of the calls before the latest, repeated ones included
    n_given: int = 0  # rows of all calls, repeated ones included
    n_steps: float = 0.0  # steps made so far; one shorter than usual counts as a fraction
    n_started: int = 0  # different rows that the start was made from
    mean_weight: float = 1.0  # of all rows given
    seen: np.ndarray = field(default_factory=NO_HASHES.copy)  # hashes of up to `ENOUGH` rows
    rows: list = field(default_factory=list)  # X, y, weights of rows to fill up batches, each once
    hashes: np.ndarray = field(default_factory=NO_HASHES.copy)  # of these rows

    @classmethod
    def from_state(cls, state):
        """Return the stream that has this :meth:`state`."""
        rows = list(state["rows"])
        if rows and isinstance(rows[0], dict):
            *parts, shape = (rows[0][name] for name in CSR_PARTS)
            rows[0] = csr_matrix(tuple(parts), shape)
        return cls(**state | {"rows": rows})

    def state(self):
        """Return a dict of numbers, arrays, lists and dicts, which any format can save."""
        rows = list(self.rows)
        if rows and issparse(rows[0]):
            rows[0] = {name: getattr(rows[0], name) for name in CSR_PARTS}
        return vars(self) | {"rows": rows}

    @property
    def n_different(self):
        """Number of different rows, counted up to `ENOUGH`."""
        return len(self.seen)

    @property
    def start_is_final(self):
        """Whether there will be no further restart."""
        if self.follows_fit or self.n_started >= ENOUGH:
            return True
        return self.n_earlier > PATIENCE * ENOUGH

    @property
    def is_due(self):
        """Whether the net should restart from the rows so far, which are all stored until then."""
        return not self.start_is_final and self.n_different >= min(2 * self.n_started, ENOUGH)

    def add(self, X, y, weights, batch_size):
        """Add the rows of a call; return them, followed by earlier ones to fill a batch."""
        filled, rng = min(batch_size, LARGEST_BATCH), np.random.default_rng(self.n_given)
        hashes = row_hashes(X, y)
        different, new = np.unique(hashes, return_index=True)
        self.seen = np.union1d(self.seen, different)[:ENOUGH]
        self.n_earlier = self.n_given
        self.n_given += len(y)
        given = [X, y, np.ones(len(y)) if weights is None else weights]
        # A row given again counts as new, not as an earlier one.
        earlier = np.flatnonzero(~np.isin(self.hashes, different))
        filling = draw_subset(earlier, filled - len(y), rng)
        batch = join(given, [part[filling] for part in self.rows]) if len(filling) else given
        n_rows = len(y) + len(filling)
        self.n_steps += -(-n_rows // batch_size) * step_length(len(y), n_rows)
        limit = max(filled, ENOUGH)
        new = draw_subset(np.sort(new), limit, rng)
        n_left = limit - len(new)
        if self.start_is_final:
            # Rows that are not repeated are dropped gradually, even if there is room for all.
            n_left = min(n_left, ceil(len(earlier) * exp(-len(y) / limit)))
        earlier = draw_subset(earlier, n_left, rng)
        self.hashes = np.concatenate([self.hashes[earlier], hashes[new]])
        rows = [part[new] for part in given]
        self.rows = join([part[earlier] for part in self.rows], rows) if self.rows else rows
        # Rows that all weigh 1 give bitwise the same result as rows without weights.
        return [*batch[:2], None if np.all(batch[2] == 1.0) else batch[2]]

    def update_mean_weight(self, weights, n_rows):
        """Update the mean weight with the weights of a call's rows, None if all weigh 1."""
        mean = 1.0 if weights is None else mean_weight(weights)
        # In this form, rows repeated with the same weights leave the mean bitwise the same.
        share = n_rows / self.n_given
        change = (mean - self.mean_weight) * share
        self.mean_weight = mean if share == 1.0 else self.mean_weight + change
