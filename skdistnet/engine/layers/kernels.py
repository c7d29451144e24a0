"""Radial profiles: what a distance unit answers, as a function of its squared distance.

Every profile is a function of ``u = -1/2 * squared distance``, so ``u <= 0`` always, and takes its
largest value, 1, at ``u = 0``. A kernel has three methods, all elementwise:

``value(u, out)``
    Write the profile at `u` into `out`.
``multiply_by_derivative(value, gradient)``
    Multiply `gradient` in place by the derivative of the profile with respect to `u`. The
    derivative is written in terms of the profile's own value, which the forward pass has kept.
``inverse(value)``
    The `u` at which the profile takes `value`, a number in (0, 1). It serves the start of the
    radii: see :mod:`skdistnet.engine.initializers`.

and a number

``steepest``
    The value where the profile falls most steeply with distance, at its point of inflection.

To add a kernel, write such a class and list it in `KERNELS`.
"""

import math
from typing import Any

import numpy as np

__all__ = ["KERNELS"]


class Gaussian:
    """exp(u), the unit of Kurbiel & Khaleghian, arXiv:1708.01911."""

    steepest = math.exp(-0.5)

    @staticmethod
    def value(u, out):
        # Where answers would be subnormal numbers, they take thirteen times as long to compute.
        lowest = -80.0 if u.dtype == np.float32 else -700.0
        # The minimum is NaN if rows overflow, and other rows must still be limited.
        if not u.min() >= lowest:
            u = np.maximum(u, lowest, out=out)
        np.exp(u, out=out)

    @staticmethod
    def multiply_by_derivative(value, gradient):
        gradient *= value

    @staticmethod
    def inverse(value):
        return math.log(value)


class Cauchy:
    """1 / (1 - 2 u), that is 1 / (1 + squared distance): alive far from the centroid."""

    steepest = 0.75

    @staticmethod
    def value(u, out):
        np.multiply(u, -2.0, out=out)
        out += 1.0
        np.reciprocal(out, out=out)

    @staticmethod
    def multiply_by_derivative(value, gradient):
        gradient *= value
        gradient *= value
        gradient *= 2.0

    @staticmethod
    def inverse(value):
        return 0.5 * (1.0 - 1.0 / value)


KERNELS: dict[str, Any] = {"cauchy": Cauchy, "gaussian": Gaussian}
