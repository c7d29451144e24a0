"""Scaled squared distances and their gradients: where a distance net spends its time.

Notation, after Kurbiel & Khaleghian, arXiv:1708.01911. For rows ``x_i`` (of d inputs) and units
with centroid ``c_j`` and inverse radii ``r_j``::

    u_ij = -1/2 sum_k r_jk^2 (x_ik - c_jk)^2

and for ``D_ij = dloss/du_ij``, with ``G_jk = sum_i D_ij x_ik`` and ``s_j = sum_i D_ij``::

    dloss/dc_jk =  r_jk^2 (G_jk - c_jk s_j)
    dloss/dr_jk = -r_jk  (sum_i D_ij x_ik^2 - 2 c_jk G_jk + c_jk^2 s_j)
    dloss/dx_ik = -sum_j D_ij r_jk^2 (x_ik - c_jk)

No array of size (rows, units, inputs) is ever made: the squares are expanded and everything of
cubic cost is a matrix product. The expansion cancels when data lie far from zero compared with
their spread, so callers shift data and centroids together first (distances do not change), and
what rounding leaves above zero is clamped.

One class for each way of sharing radii, under GaussianMixture's words. Each has the methods

``radii_shape(n_units, n_inputs)``
    Shape of the inverse radii.
``workspace(n_rows, n_units, n_inputs, dtype)``
    All arrays that the other methods write into. Its `X` is where the caller puts the rows, and
    `kept` the share of them that dropout has left, by how much X has grown (see dropout.py).
``prepare(centroids, inverse_radii, work)``
    Write into `work` what depends on the parameters alone.
``forward(centroids, inverse_radii, work, u)``
    Write u, clamped at zero if nothing is dropped, and keep in `work` what the way back needs;
    after `prepare`.
``backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii)``
    Write the gradients by the parameters.
``input_gradient(centroids, inverse_radii, work, D, out)``
    Write the gradient by the rows, of those kept; after `forward`, with or without `backward`.
"""

from types import SimpleNamespace

import numpy as np

from ..numerics import memory
from ..numerics.blas import multiply

__all__ = ["RADIUS_TYPES", "from_differences"]

#: Bytes of each array of a layer worked on at a time, so that they stay in the processor's second
#: cache through all passes of a function: a third off their time in a layer of 1000 x 784.
BLOCK_BYTES = 262_144


def unit_blocks(n_units, n_inputs, dtype):
    """Slices over units whose parameters fit a block."""
    rows = max(1, BLOCK_BYTES // (n_inputs * np.dtype(dtype).itemsize))
    return [slice(start, min(start + rows, n_units)) for start in range(0, n_units, rows)]


def clamp(u, work):
    """Take away what rounding leaves above zero; what dropout does, makes up for what is below."""
    if work.kept == 1.0:
        np.minimum(u, 0, out=u)


def squared_norms(rows):
    return np.einsum("ij,ij->i", rows, rows)


def from_differences(centroids, inverse_radii, x):
    """Answer a single row `x` with u, however radii are shared, without weights to get ready."""
    difference = centroids - x
    difference *= inverse_radii
    return -0.5 * squared_norms(difference)


class DiagonalRadii:
    """One inverse radius for each input of each unit, as in the paper.

    Each input has two weights: ``u = -1/2 (x^2 @ (r^2).T + sum r^2 c^2) + x @ (r^2 c).T``. Rows
    and their squares, and both weights, are kept as pairs of contiguous matrices: passes over them
    are then twice as fast as over interleaved halves, which one product over a doubled inner length
    would ask for. The sums of the last term are where the two products start to add from.
    """

    @staticmethod
    def radii_shape(n_units, n_inputs):
        return n_units, n_inputs

    @staticmethod
    def workspace(n_rows, n_units, n_inputs, dtype):
        blocks = unit_blocks(n_units, n_inputs, dtype)
        return SimpleNamespace(
            X=memory.empty((n_rows, n_inputs), dtype),
            kept=1.0,
            squares=memory.empty((n_rows, n_inputs), dtype),
            weights=memory.empty((2, n_units, n_inputs), dtype),
            constant=memory.empty(n_units, dtype),
            totals=memory.empty((n_units, 1), dtype),
            ones=np.ones(n_rows, dtype),
            blocks=blocks,
            scratch=memory.empty((blocks[0].stop, n_inputs), dtype),
        )

    @staticmethod
    def prepare(centroids, inverse_radii, work):
        for block in work.blocks:
            r, c = inverse_radii[block], centroids[block]
            square, linear = work.weights[:, block]
            np.multiply(r, r, out=square)
            np.multiply(square, c, out=linear)
            np.einsum("ij,ij->i", linear, c, out=work.constant[block])
        work.constant *= -0.5

    @staticmethod
    def forward(centroids, inverse_radii, work, u):
        np.multiply(work.X, work.X, out=work.squares)
        u[...] = work.constant
        scale = -0.5 * work.kept
        multiply(work.squares, work.weights[0], u, transpose_b=True, scale=scale, keep=1.0)
        multiply(work.X, work.weights[1], u, transpose_b=True, keep=1.0)
        clamp(u, work)

    @staticmethod
    def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        multiply(D, work.X, d_centroids, transpose_a=True)
        multiply(D, work.squares, d_inverse_radii, transpose_a=True, scale=work.kept)
        np.matmul(work.ones, D, out=work.totals[:, 0])
        # Both are reworked where they are: another pair of matrices would not fit the cache.
        for block in work.blocks:
            r, c, s = inverse_radii[block], centroids[block], work.totals[block]
            d_c, d_r = d_centroids[block], d_inverse_radii[block]
            rest = work.scratch[: len(r)]
            np.multiply(c, s, out=rest)
            np.subtract(d_c, rest, out=rest)  # G - c s
            d_c += rest
            d_c *= c
            np.subtract(d_c, d_r, out=d_r)
            d_r *= r
            np.multiply(rest, work.weights[0, block], out=d_c)

    @staticmethod
    def input_gradient(centroids, inverse_radii, work, D, out):
        multiply(D, work.weights[0], out, scale=work.kept)
        out *= work.X
        multiply(D, work.weights[1], out, keep=-1.0)


class SphericalRadii:
    """One inverse radius for each unit: ``u = -1/2 r^2 |x - c|^2``.

    The distances before they are scaled are kept: the gradient by r_j is ``-r_j`` times their sum
    weighted by D, so that all that is left of cubic cost is one product each way.
    """

    @staticmethod
    def radii_shape(n_units, n_inputs):
        return n_units, 1

    @staticmethod
    def workspace(n_rows, n_units, n_inputs, dtype):
        return SimpleNamespace(
            X=memory.empty((n_rows, n_inputs), dtype),
            kept=1.0,
            distances=memory.empty((n_rows, n_units), dtype),
            scaled=memory.empty((n_rows, n_units), dtype),
            norms=memory.empty(n_units, dtype),
            squared_radii=memory.empty((n_units, 1), dtype),
            totals=memory.empty((n_units, 1), dtype),
            ones=np.ones(n_rows, dtype),
        )

    @staticmethod
    def prepare(centroids, inverse_radii, work):
        np.einsum("ij,ij->i", centroids, centroids, out=work.norms)
        np.multiply(inverse_radii, inverse_radii, out=work.squared_radii)

    @staticmethod
    def forward(centroids, inverse_radii, work, u):
        distances = work.distances
        np.add(work.kept * squared_norms(work.X)[:, np.newaxis], work.norms, out=distances)
        multiply(work.X, centroids, distances, transpose_b=True, scale=-2.0, keep=1.0)
        if work.kept == 1.0:
            np.maximum(distances, 0, out=distances)
        np.multiply(distances, -0.5 * work.squared_radii.T, out=u)

    @staticmethod
    def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        np.multiply(D, work.squared_radii.T, out=work.scaled)
        np.matmul(work.ones, work.scaled, out=work.totals[:, 0])
        # The product adds to -c s, which costs one pass over the centroids and no other array.
        np.multiply(centroids, -work.totals, out=d_centroids)
        multiply(work.scaled, work.X, d_centroids, transpose_a=True, keep=1.0)
        np.einsum("ij,ij->j", D, work.distances, out=d_inverse_radii[:, 0])
        d_inverse_radii *= -inverse_radii

    @staticmethod
    def input_gradient(centroids, inverse_radii, work, D, out):
        np.multiply(D, work.squared_radii.T, out=work.scaled)
        np.multiply(work.X, -work.kept * work.scaled.sum(axis=1, keepdims=True), out=out)
        multiply(work.scaled, centroids, out, keep=1.0)


class TiedRadii:
    """One vector of inverse radii, shared by all units of the layer."""

    @staticmethod
    def radii_shape(n_units, n_inputs):
        return 1, n_inputs

    @staticmethod
    def workspace(n_rows, n_units, n_inputs, dtype):
        return SimpleNamespace(
            X=memory.empty((n_rows, n_inputs), dtype),
            kept=1.0,
            squares=memory.empty((n_rows, n_inputs), dtype),
            weights=memory.empty((n_units, n_inputs), dtype),
            constant=memory.empty(n_units, dtype),
            squared_radii=memory.empty((1, n_inputs), dtype),
        )

    @staticmethod
    def prepare(centroids, inverse_radii, work):
        np.multiply(inverse_radii, inverse_radii, out=work.squared_radii)
        np.multiply(centroids, work.squared_radii, out=work.weights)
        np.einsum("ij,ij->i", work.weights, centroids, out=work.constant)
        work.constant *= -0.5

    @staticmethod
    def forward(centroids, inverse_radii, work, u):
        np.multiply(work.X, work.X, out=work.squares)
        scaled = 0.5 * work.kept * (work.squares @ work.squared_radii.T)
        np.subtract(work.constant, scaled, out=u)
        multiply(work.X, work.weights, u, transpose_b=True, keep=1.0)
        clamp(u, work)

    @staticmethod
    def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        multiply(D, work.X, d_centroids, transpose_a=True)  # G
        s = D.sum(axis=0)
        total = work.kept * (D.sum(axis=1) @ work.squares)
        total -= 2.0 * np.einsum("ij,ij->j", d_centroids, centroids)
        total += np.einsum("i,ij,ij->j", s, centroids, centroids)
        d_inverse_radii[0] = -inverse_radii[0] * total
        d_centroids -= centroids * s[:, np.newaxis]
        d_centroids *= work.squared_radii

    @staticmethod
    def input_gradient(centroids, inverse_radii, work, D, out):
        kept = -work.kept * D.sum(axis=1, keepdims=True)
        np.multiply(work.X, kept * work.squared_radii, out=out)
        multiply(D, work.weights, out, keep=1.0)


RADIUS_TYPES = {"diag": DiagonalRadii, "spherical": SphericalRadii, "tied": TiedRadii}
