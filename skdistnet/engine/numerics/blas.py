"""Matrix products and vector sums by SciPy's BLAS, which accumulates in place."""

from functools import cache

import numpy as np
from scipy.linalg import get_blas_funcs

#: Multiplications of a matrix product from which several threads are faster than one.
LARGE = 200_000_000
#: Returns a BLAS routine; cached, because the look-up takes longer than a small product.
routine = cache(get_blas_funcs)


def is_writable_by_blas(out):
    """Return whether BLAS writes into `out` itself; it silently fills a copy of other arrays."""
    return out.flags.carray and out.dtype.isnative and out.dtype.char in "fd"


def multiply(a, b, out, transpose_a=False, transpose_b=False, scale=1.0, keep=0.0):
    """Write ``keep * out + scale * (a @ b)`` into `out`, which must be C-contiguous."""
    assert is_writable_by_blas(out)
    assert a.dtype == b.dtype == out.dtype
    # NumPy's call is cheaper. All large products are SciPy's: only one library runs threads.
    if keep == 0.0 and scale == 1.0 and a.size * out.shape[1] < LARGE:
        np.matmul(a.T if transpose_a else a, b.T if transpose_b else b, out=out)
        return
    # BLAS is column-major: it sees every array transposed, so the factors are swapped.
    routine("gemm", dtype=out.dtype)(
        scale, b.T, a.T, keep, out.T, transpose_b, transpose_a, overwrite_c=True
    )


def add_scaled(x, y, a):
    """Compute ``y += a * x`` in one pass, for contiguous vectors of one dtype."""
    assert is_writable_by_blas(y)
    assert x.shape == y.shape
    routine("axpy", dtype=y.dtype)(x, y, a=a)


def average(old, new, weight):
    """Compute ``old = weight * old + (1 - weight) * new`` in one pass; overwrites `new`, too."""
    assert is_writable_by_blas(old)
    assert old.shape == new.shape
    # BLAS calls this a rotation, but does not require that the factors be a cosine and a sine.
    rotate = routine("rot", dtype=old.dtype)
    rotate(old, new, weight, 1.0 - weight, overwrite_x=True, overwrite_y=True)
