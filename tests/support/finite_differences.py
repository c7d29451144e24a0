"""Numerical gradients for the tests of the engine."""

import numpy as np


def central_differences(function, x, step=1e-5):
    """Return the gradient at the array `x` of a scalar function."""
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        values = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[index] += sign * step
            values.append(function(moved))
        gradient[index] = (values[0] - values[1]) / (2.0 * step)
    return gradient
