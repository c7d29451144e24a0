"""Near-identity initialisation of deep distance layers (dynamical isometry).

With rows as centroids, activations measure how near a row is to other rows. Over many such layers
rows become indistinguishable: all activations of a layer share the row's distance from the centre
of the data, and the part that distinguishes rows shrinks with each layer (see docs/depth.md).

A near-identity unit depends almost only on one of its inputs. Its centroid lies to the side of the
input's values, where the kernel is steepest, so that within the spread of the input the activation
is nearly the input plus a constant. Similarities between rows, and gradients on the way back, keep
their size through any number of such layers, and training starts from there.
"""

import numpy as np

from ..layers import Distance

#: Number, counted from 0, of the first layer that may start near the identity.
FIRST = 2
#: Weight of all other inputs of a unit together. Radii have no gradient at zero; small ones learn
#: as fast as large ones, because the solver divides gradients by their size.
OTHER_INPUTS = 0.03
#: Largest spread of an input, relative to the distance of the centroid from its mean.
REACH = 0.5


def starts_near_identity(layer, number, init, median_activation):
    """Return whether layer `number` is deep and wide enough, with radii that are free to choose."""
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
    """Return the inverse radii of near-identity units; move their `centroids` in place.

    With the kernel k, steepest t radii away from a centroid, a unit whose centroid lies t radii
    above the `mean` of its input has the slope ``k'(u) t r`` there, where ``u = -t^2 / 2``. The
    inverse radius r makes that 1, or less where the positive `spread` of the input would reach
    beyond the centroid. Units beyond the number of inputs repeat the inputs from the other side.
    """
    t = np.sqrt(-2.0 * layer.kernel.inverse(layer.kernel.steepest))
    steepness = np.full(1, t)
    layer.kernel.multiply_by_derivative(np.full(1, layer.kernel.steepest), steepness)
    r = np.minimum(1.0 / steepness, REACH * t / spread)
    units = np.arange(layer.n_units)
    own = units % layer.n_inputs
    side = np.where(units // layer.n_inputs % 2, -1.0, 1.0)
    inverse_radii = np.tile(OTHER_INPUTS / (np.sqrt(layer.n_inputs) * spread), (layer.n_units, 1))
    inverse_radii[units, own] = r[own]
    centroids[units, own] = mean[own] + side * t / r[own]
    return inverse_radii
