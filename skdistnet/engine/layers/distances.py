"""Scaled squared distances and their gradients, where distance nets spend their time.

Notation, after Kurbiel & Khaleghian, arXiv:1708.01911. For rows ``x_i`` (of d inputs) and units
with centroid ``c_j`` and inverse radii ``r_j``::

    u_ij = -1/2 sum_k r_jk^2 (x_ik - c_jk)^2

and for ``D_ij = dloss/du_ij``, with ``G_jk = sum_i D_ij x_ik`` and ``s_j = sum_i D_ij``::

    dloss/dc_jk =  r_jk^2 (G_jk - c_jk s_j)
    dloss/dr_jk = -r_jk  (sum_i D_ij x_ik^2 - 2 c_jk G_jk + c_jk^2 s_j)
    dloss/dx_ik = -sum_j D_ij r_jk^2 (x_ik - c_jk)

The squares are expanded, so that everything of cubic cost is a matrix product and no array of size
(rows, units, inputs) is made. The expansion cancels where data lie far from zero compared with
their spread: callers shift data and centroids together, which leaves distances unchanged, and u
that rounding makes positive is clamped.

`RADIUS_TYPES` has a class for each way of sharing radii, named as in GaussianMixture. Its methods
`workspace`, `prepare`, `forward`, `backward`, `input_gradient` and `expand` are those of a layer,
with u for the output and D for its gradient. `forward` clamps u at zero, except with dropout, where
that would bias the mean of u. `input_gradient` needs no `backward` before it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..numerics import memory
from ..numerics.blas import multiply
from .expansion import Expansion, weights_with_functions

#: Bytes of each parameter array worked on at a time, so that all passes over them find them in the
#: processor's second-level cache: a third off their time in a layer of 1000 x 784.
BLOCK_BYTES = 262_144


def from_differences(centroids, inverse_radii, x):
    """Return u for a single row `x`, however radii are shared, without preparation."""
    difference = centroids - x
    difference *= inverse_radii
    return -0.5 * np.einsum("ij,ij->i", difference, difference)


def expand(centroids, squares, factors, functions):
    """Return the expansion of u for squared inverse radii; see `Expansion` for its factors."""
    n_units = len(centroids)
    linear, constant = weights_with_functions(n_units, functions)
    np.multiply(squares, centroids, out=linear[:n_units])
    constant[:n_units, 0] = -0.5 * np.einsum("ij,ij->i", linear[:n_units], centroids)
    return Expansion(linear, constant, factors)


@dataclass(slots=True, kw_only=True)
class DistanceWorkspace:
    """Buffers of a distance layer for a batch; those that its radius type does without are None."""

    #: The rows; with dropout, the deviations of `input` from its mean, times the mask.
    X: np.ndarray
    input: np.ndarray | None = None
    keep_prob: float = 1.0
    #: Those of the layer; with dropout, relative to the mean of `input`.
    centroids: np.ndarray | None = None
    #: u, the argument of the kernel.
    exponent: np.ndarray | None = None
    #: Weights of the numbers in `X` and what follows from them, if some are missing (missing.py).
    observed: np.ndarray | None = None
    weighted: np.ndarray | None = None
    weighted_squares: np.ndarray | None = None
    squares: np.ndarray | None = None
    weights: np.ndarray | None = None
    constant: np.ndarray | None = None
    distances: np.ndarray | None = None
    scaled: np.ndarray | None = None
    ones: np.ndarray | None = None
    blocks: list[slice] | None = None
    scratch: np.ndarray | None = None


class DiagonalRadii:
    """One inverse radius for each input of each unit, as in the paper.

    Each input has two weights: ``u = -1/2 (x^2 @ (r^2).T + sum r^2 c^2) + x @ (r^2 c).T``. Both are
    contiguous matrices: interleaved for a single product, other passes would take twice as long.
    """

    def radii_shape(self, n_units, n_inputs):
        return n_units, n_inputs

    def workspace(self, n_rows, n_units, n_inputs, dtype):
        blocks = memory.slices(n_units, BLOCK_BYTES // (n_inputs * np.dtype(dtype).itemsize))
        return DistanceWorkspace(
            X=memory.empty((n_rows, n_inputs), dtype),
            squares=memory.empty((n_rows, n_inputs), dtype),
            weights=memory.empty((2, n_units, n_inputs), dtype),
            constant=memory.empty(n_units, dtype),
            ones=np.ones(n_rows, dtype),
            blocks=blocks,
            scratch=memory.empty((blocks[0].stop, n_inputs), dtype),
        )

    def prepare(self, centroids, inverse_radii, work):
        for block in work.blocks:
            r, c = inverse_radii[block], centroids[block]
            square, linear = work.weights[:, block]
            np.multiply(r, r, out=square)
            np.multiply(square, c, out=linear)
            np.einsum("ij,ij->i", linear, c, out=work.constant[block])
        work.constant *= -0.5

    def forward(self, centroids, inverse_radii, work, u):
        np.multiply(work.X, work.X, out=work.squares)
        u[...] = work.constant
        scale = -0.5 * work.keep_prob
        multiply(work.squares, work.weights[0], u, transpose_b=True, scale=scale, keep=1.0)
        multiply(work.X, work.weights[1], u, transpose_b=True, keep=1.0)
        if work.keep_prob == 1.0:
            np.minimum(u, 0, out=u)

    def backward(self, centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        multiply(D, work.X, d_centroids, transpose_a=True)
        multiply(D, work.squares, d_inverse_radii, transpose_a=True, scale=work.keep_prob)
        totals = (work.ones @ D)[:, np.newaxis]
        # In place: another pair of matrices would not fit the cache.
        for block in work.blocks:
            r, c, s = inverse_radii[block], centroids[block], totals[block]
            d_c, d_r = d_centroids[block], d_inverse_radii[block]
            residual = work.scratch[: len(r)]
            np.multiply(c, s, out=residual)
            np.subtract(d_c, residual, out=residual)  # G - c s
            d_c += residual
            d_c *= c
            np.subtract(d_c, d_r, out=d_r)
            d_r *= r
            np.multiply(residual, work.weights[0, block], out=d_c)

    def input_gradient(self, centroids, inverse_radii, work, D, out):
        multiply(D, work.weights[0], out, scale=work.keep_prob)
        out *= work.X
        multiply(D, work.weights[1], out, keep=-1.0)

    def expand(self, centroids, inverse_radii, functions):
        squares = np.square(inverse_radii)
        return expand(centroids, squares, (-0.5 * squares,), functions)


class SphericalRadii:
    """One inverse radius for each unit: ``u = -1/2 r^2 |x - c|^2``.

    The unscaled distances are stored: ``dloss/dr_j`` is ``-r_j`` times their sum weighted by D, so
    that a single product is needed each way.
    """

    def radii_shape(self, n_units, n_inputs):
        return n_units, 1

    def workspace(self, n_rows, n_units, n_inputs, dtype):
        return DistanceWorkspace(
            X=memory.empty((n_rows, n_inputs), dtype),
            distances=memory.empty((n_rows, n_units), dtype),
            scaled=memory.empty((n_rows, n_units), dtype),
            constant=memory.empty(n_units, dtype),
            ones=np.ones(n_rows, dtype),
        )

    def prepare(self, centroids, inverse_radii, work):
        np.einsum("ij,ij->i", centroids, centroids, out=work.constant)

    def forward(self, centroids, inverse_radii, work, u):
        distances = work.distances
        norms = np.einsum("ij,ij->i", work.X, work.X)[:, np.newaxis]
        np.add(work.keep_prob * norms, work.constant, out=distances)
        multiply(work.X, centroids, distances, transpose_b=True, scale=-2.0, keep=1.0)
        if work.keep_prob == 1.0:
            np.maximum(distances, 0, out=distances)
        np.multiply(distances, -0.5 * np.square(inverse_radii).T, out=u)

    def backward(self, centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        np.multiply(D, np.square(inverse_radii).T, out=work.scaled)
        totals = (work.ones @ work.scaled)[:, np.newaxis]
        # The product adds to -c s, which costs one pass over the centroids and no other array.
        np.multiply(centroids, -totals, out=d_centroids)
        multiply(work.scaled, work.X, d_centroids, transpose_a=True, keep=1.0)
        np.einsum("ij,ij->j", D, work.distances, out=d_inverse_radii[:, 0])
        d_inverse_radii *= -inverse_radii

    def input_gradient(self, centroids, inverse_radii, work, D, out):
        np.multiply(D, np.square(inverse_radii).T, out=work.scaled)
        np.multiply(work.X, -work.keep_prob * work.scaled.sum(axis=1, keepdims=True), out=out)
        multiply(work.scaled, centroids, out, keep=1.0)

    def expand(self, centroids, inverse_radii, functions):
        squares = np.square(inverse_radii)
        factors = -0.5 * squares, np.ones((1, centroids.shape[1]), centroids.dtype)
        return expand(centroids, squares, factors, functions)


class TiedRadii:
    """One vector of inverse radii, shared by all units of the layer."""

    def radii_shape(self, n_units, n_inputs):
        return 1, n_inputs

    def workspace(self, n_rows, n_units, n_inputs, dtype):
        return DistanceWorkspace(
            X=memory.empty((n_rows, n_inputs), dtype),
            squares=memory.empty((n_rows, n_inputs), dtype),
            weights=memory.empty((n_units, n_inputs), dtype),
            constant=memory.empty(n_units, dtype),
        )

    def prepare(self, centroids, inverse_radii, work):
        np.multiply(centroids, np.square(inverse_radii), out=work.weights)
        np.einsum("ij,ij->i", work.weights, centroids, out=work.constant)
        work.constant *= -0.5

    def forward(self, centroids, inverse_radii, work, u):
        np.multiply(work.X, work.X, out=work.squares)
        scaled = 0.5 * work.keep_prob * (work.squares @ np.square(inverse_radii).T)
        np.subtract(work.constant, scaled, out=u)
        multiply(work.X, work.weights, u, transpose_b=True, keep=1.0)
        if work.keep_prob == 1.0:
            np.minimum(u, 0, out=u)

    def backward(self, centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        multiply(D, work.X, d_centroids, transpose_a=True)  # G
        s = D.sum(axis=0)
        total = work.keep_prob * (D.sum(axis=1) @ work.squares)
        total -= 2.0 * np.einsum("ij,ij->j", d_centroids, centroids)
        total += np.einsum("i,ij,ij->j", s, centroids, centroids)
        d_inverse_radii[0] = -inverse_radii[0] * total
        d_centroids -= centroids * s[:, np.newaxis]
        d_centroids *= np.square(inverse_radii)

    def input_gradient(self, centroids, inverse_radii, work, D, out):
        totals = -work.keep_prob * D.sum(axis=1, keepdims=True)
        np.multiply(work.X, totals * np.square(inverse_radii), out=out)
        multiply(D, work.weights, out, keep=1.0)

    def expand(self, centroids, inverse_radii, functions):
        squares = np.square(inverse_radii)
        factors = np.full((len(centroids), 1), -0.5, centroids.dtype), squares
        return expand(centroids, squares, factors, functions)


RADIUS_TYPES: dict[str, Any] = {
    "diag": DiagonalRadii(),
    "spherical": SphericalRadii(),
    "tied": TiedRadii(),
}
