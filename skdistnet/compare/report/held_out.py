"""Predictions for held-out rows, with what each of them cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["HeldOut"]


@dataclass(frozen=True)
class HeldOut:
    """Predictions of a model for rows that it was not fitted to.

    Attributes
    ----------
    positions : ndarray of int of shape (n_rows,)
        Positions in the table. A row is there several times if it was held out several times.
    truth, predicted : ndarray of shape (n_rows,)
        Labels, or values in regression.
    error : ndarray of shape (n_rows,)
        1 for a wrong label, else 0; the absolute error in regression.
    loss : ndarray of shape (n_rows,)
        The log-loss; the absolute error in regression.
    probabilities : ndarray of shape (n_rows, n_classes)
        Without classes in regression.
    """

    positions: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    error: np.ndarray
    loss: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, table, positions, prediction):
        """Return the predictions of a model, as a `SplitResult` has them, for rows of a table."""
        truth = table.y[positions]
        if not table.is_classification:
            error = np.abs(truth - prediction)
            return cls(positions, truth, prediction, error, error, np.empty((len(truth), 0)))
        classes = table.classes
        predicted = classes[prediction.argmax(axis=1)]
        of_truth = prediction[np.arange(len(truth)), np.searchsorted(classes, truth)]
        loss = -np.log(np.maximum(of_truth, np.finfo(float).tiny))
        error = (predicted != truth).astype(float)
        return cls(positions, truth, predicted, error, loss, prediction)

    @property
    def confidence(self):
        """The highest probability of each row."""
        return self.probabilities.max(axis=1)

    @property
    def is_right(self):
        return self.error == 0

    def hardest(self, n_rows):
        """Return the indices of the rows with the largest loss, a row of the table once."""
        by_loss = np.argsort(-self.loss, kind="stable")
        first = np.unique(self.positions[by_loss], return_index=True)[1]
        return by_loss[np.sort(first)[:n_rows]]
