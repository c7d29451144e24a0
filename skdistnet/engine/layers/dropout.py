"""Dropout that preserves squared distances in the mean over masks.

A distance unit adds up ``r_k^2 (h_k - c_k)^2``. Without some of these terms every activation would
be larger than without dropout. So a dropped number is replaced by its mean over the batch, and the
deviations of the others from their means count for more. With the share q that is kept, a mask m of
0 or 1 / q, and ``x_k = m_k (h_k - mean_k)``, the sum is ::

    u = -1/2 sum_k r_k^2 (q x_k^2 - 2 c'_k x_k + c'_k^2),    c'_k = c_k - mean_k

whose mean over masks is the u of h; for q = 1 it is the distance between x and c'. A dot-product
layer takes ``mean_k + x_k``: inverted dropout (Srivastava et al., 2014, section 10) around the mean
instead of zero. Means are constants to the gradient. Where a mask makes u positive, the kernel gets
0, but the gradient passes, so that such a unit goes on learning. (The mean of exp(u) is not
preserved: it grows with the share that is dropped.)
"""

import numpy as np

from ..numerics.denormals import flush_activations

#: Numbers drawn for the dropout of an epoch, where batches are at most half of that.
POOL = 2**17
#: Number of distinct values drawn, two bytes each.
LEVELS = 2**16


def drop_centered(numbers, mask, out):
    """Write deviations of `numbers` from their columns' means, times `mask`; return the means."""
    mean = np.full(len(numbers), 1.0 / len(numbers), dtype=numbers.dtype) @ numbers
    flush_activations(mean)
    # Multiplication is six times as fast as assignment by a mask.
    np.subtract(numbers, mean, out=out)
    out *= mask
    return mean


class Dropout:
    """Masks, for :func:`drop_centered`, that keep the share `keep_prob` of all hidden outputs.

    They are slices, at random offsets, of one array that is drawn for each epoch: drawing for each
    batch would take a twentieth of the time of a small network.
    """

    def __init__(self, network, batch_size, n_rows):
        self.widths, self.dtype = network.sizes[1:-1], network.dtype
        widest = max(self.widths, default=0)
        # Not more than an epoch needs. If less, masks of several layers would overlap too much.
        self.size = min(n_rows * sum(self.widths), max(POOL, 2 * batch_size * widest))
        self.keep_prob = 1.0

    def refresh(self, share, rng):
        """Draw for an epoch in which `share` of the paths through the network is cut.

        Each of L hidden layers drops ``1 - (1 - share)**(1 / L)``, in steps of 1/65536: the output
        is disturbed equally at any depth.
        """
        keep_prob = (1.0 - share) ** (1.0 / max(1, len(self.widths)))
        threshold = min(LEVELS - 1, round(LEVELS * (1.0 - keep_prob))) if self.widths else 0
        self.keep_prob = 1.0 - threshold / LEVELS
        if threshold:
            drawn = np.frombuffer(rng.bytes(2 * self.size), dtype="<u2")
            self.pool = (drawn >= threshold).astype(self.dtype)
            self.pool /= self.keep_prob

    def draw(self, n_rows, rng):
        """Return a mask for the outputs of each hidden layer in a batch; none if all are kept."""
        if self.keep_prob == 1.0:
            return []
        starts = [rng.integers(self.size - n_rows * width + 1) for width in self.widths]
        return [
            self.pool[start : start + n_rows * width].reshape(n_rows, width)
            for start, width in zip(starts, self.widths)
        ]
