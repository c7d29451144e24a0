"""What keeps a network from learning noise: decay and dropout."""

import numpy as np

__all__ = ["DECAYS", "Decay", "Dropout"]

#: Numbers drawn for the dropout of an epoch, where batches are not larger than half of that.
POOL = 2**17

DECAYS = ("coupled", "decoupled", "prior")


class Decay:
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


class Dropout:
    """Which outputs of hidden layers are kept while training, as arrays of zeros and ones.

    They are cut, at random places, from one array that is drawn for each epoch: drawing them for
    each batch would add a twentieth to the time of a small network.

    Parameters
    ----------
    network : Network
    share : float
        Share of the ways through the network that are cut: each of L hidden layers drops
        ``1 - (1 - share)**(1 / L)``, in steps of 1/256, so that what reaches the output is as much
        disturbed at any depth.
    batch_size, n_rows : int
        Of an epoch.
    """

    def __init__(self, network, share, batch_size, n_rows):
        self.widths, self.dtype = network.sizes[1:-1], network.dtype
        kept = (1.0 - share) ** (1.0 / max(1, len(self.widths)))
        self.threshold = round(256 * (1.0 - kept))
        widest = max(self.widths, default=0)
        self.size = min(n_rows * widest, max(POOL, 2 * batch_size * widest))

    def refresh(self, rng):
        """Draw anew; an epoch begins."""
        drawn = np.frombuffer(rng.bytes(self.size), dtype=np.uint8)
        self.pool = (drawn >= self.threshold).astype(self.dtype)

    def draw(self, n_rows, rng):
        """For each hidden layer, what is kept of the outputs for a batch."""
        starts = [rng.integers(self.size - n_rows * width + 1) for width in self.widths]
        return [
            self.pool[start : start + n_rows * width].reshape(n_rows, width)
            for start, width in zip(starts, self.widths)
        ]
