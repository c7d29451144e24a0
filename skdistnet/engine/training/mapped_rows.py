"""Rows as inputs of a network, mapped batch by batch or once for all epochs, and their batches."""

import math
import sys

import numpy as np
from scipy.sparse import issparse

from ..layers.missing import fill_missing
from ..numerics import memory
from ..numerics.statistics import PART
from .batches import Batches

#: Mapped rows are cached during training up to this size.
CACHE_BYTES = 64 * 2**20


class MappedRows:
    """Batches of rows of X in network units, mapped all at once if they fit a cache.

    The cache saves up to 15 % of an epoch, but nothing where rows are only shifted.
    """

    def __init__(self, input_map, X, dtype):
        self.input_map, self.X, self.cached = input_map, X, None
        self.incomplete = input_map.is_incomplete(X)
        shape = X.shape[0], input_map.n_inputs
        only_shifted = not issparse(X) and X.dtype == dtype and input_map.only_shifts
        if not only_shifted and math.prod(shape) * dtype.itemsize <= CACHE_BYTES:
            self.cached = memory.empty(shape, dtype)
            for part in memory.slices(X.shape[0], PART // X.shape[1]):
                input_map.apply(X[part], self.cached[part])

    def gather(self, batch, out):
        """Write the mapped rows of `batch`, a slice or indices, into `out`."""
        rows = self.X if self.cached is None else self.cached
        fits = self.cached is not None or (self.input_map.in_place and not issparse(rows))
        if isinstance(batch, slice) or rows.dtype != out.dtype or not fits:
            rows = rows[batch]
        else:
            # Unlike the default mode, "clip" writes without a copy in between.
            rows = np.take(rows, batch, axis=0, out=out, mode="clip")
        if self.cached is None:
            self.input_map.apply(rows, out)
        elif rows is not out:
            out[...] = rows


class BatchedRows:
    """Rows as training takes them: batches of inputs of a network, of targets and of weights.

    `mean_weight` is that of all data, of which the rows may be a part.
    """

    def __init__(self, network, input_map, rows, batch_size, mean_weight=None):
        self.network, self.rows, self.target = network, rows, rows.target
        self.mapped = MappedRows(input_map, rows.X, network.dtype)
        self.input_shares, self.origin = input_map.input_shares, input_map.origin
        self.batch_size = batch_size
        self.batches = Batches(rows.weights, len(rows), batch_size, mean_weight)

    def __len__(self):
        return len(self.target)

    @property
    def nbytes(self):
        """Bytes of the rows."""
        cached = self.mapped.cached
        return sys.getsizeof(self.rows) + (0 if cached is None else cached.nbytes)

    def workspace(self, n_rows, keep_prob=1.0):
        """Return buffers of the network for batches of `n_rows`."""
        return self.network.workspace(n_rows, keep_prob)

    def epoch(self, theta, rng):
        """Return the batches of an epoch, which begins with the parameters `theta`."""
        return list(self.batches.epoch(rng))

    def load(self, rows, work):
        """Write the inputs of rows, a slice or indices, into a workspace; return their target."""
        self.mapped.gather(rows, work.X)
        if self.mapped.incomplete:
            work.layers[0].observed = fill_missing(work.X, self.input_shares)
        # `take` is faster than fancy indexing.
        return self.target[rows] if isinstance(rows, slice) else self.target.take(rows, axis=0)
