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

``split(block, n_units, n_inputs)``
    Views (centroids, inverse radii) of a layer's part of the flat parameter vector.
``workspace(n_rows, n_units, n_inputs, dtype)``
    All arrays that the other methods write into. Its `X` is where the caller puts the rows.
``forward(centroids, inverse_radii, work, u)``
    Write u, clamped at zero, and keep in `work` what the way back needs.
``backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii)``
    Write the gradients by the parameters.
``input_gradient(inverse_radii, work, D, out)``
    Write the gradient by X; after `forward`, with or without `backward`.
"""

from types import SimpleNamespace

import numpy as np

__all__ = ["RADIUS_TYPES"]

#: Elements of a layer's parameters worked on at a time: see solvers.BLOCK.
BLOCK = 16_384


def row_blocks(n_units, n_inputs):
    """Slices over units, so that an array of one block's parameters stays in the cache."""
    rows = max(1, BLOCK // max(1, n_inputs))
    return [slice(start, min(start + rows, n_units)) for start in range(0, n_units, rows)]


def squared_norms(rows, out=None):
    return np.einsum("ij,ij->i", rows, rows, out=out)


class DiagonalRadii:
    """One inverse radius for each input of each unit, as in the paper.

    With two weights for each input, ``u = [x^2, x] @ [-1/2 r^2 | r^2 c].T - 1/2 sum r^2 c^2``: one
    matrix product over a doubled inner length, forward and backward, instead of two over a single
    one. So that each product writes where its result belongs, rows are kept beside their squares,
    and a unit's inverse radii beside its centroid in the parameter vector.
    """

    @staticmethod
    def radii_shape(n_units, n_inputs):
        return n_units, n_inputs

    @staticmethod
    def split(block, n_units, n_inputs):
        pairs = block.reshape(n_units, 2 * n_inputs)
        return pairs[:, n_inputs:], pairs[:, :n_inputs]

    @staticmethod
    def workspace(n_rows, n_units, n_inputs, dtype):
        stacked = np.empty((n_rows, 2 * n_inputs), dtype=dtype)
        blocks = row_blocks(n_units, n_inputs)
        return SimpleNamespace(
            stacked=stacked,
            X=stacked[:, n_inputs:],
            squares=stacked[:, :n_inputs],
            weights=np.empty((n_units, 2 * n_inputs), dtype=dtype),
            constant=np.empty(n_units, dtype=dtype),
            blocks=blocks,
            scratch=np.empty((2, blocks[0].stop, n_inputs), dtype=dtype),
            stacked_gradient=None,
        )

    @staticmethod
    def forward(centroids, inverse_radii, work, u):
        d = centroids.shape[1]
        for block in work.blocks:
            r, c = inverse_radii[block], centroids[block]
            square, linear = work.weights[block, :d], work.weights[block, d:]
            np.multiply(r, r, out=square)
            np.multiply(square, c, out=linear)
            np.einsum("ij,ij->i", linear, c, out=work.constant[block])
            square *= -0.5
        work.constant *= 0.5
        np.multiply(work.X, work.X, out=work.squares)
        np.matmul(work.stacked, work.weights.T, out=u)
        u -= work.constant
        np.minimum(u, 0, out=u)

    @staticmethod
    def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        d = centroids.shape[1]
        # The two gradients are neighbours in the flat vector, as their parameters are, so the
        # product fills both at once; what follows reworks them in place, block by block.
        np.matmul(D.T, work.stacked, out=stacked_view(d_inverse_radii, 2 * d))
        column_sums = D.sum(axis=0)[:, np.newaxis]
        for block in work.blocks:
            r, c, s = inverse_radii[block], centroids[block], column_sums[block]
            d_c, d_r = d_centroids[block], d_inverse_radii[block]
            rest, twice = work.scratch[:, : len(r)]
            np.multiply(c, s, out=rest)
            np.subtract(d_c, rest, out=rest)  # G - c s
            np.add(d_c, rest, out=twice)  # 2 G - c s
            twice *= c
            twice -= d_r
            np.multiply(r, twice, out=d_r)
            rest *= r
            np.multiply(rest, r, out=d_c)

    @staticmethod
    def input_gradient(inverse_radii, work, D, out):
        d = work.X.shape[1]
        if work.stacked_gradient is None:
            work.stacked_gradient = np.empty_like(work.stacked)
        np.matmul(D, work.weights, out=work.stacked_gradient)
        np.multiply(work.stacked_gradient[:, :d], work.X, out=out)
        out *= 2.0
        out += work.stacked_gradient[:, d:]


def stacked_view(left_half, width):
    """The whole rows of which `left_half` is the left half, as laid out by DiagonalRadii.split."""
    return np.lib.stride_tricks.as_strided(left_half, shape=(len(left_half), width))


class SphericalRadii:
    """One inverse radius for each unit: ``u = -1/2 r^2 (|x|^2 - 2 x.c + |c|^2)``."""

    @staticmethod
    def radii_shape(n_units, n_inputs):
        return n_units, 1

    @staticmethod
    def split(block, n_units, n_inputs):
        centroids = block[: n_units * n_inputs].reshape(n_units, n_inputs)
        return centroids, block[n_units * n_inputs :].reshape(n_units, 1)

    @staticmethod
    def workspace(n_rows, n_units, n_inputs, dtype):
        return SimpleNamespace(
            X=np.empty((n_rows, n_inputs), dtype=dtype),
            weights=np.empty((n_units, n_inputs), dtype=dtype),
            x_norms=np.empty(n_rows, dtype=dtype),
            c_norms=np.empty(n_units, dtype=dtype),
            scratch=np.empty((n_rows, n_units), dtype=dtype),
        )

    @staticmethod
    def forward(centroids, inverse_radii, work, u):
        squared = inverse_radii * inverse_radii
        squared_norms(work.X, out=work.x_norms)
        squared_norms(centroids, out=work.c_norms)
        np.multiply(centroids, squared, out=work.weights)
        np.matmul(work.X, work.weights.T, out=u)
        np.multiply(work.x_norms[:, np.newaxis], 0.5 * squared.T, out=work.scratch)
        u -= work.scratch
        u -= 0.5 * squared[:, 0] * work.c_norms
        np.minimum(u, 0, out=u)

    @staticmethod
    def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        np.matmul(D.T, work.X, out=d_centroids)  # G
        s = D.sum(axis=0)
        along = np.einsum("ij,ij->i", d_centroids, centroids)
        total = work.x_norms @ D - 2.0 * along + s * work.c_norms
        d_inverse_radii[:, 0] = -inverse_radii[:, 0] * total
        d_centroids -= centroids * s[:, np.newaxis]
        d_centroids *= inverse_radii * inverse_radii

    @staticmethod
    def input_gradient(inverse_radii, work, D, out):
        np.matmul(D, work.weights, out=out)
        out -= work.X * (D @ (inverse_radii * inverse_radii))


class TiedRadii:
    """One vector of inverse radii, shared by all units of the layer."""

    @staticmethod
    def radii_shape(n_units, n_inputs):
        return 1, n_inputs

    @staticmethod
    def split(block, n_units, n_inputs):
        centroids = block[: n_units * n_inputs].reshape(n_units, n_inputs)
        return centroids, block[n_units * n_inputs :].reshape(1, n_inputs)

    @staticmethod
    def workspace(n_rows, n_units, n_inputs, dtype):
        return SimpleNamespace(
            X=np.empty((n_rows, n_inputs), dtype=dtype),
            squares=np.empty((n_rows, n_inputs), dtype=dtype),
            weights=np.empty((n_units, n_inputs), dtype=dtype),
        )

    @staticmethod
    def forward(centroids, inverse_radii, work, u):
        squared = inverse_radii * inverse_radii
        np.multiply(work.X, work.X, out=work.squares)
        np.multiply(centroids, squared, out=work.weights)
        np.matmul(work.X, work.weights.T, out=u)
        u -= 0.5 * np.einsum("ij,ij->i", work.weights, centroids)
        u -= 0.5 * (work.squares @ squared.T)
        np.minimum(u, 0, out=u)

    @staticmethod
    def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
        np.matmul(D.T, work.X, out=d_centroids)  # G
        s = D.sum(axis=0)
        total = D.sum(axis=1) @ work.squares
        total -= 2.0 * np.einsum("ij,ij->j", d_centroids, centroids)
        total += np.einsum("i,ij,ij->j", s, centroids, centroids)
        d_inverse_radii[0] = -inverse_radii[0] * total
        d_centroids -= centroids * s[:, np.newaxis]
        d_centroids *= inverse_radii * inverse_radii

    @staticmethod
    def input_gradient(inverse_radii, work, D, out):
        np.matmul(D, work.weights, out=out)
        out -= work.X * (D.sum(axis=1, keepdims=True) * (inverse_radii * inverse_radii))


RADIUS_TYPES = {"diag": DiagonalRadii, "spherical": SphericalRadii, "tied": TiedRadii}
