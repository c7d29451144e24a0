"""The contract of codecs, which lead from `y` to the network's target and from its output back."""

import numpy as np


class Codec:
    """Base of codecs. A subclass overrides what it needs of the methods below and has

    ``loss``, ``out_activation``
        The loss of the raw output, and the name of the function from raw output to prediction.
    ``state()``
        What a fitted estimator stores besides `classes_`, in plain values.
    ``encode(y, dtype)``
        The network's target, (n_rows, n_columns). Raises a ValueError for a `y` that does not suit.
    ``fit_encode(y, weights, dtype, more_to_come)``
        The same for training rows, from which the codec learns; `more_to_come` in `partial_fit`.
    ``decode(raw)``
        Predictions in the form of `y`.
    ``score_of(rows)``
        The function from raw output on the rows to their score.
    ``split(target, fraction, seed)``
        Indices of training and validation rows; the latter are about this fraction.
    """

    @property
    def groups_with_absent_classes(self):
        """The groups of columns, if some columns of the target have no rows; else none."""
        return []

    def n_targets(self, target):
        """Return the number of targets: one for each row, unless the rows are sequences."""
        return len(target)

    def smoothed(self, target):
        """Return the target to train on."""
        return target

    def masses(self, target, weights):
        """Return the weight of the training rows in each column of the target, for `weighter`."""
        return None

    def weighter(self, masses):
        """Return the function from target and sample weights of rows to their weights."""
        return lambda target, weights: weights

    def least_loss(self, target, weights):
        """Return the loss of perfect predictions of a smoothed target."""
        return 0.0

    def initial_intercepts(self, target, weights):
        """Return what is added to the output's initial intercepts."""
        return 0.0

    def novelty_groups(self, target):
        """Return the number of each row's group for novelty scores."""
        return np.zeros(len(target), dtype=int)

    def to_target_units(self, name, values):
        """Convert the output layer's `coefs` or `intercepts`, the last of `values`, in place."""
