"""Losses for regression, averaged over outputs. `losses/__init__.py` has the contract.

With z the raw output and y the target, the loss of one row and output, and its derivative::

    squared_error   1/2 (z - y)^2                     z - y
    absolute_error  |z - y|                           sign(z - y)
    huber           1/2 e^2 up to delta, then         z - y, at most delta in magnitude
                    delta (e - delta / 2), e = |z - y|
    poisson         y log(y / m) - y + m, m = exp(z)  m - y
    quantile        q (y - z) where z < y,            -q where z < y, 1 - q where z > y
                    (1 - q) (z - y) where z > y
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from ..numerics.statistics import weighted_moments, weighted_quantiles

#: Interquartile range of a standard normal variable.
NORMAL_IQR = 1.349
#: An interquartile range below this share of the standard deviation counts as zero.
SMALLEST_IQR = 1e-12
#: Smallest initial gap between quantiles: below it, softplus is too flat for the solver's steps.
SMALLEST_GAP = 0.1


class RegressionLoss:
    """Base class; a subclass has `terms(raw, target)` and `slopes(raw, target, out)` by element."""

    terms: Any
    slopes: Any
    out_activation: Any = "identity"
    y_true_range: Any = "finite"

    def value(self, raw, target, weights):
        return float(weights @ self.terms(raw, target).mean(axis=1))

    def value_and_gradient(self, raw, target, weights, out):
        self.slopes(raw, target, out)
        out *= weights[:, np.newaxis] / raw.shape[1]
        return self.value(raw, target, weights)

    def inverse_link(self, raw):
        return raw

    def in_y_true_range(self, target):
        return bool(np.all(np.isfinite(target)))

    def typical_value(self, raw, target, weights):
        return self.value(raw, target, weights)


@dataclass(frozen=True)
class SquaredError(RegressionLoss):
    """Half the squared error, as in MLPRegressor."""

    name = "squared_error"

    def value(self, raw, target, weights):
        return self.value_and_gradient(raw, target, weights, np.empty_like(raw))

    def value_and_gradient(self, raw, target, weights, out):
        np.subtract(raw, target, out=out)
        value = float(weights @ np.einsum("ij,ij->i", out, out)) / (2 * raw.shape[1])
        out *= weights[:, np.newaxis] / raw.shape[1]
        return value

    def units(self, columns, weights, statistics=None):
        if statistics is not None:
            return statistics.mean, statistics.std
        return weighted_moments(columns, weights)[:2]

    def fit_intercept_only(self, target, weights):
        return np.zeros(target.shape[1])  # the target is standardised


@dataclass(frozen=True)
class Poisson(RegressionLoss):
    """Half the Poisson deviance of the mean ``exp(raw)``: zero at best, never negative."""

    name = "poisson"
    out_activation = "exp"
    y_true_range = "finite and not negative"

    def terms(self, raw, target):
        # In this form large counts do not cancel.
        positive = target > 0
        excess = raw - np.log(np.where(positive, target, 1))
        return np.where(positive, target * (np.expm1(excess) - excess), np.exp(raw))

    def slopes(self, raw, target, out):
        np.exp(raw, out=out)
        out -= target

    def inverse_link(self, raw):
        # Keep means positive and finite, however far from the data the input is.
        limits = np.finfo(raw.dtype)
        with np.errstate(over="ignore", under="ignore"):
            return np.clip(np.exp(raw), limits.tiny, limits.max)

    def in_y_true_range(self, target):
        return bool(np.all((target >= 0) & (target < np.inf)))

    def units(self, columns, weights, statistics=None):
        return np.zeros(columns.shape[1]), np.ones(columns.shape[1])

    def fit_intercept_only(self, target, weights):
        # Finite where all counts are zero, because later rows may have others.
        return np.log(np.maximum(weights @ target, np.finfo(target.dtype).eps))


class RobustLoss(RegressionLoss):
    """Losses of bounded slope, whose mean would grow without limit with a single outlier.

    So the scale of the target and the typical loss are estimated from quantiles.
    """

    def typical_value(self, raw, target, weights):
        return float(weighted_quantiles(self.terms(raw, target), weights, 0.5).mean())

    def units(self, columns, weights, statistics=None):
        low, median, high = (weighted_quantiles(columns, weights, q) for q in (0.25, 0.5, 0.75))
        spread = (high - low) / NORMAL_IQR
        std = weighted_moments(columns, weights)[1]
        # Where half of the rows are equal, the standard deviation itself.
        return median, np.where(spread > SMALLEST_IQR * std, spread, std)

    def fit_intercept_only(self, target, weights):
        return weighted_quantiles(target, weights, 0.5)


@dataclass(frozen=True)
class AbsoluteError(RobustLoss):
    """The absolute error, whose best constant is the median."""

    name = "absolute_error"

    def terms(self, raw, target):
        return np.abs(raw - target)

    def slopes(self, raw, target, out):
        np.sign(np.subtract(raw, target, out=out), out=out)


@dataclass(frozen=True)
class Huber(RobustLoss):
    """Half the squared error up to `huber_delta`, linear beyond."""

    huber_delta: float = 1.35

    name = "huber"

    def __post_init__(self):
        # NumPy turns an int beyond its integer types into an object.
        object.__setattr__(self, "huber_delta", float(self.huber_delta))

    def terms(self, raw, target):
        error = np.abs(raw - target)
        inner = np.minimum(error, self.huber_delta)
        return inner * (error - 0.5 * inner)

    def slopes(self, raw, target, out):
        np.subtract(raw, target, out=out)
        np.clip(out, -self.huber_delta, self.huber_delta, out=out)


@dataclass(frozen=True)
class Quantile(RobustLoss):
    """The pinball loss, whose best constant is a quantile.

    With a sequence of L increasing levels there are L outputs z, and the target is repeated in as
    many columns. The outputs parametrise the lowest quantile and the gaps to the next ones::

        q_1 = z_1,   q_j = q_(j-1) + log(1 + exp(z_j))

    so that quantiles never cross. The loss is the mean over levels.
    """

    quantile: Any = 0.5

    name = "quantile"

    def __post_init__(self):
        # Equal levels make equal losses, whatever the type of the sequence.
        if self.is_list:
            object.__setattr__(self, "quantile", tuple(map(float, self.quantile)))

    @property
    def is_list(self):
        return np.ndim(self.quantile) > 0

    @property
    def out_activation(self):
        return "cumulative_softplus" if self.is_list else "identity"

    @property
    def y_true_range(self):
        if not self.is_list:
            return "finite"
        return f"finite, with a column for each of the levels {list(self.quantile)}"

    def terms(self, raw, target):
        error = target - self.inverse_link(raw)
        level = np.asarray(self.quantile, dtype=raw.dtype)
        return np.maximum(level * error, (level - 1) * error)

    def slopes(self, raw, target, out):
        np.sign(np.subtract(self.inverse_link(raw), target, out=out), out=out)
        # Where the error is zero this is the mean of the slopes on either side.
        out *= 0.5
        out += 0.5 - np.asarray(self.quantile, dtype=raw.dtype)
        if self.is_list:
            # An output moves its own quantile and all higher ones.
            out[:, ::-1] = np.cumsum(out[:, ::-1], axis=1)
            out[:, 1:] *= expit(raw[:, 1:])

    def inverse_link(self, raw):
        if not self.is_list:
            return raw
        quantiles = np.logaddexp(0, raw)
        quantiles[:, 0] = raw[:, 0]
        return np.cumsum(quantiles, axis=1, out=quantiles)

    def in_y_true_range(self, target):
        is_complete = not self.is_list or target.shape[1] == len(self.quantile)
        return is_complete and super().in_y_true_range(target)

    def fit_intercept_only(self, target, weights):
        raw = weighted_quantiles(target, weights, np.asarray(self.quantile))
        if self.is_list:
            raw = raw.astype(np.float64)
            gaps = np.maximum(np.diff(raw), SMALLEST_GAP)
            raw[1:] = gaps + np.log(-np.expm1(-gaps))
        return raw
