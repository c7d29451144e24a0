"""Sequences as inputs of a recurrent network, whole or cut into windows, and their batches."""

import numpy as np

from ..losses import is_counted
from ..numerics import memory
from .batches import Batches

#: Few steps are passed several times in an epoch, until it has this number of batches of windows,
#: but at most this number of times. The states from which windows continue are those at its start.
USUAL_BATCHES, MOST_PASSES = 20, 8


class BatchedSequences:
    """Sequences as training takes them: batches of inputs, of targets and of weights.

    Gradients flow back over `truncation` steps (Williams & Peng, 1990), None for all. With an
    output for each step, windows of this length are drawn from longer sequences, which overlap if
    they are few, in batches of at most `window_batch`. A window continues from the state that a
    pass over all steps has reached there at the beginning of the epoch.
    """

    input_shares = None

    def __init__(
        self,
        network,
        input_map,
        rows,
        batch_size,
        mean_weight=None,
        truncation=None,
        window_batch=None,
    ):
        self.network, self.target, self.batch_size = network, rows.target, batch_size
        self.origin = input_map.origin
        self.X = memory.empty(rows.X.shape, network.dtype)
        input_map.apply(rows.X, self.X)
        weights, n_rows = rows.weights, len(rows)
        #: Number of steps passed at once, and the windows of this length, if there are any.
        self.n_steps, self.windows, self.truncation = rows.X.shape[1], None, truncation
        if network.by_step and truncation is not None and truncation < self.n_steps:
            self.n_steps, self.truncation = truncation, None
            self.batch_size = batch_size = window_batch or batch_size
            counted = is_counted(self.target, network.sizes[-1])
            self.windows = Windows(self.X, counted, truncation, batch_size)
            weights, n_rows = self.windows.weights(weights), len(self.windows)
        self.batches = Batches(weights, n_rows, batch_size, mean_weight)

    def __len__(self):
        return len(self.target)

    def workspace(self, n_rows, keep_prob=1.0):
        """Return buffers of the network for batches of `n_rows`."""
        work = self.network.workspace(n_rows, self.n_steps)
        work.layers[0].truncation = self.truncation
        return work

    def epoch(self, theta, rng):
        """Return the batches of an epoch that begins with the parameters `theta`."""
        if self.windows is not None:
            self.windows.draw(self.network, theta, rng)
        return list(self.batches.epoch(rng))

    def load(self, rows, work):
        """Write sequences, or windows, into a workspace; return their target."""
        if self.windows is None:
            self.network.load(self.X[rows], work)
            return self.target[rows]
        windows, states = self.windows, work.layers[0]
        sequences, steps = windows.steps(rows)
        self.network.load(self.X[sequences, steps], work)
        states.continued = np.flatnonzero(windows.starts[rows])
        states.first_states = windows.first_states[rows][states.continued]
        target = self.target.reshape(*self.X.shape[:2], -1)[sequences, steps]
        return target.reshape(len(target), -1)


class Windows:
    """Windows of equal length, drawn anew for each epoch, and the states before them.

    `counted` is a mask (n_sequences, n_steps) of the steps with a target. A window ends at such a
    step, unless it is the first of its sequence, and so is never without a target.
    """

    def __init__(self, X, counted, length, batch_size):
        self.X, self.length = X, length
        is_end = counted[:, length - 1 :].copy()
        is_end[:, 0] |= counted[:, : length - 1].any(axis=1)
        #: First steps of possible windows, sequence by sequence, and their numbers.
        self.possible_starts, self.n_possible = is_end.nonzero()[1], is_end.sum(axis=1)
        blocks = np.logical_or.reduceat(counted, np.arange(0, X.shape[1], length), axis=1)
        counts = blocks.sum(axis=1)
        n_passes = -(-USUAL_BATCHES * batch_size // counts.sum())
        self.counts = counts * min(max(1, n_passes), MOST_PASSES)
        self.sequences = np.repeat(np.arange(len(X)), self.counts)

    def __len__(self):
        return len(self.sequences)

    def weights(self, weights):
        """Return the weight of each window from those of sequences, None if all are equal."""
        if weights is None and (self.counts == self.counts[0]).all():
            return None
        return ((1.0 if weights is None else weights) / self.counts)[self.sequences]

    def draw(self, network, theta, rng):
        """Draw where windows start, evenly in each sequence, and find the states there."""
        first = np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        share = (np.arange(len(self)) - first + rng.random(len(self))) / self.counts[self.sequences]
        drawn = (share * self.n_possible[self.sequences]).astype(np.intp)
        before = np.cumsum(self.n_possible) - self.n_possible
        self.starts = self.possible_starts[before[self.sequences] + drawn]
        self.first_states = np.empty((len(self), network.sizes[1]), network.dtype)
        for part, work in network.passes(theta, self.X):
            inside = np.flatnonzero((self.sequences >= part.start) & (self.sequences < part.stop))
            rows = self.starts[inside], self.sequences[inside] - part.start
            self.first_states[inside] = work.layers[0].H[rows]

    def steps(self, rows):
        """Return indices of the sequences (n_rows, 1) and of the steps of windows."""
        steps = self.starts[rows][:, np.newaxis] + np.arange(self.length)
        return self.sequences[rows][:, np.newaxis], steps
