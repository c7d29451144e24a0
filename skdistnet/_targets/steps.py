"""Codec of sequences with a target for each step."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from ..engine.losses import MeanOverSteps, is_counted
from ..engine.training import Rows
from .codec import Codec


@dataclass
class StepCodec(Codec):
    """Applies the codec of single targets to all steps.

    `y` is a masked array (n_sequences, n_steps), the mask marking steps without a target. The
    target, (n_sequences, n_steps * n_columns), is NaN there.
    """

    codec: Any

    @property
    def n_columns(self):
        """Number of columns of the target of a step."""
        return self.codec.n_columns

    @property
    def loss(self):
        return MeanOverSteps(self.codec.loss, self.n_columns)

    @property
    def out_activation(self):
        return self.codec.out_activation

    @property
    def classes(self):
        return self.codec.classes

    def state(self):
        return self.codec.state()

    def _fill(self, rows, counted):
        """Return rows of the steps counted, in their place among NaN."""
        target = np.full((*counted.shape, rows.shape[1]), np.nan, rows.dtype)
        target[counted] = rows
        return target.reshape(len(counted), -1)

    def encode(self, y, dtype):
        counted = ~np.ma.getmaskarray(y)
        return self._fill(self.codec.encode(y.compressed(), dtype), counted)

    def fit_encode(self, y, weights, dtype, more_to_come):
        counted = ~np.ma.getmaskarray(y)
        weights = None if weights is None else weights.repeat(counted.sum(axis=1))
        target = self.codec.fit_encode(y.compressed(), weights, dtype, more_to_come)
        return self._fill(target, counted)

    def _rows(self, target, weights):
        """Return target and weights of the steps that have a target."""
        counted = is_counted(target, self.n_columns)
        rows = target.reshape(*counted.shape, -1)[counted]
        weights = None if weights is None else (weights / counted.sum(axis=1))
        return rows, None if weights is None else weights.repeat(counted.sum(axis=1))

    def n_targets(self, target):
        return np.count_nonzero(is_counted(target, self.n_columns))

    def smoothed(self, target):
        counted = is_counted(target, self.n_columns)
        return self._fill(self.codec.smoothed(self._rows(target, None)[0]), counted)

    def weighter(self, masses):
        """Return the function that multiplies the numbers of steps into the weights of sequences.

        All steps count the same, whatever the length of their sequence.
        """

        def weigh(target, weights):
            n_counted = is_counted(target, self.n_columns).sum(axis=1)
            if weights is None and (n_counted == n_counted[0]).all():
                return None
            return n_counted * (1.0 if weights is None else weights)

        return weigh

    def least_loss(self, target, weights):
        return self.codec.least_loss(*self._normalized_rows(target, weights))

    def initial_intercepts(self, target, weights):
        return self.codec.initial_intercepts(*self._normalized_rows(target, weights))

    def _normalized_rows(self, target, weights):
        rows, weights = self._rows(target, weights)
        return rows, weights / weights.sum()

    def probabilities(self, raw, link):
        rows = self.codec.probabilities(raw.reshape(-1, self.n_columns), link)
        return rows.reshape(len(raw), -1, rows.shape[-1])

    def decisions(self, raw):
        rows = self.codec.decisions(raw.reshape(-1, self.n_columns))
        return rows.reshape(len(raw), -1, *rows.shape[1:])

    def decode(self, raw):
        rows = self.codec.decode(raw.reshape(-1, self.n_columns))
        return rows.reshape(len(raw), -1, *rows.shape[1:])

    def score_of(self, rows):
        counted = is_counted(rows.target, self.n_columns).ravel()
        target, weights = self._rows(rows.target, rows.weights)
        score = self.codec.score_of(Rows(None, target, weights))
        return lambda raw: score(raw.reshape(-1, self.n_columns)[counted])

    def split(self, target, fraction, seed):
        if len(target) < 2:
            raise ValueError(
                "early_stopping=True needs at least two sequences, one of which is held out; got "
                "one: pass X_val and y_val, or set it to 'auto' to hold out its last targets."
            )
        size = min(max(1, round(fraction * len(target))), len(target) - 1)
        return train_test_split(np.arange(len(target)), test_size=size, random_state=seed)

    def to_target_units(self, name, values):
        self.codec.to_target_units(name, values)
