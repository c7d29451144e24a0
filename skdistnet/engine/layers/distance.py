"""The distance layer."""

import math
from dataclasses import dataclass

import numpy as np

from ..numerics import memory
from ..numerics.denormals import flush_activations, flush_slopes
from . import missing
from .distances import RADIUS_TYPES, from_differences
from .dropout import thin
from .kernels import KERNELS

__all__ = ["Distance"]


@dataclass(frozen=True)
class Distance:
    """Units that answer a kernel of their distance to the input; without a kernel, -1/2 distance^2.

    Parameters: `centroids` (n_units, n_inputs) and `inverse_radii`, whose shape depends on
    `radius_type` and broadcasts to that of the centroids. Only their squares matter.
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
        n_centroids = self.n_units * self.n_inputs
        return {
            "centroids": block[:n_centroids].reshape(self.n_units, self.n_inputs),
            "inverse_radii": block[n_centroids:].reshape(self.radii_shape),
        }

    def workspace(self, n_rows, dtype, kept=1.0):
        work = self.radii.workspace(n_rows, self.n_units, self.n_inputs, dtype)
        work.whole, work.kept = work.X, kept
        if kept < 1.0:
            work.whole = memory.empty(work.X.shape, dtype)
            work.centroids = memory.empty((self.n_units, self.n_inputs), dtype)
        work.presence = None
        work.u = None if self.kernel is None else memory.empty((n_rows, self.n_units), dtype)
        return work

    def places(self, params, work):
        """Centroids as the rows see them: from the mean of these, where dropout takes them."""
        return params["centroids"] if work.kept == 1.0 else work.centroids

    def prepare(self, params, work):
        if work.kept == 1.0:
            self.radii.prepare(params["centroids"], params["inverse_radii"], work)

    def drop(self, params, work, mask):
        mean = thin(work.whole, mask, out=work.X)
        np.subtract(params["centroids"], mean, out=work.centroids)
        self.radii.prepare(work.centroids, params["inverse_radii"], work)

    def forward(self, params, work, out):
        centroids, inverse_radii = self.places(params, work), params["inverse_radii"]
        measure = missing if work.presence is not None else self.radii
        if self.kernel is None:
            measure.forward(centroids, inverse_radii, work, out)
        else:
            measure.forward(centroids, inverse_radii, work, work.u)
            if work.kept < 1.0:
                np.minimum(work.u, 0, out=work.u)
            self.kernel.value(work.u, out)
            flush_activations(out)

    def answer(self, params, x):
        u = from_differences(params["centroids"], params["inverse_radii"], x)
        if math.isnan(u[0]):  # which a missing number makes of all distances
            u = missing.from_present(params["centroids"], params["inverse_radii"], x)
        if self.kernel is not None:
            self.kernel.value(u.copy(), u)
            flush_activations(u)
        return u

    def backward(self, params, work, out, d_out, grads):
        if self.kernel is not None:
            self.kernel.multiply_by_derivative(out, d_out)
        flush_slopes(d_out)
        measure = missing if work.presence is not None else self.radii
        measure.backward(
            self.places(params, work),
            params["inverse_radii"],
            work,
            d_out,
            grads["centroids"],
            grads["inverse_radii"],
        )

    def input_gradient(self, params, work, d_out, d_input):
        centroids, inverse_radii = self.places(params, work), params["inverse_radii"]
        self.radii.input_gradient(centroids, inverse_radii, work, d_out, d_input)
