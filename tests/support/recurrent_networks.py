"""Small recurrent layers and networks with all their inputs, for the tests of the engine."""

import numpy as np
import pytest

from skdistnet.engine.layers.distances import RADIUS_TYPES, from_differences
from skdistnet.engine.layers.kernels import KERNELS
from skdistnet.engine.layers.missing import from_observed
from skdistnet.engine.layers.recurrent import Recurrent
from skdistnet.engine.recurrent_network import RecurrentNetwork

N_STEPS, N_SEQUENCES, N_INPUTS, N_UNITS, N_OUTPUTS = 6, 4, 3, 4, 2
both_outputs = pytest.mark.parametrize("by_step", [False, True], ids=["sequence", "step"])
every_kernel = pytest.mark.parametrize("kernel", KERNELS)
every_radius_type = pytest.mark.parametrize("radius_type", RADIUS_TYPES)


def draw_sequences(kind="complete", seed=0, n_steps=N_STEPS, dtype=np.float64):
    """Return sequences (n_sequences, n_steps, n_inputs), with values missing as `kind` says."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_SEQUENCES, n_steps, N_INPUTS))
    if kind in ("features missing", "both missing"):
        X[rng.random(X.shape) < 0.3] = np.nan
        X[:, 0, 0] = 0.5
    if kind in ("steps missing", "both missing"):
        X[1, -2:] = X[2, 1:3] = X[3, 0] = np.nan
    return X.astype(dtype)


MISSING = ["complete", "features missing", "steps missing", "both missing"]
every_kind_of_missing = pytest.mark.parametrize("missing", MISSING)


def draw_parameters(module, seed=1, dtype=np.float64):
    """Return a vector of parameters in which no unit is far from all data, and none is zero."""
    rng = np.random.default_rng(seed)
    theta = 0.4 * rng.normal(size=module.n_parameters)
    views = module.views(theta)
    for each in views if isinstance(views, list) else [views]:
        if "scale" in each:
            each["scale"][...] = rng.uniform(0.5, 2.0, each["scale"].shape)
    return theta.astype(dtype)


def make_network(kernel="gaussian", radius_type="diag", by_step=False, dtype=np.float64, **options):
    sizes = N_INPUTS, N_UNITS, N_OUTPUTS
    return RecurrentNetwork(sizes, kernel, radius_type, dtype, by_step, **options)


def run(network, theta, X, d_raw=None, prepare=None):
    """Return the raw output, or given `d_raw` the gradient by all parameters.

    `prepare(work)` changes the workspace of the recurrent layer before the passes.
    """
    work, params = network.workspace(*X.shape[:2]), network.views(theta)
    network.load(X, work)
    if prepare is not None:
        prepare(work.layers[0])
    network.prepare(params, work)
    raw = network.run_forward(params, work)
    if d_raw is None:
        return raw.copy()
    gradient = np.full_like(theta, np.nan)
    work.d_outputs[-1][...] = d_raw
    network.run_backward(params, work, network.views(gradient))
    return gradient


def exponent(centroids, inverse_radii, x):
    """Return the kernel's argument for one row, over what is observed of it."""
    centroids = centroids.copy()
    measure = from_observed if np.isnan(x).any() else from_differences
    return measure(centroids, inverse_radii, x)


def step_naively(params, kernel, x, h):
    """Return the states after a step, unit by unit as in the definition."""
    if np.isnan(x).all():
        return h
    u = exponent(params["centroids"], params["inverse_radii"], x)
    u = u + exponent(params["state_centroids"], params["state_inverse_radii"], h)
    rates = 1 / (1 + np.exp(-params["leak_logits"]))
    value = np.exp(u) if kernel == "gaussian" else 1 / (1 - 2 * u)
    return (1 - rates) * h + rates * value


def states_naively(params, kernel, sequence, first=None):
    """Return the states after each step of one sequence."""
    h = params["initial_state"] if first is None else first
    states = []
    for x in sequence:
        h = step_naively(params, kernel, x, h)
        states.append(h)
    return np.array(states)


def output_naively(network, theta, sequence):
    """Return the raw output for one sequence, and the states."""
    params, readout = network.views(theta)
    states = states_naively(params, network.activations[0], sequence)
    is_step = ~np.isnan(sequence).all(axis=1)
    x = np.nan_to_num(sequence)
    features = np.hstack([states, x])
    if not network.by_step:
        means = states[is_step].mean(axis=0), x[is_step].mean(axis=0)
        features = np.concatenate([states[-1], *means])[np.newaxis]
    features = (features - readout["shift"]) / readout["scale"]
    return (features @ readout["coefs"] + readout["intercepts"]).ravel(), states


def make_layer(kernel="gaussian", radius_type="diag", **options):
    return Recurrent(N_INPUTS, N_UNITS, kernel, radius_type, **options)
