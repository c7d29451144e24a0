"""Weight decay: penalties that pull parameters towards a centre during training."""

import numpy as np

__all__ = ["PENALTIES", "WeightDecay"]

PENALTIES = ("coupled", "decoupled", "prior")


class WeightDecay:
    """Pulls all parameters but intercepts towards a centre.

    With p the distance of a parameter from its centre, in a step on a batch of m of N rows::

        decoupled   theta    -= rate alpha p            not normalised by the solver
        coupled     gradient += alpha / m p             as in the reference implementation
        prior       gradient += alpha dispersion / N p

    "prior" is a Gaussian prior around the centre, for errors of unknown variance: the gradient of
    the posterior, multiplied by the loss, whose mean stands for that variance. The penalty is weak
    where the data can be fitted without error and strong where they cannot.

    This holds for other errors than normal ones. With the scale of the errors at its most likely
    value, minus the log-likelihood is, up to constants, N times the logarithm of the mean absolute
    error for Laplace errors and of the mean pinball loss for asymmetric Laplace errors; and half of
    N times the logarithm of the mean squared error for normal errors and, as an extended
    quasi-likelihood, of the mean deviance for overdispersed counts. In each case the pull is alpha
    times the loss, a factor of two in alpha aside. But the mean of a loss of bounded slope grows
    without limit with a single outlier, while its gradient does not. Such losses estimate their
    `dispersion` from the median, which equals the loss for errors of the loss's own distribution.

    Parameters
    ----------
    network : Network
    penalty : {"coupled", "decoupled", "prior"}
    alpha : float
    origin : ndarray of shape (n_inputs,)
        Centre of "coupled" for centroids of the first layer; zero for all other parameters.
    initial_theta : ndarray of shape (n_parameters,) or None
        Centre of "prior" for distance layers; zero for dot-product layers, whose initial weights
        are random.
    """

    def __init__(self, network, penalty, alpha, origin, initial_theta=None):
        self.penalty, self.alpha = penalty, alpha
        self.mask = network.decay_mask()
        self.center = np.zeros_like(self.mask)
        centers = network.views(self.center)
        if penalty == "coupled" and "centroids" in centers[0]:
            centers[0]["centroids"][...] = origin
        if penalty == "prior":
            for center, initial in zip(centers, network.views(initial_theta), strict=True):
                for name in center.keys() & {"centroids", "inverse_radii"}:
                    center[name][...] = initial[name]

    def apply(self, theta, gradient, rate, dispersion, n_batch, n_rows):
        """Change `theta` or `gradient` in place, before the solver's step."""
        pull = np.subtract(theta, self.center)
        pull *= self.mask
        if self.penalty == "decoupled":
            pull *= rate * self.alpha
            theta -= pull
        else:
            coupled = self.penalty == "coupled"
            pull *= self.alpha / n_batch if coupled else self.alpha * dispersion / n_rows
            gradient += pull
