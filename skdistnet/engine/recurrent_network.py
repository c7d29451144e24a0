"""A network for sequences: a recurrent distance layer and an affine readout."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .layers.missing import fill_missing
from .layers.readout import Readout
from .layers.recurrent import Recurrent
from .numerics import memory
from .numerics.threads import blas_threads
from .parameters import LayeredParameters

#: Sequences predicted at once, and numbers in each of their buffers, at most.
CHUNK_SEQUENCES, CHUNK = 200, 4_000_000


@dataclass(slots=True)
class SequenceWorkspace:
    """Buffers of all passes over a batch of sequences."""

    layers: list[Any]
    #: 1 / number of steps of each sequence, for means over steps, where these are; else None.
    step_weights: np.ndarray | None
    #: The raw output and its gradient, each the last entry, (n_sequences, ...).
    outputs: list[np.ndarray]
    d_outputs: list[np.ndarray]


class RecurrentNetwork(LayeredParameters):
    """A recurrent distance layer (layers/recurrent.py) and an affine readout of its states.

    The raw output is (n_sequences, n_outputs). It is read from the last state, the mean state and
    the mean input of a sequence. With `by_step` there is one for each step, read from its state and
    its input, and the raw output is (n_sequences, n_steps * n_outputs).

    Sequences X are (n_sequences, n_steps, n_inputs). Missing values are NaN; a step without any
    observed value is skipped: the states stay as they are, and means leave it out.

    Parameters
    ----------
    sizes : sequence of three ints
        Number of inputs, of units and of outputs.
    activation : {"gaussian", "cauchy"}, default="gaussian"
        The kernel.
    radius_type : {"diag", "spherical", "tied"}, default="diag"
        Of the radii of inputs, and of those of states; see `Network`.
    dtype : dtype, default=numpy.float64
        Of parameters and all computation.
    by_step : bool, default=False
        Whether there is an output for each step.
    trains_leaks : bool, default=True
        Whether leaking rates are trained.
    """

    linear_part = False

    def __init__(
        self,
        sizes,
        activation="gaussian",
        radius_type="diag",
        dtype=np.float64,
        by_step=False,
        trains_leaks=True,
    ):
        self.sizes, self.activations = tuple(map(int, sizes)), (activation,)
        self.by_step = by_step
        n_inputs, n_units, n_outputs = self.sizes
        n_features = n_inputs + (1 if by_step else 2) * n_units
        recurrent = Recurrent(n_inputs, n_units, activation, radius_type, trains_leaks)
        super().__init__([recurrent, Readout(n_features, n_outputs)], dtype)

    # Passes ---------------------------------------------------------------------------------------

    def workspace(self, n_sequences, n_steps):
        """Return buffers for batches of `n_sequences` with `n_steps` each."""
        n_rows = n_sequences * (n_steps if self.by_step else 1)
        recurrent, readout = self.layers
        readout_work = readout.workspace(n_rows, self.dtype)
        layers = [recurrent.workspace(n_steps, n_sequences, self.dtype), readout_work]
        shape = n_sequences, n_rows // n_sequences * self.sizes[-1]
        outputs, d_outputs = ([memory.empty(shape, self.dtype)] for _ in range(2))
        return SequenceWorkspace(layers, None, outputs, d_outputs)

    def load(self, X, work):
        """Write sequences (n_sequences, n_steps, n_inputs) in network units into a workspace."""
        recurrent = work.layers[0]
        recurrent.X[...] = X.transpose(1, 0, 2)
        recurrent.is_step = recurrent.inputs.observed = work.step_weights = None
        if not np.isnan(X).any():
            return
        is_step = ~np.isnan(recurrent.X).all(axis=2)
        recurrent.inputs.observed = fill_missing(recurrent.inputs.X)
        if not is_step.all():
            recurrent.is_step = is_step.astype(self.dtype)
            work.step_weights = recurrent.is_step / np.maximum(recurrent.is_step.sum(axis=0), 1)

    def prepare(self, params, work):
        """Prepare `work` for passes with `params`, which :meth:`views` returns."""
        self.layers[0].prepare(params[0], work.layers[0])

    def run_forward(self, params, work, masks=()):
        """Pass the sequences forward, after :meth:`prepare`; return the raw output."""
        recurrent, readout = self.layers
        states, buffers = work.layers
        recurrent.forward(params[0], states)
        self.write_features(work)
        readout.forward(params[1], buffers)
        raw = self._ordered_by_step(work.outputs[-1])
        raw[...] = buffers.out.reshape(raw.shape)
        return work.outputs[-1]

    def write_features(self, work):
        """Write what the readout reads, before it is standardised."""
        states, buffers = work.layers
        n_units, H = self.sizes[1], states.H[1:]
        features = buffers.features
        if self.by_step:
            features[:, :n_units] = H.reshape(-1, n_units)
            features[:, n_units:] = states.inputs.X
            return
        features[:, :n_units] = H[-1]
        for start, steps in ((n_units, H), (2 * n_units, states.X)):
            mean = features[:, start : start + steps.shape[2]]
            if work.step_weights is None:
                steps.mean(axis=0, out=mean)
            else:
                np.einsum("ts,tsu->su", work.step_weights, steps, out=mean)

    def run_backward(self, params, work, grads, masks=()):
        """Write the gradients of all parameters from that of the raw output."""
        recurrent, readout = self.layers
        states, buffers = work.layers
        n_units = self.sizes[1]
        d_raw = self._ordered_by_step(work.d_outputs[-1])
        buffers.d_out.reshape(d_raw.shape)[...] = d_raw
        readout.backward(params[1], buffers, grads[1])
        d_features = buffers.d_features
        if self.by_step:
            states.d_H[...] = d_features[:, :n_units].reshape(states.d_H.shape)
        else:
            d_mean = d_features[:, n_units : 2 * n_units]
            if work.step_weights is None:
                states.d_H[...] = d_mean / len(states.d_H)
            else:
                np.multiply(work.step_weights[:, :, np.newaxis], d_mean, out=states.d_H)
            states.d_H[-1] += d_features[:, :n_units]
        recurrent.backward(params[0], states, grads[0])

    def _ordered_by_step(self, raw):
        """Return a view (n_outputs of a sequence, n_sequences, n_outputs) of the raw output."""
        return raw.reshape(len(raw), -1, self.sizes[-1]).transpose(1, 0, 2)

    # Data -----------------------------------------------------------------------------------------

    def passes(self, theta, X, input_map=None):
        """Yield slices of sequences and a workspace after their pass.

        Without a map, X is in network units.
        """
        params, work = self.views(theta), None
        widest = X.shape[1] * max(self.sizes)
        size = max(1, min(CHUNK_SEQUENCES, CHUNK // widest))
        with blas_threads(self, size):
            for part in memory.slices(len(X), size):
                with np.errstate(over="ignore", invalid="ignore", under="ignore"):
                    mapped = X[part]
                    if input_map is not None:
                        mapped = np.empty(mapped.shape, self.dtype)
                        input_map.apply(X[part], mapped)
                        input_map.bound(mapped)
                    if work is None or len(mapped) != len(work.outputs[-1]):
                        work = self.workspace(*mapped.shape[:2])
                        self.prepare(params, work)
                    self.load(mapped, work)
                    self.run_forward(params, work)
                yield part, work

    def raw_output(self, theta, input_map, X):
        """Return the raw output for sequences X in input units."""
        n_rows = X.shape[1] if self.by_step else 1
        raw = np.empty((len(X), n_rows * self.sizes[-1]), self.dtype)
        for part, work in self.passes(theta, X, input_map):
            raw[part] = finite(work.outputs[-1])
        return raw

    def states(self, theta, input_map, X):
        """Return the states after each step, (n_sequences, n_steps, n_units)."""
        states = np.empty((*X.shape[:2], self.sizes[1]), self.dtype)
        for part, work in self.passes(theta, X, input_map):
            states[part] = finite(work.layers[0].H[1:].transpose(1, 0, 2))
        return states


def finite(values):
    """Return finite values with finite differences, which diverged parameters may not give."""
    limit = float(np.finfo(values.dtype).max) / 4
    return np.clip(np.nan_to_num(values), -limit, limit)
