"""How much each input counts in a network, told from its parameters alone."""

import numpy as np

from .layers import Distance

__all__ = ["distance_shares", "input_relevances", "unit_variances"]


def distance_shares(network, theta):
    """Share of each input in the squared distances of each unit of the first layer.

    They are distances to the layer's centroids, which stand for the data: they start on rows, or in
    the midst of them, and move little where nothing varies. (Those of the start "uniform" do not:
    a constant input may have a share then.) Where no two of them differ, all inputs
    have the same share.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)

    Returns
    -------
    shares : ndarray of shape (n_units, n_inputs)
        In float64; each row sums to 1.

    Raises
    ------
    ValueError
        Where the first layer is a dot-product layer.
    """
    layer, views = network.layers[0], network.views(theta)[0]
    if not isinstance(layer, Distance):
        raise ValueError(f"Relevances come from a distance layer that is first; got {layer}.")
    centroids = views["centroids"].astype(np.float64)
    # The mean over i in closed form: the square of the way to the mean, and the variance around it.
    spread = (centroids - centroids.mean(axis=0)) ** 2 + centroids.var(axis=0)
    shares = views["inverse_radii"].astype(np.float64) ** 2 * spread
    totals = shares.sum(axis=1, keepdims=True)
    return np.where(totals > 0, shares / np.where(totals > 0, totals, 1.0), 1.0 / layer.n_inputs)


def unit_variances(network, theta):
    """Variance, (n_units,), of what each unit of the first layer answers to all its centroids."""
    answers = network.forward(theta, network.views(theta)[0]["centroids"])[0]
    return answers.astype(np.float64).var(axis=0)


def input_relevances(network, theta):
    """Relevance of each input to the first layer, a distance layer, in shares that sum to 1.

    With ``s_jk = r_jk^2 mean_i (c_ik - c_jk)^2``, what input k adds on average to the squared
    distance of unit j from all centroids i, and v_j the variance of what the unit answers to them::

        relevance_k = sum_j v_j s_jk / sum_l s_jl,    divided by its sum over k

    So an input counts in the units that can tell places apart, by its share of their distances. No
    unit of measurement is left in it. Where no two centroids differ, all inputs count alike.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)

    Returns
    -------
    relevances : ndarray of shape (n_inputs,)
        In float64.

    Raises
    ------
    ValueError
        Where the first layer is a dot-product layer.
    """
    shares = distance_shares(network, theta)
    relevances = unit_variances(network, theta) @ shares
    total = relevances.sum()
    return relevances / total if total > 0 else np.full(len(relevances), 1.0 / len(relevances))
