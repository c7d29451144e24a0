"""The mean over the steps of sequences of a loss that is defined for rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np


def is_counted(target, n_columns):
    """Return a mask (n_sequences, n_steps) of the steps that have a target."""
    return ~np.isnan(target.reshape(len(target), -1, n_columns)[:, :, 0])


@dataclass(frozen=True)
class MeanOverSteps:
    """A loss averaged over the steps of a sequence that have a target, for the contract of losses.

    Raw output and target are (n_sequences, n_steps * n_columns). The target of a step without one
    is NaN.
    """

    loss: Any
    n_columns: int

    def _rows(self, target, weights):
        """Return the target of all steps as rows, with their weights; zero without a target."""
        counted = is_counted(target, self.n_columns)
        shares = weights / np.maximum(counted.sum(axis=1), 1).astype(weights.dtype)
        weights = (counted * shares[:, np.newaxis]).astype(weights.dtype, copy=False)
        if not counted.all():
            target = np.where(np.isnan(target), target.dtype.type(0), target)
        return target.reshape(-1, self.n_columns), weights.ravel()

    def value(self, raw, target, weights):
        return self.loss.value(raw.reshape(-1, self.n_columns), *self._rows(target, weights))

    def value_and_gradient(self, raw, target, weights, out):
        target, weights = self._rows(target, weights)
        shape = target.shape
        return self.loss.value_and_gradient(
            raw.reshape(shape), target, weights, out=out.reshape(shape)
        )

    def inverse_link(self, raw):
        return self.loss.inverse_link(raw.reshape(-1, self.n_columns)).reshape(raw.shape)

    def typical_value(self, raw, target, weights):
        rows = self._rows(target, weights)
        return self.loss.typical_value(raw.reshape(rows[0].shape), *rows)

    def fit_intercept_only(self, target, weights):
        rows, row_weights = self._rows(target, weights)
        counted = row_weights > 0
        row_weights = row_weights[counted] / row_weights.sum()
        constant = self.loss.fit_intercept_only(rows[counted], row_weights)
        return np.tile(constant, target.shape[1] // self.n_columns)
