"""Relevance of each input to a network, computed from its parameters alone."""

import numpy as np

from .input_scaling import spread_around
from .layers import Distance


def distance_shares(network, theta, input_map=None):
    """Return each input's share in the squared distances of first-layer units, (n_units, n_inputs).

    Distances are to the layer's own centroids, which stand for the data: except with init="uniform"
    they start among rows, and move little along inputs that hardly vary. With an `input_map`, the
    shares (n_units, n_columns) are those of the columns of X.
    """
    layer, views = network.layers[0], network.views(theta)[0]
    if not isinstance(layer, Distance):
        raise ValueError(f"Relevances need a distance layer as the first layer; got {layer}.")
    centroids = views["centroids"].astype(np.float64)
    squares = views["inverse_radii"].astype(np.float64) ** 2
    terms = squares * spread_around(centroids)
    shares = terms if input_map is None else input_map.column_terms(centroids, squares)
    totals = shares.sum(axis=1, keepdims=True)
    return np.where(totals > 0, shares / np.where(totals > 0, totals, 1.0), 1.0 / shares.shape[1])


def unit_variances(network, theta):
    """Return the variance of each first-layer unit's activation over that layer's centroids."""
    activations = network.forward(theta, network.views(theta)[0]["centroids"])[0]
    return activations.astype(np.float64).var(axis=0)


def input_relevances(network, theta, input_map=None):
    """Return the relevance (n_inputs,) of each input to the first layer, a distance layer.

    With ``s_jk = r_jk^2 mean_i (c_ik - c_jk)^2``, the average contribution of input k to the
    squared distance of unit j from all centroids i, and v_j the variance of the unit's activation
    over them::

        relevance_k = sum_j v_j s_jk / sum_l s_jl,    divided by its sum over k

    Whatever its unit of measurement, an input counts by its share of distances in the units that
    distinguish centroids. Where no two centroids differ, all inputs count equally. With an
    `input_map`, relevances (n_columns,) are those of the columns of X.
    """
    shares = distance_shares(network, theta, input_map)
    relevances = unit_variances(network, theta) @ shares
    total = relevances.sum()
    return relevances / total if total > 0 else np.full(len(relevances), 1.0 / len(relevances))
