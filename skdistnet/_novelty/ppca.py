"""Mixture of probabilistic PCA with known groups: one low-rank normal distribution per class.

See M. E. Tipping, C. M. Bishop, "Mixtures of probabilistic principal component analyzers", Neural
Computation 11, 1999. Classes of different shapes are described in little memory.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

ROWS_PER_COMPONENT = 4  # components of fewer rows are noise
MIN_VARIANCE = 1e-12  # of rows scaled to [-1, 1]; less is rounding error
FARTHEST = 1e100  # values are clipped here, so that their squares do not overflow


@dataclass(frozen=True)
class GroupedPPCA:
    """Principal components of each group, with their variances, and noise in other directions."""

    scale: float  # the largest absolute value, by which rows are divided
    means: np.ndarray
    n_components: np.ndarray  # of each group
    components: np.ndarray  # of all groups, concatenated, in float16
    variances: np.ndarray  # along the components
    noise_variance: float

    @classmethod
    def fit(cls, rows, groups, max_components):
        """Fit to rows, NaN where missing; `max_components` limits the sum over all groups."""
        rows = np.clip(rows, -FARTHEST, FARTHEST)
        scale = float(np.nanmax(np.abs(rows), initial=0.0)) or 1.0
        means, bases, explained, residual, freedom = [], [], [], 0.0, 0
        labels = np.unique(groups)
        for label in labels:
            members = rows[groups == label] / scale
            observed = ~np.isnan(members)
            sums = np.where(observed, members, 0.0).sum(axis=0)
            means.append((sums / np.maximum(observed.sum(axis=0), 1)).astype(np.float32))
            centered = np.where(observed, members - means[-1], 0.0)
            n_rows, n_columns = centered.shape
            limits = max_components // len(labels), n_rows // ROWS_PER_COMPONENT, n_columns - 1
            # Rounded before variances are measured, so that these fit the stored components.
            basis = principal_components(centered, max(0, min(limits))).astype(np.float16)
            projection = centered @ basis.T.astype(np.float64)
            bases.append(basis)
            explained.append(np.mean(projection**2, axis=0))
            residual += np.sum((centered - projection @ basis) ** 2)
            freedom += (n_rows - len(basis)) * (n_columns - len(basis))
        n_components = np.array([len(basis) for basis in bases])
        noise = float(max(residual / freedom, MIN_VARIANCE))
        variances = np.maximum(np.concatenate(explained), noise).astype(np.float32)
        return cls(scale, np.stack(means), n_components, np.concatenate(bases), variances, noise)

    def log_distance(self, rows):
        """Return the log of each row's squared Mahalanobis distance to the nearest group."""
        with np.errstate(over="ignore"):
            rows = np.clip(rows / self.scale, -FARTHEST, FARTHEST)
        # Missing values are taken to be at the group's mean.
        missing, observed = np.isnan(rows), np.ones((1, rows.shape[1]))
        if missing.any():
            rows, observed = np.where(missing, 0.0, rows), (~missing).astype(np.float64)
        means, components = self.means.astype(np.float64), self.components.astype(np.float64)
        group_means = np.repeat(means, self.n_components, axis=0)
        projection = rows @ components.T - observed @ (components * group_means).T
        squared = np.einsum("ij,ij->i", rows, rows)[:, np.newaxis] - 2.0 * (rows @ means.T)
        squared += observed @ (means * means).T
        ends, precisions = np.cumsum(self.n_components), 1.0 / self.variances.astype(np.float64)
        for group, (size, end) in enumerate(zip(self.n_components, ends)):
            part = slice(end - size, end)
            own, basis = projection[:, part], components[part]
            # Rounded components are not quite orthonormal.
            gram = basis @ basis.T - 2.0 * np.eye(size)
            squared[:, group] += np.einsum("ij,jk,ik->i", own, gram, own, optimize=True)
            residual = np.maximum(squared[:, group], 0.0) / self.noise_variance
            squared[:, group] = residual + own**2 @ precisions[part]
        return np.log(squared.min(axis=1) + MIN_VARIANCE)

    @classmethod
    def cross_fitted_log_distance(cls, rows, groups, max_components):
        """Return :meth:`log_distance` of each half of the rows under a fit to the other half."""
        log_distance = np.empty(len(rows))
        halves = [slice(0, None, 2), slice(1, None, 2)] if len(rows) > 1 else [slice(None)]
        for fitted, held_out in zip(halves, reversed(halves)):
            half = cls.fit(rows[fitted], groups[fitted], max_components)
            log_distance[held_out] = half.log_distance(rows[held_out])
        return log_distance


def principal_components(centered, n_components):
    """Return at most `n_components` orthonormal principal components, one per row."""
    n_rows, n_columns = centered.shape
    if not n_components:
        return np.empty((0, n_columns))
    by_rows, size = n_rows < n_columns, min(n_rows, n_columns)
    products = centered @ centered.T if by_rows else centered.T @ centered
    squares, vectors = eigh(products, subset_by_index=(size - n_components, size - 1))
    varies = squares > MIN_VARIANCE * max(1.0, n_rows)
    vectors, squares = vectors[:, varies], squares[varies]
    return vectors.T @ centered / np.sqrt(squares)[:, np.newaxis] if by_rows else vectors.T
