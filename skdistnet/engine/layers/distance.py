"""The distance layer."""

import math
from dataclasses import dataclass

import numpy as np

from ..numerics import memory
from ..numerics.denormals import flush_activations, flush_gradients, negligible_activation
from . import missing
from .distances import RADIUS_TYPES, from_differences
from .dropout import drop_centered
from .kernels import KERNELS


@dataclass(frozen=True)
class Distance:
    """Units that compute a kernel of their distance to the input; without one, -1/2 distance^2.

    Parameters are `centroids` (n_units, n_inputs) and `inverse_radii`, whose shape depends on
    `radius_type` and broadcasts to that of the centroids. Only the squares of these matter.
    """

    n_inputs: int
    n_units: int
    activation: str | None = "gaussian"
    radius_type: str = "diag"

    parameter_names = ("centroids", "inverse_radii")
    decayed_names = ("centroids", "inverse_radii")

    @property
    def kernel(self):
        return None if self.activation is None else KERNELS[self.activation]

    @property
    def radii(self):
        return RADIUS_TYPES[self.radius_type]

    @property
    def radii_shape(self):
        return self.radii.radii_shape(self.n_units, self.n_inputs)

    @property
    def n_parameters(self):
        return self.n_units * self.n_inputs + math.prod(self.radii_shape)

    def views(self, block):
        end = self.n_units * self.n_inputs
        centroids = block[:end].reshape(self.n_units, self.n_inputs)
        return {"centroids": centroids, "inverse_radii": block[end:].reshape(self.radii_shape)}

    def workspace(self, n_rows, dtype, keep_prob=1.0):
        work = self.radii.workspace(n_rows, self.n_units, self.n_inputs, dtype)
        work.input, work.keep_prob = work.X, keep_prob
        if keep_prob < 1.0:
            work.input = memory.empty(work.X.shape, dtype)
            work.centroids = memory.empty((self.n_units, self.n_inputs), dtype)
        if self.kernel is not None:
            work.exponent = memory.empty((n_rows, self.n_units), dtype)
        return work

    def prepare(self, params, work):
        if work.keep_prob == 1.0:
            work.centroids = params["centroids"]
            self.radii.prepare(work.centroids, params["inverse_radii"], work)

    def drop(self, params, work, mask):
        mean = drop_centered(work.input, mask, out=work.X)
        np.subtract(params["centroids"], mean, out=work.centroids)
        self.radii.prepare(work.centroids, params["inverse_radii"], work)

    def _measure(self, work):
        return self.radii if work.observed is None else missing

    def forward(self, params, work, out):
        u = out if self.kernel is None else work.exponent
        self._measure(work).forward(work.centroids, params["inverse_radii"], work, u)
        if self.kernel is not None:
            if work.keep_prob < 1.0:
                np.minimum(u, 0, out=u)
            self.kernel.value(u, out)
            flush_activations(out)

    def backward(self, params, work, out, d_out, grads):
        if self.kernel is not None:
            self.kernel.multiply_by_derivative(out, d_out)
        flush_gradients(d_out)
        grads = grads["centroids"], grads["inverse_radii"]
        self._measure(work).backward(work.centroids, params["inverse_radii"], work, d_out, *grads)

    def input_gradient(self, params, work, d_out, d_input):
        radii = params["inverse_radii"]
        self.radii.input_gradient(work.centroids, radii, work, d_out, d_input)

    def expand(self, params, functions):
        return self.radii.expand(params["centroids"], params["inverse_radii"], functions)

    def write_incomplete(self, params, expansion, rows, observed, u):
        own, functions = u[: self.n_units], u[self.n_units :]
        missing.write_columns(params["centroids"], params["inverse_radii"], rows, observed, own)
        np.matmul(expansion.linear[self.n_units :], rows.T, out=functions)

    def activate(self, u, out):
        if self.kernel is None:
            return u.clip(-np.inf, 0.0, out=u)
        # Limited, so that no square of an activation is denormal, in the pass that clamps at zero.
        u.clip(self.kernel.inverse(negligible_activation(u.dtype)), 0.0, out=u)
        self.kernel.value(u, out)
        return out

    def forward_row(self, params, x, shares=None):
        u = from_differences(params["centroids"], params["inverse_radii"], x)
        if math.isnan(u[0]):  # a missing value makes every distance NaN
            u = missing.from_observed(params["centroids"], params["inverse_radii"], x, shares)
        if self.kernel is not None:
            self.kernel.value(u.copy(), u)
            flush_activations(u)
        return u
