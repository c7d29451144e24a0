"""Weight decay: penalties that pull parameters towards a centre during training."""

import numpy as np

PENALTIES = ("coupled", "decoupled")


class WeightDecay:
    """Pulls all parameters but intercepts towards a centre.

    With p the distance of a parameter from its centre, in a step on a batch of m rows::

        decoupled   theta    -= rate alpha p            not normalised by the solver
        coupled     gradient += alpha / m p             as in the reference implementation

    The centre is zero, but "coupled" pulls the centroids of the first layer to `origin`
    (n_inputs,).
    """

    def __init__(self, network, penalty, alpha, origin):
        self.penalty, self.alpha = penalty, alpha
        self.mask = network.decay_mask()
        self.center = np.zeros_like(self.mask)
        centers = network.views(self.center)
        if penalty == "coupled" and "centroids" in centers[0]:
            centers[0]["centroids"][...] = origin

    def apply(self, theta, gradient, rate, n_batch):
        """Change `theta` or `gradient` in place, before the solver's step."""
        pull = np.subtract(theta, self.center)
        pull *= self.mask
        if self.penalty == "decoupled":
            pull *= rate * self.alpha
            theta -= pull
        else:
            pull *= self.alpha / n_batch
            gradient += pull
