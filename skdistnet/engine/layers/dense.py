"""The dot-product layer."""

from dataclasses import dataclass

import numpy as np

from ..numerics import memory
from ..numerics.blas import multiply
from ..numerics.denormals import flush_gradients
from .activations import ACTIVATIONS
from .dropout import drop_centered
from .expansion import Expansion, weights_with_functions


@dataclass(slots=True)
class DenseWorkspace:
    """Buffers of a dot-product layer for a batch."""

    X: np.ndarray
    input: np.ndarray
    observed: None = None  # dot products need every value


@dataclass(frozen=True)
class Dense:
    """Dot-product units: activation(X @ coefs + intercepts)."""

    n_inputs: int
    n_units: int
    activation: str = "relu"

    parameter_names = ("coefs", "intercepts")
    decayed_names = ("coefs",)

    @property
    def n_parameters(self):
        return (self.n_inputs + 1) * self.n_units

    def views(self, block):
        coefs = block[self.n_units :].reshape(self.n_inputs, self.n_units)
        return {"coefs": coefs, "intercepts": block[: self.n_units]}

    def workspace(self, n_rows, dtype, keep_prob=1.0):
        X = memory.empty((n_rows, self.n_inputs), dtype)
        return DenseWorkspace(X, X if keep_prob == 1.0 else memory.empty(X.shape, dtype))

    def prepare(self, params, work):
        """Do nothing: the parameters are used as they are."""

    def drop(self, params, work, mask):
        work.X += drop_centered(work.input, mask, out=work.X)

    def forward(self, params, work, out):
        out[...] = params["intercepts"]
        multiply(work.X, params["coefs"], out, keep=1.0)
        ACTIVATIONS[self.activation].value(out)

    def backward(self, params, work, out, d_out, grads):
        ACTIVATIONS[self.activation].multiply_by_derivative(out, d_out)
        flush_gradients(d_out)
        multiply(work.X, d_out, grads["coefs"], transpose_a=True)
        d_out.sum(axis=0, out=grads["intercepts"])

    def input_gradient(self, params, work, d_out, d_input):
        multiply(d_out, params["coefs"], d_input, transpose_b=True)

    def expand(self, params, functions):
        linear, constant = weights_with_functions(self.n_units, functions)
        linear[: self.n_units] = params["coefs"].T
        constant[: self.n_units, 0] = params["intercepts"]
        return Expansion(linear, constant)

    def write_incomplete(self, params, expansion, rows, observed, u):
        expansion.write(rows.T, None, u)  # missing values count as zero

    def activate(self, u, out):
        ACTIVATIONS[self.activation].value(u)
        return u

    def forward_row(self, params, x, shares=None):
        if shares is not None:  # only then may values be missing
            x = np.where(np.isnan(x), 0.0, x)
        out = x @ params["coefs"] + params["intercepts"]
        ACTIVATIONS[self.activation].value(out)
        return out
