"""Relays: how the hidden layers of a deep net start, so that they hand on what they are given.

A distance layer with rows as centroids answers with how near a row is to others. Layer upon layer
that forgets which row it was: all answers of a layer share the row's distance from the centre of
the data, and the share that tells rows apart shrinks each time (docs/depth.md has the derivation).
A relay is a distance unit that starts by caring about one of its inputs alone, with its centroid to
the side of that input's values, where the kernel is steepest against them: within the spread of the
input it answers with nearly the input itself. So similarities, and gradients on the way back, keep
their size through any number of such layers, and training makes of each layer what it needs.
"""

import numpy as np

from ..layers import Distance

__all__ = ["near_identity_radii", "starts_near_identity"]

#: Number, from 0, of the first layer that may start so; those before it look at rows.
FIRST = 2
#: How much a unit starts to care about its other inputs all together. Radii have no gradient at
#: zero; the solver divides by the size of gradients, so small ones are as good as large ones.
REST = 0.03
#: Largest spread of an input, relative to how far beyond its mean the centroid lies.
REACH = 0.5


def starts_near_identity(layer, number, init, median_activation):
    """Whether layer `number` starts as relays: deep, wide enough, and free to choose its radii."""
    return (
        number >= FIRST
        and isinstance(layer, Distance)
        and layer.kernel is not None
        and layer.radius_type == "diag"
        and layer.n_units >= layer.n_inputs
        and median_activation is not None
        and not callable(init)
        and not (isinstance(init, str) and init == "uniform")
    )


def near_identity_radii(layer, centroids, mean, spread):
    """Inverse radii of relays; moves each unit's centroid along the input it hands on.

    With the kernel k, steepest t radii away from a centroid, a unit whose centroid lies t radii
    above the mean of its input answers there with the slope ``k'(u) t r`` where ``u = -t^2 / 2``.
    The inverse radius r makes that 1, or less where the input spreads so far that it would reach
    beyond the centroid. Units beyond the number of inputs hand them on once more, from the other
    side: falling where the first ones rise.

    Parameters
    ----------
    layer : Distance
    centroids : ndarray of shape (n_units, n_inputs)
        Changed in place.
    mean, spread : ndarray of shape (n_inputs,)
        Of the layer's own input; spreads are positive.

    Returns
    -------
    inverse_radii : ndarray of shape (n_units, n_inputs)
    """
    t = np.sqrt(-2.0 * layer.kernel.inverse(layer.kernel.steepest))
    steepness = np.full(1, t)
    layer.kernel.multiply_by_derivative(np.full(1, layer.kernel.steepest), steepness)
    r = np.minimum(1.0 / steepness, REACH * t / spread)
    units = np.arange(layer.n_units)
    own = units % layer.n_inputs
    side = np.where(units // layer.n_inputs % 2, -1.0, 1.0)
    inverse_radii = np.tile(REST / (np.sqrt(layer.n_inputs) * spread), (layer.n_units, 1))
    inverse_radii[units, own] = r[own]
    centroids[units, own] = mean[own] + side * t / r[own]
    return inverse_radii
