"""Codecs of class labels, of which there are three kinds, and class weights.

The target has a group of columns for each output and, in it, a column for each class. The raw
output has the same columns: each group has a softmax of its own.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import column_or_1d

from ..engine.losses import LOSSES, GroupedLogLoss
from .codec import Codec


def sort_classes(classes):
    """Return the distinct `classes` in order; for several outputs a list of them."""
    if isinstance(classes, (list, tuple, np.ndarray)) and any(map(np.ndim, classes)):
        sets = [np.unique(column_or_1d(labels)) for labels in classes]
        return [labels.astype(np.result_type(*sets)) for labels in sets]  # y has one dtype
    return np.unique(column_or_1d(classes))


def as_lists(classes):
    """Return classes as lists, for comparisons and messages."""
    return [each.tolist() for each in classes] if isinstance(classes, list) else classes.tolist()


def codec_for(y, classes, *settings):
    """Return the codec for labels of the kind of `y`, of sorted `classes`, or of those in `y`.

    Raises a ValueError if the classes do not suit `y`.
    """
    kind: type[MultiOutputCodec]
    if y.ndim == 1:
        kind, form = SingleLabelCodec, "a list of labels where 'y' has one column"
        suitable = not isinstance(classes, list)
        classes = np.unique(y) if classes is None else classes
    elif not isinstance(classes, list) and y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all():
        kind, numbers = MultilabelCodec, np.arange(y.shape[1])
        form = f"the numbers of the labels, 0 to {numbers[-1]}, for an indicator matrix"
        classes = numbers if classes is None else classes
        suitable = np.array_equal(classes, numbers)
    else:
        kind, n_outputs = MultiOutputCodec, y.shape[1]
        form = f"a list of lists of labels, one for each of the {n_outputs} columns of 'y'"
        classes = [np.unique(column) for column in y.T] if classes is None else classes
        suitable = isinstance(classes, list) and len(classes) == n_outputs
    if not suitable:
        raise ValueError(f"'classes' must be {form}; got {as_lists(classes)}.")
    codec = kind(classes, *settings)
    if min(codec.sizes) < 1:
        raise ValueError(f"'classes' must hold at least one label; got {as_lists(classes)}.")
    return codec


# Codecs -------------------------------------------------------------------------------------------


@dataclass
class MultiOutputCodec(Codec):
    """Several labels for each row: `y` is (n_rows, n_outputs), classes are a list over outputs.

    Probabilities and decisions are lists over the outputs. The other kinds are special cases.
    """

    classes: Any
    """Sorted labels, as in `classes_`."""
    label_smoothing: float = 0.0
    class_weight: Any = None
    expected: Any = None
    """Whether training may have rows for each column of the target, once this is known."""

    kind: ClassVar = "multi-output"
    out_activation: ClassVar = "softmax"

    def state(self):
        return {"kind": self.kind, "expected": self.expected}

    @property
    def columns(self):
        """The classes of each column of `y`."""
        return self.classes

    @property
    def sizes(self):
        """Number of classes of each output."""
        return tuple(len(classes) for classes in self.columns)

    @property
    def n_columns(self):
        """Number of columns of the target."""
        return sum(self.sizes)

    @property
    def groups(self):
        """The columns of target and raw output that belong to each output, as slices."""
        bounds = np.cumsum([0, *self.sizes]).tolist()
        return [slice(*pair) for pair in pairwise(bounds)]

    @property
    def loss(self):
        return GroupedLogLoss(self.sizes)

    def check_shape(self, y):
        """Raise a ValueError for a `y` of another shape."""
        if y.ndim != 2 or y.shape[1] != len(self.columns):
            raise ValueError(
                f"'y' must have shape (n_samples, {len(self.columns)}), a column for each output; "
                f"got {y.shape}."
            )

    def probabilities(self, raw, link):
        """Apply `link`, a softmax or its logarithm, to each group of the raw output."""
        return [link(raw[:, group]) for group in self.groups]

    def decisions(self, raw):
        """Return the logits of each group; for two classes the second minus the first."""
        return [margin(raw[:, group]) for group in self.groups]

    def codes(self, raw):
        """Return the number of the class of largest output in each group, (n_rows, n_outputs)."""
        return np.stack([raw[:, group].argmax(axis=1) for group in self.groups], axis=1)

    def decode(self, raw):
        codes = self.codes(raw).T
        return np.stack([classes[code] for classes, code in zip(self.columns, codes)], axis=1)

    def encode(self, y, dtype):
        self.check_shape(y)
        target = np.zeros((len(y), self.n_columns), dtype=dtype)
        rows, columns = np.arange(len(y)), y.reshape(len(y), -1)
        for number, (classes, group) in enumerate(zip(self.columns, self.groups)):
            labels = columns[:, number]
            unknown = np.setdiff1d(labels, classes)
            if unknown.size:
                name = "'y'" if y.ndim == 1 else f"Column {number} of 'y'"
                raise ValueError(
                    f"{name} must hold only the known classes, {classes.tolist()}; "
                    f"got {unknown.tolist()} too."
                )
            target[rows, group.start + np.searchsorted(classes, labels)] = 1
        return target

    def fit_encode(self, y, weights, dtype, more_to_come):
        target = self.encode(y, dtype)
        before = False if self.expected is None else self.expected
        self.expected = before | target.any(axis=0) | more_to_come
        return target

    @property
    def groups_with_absent_classes(self):
        return [] if self.expected.all() else self.groups

    def smoothed(self, target):
        """Spread a share of each label evenly over the expected classes of its group.

        Otherwise the net would give a class that never has rows some probability at each row.
        """
        spread = np.zeros(len(self.expected))
        for group in self.groups:
            expected = self.expected[group]
            spread[group] = expected * (self.label_smoothing / np.count_nonzero(expected))
        return target * (1.0 - self.label_smoothing) + spread.astype(target.dtype)

    def masses(self, target, weights):
        return (np.ones(len(target)) if weights is None else weights) @ target

    def weighter(self, masses):
        """Return the function that multiplies class weights into the weights of rows.

        Raises a ValueError if dicts do not suit the labels, or balanced weights overflow; so does
        the function for products that are not finite or not positive.
        """
        if self.class_weight is None:
            return super().weighter(masses)
        if isinstance(self.class_weight, str):
            by_column = balanced_weights(self.groups, masses)
        else:
            by_column = weights_from_dicts(self.class_weight, self)

        def weigh(target, weights):
            weights = np.ones(len(target)) if weights is None else weights
            with np.errstate(over="ignore", under="ignore"):
                for group in self.groups:
                    weights = weights * (target[:, group] @ by_column[group])
                total = weights.sum()
            if not (np.isfinite(total) and weights.min() > 0):
                raise ValueError(
                    "'class_weight' and 'sample_weight' must multiply to weights of rows that are "
                    f"positive and have a finite sum; got {weights.min()} to {weights.max()}."
                )
            return weights

        return weigh

    def least_loss(self, target, weights):
        raw = np.log(np.maximum(target, np.finfo(target.dtype).tiny))
        return self.loss.value(raw, target, weights)

    def score_of(self, rows):
        codes = self.codes(rows.target)
        return lambda raw: float(
            np.average((self.codes(raw) == codes).all(axis=1), weights=rows.weights)
        )

    def split(self, target, fraction, seed):
        """Draw validation rows, but of each class not the last row in the random order."""
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
    """Return the logits of one group; for two classes the second minus the first."""
    return raw[:, 1] - raw[:, 0] if raw.shape[1] == 2 else raw


class SingleLabelCodec(MultiOutputCodec):
    """One label for each row: `y` is (n_rows,), probabilities are (n_rows, n_classes)."""

    kind = "single-output"
    loss = LOSSES["log_loss"]()

    @property
    def columns(self):
        return [self.classes]

    def check_shape(self, y):
        if y.ndim != 1:
            raise ValueError(f"'y' must have shape (n_samples,), as before; got {y.shape}.")

    def probabilities(self, raw, link):
        return link(raw)

    def decisions(self, raw):
        return margin(raw)

    def decode(self, raw):
        return self.classes[raw.argmax(axis=1)]

    def novelty_groups(self, target):
        return target.argmax(axis=1)

    def split(self, target, fraction, seed):
        """Draw the same share of each class as validation rows."""
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
        drawn = [order[codes[order] == number][:size] for number, size in enumerate(quota)]
        chosen = np.concatenate(drawn)
        return np.setdiff1d(order, chosen), np.sort(chosen)


class MultilabelCodec(MultiOutputCodec):
    """Any number of labels for each row: `y` is an indicator matrix of 0 and 1.

    Each label is an output of two classes, without and with it. Probabilities and decisions are
    those of having the label, (n_rows, n_labels). `classes` are the numbers of the labels.
    """

    kind = "multilabel"

    @property
    def columns(self):
        return [np.arange(2)] * len(self.classes)

    def probabilities(self, raw, link):
        return link(raw.reshape(-1, 2))[:, 1].reshape(len(raw), -1)

    def decisions(self, raw):
        return raw[:, 1::2] - raw[:, ::2]

    def codes(self, raw):
        return (raw[:, 1::2] > raw[:, ::2]).astype(int)

    decode = codes


KINDS = {cls.kind: cls for cls in (SingleLabelCodec, MultilabelCodec, MultiOutputCodec)}


# Class weights ------------------------------------------------------------------------------------


def balanced_weights(groups, mass):
    """Return for each column of the target the weight that balances the classes of its output.

    `mass` is the weight of the rows of each column.
    """
    by_column = np.ones(len(mass))
    for group in groups:
        # Under warm_start a class may have no rows this time.
        present = group.start + np.flatnonzero(mass[group])
        with np.errstate(over="ignore"):
            by_column[present] = mass[group].sum() / (len(present) * mass[present])
        if not np.isfinite(by_column[present]).all():
            raise ValueError(
                "'sample_weight' gives the classes weights too far apart for "
                "class_weight='balanced' to balance: from "
                f"{mass[present].min()} to {mass[present].max()}."
            )
    return by_column


def weights_from_dicts(class_weight, codec):
    """Return for each column of the target the weight that a dict has for its class."""
    n_outputs = len(codec.columns)
    single = codec.kind == "single-output"
    dicts = [class_weight] if isinstance(class_weight, dict) else class_weight
    if isinstance(class_weight, dict) != single or len(dicts) != n_outputs:
        form = "a dict" if single else f"a list of dicts, one for each of the {n_outputs} outputs"
        raise ValueError(
            "The 'class_weight' parameter of DistanceNetClassifier must be None, 'balanced' or "
            f"{form} for this 'y'; got {class_weight!r}."
        )
    return np.concatenate([weights_by_class(*pair) for pair in zip(codec.columns, dicts)])


def weights_by_class(classes, weight_of):
    """Return the weights that a dict has for classes, by the rule of `compute_class_weight`.

    scikit-learn's own function would take strings such as "1" for numbers.
    """
    known = classes.tolist()
    unnamed = [label for label in known if label not in weight_of]
    if unnamed and len(known) - len(unnamed) != len(weight_of):
        raise ValueError(
            f"The classes, {unnamed}, are not in class_weight, which names {list(weight_of)}: "
            f"name all of the classes, {known}, or only labels among them."
        )
    return np.array([float(weight_of.get(label, 1.0)) for label in known])
