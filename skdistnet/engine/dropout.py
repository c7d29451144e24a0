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
constants to the gradient.
"""

import math

import numpy as np

from .subnormals import flush_activations

__all__ = ["Dropout", "thin"]

#: Numbers drawn for the dropout of an epoch, where batches are not larger than half of that.
POOL = 2**17


def thin(numbers, mask, out):
    """Write how far `numbers` are from their columns' means, times `mask`; return the means."""
    mean = np.full(len(numbers), 1.0 / len(numbers), dtype=numbers.dtype) @ numbers
    flush_activations(mean)
    # Arithmetic is six times as fast as assignment by a mask.
    np.subtract(numbers, mean, out=out)
    out *= mask
    return mean


class Pool:
    """Random numbers that masks of one share are cut from, at random places.

    They are drawn for each epoch: drawing them for each batch would add a twentieth to the time of
    a small network. The share is in steps of 1/256.
    """

    def __init__(self, share, widest, dtype, batch_size, n_rows):
        self.threshold, self.dtype = min(255, round(256 * share)), dtype
        self.kept = 1.0 - self.threshold / 256
        self.size = min(n_rows * widest, max(POOL, 2 * batch_size * widest))

    def refresh(self, rng):
        drawn = np.frombuffer(rng.bytes(self.size), dtype=np.uint8)
        self.numbers = (drawn >= self.threshold).astype(self.dtype)
        self.numbers /= self.kept

    def cut(self, shape, rng):
        start = rng.integers(self.size - math.prod(shape) + 1)
        return self.numbers[start : start + math.prod(shape)].reshape(shape)


class Dropout:
    """Which inputs of layers are dropped while training, as masks for :func:`thin`.

    Parameters
    ----------
    network : Network
    share : float
        Share of the ways through the network that are cut: each of L hidden layers drops
        ``1 - (1 - share)**(1 / L)`` of its outputs, so that what reaches the output layer is as
        much disturbed at any depth.
    input_share : float
        Share of the network's own inputs that are dropped.
    batch_size, n_rows : int
        Of an epoch.

    Attributes
    ----------
    kept : list of float
        Share of its inputs that each layer keeps; all of them are 1 where there is no dropout.
    """

    def __init__(self, network, share, input_share, batch_size, n_rows):
        self.widths = network.sizes[:-1]
        n_inputs, *hidden = self.widths
        hidden_share = 1.0 - (1.0 - share) ** (1.0 / max(1, len(hidden)))
        sources = [
            Pool(input_share, n_inputs, network.dtype, batch_size, n_rows),
            Pool(hidden_share, max(hidden, default=0), network.dtype, batch_size, n_rows),
        ]
        self.pools = [sources[0]] + [sources[1]] * len(hidden)
        self.kept = [pool.kept for pool in self.pools]
        self.active = [pool for pool in sources if pool in self.pools and pool.kept < 1.0]

    def refresh(self, rng):
        """Draw anew; an epoch begins."""
        for pool in self.active:
            pool.refresh(rng)

    def draw(self, n_rows, rng):
        """For each layer, the mask of its inputs for a batch, or None."""
        return [
            pool.cut((n_rows, width), rng) if pool in self.active else None
            for pool, width in zip(self.pools, self.widths)
        ]
