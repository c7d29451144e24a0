"""Where rows of the training data lie: a subspace for each class, with some width around it.

Each group of rows, a class, is a normal distribution that has a variance of its own along its few
principal directions and one small variance, the same for all groups, in all the others: mixtures of
probabilistic principal components (M. E. Tipping, C. M. Bishop, Neural Computation 11, 1999), with
the groups known. Classes that do not have one shape are kept apart so, at little memory.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

__all__ = ["FARTHEST", "Subspaces"]

#: Rows of a group for each of its directions, at the least: fewer rows show directions of noise.
ROWS_PER_DIRECTION = 4
#: Variance outside of the subspaces, at least, of rows that reach 1: less is rounding.
LEAST_VARIANCE = 1e-12
#: Squares of this do not overflow; nothing is told from what is farther.
FARTHEST = 1e100


@dataclass(frozen=True)
class Subspaces:
    """Normal distributions of rows, one for each group, of few directions each.

    Rows are divided by `unit`, the largest number among them; `sizes` are the numbers of directions
    of the groups, whose `directions` and `variances` stand one group after another, and `rest` is
    the variance outside of them. Directions are rounded to half precision before variances are
    measured along them, so that these are right for them as they are.
    """

    unit: float
    means: np.ndarray
    sizes: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float

    @classmethod
    def fit(cls, rows, groups, n_directions):
        """The distributions of `rows` with at most so many directions in sum over the groups."""
        rows = np.clip(rows, -FARTHEST, FARTHEST)
        unit = float(np.nanmax(np.abs(rows), initial=0.0)) or 1.0
        means, directions, variances, residual, freedom = [], [], [], 0.0, 0
        names = np.unique(groups)
        for name in names:
            members = rows[groups == name] / unit
            there = ~np.isnan(members)
            mean = np.where(there, members, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
            means.append(mean.astype(np.float32))
            centered = np.where(there, members - means[-1], 0.0)
            most = n_directions // len(names), len(members) // ROWS_PER_DIRECTION, len(mean) - 1
            found = principal_directions(centered, max(0, min(most))).astype(np.float16)
            along = centered @ found.T.astype(np.float64)
            directions.append(found)
            variances.append(np.mean(along**2, axis=0))
            residual += np.sum((centered - along @ found) ** 2)
            freedom += (len(members) - len(found)) * (len(mean) - len(found))
        rest = max(residual / freedom, LEAST_VARIANCE)
        return cls(
            unit,
            np.stack(means),
            np.array([len(found) for found in directions]),
            np.concatenate(directions),
            np.maximum(np.concatenate(variances), rest).astype(np.float32),
            float(rest),
        )

    def evidence(self, rows):
        """Logarithm of the squared distance of each row to the nearest group, in its variances.

        A number that is missing, NaN, is at the group's mean.
        """
        with np.errstate(over="ignore"):
            rows = np.clip(rows / self.unit, -FARTHEST, FARTHEST)
        missing = np.isnan(rows)
        there = np.ones((1, rows.shape[1]))
        if missing.any():
            rows, there = np.where(missing, 0.0, rows), (~missing).astype(np.float64)
        means, directions = self.means.astype(np.float64), self.directions.astype(np.float64)
        spread = np.repeat(means, self.sizes, axis=0)
        along = rows @ directions.T - there @ (directions * spread).T
        squared = np.einsum("ij,ij->i", rows, rows)[:, np.newaxis] - 2.0 * (rows @ means.T)
        squared += there @ (means * means).T
        ends, precisions = np.cumsum(self.sizes), 1.0 / self.variances.astype(np.float64)
        for number, (size, end) in enumerate(zip(self.sizes, ends)):
            part = slice(end - size, end)
            within, basis = along[:, part], directions[part]
            # Rounded directions are not quite orthonormal.
            squared[:, number] += np.einsum(
                "ij,jk,ik->i", within, basis @ basis.T - 2.0 * np.eye(size), within, optimize=True
            )
            outside = np.maximum(squared[:, number], 0.0) / self.rest
            squared[:, number] = outside + within**2 @ precisions[part]
        return np.log(squared.min(axis=1) + LEAST_VARIANCE)

    @classmethod
    def cross_fitted(cls, rows, groups, n_directions):
        """Each row's evidence by the distributions of that half of the rows that it is not in."""
        if len(rows) < 2:
            return cls.fit(rows, groups, n_directions).evidence(rows)
        evidence = np.empty(len(rows))
        halves = slice(0, None, 2), slice(1, None, 2)
        for fitted, told in (halves, halves[::-1]):
            half = cls.fit(rows[fitted], groups[fitted], n_directions)
            evidence[told] = half.evidence(rows[told])
        return evidence


def principal_directions(centered, n_directions):
    """Orthonormal directions of most variance of centred rows, at most so many, one in each row."""
    n_rows, n_columns = centered.shape
    if not n_directions:
        return np.empty((0, n_columns))
    by_rows = n_rows < n_columns
    products = centered @ centered.T if by_rows else centered.T @ centered
    last = len(products) - 1
    squares, vectors = eigh(products, subset_by_index=(last + 1 - n_directions, last))
    varies = squares > LEAST_VARIANCE * max(1.0, n_rows)
    vectors, squares = vectors[:, varies], squares[varies]
    return vectors.T @ centered / np.sqrt(squares)[:, np.newaxis] if by_rows else vectors.T
