"""Rows with missing numbers, NaN, before a distance layer.

The distance is taken over the features that are there and scaled to all of them, as in
scikit-learn's `nan_euclidean_distances`. With the presence ``p_ik = d / (number of features that
row i has)`` where ``x_ik`` is there, else 0::

    u_ij = -1/2 sum_k p_ik r_jk^2 (x_ik - c_jk)^2

which is :mod:`skdistnet.engine.distances` with weights, its sums over rows and inputs turned into
products with p: one more product each way, for any way of sharing radii. A row that has no feature
stands at zero, the mean of the data in the network's units.
"""

import numpy as np

from .distances import from_differences

__all__ = ["backward", "fill_missing", "forward", "from_present"]


def fill_missing(work):
    """Make `work.X` free of NaN and write `work.presence`, None if there was none."""
    missing = np.isnan(work.X)
    work.presence = None
    if not missing.any():
        return
    work.X[missing] = 0.0
    missing[missing.all(axis=1)] = False
    present = work.X.shape[1] - np.count_nonzero(missing, axis=1)
    share = (work.X.shape[1] / present).astype(work.X.dtype)
    work.presence = np.where(missing, np.zeros_like(share[:1]), share[:, np.newaxis])


def forward(centroids, inverse_radii, work, u):
    """Write u; keep in `work` what the way back needs."""
    square = np.broadcast_to(inverse_radii * inverse_radii, centroids.shape)
    linear = square * centroids
    work.weighted = work.presence * work.X
    work.weighted_squares = work.weighted * work.X
    np.matmul(work.presence, (linear * centroids).T, out=u)
    u += work.weighted_squares @ square.T
    u *= -0.5
    u += work.weighted @ linear.T
    np.minimum(u, 0, out=u)


def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
    """Write the gradients by the parameters, given D, the gradient by u."""
    G = D.T @ work.weighted
    rest = G - centroids * (D.T @ work.presence)
    np.multiply(inverse_radii * inverse_radii, rest, out=d_centroids)
    rest += G
    rest *= centroids
    rest -= D.T @ work.weighted_squares
    rest *= inverse_radii
    shared = tuple(np.flatnonzero(np.array(d_inverse_radii.shape) != rest.shape))
    np.sum(rest, axis=shared, keepdims=True, out=d_inverse_radii)


def from_present(centroids, inverse_radii, x):
    """Answer a single row `x`, in which numbers are missing, with u."""
    present = ~np.isnan(x)
    n_present = np.count_nonzero(present)
    if n_present == 0:
        return from_differences(centroids, inverse_radii, np.zeros_like(x))
    # At the centroid's own coordinate, a missing one adds nothing to the distance.
    filled = np.where(present, x, centroids)
    return from_differences(centroids, inverse_radii, filled) * x.dtype.type(len(x) / n_present)
