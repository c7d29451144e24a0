"""Matrix products that add to what is there already.

SciPy's BLAS can accumulate in place, which saves each product a buffer and passes over it; where
there is nothing to add to, NumPy's is called, which has less to check and is often the newer.
"""

from functools import cache

import numpy as np
from scipy.linalg import get_blas_funcs

__all__ = ["LARGE", "add_scaled", "average", "multiply"]

#: Multiplications of a matrix product from which several threads are faster than one.
LARGE = 200_000_000


@cache
def routine(name, dtype):
    """A BLAS routine; looking for it takes longer than a small one of its products."""
    return get_blas_funcs(name, dtype=dtype)


def writable_in_place(out):
    """Whether BLAS writes into `out` itself; for other arrays it would silently fill a copy."""
    return out.flags.carray and out.dtype.isnative and out.dtype.char in "fd"


def multiply(a, b, out, transpose_a=False, transpose_b=False, scale=1.0, keep=0.0):
    """Write ``keep * out + scale * (a @ b)`` into `out`, which must be C-contiguous."""
    assert writable_in_place(out)
    assert a.dtype == b.dtype == out.dtype
    # All large ones are SciPy's, so that only one of two libraries has threads at work.
    if keep == 0.0 and scale == 1.0 and a.size * out.shape[1] < LARGE:
        np.matmul(a.T if transpose_a else a, b.T if transpose_b else b, out=out)
        return
    # BLAS counts columns first: it sees every array transposed, and so the product turned round.
    routine("gemm", out.dtype)(
        scale, b.T, a.T, keep, out.T, transpose_b, transpose_a, overwrite_c=True
    )


def add_scaled(x, y, a):
    """``y += a * x`` in one pass, for contiguous vectors of one dtype."""
    assert writable_in_place(y)
    assert x.shape == y.shape
    routine("axpy", y.dtype)(x, y, a=a)


def average(old, new, weight):
    """``old = weight * old + (1 - weight) * new`` in one pass, for such vectors; spoils `new`."""
    assert writable_in_place(old)
    assert old.shape == new.shape
    # A rotation in BLAS's words, but nothing asks that its two factors be those of an angle.
    routine("rot", old.dtype)(old, new, weight, 1.0 - weight, overwrite_x=True, overwrite_y=True)
