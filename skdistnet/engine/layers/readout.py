"""The affine output layer of recurrent networks, on features made of states and inputs."""

from dataclasses import dataclass

import numpy as np

from ..numerics import memory
from ..numerics.blas import multiply
from ..numerics.denormals import flush_gradients


@dataclass(slots=True)
class ReadoutWorkspace:
    """Buffers for a batch: (n_rows, n_features), and the outputs (n_rows, n_units)."""

    features: np.ndarray
    d_features: np.ndarray
    out: np.ndarray
    d_out: np.ndarray


@dataclass(frozen=True)
class Readout:
    """An affine function of standardised features.

    Parameters are `coefs` (n_features, n_units) and `intercepts` (n_units,). The features' `shift`
    and `scale` (n_features,), which the start of training sets, are stored with them but not
    trained: states vary less than one, and by less than a hundredth if their leaking rate is small.
    """

    n_inputs: int
    n_units: int

    parameter_names = ("coefs", "intercepts", "shift", "scale")
    decayed_names = ("coefs",)

    @property
    def n_parameters(self):
        return (self.n_inputs + 1) * self.n_units + 2 * self.n_inputs

    def views(self, block):
        start, end = self.n_units, self.n_units * (self.n_inputs + 1)
        return {
            "coefs": block[start:end].reshape(self.n_inputs, self.n_units),
            "intercepts": block[:start],
            "shift": block[end : end + self.n_inputs],
            "scale": block[end + self.n_inputs :],
        }

    def workspace(self, n_rows, dtype):
        shapes = (n_rows, self.n_inputs), (n_rows, self.n_units)
        return ReadoutWorkspace(*(memory.empty(shape, dtype) for shape in shapes for _ in range(2)))

    def forward(self, params, work):
        """Write the output for `work.features`, which are standardised in place."""
        work.features -= params["shift"]
        work.features /= params["scale"]
        work.out[...] = params["intercepts"]
        multiply(work.features, params["coefs"], work.out, keep=1.0)

    def backward(self, params, work, grads):
        """Write the gradients of parameters and features, given that of the output."""
        flush_gradients(work.d_out)
        multiply(work.features, work.d_out, grads["coefs"], transpose_a=True)
        work.d_out.sum(axis=0, out=grads["intercepts"])
        grads["shift"][...] = grads["scale"][...] = 0
        multiply(work.d_out, params["coefs"], work.d_features, transpose_b=True)
        work.d_features /= params["scale"]
