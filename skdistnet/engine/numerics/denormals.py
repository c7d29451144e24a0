"""Rounding of tiny numbers to zero, because arithmetic with denormal numbers is many times slower.

They arise from activations and gradients of units far from all rows, and from parameters and
averages of gradients that only decay, such as inverse radii of pixels that are never lit.
"""

from functools import partial

import numpy as np


def flush(array, single, double):
    """Round to zero, in place, numbers far below the bound of their precision."""
    small = single if array.dtype == np.float32 else double
    array += small
    array -= small


def negligible_activation(dtype):
    """Return an activation that `flush_activations` zeros, but whose square is not denormal."""
    return 2e-12 if dtype == np.float32 else 4e-77


#: Zeros activations whose square times a gradient would be denormal.
flush_activations = partial(flush, single=1e-4, double=1e-60)
#: Zeros gradients whose product with a parameter would be denormal.
flush_gradients = partial(flush, single=1e-8, double=1e-130)
#: Zeros averages that would be denormal after some steps of decay.
flush_averages = partial(flush, single=1e-28, double=1e-280)


def flush_parameters(parameters, averages, is_radius):
    """Zero, in place, parameters whose square would be denormal, and their entries in `averages`.

    Inverse radii (`is_radius`) become a tiny number instead: at zero their gradient would vanish,
    and they could not grow again when their input starts to vary.
    """
    least = 4e-12 if parameters.dtype == np.float32 else 1e-75
    faded = np.flatnonzero(np.abs(parameters) < least)
    parameters[faded] = np.copysign(least * is_radius[faded], parameters[faded])
    for array in averages:
        array[faded] = 0
