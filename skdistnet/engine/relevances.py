"""Relevance of each input to a network, computed from its parameters alone."""

import numpy as np

from .layers import Distance


def distance_shares(network, theta, components=None):
    """Return each input's share in the squared distances of first-layer units, (n_units, n_inputs).

    Distances are to the layer's own centroids, which stand for the data: except with init="uniform"
    they start among rows, and move little along inputs that hardly vary. If columns are projected
    by `components`, the inputs are the columns.
    """
    layer, views = network.layers[0], network.views(theta)[0]
    if not isinstance(layer, Distance):
        raise ValueError(f"Relevances need a distance layer as the first layer; got {layer}.")
    centroids = views["centroids"].astype(np.float64)
    squares = views["inverse_radii"].astype(np.float64) ** 2
    if components is not None:
        components = components.astype(np.float64)
        squares = np.broadcast_to(squares, centroids.shape) @ components.T**2
        centroids = centroids @ components.T
    # The mean over i in closed form: squared distance to the mean, plus the variance around it.
    spread = (centroids - centroids.mean(axis=0)) ** 2 + centroids.var(axis=0)
    shares = squares * spread
    totals = shares.sum(axis=1, keepdims=True)
    return np.where(totals > 0, shares / np.where(totals > 0, totals, 1.0), 1.0 / shares.shape[1])


def unit_variances(network, theta):
    """Return the variance of each first-layer unit's activation over that layer's centroids."""
    activations = network.forward(theta, network.views(theta)[0]["centroids"])[0]
    return activations.astype(np.float64).var(axis=0)


def input_relevances(network, theta, components=None):
    """Return the relevance (n_inputs,) of each input to the first layer, a distance layer.

    With ``s_jk = r_jk^2 mean_i (c_ik - c_jk)^2``, the average contribution of input k to the
    squared distance of unit j from all centroids i, and v_j the variance of the unit's activation
    over them::

        relevance_k = sum_j v_j s_jk / sum_l s_jl,    divided by its sum over k

    Whatever its unit of measurement, an input counts by its share of distances in the units that
    distinguish centroids. Where no two centroids differ, all inputs count equally. If columns are
    projected by `components`, relevances (n_columns,) are those of the columns.
    """
    shares = distance_shares(network, theta, components)
    relevances = unit_variances(network, theta) @ shares
    total = relevances.sum()
    return relevances / total if total > 0 else np.full(len(relevances), 1.0 / len(relevances))
