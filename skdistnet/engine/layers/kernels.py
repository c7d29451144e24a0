"""Kernels of distance units, functions of ``u = -1/2 * squared distance``.

They are 1 at u = 0, the largest value that u takes, and work elementwise:

``value(u, out)``
    Write the kernel at `u` into `out`.
``multiply_by_derivative(value, gradient)``
    Multiply `gradient` in place by d value / du, which is a function of `value`.
``inverse(value)``
    Return the u at which the kernel is `value`, a number in (0, 1); for the initial radii.
``steepest``
    The value where the kernel falls most steeply with distance, its point of inflection.

To add a kernel, write such a class and list it in `KERNELS`.
"""

import math
from typing import Any

import numpy as np


class Gaussian:
    """exp(u), the unit of Kurbiel & Khaleghian, arXiv:1708.01911."""

    steepest = math.exp(-0.5)

    def value(self, u, out):
        # Denormal results would take thirteen times as long to compute.
        lowest = -80.0 if u.dtype == np.float32 else -700.0
        # The minimum is NaN if rows overflow; the other rows must be limited all the same.
        if not u.min() >= lowest:
            u = np.maximum(u, lowest, out=out)
        np.exp(u, out=out)

    def multiply_by_derivative(self, value, gradient):
        gradient *= value

    def inverse(self, value):
        return math.log(value)


class Cauchy:
    """1 / (1 - 2 u), that is 1 / (1 + squared distance): not negligible far from the centroid."""

    steepest = 0.75

    def value(self, u, out):
        np.multiply(u, -2.0, out=out)
        out += 1.0
        np.reciprocal(out, out=out)

    def multiply_by_derivative(self, value, gradient):
        gradient *= value
        gradient *= value
        gradient *= 2.0

    def inverse(self, value):
        return 0.5 * (1.0 - 1.0 / value)


KERNELS: dict[str, Any] = {"cauchy": Cauchy(), "gaussian": Gaussian()}
