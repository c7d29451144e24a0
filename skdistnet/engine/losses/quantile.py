"""The loss whose best constant is a quantile, for one level or for several that never cross."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from .regression import RobustLoss
from .weighted_statistics import weighted_quantiles

__all__ = ["Quantile"]

#: Quantiles that coincide start so far apart: softplus is too flat for steps from nearer.
SMALLEST_GAP = 0.1


@dataclass(frozen=True)
class Quantile(RobustLoss):
    """The pinball loss: an error counts `quantile` times below the target, the rest above it.

    A sequence of L increasing levels is answered by L outputs z, whose target is the same number in
    each column. They stand for the lowest quantile and for the gaps between neighbours::

        q_1 = z_1,   q_j = q_(j-1) + log(1 + exp(z_j))

    so that no quantile is ever below one of a lower level. The loss is the mean over levels.
    """

    quantile: Any = 0.5

    name = "quantile"
    median_share = float(np.log(2.0))  # the loss of asymmetric Laplace errors is exponential

    def __post_init__(self):
        # Equal levels make equal losses, whatever sequence they come in.
        if self.is_list:
            object.__setattr__(self, "quantile", tuple(map(float, self.quantile)))

    @property
    def is_list(self):
        return np.ndim(self.quantile) > 0

    @property
    def out_activation(self):
        return "cumulative_softplus" if self.is_list else "identity"

    def terms(self, raw, target):
        error = target - self.inverse_link(raw)
        level = np.asarray(self.quantile, dtype=raw.dtype)
        return np.maximum(level * error, (level - 1) * error)

    def slopes(self, raw, target, out):
        np.sign(np.subtract(self.inverse_link(raw), target, out=out), out=out)
        # Where there is no error this is the mean of the slopes on either side.
        out *= 0.5
        out += 0.5 - np.asarray(self.quantile, dtype=raw.dtype)
        if self.is_list:
            # An output moves its own quantile and all above it.
            out[:, ::-1] = np.cumsum(out[:, ::-1], axis=1)
            out[:, 1:] *= expit(raw[:, 1:])

    def inverse_link(self, raw):
        if not self.is_list:
            return raw
        quantiles = np.logaddexp(0, raw)
        quantiles[:, 0] = raw[:, 0]
        return np.cumsum(quantiles, axis=1, out=quantiles)

    @property
    def y_true_range(self):
        if self.is_list:
            return f"finite, with a column for each of the levels {list(self.quantile)}"
        return "finite"

    def in_y_true_range(self, target):
        if self.is_list and target.shape[1] != len(self.quantile):
            return False
        return super().in_y_true_range(target)

    def fit_intercept_only(self, target, weights):
        if not self.is_list:
            return weighted_quantiles(target, weights, self.quantile)
        column = target[:, :1]
        start = np.concatenate(
            [weighted_quantiles(column, weights, level) for level in self.quantile]
        ).astype(np.float64)
        gaps = np.maximum(np.diff(start), SMALLEST_GAP)
        start[1:] = gaps + np.log(-np.expm1(-gaps))
        return start
