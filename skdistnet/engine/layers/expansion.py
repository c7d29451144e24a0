"""The argument of a layer's activation as a sum of matrix products, for fast predictions."""

from dataclasses import dataclass

import numpy as np

from ..numerics import memory
from ..numerics.blas import multiply


@dataclass(frozen=True, slots=True)
class Expansion:
    """``linear @ Z + factors[0] @ factors[1] @ Z**2 + constant``, where rows are columns of Z.

    Of `factors` there may be two, one or none, for a dot product. The last rows of `linear` and
    `constant` may be linear functions of the inputs, which need no squares.
    """

    linear: np.ndarray  # (n_units + n_functions, n_inputs)
    constant: np.ndarray  # (n_units + n_functions, 1)
    factors: tuple[np.ndarray, ...] = ()

    def write(self, Z, squares, out):
        """Write the sum into `out`; `squares` is a buffer of the shape and order of `Z`."""
        out[...] = self.constant
        add_product(self.linear, Z, out)
        if self.factors:
            first, *others = self.factors
            squares = np.multiply(Z, Z, out=squares)
            for factor in others:
                squares = factor @ squares
            add_product(first, squares, out[: len(first)])


def weights_with_functions(n_units, functions):
    """Return `linear` and `constant` with room for units, before `functions` of the inputs."""
    n_rows = n_units + len(functions)
    linear = memory.empty((n_rows, functions.shape[1]), functions.dtype)
    linear[n_units:] = functions
    return linear, np.zeros((n_rows, 1), functions.dtype)


def add_product(matrix, Z, out):
    """Add ``matrix @ Z`` to `out`; Z is C-contiguous, or the transpose of such an array."""
    if Z.flags.c_contiguous:
        multiply(matrix, Z, out, keep=1.0)
    else:
        multiply(matrix, Z.T, out, transpose_b=True, keep=1.0)
