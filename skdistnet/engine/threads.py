"""BLAS threads, limited by the size of the work."""

from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["blas_threads"]

#: Multiplications of the largest matrix product below which one thread is faster than several.
SMALL_PRODUCT = 200_000_000


@cache
def controller():
    """Looking for the loaded libraries takes milliseconds: do it once."""
    return ThreadpoolController()


@contextmanager
def blas_threads(network, n_rows):
    """Keep matrix products over batches of `n_rows` to one thread where more would slow them."""
    largest = n_rows * max(m * n for m, n in zip(network.sizes, network.sizes[1:]))
    if largest >= SMALL_PRODUCT:
        yield
    else:
        with controller().limit(limits=1, user_api="blas"):
            yield
