"""The dot-product layer."""

from dataclasses import dataclass
from types import SimpleNamespace

from ..numerics import memory
from ..numerics.blas import multiply
from ..numerics.denormals import flush_slopes
from .activations import ACTIVATIONS
from .dropout import thin

__all__ = ["Dense"]


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
        return {
            "coefs": block[self.n_units :].reshape(self.n_inputs, self.n_units),
            "intercepts": block[: self.n_units],
        }

    def workspace(self, n_rows, dtype, kept=1.0):
        X = memory.empty((n_rows, self.n_inputs), dtype)
        return SimpleNamespace(X=X, whole=X if kept == 1.0 else memory.empty(X.shape, dtype))

    def drop(self, params, work, mask):
        work.X += thin(work.whole, mask, out=work.X)

    def prepare(self, params, work):
        """Nothing: the parameters are used as they are."""

    def forward(self, params, work, out):
        out[...] = params["intercepts"]
        multiply(work.X, params["coefs"], out, keep=1.0)
        ACTIVATIONS[self.activation].value(out)

    def answer(self, params, x):
        out = x @ params["coefs"] + params["intercepts"]
        ACTIVATIONS[self.activation].value(out)
        return out

    def backward(self, params, work, out, d_out, grads):
        ACTIVATIONS[self.activation].multiply_by_derivative(out, d_out)
        flush_slopes(d_out)
        multiply(work.X, d_out, grads["coefs"], transpose_a=True)
        d_out.sum(axis=0, out=grads["intercepts"])

    def input_gradient(self, params, work, d_out, d_input):
        multiply(d_out, params["coefs"], d_input, transpose_b=True)
