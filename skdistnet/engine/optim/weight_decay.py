"""What pulls a network's parameters back while they learn: decay."""

import numpy as np

__all__ = ["PENALTIES", "WeightDecay"]

PENALTIES = ("coupled", "decoupled", "prior")


class WeightDecay:
    """Pulls parameters, but no intercepts, towards a centre; changes theta or its gradient.

    With p the parameter's distance from the centre, for each step over a batch of m of N rows::

        decoupled   theta    -= rate alpha p            outside of the solver's normalisation
        coupled     gradient += alpha / m p             as in the reference
        prior       gradient += alpha dispersion / N p

    The last is the gradient of the posterior, times the loss, of parameters with a Gaussian prior
    around the centre, for errors whose variance is unknown and stands as the loss itself: what can
    be learned without error is hardly held back, and what cannot, is.

    That holds for other errors than normal ones. With the scale of the errors put at its most
    likely value, minus the log-likelihood is, up to constants, N times the logarithm of the mean
    absolute error for Laplace's, and of the mean pinball loss for their lopsided kind, and half of
    that for the mean squared error of normal ones and, as an extended quasi-likelihood, for the
    mean deviance of overdispersed counts. So the pull is alpha times the loss in each case, a
    factor of two in alpha aside. But the mean of a loss of bounded slope grows without bound with a
    single error, and the pull would drown a gradient that does not: those losses tell their
    `dispersion` from the median, and it equals the loss where errors are of the loss's own kind.

    Parameters
    ----------
    network : Network
    kind : {"coupled", "decoupled", "prior"}
    alpha : float
    origin : ndarray of shape (n_inputs,)
        Where "coupled" pulls the centroids of the first layer.
    start : ndarray of shape (n_parameters,) or None
        Where "prior" pulls distance layers; dot-product layers, whose start is random, to zero.
    """

    def __init__(self, network, kind, alpha, origin, start=None):
        self.kind, self.alpha = kind, alpha
        self.mask = network.decay_mask()
        self.center = np.zeros_like(self.mask)
        centers = network.views(self.center)
        if kind == "coupled" and "centroids" in centers[0]:
            centers[0]["centroids"][...] = origin
        if kind == "prior":
            for center, begun in zip(centers, network.views(start), strict=True):
                for name in center.keys() & {"centroids", "inverse_radii"}:
                    center[name][...] = begun[name]

    def act(self, theta, gradient, rate, dispersion, n_batch, n_rows):
        """Change `theta` or `gradient`, in place, before the solver's step."""
        pull = np.subtract(theta, self.center)
        pull *= self.mask
        if self.kind == "decoupled":
            pull *= rate * self.alpha
            theta -= pull
        else:
            coupled = self.kind == "coupled"
            pull *= self.alpha / n_batch if coupled else self.alpha * dispersion / n_rows
            gradient += pull
