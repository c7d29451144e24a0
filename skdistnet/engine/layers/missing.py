"""Distances to rows with missing values, NaN.

A distance is the sum over the observed features, scaled to all d features, as in scikit-learn's
`nan_euclidean_distances`. With ``p_ik = d / (number of observed features of row i)`` where ``x_ik``
is observed, else 0::

    u_ij = -1/2 sum_k p_ik r_jk^2 (x_ik - c_jk)^2

In the formulas of distances.py, products with p replace sums over rows and inputs. A row without
any observed feature counts as zero, the mean of the data in network units.
"""

import numpy as np

from ..numerics.blas import multiply
from .distances import from_differences


def fill_missing(X, shares=None):
    """Replace NaN in `X` by zero and return the weights p, or None if nothing is missing.

    `shares` (n_inputs,) are given if not all inputs count as one feature: those of a column of
    categories do so together.
    """
    missing = np.isnan(X)
    if not missing.any():
        return None
    X[missing] = 0.0
    missing[missing.all(axis=1)] = False
    if shares is None:
        n_features, n_observed = X.shape[1], X.shape[1] - np.count_nonzero(missing, axis=1)
    else:
        n_features, n_observed = shares.sum(), ~missing @ shares
    share = (n_features / n_observed).astype(X.dtype)
    return np.where(missing, np.zeros_like(share[:1]), share[:, np.newaxis])


def forward(centroids, inverse_radii, work, u):
    """Write u, and into `work` what :func:`backward` needs."""
    square = np.broadcast_to(inverse_radii * inverse_radii, centroids.shape)
    linear = square * centroids
    work.weighted = work.observed * work.X
    work.weighted_squares = work.weighted * work.X
    np.matmul(work.observed, (linear * centroids).T, out=u)
    u += work.weighted_squares @ square.T
    u *= -0.5
    u += work.weighted @ linear.T
    np.minimum(u, 0, out=u)


def write_columns(centroids, inverse_radii, X, observed, u):
    """Write u, (n_units, n_rows), of filled rows and their weights p, for predictions."""
    square = np.multiply(inverse_radii, inverse_radii, out=np.empty_like(centroids))
    linear, weighted = square * centroids, observed * X
    multiply(linear, weighted, u, transpose_b=True)
    multiply(linear * centroids, observed, u, transpose_b=True, scale=-0.5, keep=1.0)
    weighted *= X
    multiply(square, weighted, u, transpose_b=True, scale=-0.5, keep=1.0)


def backward(centroids, inverse_radii, work, D, d_centroids, d_inverse_radii):
    """Write the gradients of the parameters, given D, the gradient of u."""
    G = D.T @ work.weighted
    residual = G - centroids * (D.T @ work.observed)
    np.multiply(inverse_radii * inverse_radii, residual, out=d_centroids)
    residual += G
    residual *= centroids
    residual -= D.T @ work.weighted_squares
    residual *= inverse_radii
    shared = tuple(np.flatnonzero(np.array(d_inverse_radii.shape) != residual.shape))
    np.sum(residual, axis=shared, keepdims=True, out=d_inverse_radii)


def from_observed(centroids, inverse_radii, x, shares=None):
    """Return u for a single row `x` with missing values."""
    x = x[np.newaxis].copy()
    observed = fill_missing(x, shares)
    # At the centroid's own coordinate, a missing value adds nothing to the distance.
    filled = np.where(observed > 0, x, centroids)
    return from_differences(centroids, inverse_radii, filled) * observed.max()
