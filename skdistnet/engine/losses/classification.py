"""Losses for classes. The contract is in `losses/__init__.py`."""

import numpy as np

__all__ = ["GroupedLogLoss", "LogLoss"]


def row_maxima(raw):
    """Largest number of each row, (n_rows, 1); along short rows NumPy's own takes six times it."""
    return np.maximum.reduce(np.ascontiguousarray(raw.T), axis=0)[:, np.newaxis]


class LogLoss:
    """Cross-entropy of a softmax over the outputs, ``-sum_k y_k log p_k``, y summing to 1."""

    name = "log_loss"
    y_true_range = "probabilities that sum to 1 in each row"

    @staticmethod
    def value(raw, target, weights):
        shifted = raw - row_maxima(raw)
        log_normalizer = np.log(np.exp(shifted).sum(axis=1))
        return float(weights @ (log_normalizer - np.einsum("ij,ij->i", target, shifted)))

    @staticmethod
    def value_and_gradient(raw, target, weights, out):
        np.subtract(raw, row_maxima(raw), out=out)
        picked = np.einsum("ij,ij->i", target, out)
        np.exp(out, out=out)
        normalizer = out @ np.ones(out.shape[1], dtype=out.dtype)
        value = float(weights @ (np.log(normalizer) - picked))
        out /= normalizer[:, np.newaxis]
        out -= target
        out *= weights[:, np.newaxis]
        return value

    @staticmethod
    def inverse_link(raw):
        probabilities = np.exp(raw - row_maxima(raw))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return probabilities

    @staticmethod
    def in_y_true_range(target):
        return bool(np.all(target >= 0) and np.allclose(target.sum(axis=1), 1.0))

    @staticmethod
    def dispersion(value, raw, target, weights):
        return value

    @staticmethod
    def fit_intercept_only(target, weights):
        shares = weights @ target
        return np.log(np.maximum(shares, np.finfo(shares.dtype).tiny))


class GroupedLogLoss:
    """Sum of the log-losses of groups of outputs, each with a softmax of its own.

    Parameters
    ----------
    sizes : sequence of int
        Number of outputs in each group, in order.
    """

    name = "log_loss"
    y_true_range = "probabilities that sum to 1 in each group of outputs"

    def __init__(self, sizes):
        self.sizes = tuple(int(size) for size in sizes)

    def _groups(self, out, *arrays):
        """Arrays of one group or, where groups are alike, of all of them stacked.

        `out` is never copied. Hundreds of labels, each a group of two, would take hundreds of
        calls; stacked they take one, as further rows.
        """
        size = self.sizes[0]
        if out.flags.c_contiguous and self.sizes == (size,) * len(self.sizes):
            yield tuple(array.reshape(-1, size) for array in (out, *arrays))
            return
        start = 0
        for size in self.sizes:
            yield tuple(array[:, start : start + size] for array in (out, *arrays))
            start += size

    @staticmethod
    def _repeat(weights, n_rows):
        return np.repeat(weights, n_rows // len(weights))

    def value(self, raw, target, weights):
        """Weighted mean over rows of the sum over groups."""
        return sum(
            LogLoss.value(part, wanted, self._repeat(weights, len(part)))
            for part, wanted in self._groups(raw, target)
        )

    def value_and_gradient(self, raw, target, weights, out):
        """The same, with its gradient by `raw` written into `out`."""
        return sum(
            LogLoss.value_and_gradient(part, wanted, self._repeat(weights, len(part)), gradient)
            for gradient, part, wanted in self._groups(out, raw, target)
        )

    def inverse_link(self, raw):
        """Probabilities, which sum to 1 in each group."""
        probabilities = np.array(raw)
        for (part,) in self._groups(probabilities):
            part[...] = LogLoss.inverse_link(part)
        return probabilities

    def in_y_true_range(self, target):
        return all(LogLoss.in_y_true_range(part) for (part,) in self._groups(target))

    dispersion = staticmethod(LogLoss.dispersion)
    fit_intercept_only = staticmethod(LogLoss.fit_intercept_only)
