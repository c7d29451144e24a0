"""Losses for numbers, averaged over outputs. The contract is in `losses.py`.

Their gradients are for one row and output the slopes by the raw output z, with y the target::

    squared_error   1/2 (z - y)^2                     z - y
    absolute_error  |z - y|                           sign(z - y)
    huber           1/2 e^2 up to delta, then         z - y, at most delta in size
                    delta (e - delta / 2), e = |z - y|
    poisson         y log(y / m) - y + m, m = exp(z)  m - y
"""

from dataclasses import dataclass

import numpy as np

from ..numerics.statistics import weighted_moments
from .weighted_statistics import robust_units, weighted_quantiles

__all__ = ["AbsoluteError", "Huber", "Poisson", "RobustLoss", "SquaredError"]


@dataclass(frozen=True)
class SquaredError:
    """Half the squared error, averaged over outputs, as MLPRegressor's."""

    name = "squared_error"
    y_true_range = "finite"
    out_activation = "identity"

    @staticmethod
    def value(raw, target, weights):
        residual = raw - target
        per_row = np.einsum("ij,ij->i", residual, residual)
        return float(weights @ per_row) / (2 * raw.shape[1])

    @staticmethod
    def value_and_gradient(raw, target, weights, out):
        np.subtract(raw, target, out=out)
        value = float(weights @ np.einsum("ij,ij->i", out, out)) / (2 * raw.shape[1])
        out *= weights[:, np.newaxis] / raw.shape[1]
        return value

    @staticmethod
    def inverse_link(raw):
        return raw

    @staticmethod
    def in_y_true_range(target):
        return bool(np.all(np.isfinite(target)))

    @staticmethod
    def dispersion(value, raw, target, weights):
        return value

    @staticmethod
    def units(columns, weights):
        mean, std, _ = weighted_moments(columns, weights)
        return mean, std

    @staticmethod
    def fit_intercept_only(target, weights):
        return np.zeros(target.shape[1])


class RobustLoss:
    """What losses of bounded slope share; a subclass has `terms` and `slopes`, (n_rows, n_outputs).

    Their targets are scaled by median and quartiles, and their dispersion is told from medians: the
    mean of the loss would grow with a single error, however small its slope.
    """

    name: str
    y_true_range = "finite"
    #: Median of the loss over its mean, for the errors that the loss is the likelihood of.
    median_share: float

    @property
    def out_activation(self):
        return "identity"

    def terms(self, raw, target):
        raise NotImplementedError

    def slopes(self, raw, target, out):
        raise NotImplementedError

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

    def dispersion(self, value, raw, target, weights):
        medians = weighted_quantiles(self.terms(raw, target), weights, 0.5)
        return float(medians.mean()) / self.median_share

    @staticmethod
    def units(columns, weights):
        return robust_units(columns, weights)

    def fit_intercept_only(self, target, weights):
        return weighted_quantiles(target, weights, 0.5)


@dataclass(frozen=True)
class AbsoluteError(RobustLoss):
    """The absolute error: the best constant is the median."""

    name = "absolute_error"
    median_share = float(np.log(2.0))  # errors of a Laplace distribution

    def terms(self, raw, target):
        return np.abs(raw - target)

    def slopes(self, raw, target, out):
        np.sign(np.subtract(raw, target, out=out), out=out)


@dataclass(frozen=True)
class Huber(RobustLoss):
    """Half the squared error up to `huber_delta`, from there on a straight line."""

    huber_delta: float = 1.35

    def __post_init__(self):
        # NumPy makes objects of an int that no integer of its own can hold.
        object.__setattr__(self, "huber_delta", float(self.huber_delta))

    name = "huber"
    median_share = 0.4549  # errors of a normal distribution

    def terms(self, raw, target):
        error = np.abs(raw - target)
        inner = np.minimum(error, self.huber_delta)
        return inner * (error - 0.5 * inner)

    def slopes(self, raw, target, out):
        np.subtract(raw, target, out=out)
        np.clip(out, -self.huber_delta, self.huber_delta, out=out)


@dataclass(frozen=True)
class Poisson:
    """Half the Poisson deviance of the mean ``exp(raw)``, which is zero at best, never negative."""

    name = "poisson"
    y_true_range = "finite and not negative"
    out_activation = "exp"

    @staticmethod
    def value(raw, target, weights):
        # In this form large counts do not cancel.
        positive = target > 0
        excess = raw - np.log(np.where(positive, target, 1))
        deviances = np.where(positive, target * (np.expm1(excess) - excess), np.exp(raw))
        return float(weights @ deviances.mean(axis=1))

    @staticmethod
    def value_and_gradient(raw, target, weights, out):
        np.exp(raw, out=out)
        out -= target
        out *= weights[:, np.newaxis] / raw.shape[1]
        return Poisson.value(raw, target, weights)

    @staticmethod
    def inverse_link(raw):
        # A mean is positive and finite, however far off the input is.
        limits = np.finfo(raw.dtype)
        with np.errstate(over="ignore", under="ignore"):
            return np.clip(np.exp(raw), limits.tiny, limits.max)

    @staticmethod
    def in_y_true_range(target):
        return bool(np.all((target >= 0) & (target < np.inf)))

    @staticmethod
    def dispersion(value, raw, target, weights):
        return value

    @staticmethod
    def units(columns, weights):
        return np.zeros(columns.shape[1]), np.ones(columns.shape[1])

    @staticmethod
    def fit_intercept_only(target, weights):
        # Where all are zero so far there may yet be others to come.
        return np.log(np.maximum(weights @ target, np.finfo(target.dtype).eps))
