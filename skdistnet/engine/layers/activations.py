"""Activations of dot-product layers, under scikit-learn's names.

``value(z)`` is applied in place; ``multiply_by_derivative(value, gradient)`` multiplies `gradient` in
place by the derivative, written in terms of the activation's own value. `gain` widens the uniform
start of the weights in front of the activation, as in Glorot & Bengio (2010).

To add an activation, write such a class and list it in `ACTIVATIONS`.
"""

from typing import Any

import numpy as np
from scipy.special import expit

__all__ = ["ACTIVATIONS"]


class Identity:
    """The weighted sum itself."""

    gain = 6.0

    @staticmethod
    def value(z):
        pass

    @staticmethod
    def multiply_by_derivative(value, gradient):
        pass


class Relu:
    """max(z, 0)."""

    gain = 6.0

    @staticmethod
    def value(z):
        np.maximum(z, 0, out=z)

    @staticmethod
    def multiply_by_derivative(value, gradient):
        gradient *= value > 0


class Tanh:
    """The hyperbolic tangent."""

    gain = 6.0

    @staticmethod
    def value(z):
        np.tanh(z, out=z)

    @staticmethod
    def multiply_by_derivative(value, gradient):
        gradient *= 1.0 - value * value


class Logistic:
    """1 / (1 + exp(-z))."""

    gain = 2.0

    @staticmethod
    def value(z):
        expit(z, out=z)

    @staticmethod
    def multiply_by_derivative(value, gradient):
        gradient *= value * (1.0 - value)


ACTIVATIONS: dict[str, Any] = {
    "identity": Identity,
    "logistic": Logistic,
    "relu": Relu,
    "tanh": Tanh,
}
