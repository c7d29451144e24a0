"""Statistics of a layer's activations over rows, gathered batch by batch."""

import numpy as np

from ..engine import KERNELS

DEAD = 1e-3  # a unit is dead if its activations span at most this share of their scale
SATURATED = 0.01  # and saturated if it stays within this share from where it is insensitive
#: For each bounded activation, the length of its range and the distance to saturation.
BOUNDED = {
    "logistic": (1.0, lambda activations: np.minimum(activations, 1.0 - activations)),
    "tanh": (2.0, lambda activations: 1.0 - np.abs(activations)),
}
# Kernels lie in [0, 1]. A unit that stays at 0 counts as dead, not as saturated.
BOUNDED |= dict.fromkeys(KERNELS, (1.0, lambda activations: 1.0 - activations))


class ActivationStatistics:
    """Moments and ranges of the activations of a layer's units; arrays are per unit."""

    def __init__(self, kind, n_units):
        self.kind = kind
        self.mean, self.variance = np.zeros(n_units), np.zeros(n_units)
        self.lowest, self.highest = np.full(n_units, np.inf), np.full(n_units, -np.inf)
        # NaN without saturation, which compares as false.
        self.distance_to_saturation = np.full(n_units, 0.0 if kind in BOUNDED else np.nan)

    def add(self, activations, weights, share):
        """Add a batch, which has a `share` of all weight so far; return the shift of the mean."""
        activations = activations.astype(np.float64)
        self.lowest = np.minimum(self.lowest, activations.min(axis=0))
        self.highest = np.maximum(self.highest, activations.max(axis=0))
        if self.kind in BOUNDED:
            distance = BOUNDED[self.kind][1](activations).max(axis=0)
            self.distance_to_saturation = np.maximum(self.distance_to_saturation, distance)
        # Moments are merged about their means: a difference of squares would cancel.
        mean = weights @ activations
        variance = weights @ (activations - mean) ** 2
        shift = mean - self.mean
        self.mean += share * shift
        self.variance += share * (variance - self.variance + (1.0 - share) * shift**2)
        return shift

    def scale(self):
        """Return the range of the activation function, or the largest magnitude if unbounded."""
        if self.kind in BOUNDED:
            return BOUNDED[self.kind][0]
        return np.maximum(np.abs(self.lowest), np.abs(self.highest)).max()

    def dead(self):
        """Return which units have nearly the same activation for every row."""
        return self.highest - self.lowest <= DEAD * self.scale()

    def saturated(self):
        """Return which units are nearly saturated for every row."""
        return self.distance_to_saturation <= SATURATED * self.scale()


class UnitStatistics(ActivationStatistics):
    """Activations of a hidden layer, their covariance, and the use of each unit."""

    def __init__(self, kind, n_units):
        super().__init__(kind, n_units)
        self.covariance, self.use = np.zeros((n_units, n_units)), np.zeros(n_units)

    def add(self, activations, weights, share):
        shift = super().add(activations, weights, share)
        centered = activations - (self.mean + (1.0 - share) * shift)
        covariance = (centered * weights[:, np.newaxis]).T @ centered
        covariance += (1.0 - share) * np.outer(shift, shift)
        self.covariance += share * (covariance - self.covariance)
        return shift

    def correlation(self):
        """Return the correlation of the activations, 0 with a constant unit."""
        spread = np.sqrt(np.diag(self.covariance))
        scale = np.where(spread > 0, spread, 1.0)
        return self.covariance / scale / scale[:, np.newaxis]
