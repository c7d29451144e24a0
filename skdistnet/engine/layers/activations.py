"""Activations of dot-product layers, under scikit-learn's names."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit


@dataclass(frozen=True)
class Activation:
    """An elementwise function and its derivative; to add one, list it in `ACTIVATIONS`.

    ``value(z)`` works in place. ``multiply_by_derivative(value, gradient)`` multiplies `gradient`
    in place by the derivative, a function of the activation's `value`. `gain` scales the bounds of
    the uniform initial weights (Glorot & Bengio, 2010).
    """

    value: Callable
    multiply_by_derivative: Callable
    gain: float = 6.0


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(lambda z: None, lambda value, gradient: None),
    "logistic": Activation(
        lambda z: expit(z, out=z),
        lambda value, gradient: np.multiply(gradient, value * (1.0 - value), out=gradient),
        gain=2.0,
    ),
    "relu": Activation(
        lambda z: np.maximum(z, 0, out=z),
        lambda value, gradient: np.multiply(gradient, value > 0, out=gradient),
    ),
    "tanh": Activation(
        lambda z: np.tanh(z, out=z),
        lambda value, gradient: np.multiply(gradient, 1.0 - value * value, out=gradient),
    ),
}
