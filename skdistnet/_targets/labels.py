"""What labels mean: their classes, the target that the network is given, and the way back.

The target has a group of columns for each output, a column for each class of the output, and the
network's raw output has the same columns: each group has a softmax of its own. There are three
kinds of labels; a fitted estimator keeps the name of its kind and the classes, nothing else.
"""

from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ..engine.losses import LOSSES, GroupedLogLoss

__all__ = ["KINDS", "as_lists", "check_labels", "learn_labels", "sort_classes"]


def check_labels(y):
    """Labels as an array of one dimension, or of two where there are two columns or more."""
    y = y.toarray() if issparse(y) else y
    if y.ndim != 2 or y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    return y


def sort_classes(classes):
    """The `classes` that a user gives, sorted and each once; a list of them for many outputs."""
    if isinstance(classes, (list, tuple, np.ndarray)) and any(map(np.ndim, classes)):
        sets = [np.unique(column_or_1d(labels)) for labels in classes]
        return [labels.astype(np.result_type(*sets)) for labels in sets]  # y has one dtype
    return np.unique(column_or_1d(classes))


def learn_labels(y, classes=None):
    """Labels of the kind that `y` is of, with the sorted `classes` or those found in `y`.

    Raises
    ------
    ValueError
        For classes that do not fit `y`.
    """
    labels: Labels
    if y.ndim == 1:
        labels = SingleOutput(np.unique(y) if classes is None else classes)
    elif isinstance(classes, list):
        labels = MultiOutput(classes)
    elif y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all():
        labels = Multilabel(np.arange(y.shape[1]) if classes is None else classes)
    else:
        labels = MultiOutput([np.unique(column) for column in y.T] if classes is None else classes)
    labels.check_classes(y)
    if min(labels.sizes) < 1:
        raise ValueError(f"'classes' must hold at least one label; got {as_lists(classes)}.")
    return labels


def as_lists(classes):
    """Classes to compare and to print."""
    return [each.tolist() for each in classes] if isinstance(classes, list) else classes.tolist()


class Labels(ABC):
    """What the kinds have in common."""

    kind: str

    def __init__(self, classes):
        self.classes = classes

    @property
    @abstractmethod
    def columns(self):
        """The classes of each column of `y`."""

    @abstractmethod
    def check_classes(self, y):
        """Raise a ValueError for classes that do not fit a `y` of this kind."""

    @abstractmethod
    def probabilities(self, raw, link):
        """What `link`, a softmax or its logarithm, makes of each group of raw output."""

    @abstractmethod
    def decisions(self, raw):
        """Logits in the form of the probabilities, for two classes the second minus the first."""

    @property
    def sizes(self):
        """Number of classes of each output."""
        return tuple(len(classes) for classes in self.columns)

    @property
    def groups(self):
        """The columns of target and raw output that belong to each output."""
        bounds = np.cumsum([0, *self.sizes]).tolist()
        return [slice(*pair) for pair in pairwise(bounds)]

    @property
    def loss(self):
        """The loss of the engine for these groups."""
        return GroupedLogLoss(self.sizes)

    def check_shape(self, y):
        """Raise a ValueError for a `y` that is not of this kind."""
        if y.ndim != 2 or y.shape[1] != len(self.columns):
            raise ValueError(
                f"'y' must have shape (n_samples, {len(self.columns)}), a column for each output; "
                f"got {y.shape}."
            )

    def encode(self, y, dtype):
        """The target of the network: in each group a 1 in the column of the row's class."""
        self.check_shape(y)
        target = np.zeros((len(y), sum(self.sizes)), dtype=dtype)
        rows, columns = np.arange(len(y)), y.reshape(len(y), -1)
        for number, (classes, group) in enumerate(zip(self.columns, self.groups)):
            labels = columns[:, number]
            unknown = np.setdiff1d(labels, classes)
            if unknown.size:
                place = "'y'" if y.ndim == 1 else f"Column {number} of 'y'"
                raise ValueError(
                    f"{place} must hold none but the classes known, {classes.tolist()}; "
                    f"got {unknown.tolist()} too."
                )
            target[rows, group.start + np.searchsorted(classes, labels)] = 1
        return target

    def codes(self, raw):
        """Number of the class of the largest output in each group, (n_rows, n_outputs)."""
        return np.stack([raw[:, group].argmax(axis=1) for group in self.groups], axis=1)

    def decode(self, raw):
        """The label of the largest output in each group, in the shape of `y`."""
        codes = self.codes(raw).T
        return np.stack([classes[code] for classes, code in zip(self.columns, codes)], axis=1)

    def soften(self, target, share, expected):
        """Target with a `share` of each label spread evenly over the classes of its group.

        It is spread over the `expected` columns, a bool for each. Otherwise the net would learn a
        class that never has rows as a possible label of every row.
        """
        spread = np.zeros(len(expected))
        for group in self.groups:
            spread[group] = expected[group] * (share / np.count_nonzero(expected[group]))
        return target * (1.0 - share) + spread.astype(target.dtype)

    def split(self, target, fraction, seed):
        """Indices of training and of validation rows: at random, a row of each class in training.

        Of the rows with a class, the last in the random order stays: no rows but those of classes
        so rare that all of them would have been set aside.
        """
        n_rows = len(target)
        order = np.random.default_rng(seed).permutation(n_rows)
        last = n_rows - 1 - np.argmax(target[order[::-1]] != 0, axis=0)
        free = np.setdiff1d(np.arange(n_rows), last[target.any(axis=0)])
        chosen = order[free[: max(1, round(fraction * n_rows))]]
        if not chosen.size:
            raise ValueError(
                "early_stopping=True needs a row to validate on whose classes other rows have too; "
                "got none."
            )
        return np.setdiff1d(order, chosen), np.sort(chosen)


def margin(raw):
    """Logits of one group; for two classes the second minus the first."""
    return raw[:, 1] - raw[:, 0] if raw.shape[1] == 2 else raw


class SingleOutput(Labels):
    """One label for each row: `y` is (n_rows,), probabilities are (n_rows, n_classes)."""

    kind = "single-output"
    loss = LOSSES["log_loss"]

    @property
    def columns(self):
        return [self.classes]

    def check_classes(self, y):
        if isinstance(self.classes, list):
            raise ValueError(
                "'classes' must be a list of labels where 'y' has one column; "
                f"got {as_lists(self.classes)}."
            )

    def check_shape(self, y):
        if y.ndim != 1:
            raise ValueError(f"'y' must have shape (n_samples,), as before; got {y.shape}.")

    def decode(self, raw):
        return self.classes[raw.argmax(axis=1)]

    def probabilities(self, raw, link):
        return link(raw)

    def decisions(self, raw):
        return margin(raw)

    def split(self, target, fraction, seed):
        """Indices of training and of validation rows: the same share of each class."""
        codes = target.argmax(axis=1)
        counts = np.bincount(codes)
        spare = np.maximum(counts - 1, 0)  # a row of each class is trained on; some have none
        # Each class's share, rounded so that the sum is right.
        wanted = np.minimum(fraction * counts, spare)
        quota = np.floor(wanted).astype(int)
        missing = max(1, round(wanted.sum())) - quota.sum()
        quota[np.argsort(quota - wanted, kind="stable")[:missing]] += 1
        quota = np.minimum(quota, spare)
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


class Multilabel(Labels):
    """Any number of labels for each row: `y` is an indicator matrix of 0 and 1.

    Each label is an output of two classes, without and with it. Probabilities and decisions are
    those of having the label, (n_rows, n_labels). `classes` are the numbers of the labels.
    """

    kind = "multilabel"

    @property
    def columns(self):
        return [np.arange(2)] * len(self.classes)

    def check_classes(self, y):
        if not np.array_equal(self.classes, np.arange(y.shape[1])):
            raise ValueError(
                f"'classes' must be the numbers of the labels, 0 to {y.shape[1] - 1}, for an "
                f"indicator matrix; got {self.classes.tolist()}."
            )

    def codes(self, raw):
        return (raw[:, 1::2] > raw[:, ::2]).astype(int)

    def decode(self, raw):
        return self.codes(raw)

    def probabilities(self, raw, link):
        return link(raw.reshape(-1, 2))[:, 1].reshape(len(raw), -1)

    def decisions(self, raw):
        return raw[:, 1::2] - raw[:, ::2]


class MultiOutput(Labels):
    """Several labels for each row, of classes of their own: `y` is (n_rows, n_outputs).

    Probabilities and decisions are lists over the outputs.
    """

    kind = "multi-output"

    @property
    def columns(self):
        return self.classes

    def check_classes(self, y):
        if not isinstance(self.classes, list) or len(self.classes) != y.shape[1]:
            raise ValueError(
                f"'classes' must be a list of lists of labels, one for each of the {y.shape[1]} "
                f"columns of 'y'; got {as_lists(self.classes)}."
            )

    def probabilities(self, raw, link):
        return [link(raw[:, group]) for group in self.groups]

    def decisions(self, raw):
        return [margin(raw[:, group]) for group in self.groups]


KINDS = {cls.kind: cls for cls in (SingleOutput, Multilabel, MultiOutput)}
