"""What labels mean: their classes, the target that the network is given, and the way back."""

import numpy as np
from sklearn.utils import column_or_1d

__all__ = ["SingleOutput", "sort_classes"]


def sort_classes(classes):
    """The `classes` that a user gives, sorted and each once."""
    return np.unique(column_or_1d(classes))


class SingleOutput:
    """One label for each row: `y` is (n_rows,), the target has a column for each class."""

    def __init__(self, classes):
        self.classes = classes

    def encode(self, y, dtype):
        """One-hot rows, (n_rows, n_classes)."""
        unknown = np.setdiff1d(y, self.classes)
        if unknown.size:
            raise ValueError(
                f"'y' must hold none but the classes known, {self.classes.tolist()}; "
                f"got {unknown.tolist()} too."
            )
        target = np.zeros((len(y), len(self.classes)), dtype=dtype)
        target[np.arange(len(y)), np.searchsorted(self.classes, y)] = 1
        return target

    def decode(self, raw):
        """The label of the largest output of each row."""
        return self.classes[raw.argmax(axis=1)]

    def split(self, target, fraction, seed):
        """Indices of training and of validation rows: the same share of each class."""
        codes = target.argmax(axis=1)
        counts = np.bincount(codes)
        # Each class's share, rounded so that the sum is right; a row of each is trained on.
        wanted = np.minimum(fraction * counts, counts - 1.0)
        quota = np.floor(wanted).astype(int)
        missing = max(1, round(wanted.sum())) - quota.sum()
        quota[np.argsort(quota - wanted, kind="stable")[:missing]] += 1
        quota = np.minimum(quota, counts - 1)
        if not quota.any():
            raise ValueError(
                "early_stopping=True needs a class of at least two rows to validate on; "
                "got one row of each class."
            )
        order = np.random.default_rng(seed).permutation(len(codes))
        rank = np.empty_like(order)
        for number in range(len(counts)):
            rows = order[codes[order] == number]
            rank[rows] = np.arange(len(rows))
        chosen = rank < quota[codes]
        return np.flatnonzero(~chosen), np.flatnonzero(chosen)
