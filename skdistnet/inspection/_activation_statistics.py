"""What the units of a layer answer over many rows, and when they are said to be of no use."""

import numpy as np

from ..engine import KERNELS
from ..engine.layers import Distance

__all__ = ["Answers", "layer_kinds"]

#: A unit whose answers over the rows reach no farther than this share of their scale is dead.
DEAD = 1e-3
#: A unit that stays within this share of the scale from an end is saturated.
SATURATED = 0.01
#: Activations with ends besides the kernels': their length, and the way to the nearest end.
ENDS = {
    "logistic": (1.0, lambda answers: np.minimum(answers, 1.0 - answers)),
    "tanh": (2.0, lambda answers: 1.0 - np.abs(answers)),
}
# Every kernel lies between 0 and 1. At 0 the unit is silent, which is for `dead` to say.
ENDS |= dict.fromkeys(KERNELS, (1.0, lambda answers: 1.0 - answers))


class Answers:
    """What is gathered about one layer, a batch of rows after the other; arrays are per unit."""

    def __init__(self, kind, n_units):
        self.kind = kind
        self.mean, self.variance = np.zeros(n_units), np.zeros(n_units)
        self.lowest, self.highest = np.full(n_units, np.inf), np.full(n_units, -np.inf)
        self.way_to_end = np.zeros(n_units)

    def add(self, answers, weights, share):
        """Take in the `answers` to a batch, which has `share` of all weight up to it."""
        answers = answers.astype(np.float64)
        self.lowest = np.minimum(self.lowest, answers.min(axis=0))
        self.highest = np.maximum(self.highest, answers.max(axis=0))
        if self.kind in ENDS:
            way = ENDS[self.kind][1](answers)
            self.way_to_end = np.maximum(self.way_to_end, way.max(axis=0))
        # Moments are merged about their means: a difference of squares would cancel.
        mean = weights @ answers
        variance = weights @ (answers - mean) ** 2
        move = mean - self.mean
        self.mean += share * move
        self.variance += share * (variance - self.variance + (1.0 - share) * move**2)

    def dead(self):
        """Which units answer the same whatever the row."""
        largest = np.maximum(np.abs(self.lowest), np.abs(self.highest)).max()
        scale = ENDS[self.kind][0] if self.kind in ENDS else largest
        return self.highest - self.lowest <= DEAD * scale

    def saturated(self):
        """Which units never leave an end of their activation where they are insensitive."""
        if self.kind not in ENDS:
            return np.zeros(len(self.mean), dtype=bool)
        return self.way_to_end <= SATURATED * ENDS[self.kind][0]


def layer_kinds(network):
    """The activations of the hidden layers and what the output layer is made of."""
    output = "distance" if isinstance(network.layers[-1], Distance) else "linear"
    return [*network.activations, output]
