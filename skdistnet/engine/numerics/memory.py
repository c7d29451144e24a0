"""Arrays aligned to cache lines, and slices for work on one part of an array at a time.

NumPy aligns large arrays to 16 bytes. Vector instructions then straddle two lines, and an
elementwise pass takes twice as long.
"""

import math

import numpy as np

CACHE_LINE = 64


def empty(shape, dtype):
    """Return an array as numpy.empty does, aligned to a cache line."""
    dtype = np.dtype(dtype)
    n_bytes = (math.prod(shape) if isinstance(shape, tuple) else shape) * dtype.itemsize
    buffer = np.empty(n_bytes + CACHE_LINE, dtype=np.uint8)
    start = -buffer.__array_interface__["data"][0] % CACHE_LINE
    return buffer[start : start + n_bytes].view(dtype).reshape(shape)


def copy(array):
    """Return a copy aligned to a cache line."""
    duplicate = empty(array.shape, array.dtype)
    duplicate[...] = array
    return duplicate


def slices(length, width):
    """Return slices that cover `length`, each of at most `width` and at least 1."""
    width = max(1, width)
    return [slice(start, min(start + width, length)) for start in range(0, length, width)]
