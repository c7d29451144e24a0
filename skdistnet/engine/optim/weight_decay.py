"""Weight decay: penalties that pull parameters towards a centre during training."""

import numpy as np

PENALTIES = ("coupled", "decoupled", "prior")


class WeightDecay:
    """Pulls all parameters but intercepts towards a centre.

    With p the distance of a parameter from its centre, in a step on a batch of m of N rows::

        decoupled   theta    -= rate alpha p            not normalised by the solver
        coupled     gradient += alpha / m p             as in the reference implementation
        prior       gradient += alpha dispersion / N p

    The centre is zero, with two exceptions. "coupled" pulls the centroids of the first layer to
    `origin` (n_inputs,). "prior" pulls distance layers to `initial_theta` (n_parameters,).

    "prior" is a Gaussian prior around the centre, for errors of unknown scale. Its pull is the
    gradient of the posterior multiplied by the mean loss, so it is weak where the data can be
    fitted without error. With the scale at its most likely value, minus the log-likelihood is, up
    to constants, N/2 log(mean squared error) for normal errors, N log(mean absolute error) for
    Laplace errors, N log(mean pinball loss) for asymmetric Laplace errors and, as an extended
    quasi-likelihood, N/2 log(mean deviance) for overdispersed counts. But a single outlier raises
    the mean of a loss of bounded slope without limit, though not its gradient. Such losses estimate
    their `dispersion` from the median; it equals the loss for errors of their own distribution.
    """

    def __init__(self, network, penalty, alpha, n_rows, origin, initial_theta):
        self.penalty, self.alpha, self.n_rows = penalty, alpha, n_rows
        self.mask = network.decay_mask()
        self.center = np.zeros_like(self.mask)
        centers = network.views(self.center)
        if penalty == "coupled" and "centroids" in centers[0]:
            centers[0]["centroids"][...] = origin
        if penalty == "prior":
            for center, initial in zip(centers, network.views(initial_theta), strict=True):
                for name in center.keys() & {"centroids", "inverse_radii"}:
                    center[name][...] = initial[name]

    def apply(self, theta, gradient, rate, dispersion, n_batch):
        """Change `theta` or `gradient` in place, before the solver's step."""
        pull = np.subtract(theta, self.center)
        pull *= self.mask
        if self.penalty == "decoupled":
            pull *= rate * self.alpha
            theta -= pull
        else:
            coupled = self.penalty == "coupled"
            pull *= self.alpha / n_batch if coupled else self.alpha * dispersion / self.n_rows
            gradient += pull
