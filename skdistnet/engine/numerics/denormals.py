"""Keeping subnormal numbers out: arithmetic with them is many times slower than with others.

They come from units that fall silent, whose activations and gradients fade away, and from averages
of gradients that have become zero, which decay for ever, as do parameters that nothing but a decay
acts on, such as inverse radii of pixels that are never lit.
"""

import numpy as np

__all__ = ["flush_activations", "flush_averages", "flush_slopes", "settle"]


def flush(array, small):
    """Round to zero, in place, what lies far below `small`; the rest stays, to its last bits."""
    array += small
    array -= small


def flush_activations(array):
    """Set to zero what is so small that its square times a slope would be subnormal.

    The error of all else is a last bit of 1e-4, that is 1e-11, in single and of 1e-60 in double
    precision: activations reach up to 1.
    """
    flush(array, 1e-4 if array.dtype == np.float32 else 1e-60)


def flush_slopes(array):
    """Set to zero slopes that are so small that their product with a parameter would be subnormal.

    The error of all else is a last bit of 1e-8 in single and of 1e-130 in double precision.
    """
    flush(array, 1e-8 if array.dtype == np.float32 else 1e-130)


def flush_averages(array):
    """Set to zero what some steps of decay would make subnormal."""
    flush(array, 1e-28 if array.dtype == np.float32 else 1e-280)


def settle(parameters, averages, radii):
    """Let no parameter fade until its square, or a product with that, is subnormal.

    What has faded goes to zero, but inverse radii stay just above: at zero they would have no
    gradient any more, and could not come back when their input begins to tell something. Without
    its averages such a parameter would be moved on by next to nothing. The others are left as they
    are.

    Parameters
    ----------
    parameters : ndarray of shape (n_parameters,)
    averages : list of ndarray of shape (n_parameters,)
        The solver's.
    radii : ndarray of bool of shape (n_parameters,)
        Which parameters are inverse radii.
    """
    least = 4e-12 if parameters.dtype == np.float32 else 1e-75
    faded = np.flatnonzero(np.abs(parameters) < least)
    parameters[faded] = np.copysign(least * radii[faded], parameters[faded])
    for array in averages:
        array[faded] = 0
