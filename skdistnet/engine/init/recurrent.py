"""The start of a recurrent network, from which gradients pass over hundreds of steps.

Leaking rates are spread evenly on a logarithmic scale, from 1 to one over the number of steps: with
all at 1, states forget everything within some steps, whatever the gradients do. Units have
centroids at steps of the data and radii for a given median activation of the input part alone, as
those of other distance layers. What differs is how they read the states:

"integrator"
    They hardly do: the state is a leaky mean of the activations.
"identity"
    Unit j reads its own state, near a fixed point at which it repeats it: with m the state, the
    kernel's argument at m is the one at which the kernel falls most steeply with distance, and the
    inverse radius is such that the derivative of the activation by the state is 1. For the Gaussian
    with the mean input activation g this is ``m = g exp(-1/2)``, inverse radius ``1 / m`` and
    centroid ``2 m``.
"mixed"
    Every second unit is of the one kind, the others of the other.

All other radii of states are small, but not zero, where their gradients would vanish.
"""

import numpy as np

from ..layers import Distance
from ..numerics import memory
from ..numerics.statistics import weighted_moments
from .initializers import draw_centroids, initial_radii, separate_duplicates

STATE_INITIALIZERS = ("identity", "integrator", "mixed")
#: Inverse radii of the states that a unit hardly reads; states lie within [0, 1].
SMALL_INVERSE_RADIUS = 0.1
#: Mean activations of the inputs of units that read their own state: from the first to the second,
#: at least. With smaller ones the derivative by the state is often far from 1, and below -1 where
#: states are large, so that gradients explode. Narrow units see more of the input, wide ones
#: remember better among noise.
LEAST_MEANS = 0.6, 0.95
#: Features of the readout that vary less than this are not scaled.
SMALLEST_SPREAD = 1e-6
#: With an output for each step, features are not scaled up to more than this spread of states would
#: be: states of small leaking rates hardly vary at the start, and soon by many times as much.
LEAST_STATE_SPREAD = 0.3
#: Distances, in inverse radii, among which the steepest point of a kernel is found.
DISTANCES = np.linspace(0.01, 20.0, 2000)


def initialize_recurrent(network, steps, weights, *, init, median_activation, rates, rng):
    """Return the initial parameters of a network; see :func:`set_readout` for its readout.

    `steps` (n_rows, n_inputs) is a sample of steps in network units, whose `weights` sum to 1;
    `rates` (n_units,) are the leaking rates.
    """
    theta = memory.empty(network.n_parameters, network.dtype)
    theta[...] = 0
    network.views(theta)[1]["scale"][...] = 1
    recurrent = network.layers[0]
    views = network.views(theta)[0]
    n_units = recurrent.n_units
    centroids = draw_centroids("sample", steps, n_units, rng, weights, None)
    centroids = np.array(centroids, dtype=steps.dtype)
    separate_duplicates(centroids, steps, weights, rng)
    layer = Distance(recurrent.n_inputs, n_units, recurrent.activation, recurrent.radius_type)
    radii = initial_radii(layer, steps, centroids, weights, median_activation, rng)
    views["centroids"][...], views["inverse_radii"][...] = centroids, radii
    views["leak_logits"][...] = np.log(rates) - np.log1p(-rates)
    kernel, u = recurrent.kernel, input_exponents(recurrent, views, steps)
    typical = mean_activations(kernel, u, weights)
    reads_itself = np.zeros(n_units, dtype=bool)
    if recurrent.radius_type == "diag":  # otherwise radii of states are shared
        reads_itself[{"identity": slice(None), "mixed": slice(None, None, 2)}.get(init, [])] = True
    if reads_itself.any():
        widening = widening_factors(kernel, u[:, reads_itself], weights)
        views["inverse_radii"][reads_itself] *= widening[:, np.newaxis]
        typical[reads_itself] = mean_activations(kernel, u[:, reads_itself] * widening**2, weights)
    start = typical.copy()
    views["state_inverse_radii"][...] = SMALL_INVERSE_RADIUS
    for j in np.flatnonzero(reads_itself):
        start[j], centroid, radius = fixed_point(kernel, kernel.inverse(float(typical[j])))
        views["state_inverse_radii"][j, j] = radius
        views["state_centroids"][j, j] = centroid
    views["state_centroids"][...] = np.where(np.diag(reads_itself), views["state_centroids"], start)
    views["initial_state"][...] = start
    return theta


def input_exponents(recurrent, views, steps):
    """Return the part of the inputs in the kernel's argument, (n_rows, n_units)."""
    layer = recurrent.of_inputs
    work = layer.workspace(len(steps), steps.dtype)
    work.X[...] = steps
    u = np.empty((len(steps), recurrent.n_units), steps.dtype)
    layer.prepare(views, work)
    layer.forward(views, work, u)
    return u


def mean_activations(kernel, u, weights):
    """Return the mean of each column's kernel."""
    values = np.empty_like(u)
    kernel.value(u.copy(), values)
    return weights.astype(values.dtype) @ values


def widening_factors(kernel, u, weights):
    """Return factors of inverse radii, at most 1, with which mean activations reach minima."""
    least = np.linspace(*LEAST_MEANS, u.shape[1])
    low, high = np.zeros(u.shape[1], u.dtype), np.ones(u.shape[1], u.dtype)
    for _ in range(20):
        middle = (low + high) / 2
        is_wide = mean_activations(kernel, u * middle**2, weights) >= least
        low, high = np.where(is_wide, middle, low), np.where(is_wide, high, middle)
    return low


def fixed_point(kernel, exponent):
    """Return a state that a unit repeats, its centroid and its inverse radius there.

    `exponent` is the part of the inputs in the kernel's argument.
    """
    u = exponent - 0.5 * DISTANCES**2
    value, slope = np.empty_like(u), DISTANCES.copy()
    kernel.value(u, value)
    kernel.multiply_by_derivative(value, slope)
    best = np.argmax(slope)
    radius = 1.0 / slope[best]
    return value[best], value[best] + DISTANCES[best] / radius, radius


def set_readout(network, theta, input_map, X, weights, intercepts, rng):
    """Standardise the readout's features over sequences X, in input units; draw its coefficients.

    The features are those of states at the start. `weights` of the sequences sum to 1.
    """
    readout, views = network.layers[1], network.views(theta)[1]
    features, masses = [], []
    for part, work in network.passes(theta, X, input_map):
        features.append(work.layers[1].features.copy())
        is_step = work.layers[0].is_step
        mass = np.ones((len(features[-1]) // len(weights[part]), 1)) * weights[part]
        if network.by_step and is_step is not None:
            mass *= is_step
        masses.append(mass.ravel())
    mass = np.concatenate(masses)
    shift, scale, _ = weighted_moments(np.concatenate(features), mass / mass.sum())
    views["shift"][...] = shift
    least = LEAST_STATE_SPREAD if network.by_step else 0.0
    views["scale"][...] = np.where(scale > SMALLEST_SPREAD, np.maximum(scale, least), 1.0)
    # The bounds of Glorot & Bengio (2010), as for other affine outputs.
    bound = np.sqrt(2.0 / (readout.n_inputs + readout.n_units))
    views["coefs"][...] = rng.uniform(-bound, bound, views["coefs"].shape)
    views["intercepts"][...] = intercepts
