"""What keeps a network from learning noise: decay and dropout."""

import numpy as np

__all__ = ["DECAYS", "Decay", "draw_dropped"]

DECAYS = ("coupled", "decoupled", "prior")


class Decay:
    """Pulls parameters, but no intercepts, towards a centre; changes theta or its gradient.

    With p the parameter's distance from the centre, for each step over a batch of m of N rows::

        decoupled   theta    -= rate alpha p            outside of the solver's normalisation
        coupled     gradient += alpha / m p             as in the reference
        prior       gradient += alpha loss / N p

    The last is the gradient of the posterior, times the loss, of parameters with a Gaussian prior
    around the centre, for errors whose variance is unknown and stands as the loss itself: what can
    be learned without error is hardly held back, and what cannot, is.

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

    def act(self, theta, gradient, rate, loss, n_batch, n_rows):
        """Change `theta` or `gradient`, in place, before the solver's step."""
        pull = np.subtract(theta, self.center)
        pull *= self.mask
        if self.kind == "decoupled":
            pull *= rate * self.alpha
            theta -= pull
        else:
            pull *= self.alpha / n_batch if self.kind == "coupled" else self.alpha * loss / n_rows
            gradient += pull


def draw_dropped(network, n_rows, share, rng):
    """For each hidden layer, which outputs are dropped: a `share` in steps of 1/256."""
    threshold = round(256 * share)
    shapes = [(n_rows, n_units) for n_units in network.sizes[1:-1]]
    # Bytes, because a number in floating point for each output takes ten times as long to draw.
    drawn = (np.frombuffer(rng.bytes(rows * units), dtype=np.uint8) for rows, units in shapes)
    return [(values < threshold).reshape(shape) for values, shape in zip(drawn, shapes)]
