"""Dropout that leaves squared distances, in the mean over what is dropped, as they are.

A unit of a distance layer adds up terms, ``r_k^2 (h_k - c_k)^2``. Without some of them every
distance would be shorter, and every answer larger than it is once all are there. So a dropped
number is taken for its mean over the batch, and the terms that are kept are moved away from those
of the mean, ``r_k^2 (mean_k - c_k)^2``, by so much more. With the share q that is kept, a mask m of
0 or 1 / q, and ``x_k = m_k (h_k - mean_k)``, that sum is ::

    u = -1/2 sum_k r_k^2 (q x_k^2 - 2 c'_k x_k + c'_k^2),    c'_k = c_k - mean_k

whose mean over masks is the u of h: a network learns with dropout what it uses without. For q = 1
it is the distance between x and c'. A dot-product layer takes ``mean_k + x_k``, which is the
inverted dropout of Srivastava et al. (2014, section 10) but for its point of rest. Means are
constants to the gradient. A sum that a mask makes positive counts as 0, with the slope there: what
is cut off is a constant, too, so that such a unit goes on learning.

That holds for u and not for what a unit answers, exp(u), whose mean is larger the more is dropped.
So what is learned with much dropout to the end is not quite what is used. With the schedule
"learning_rate" the share that is dropped falls as the rate does: where training comes to rest there
is hardly any left, as in the annealed dropout of Rennie et al. (2014).
"""

import numpy as np

from ..numerics.denormals import flush_activations

__all__ = ["DROPOUT_SCHEDULES", "Dropout", "thin"]

#: What the share that is dropped follows over a training.
DROPOUT_SCHEDULES = ("constant", "learning_rate")

#: Numbers drawn for the dropout of an epoch, where batches are not larger than half of that.
POOL = 2**17
#: How many different numbers are drawn: two bytes each.
LEVELS = 2**16


def thin(numbers, mask, out):
    """Write how far `numbers` are from their columns' means, times `mask`; return the means."""
    mean = np.full(len(numbers), 1.0 / len(numbers), dtype=numbers.dtype) @ numbers
    flush_activations(mean)
    # Arithmetic is six times as fast as assignment by a mask.
    np.subtract(numbers, mean, out=out)
    out *= mask
    return mean


class Dropout:
    """Which outputs of hidden layers are dropped while training, as masks for :func:`thin`.

    They are cut, at random places, from one array that is drawn for each epoch: drawing them for
    each batch would add a twentieth to the time of a small network.

    Parameters
    ----------
    network : Network
    batch_size, n_rows : int
        Of an epoch.

    Attributes
    ----------
    kept : float
        Share of the outputs of each hidden layer that is kept in this epoch.
    """

    def __init__(self, network, batch_size, n_rows):
        self.widths, self.dtype = network.sizes[1:-1], network.dtype
        widest = max(self.widths, default=0)
        # No more than an epoch needs; of less, all layers would be dealt the same numbers.
        self.size = min(n_rows * sum(self.widths), max(POOL, 2 * batch_size * widest))
        self.kept = 1.0

    def refresh(self, share, rng):
        """Draw anew; an epoch begins in which `share` of the ways through the network is cut.

        Each of L hidden layers drops ``1 - (1 - share)**(1 / L)``, in steps of 1/65536, so that
        what reaches the output is as much disturbed at any depth.
        """
        kept = (1.0 - share) ** (1.0 / max(1, len(self.widths)))
        threshold = min(LEVELS - 1, round(LEVELS * (1.0 - kept))) if self.widths else 0
        self.kept = 1.0 - threshold / LEVELS
        if threshold:
            drawn = np.frombuffer(rng.bytes(2 * self.size), dtype="<u2")
            self.pool = (drawn >= threshold).astype(self.dtype)
            self.pool /= self.kept

    def draw(self, n_rows, rng):
        """For each hidden layer, the mask of its outputs for a batch; none if all are kept."""
        if self.kept == 1.0:
            return []
        starts = [rng.integers(self.size - n_rows * width + 1) for width in self.widths]
        return [
            self.pool[start : start + n_rows * width].reshape(n_rows, width)
            for start, width in zip(starts, self.widths)
        ]
