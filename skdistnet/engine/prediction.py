"""A trained network applied to rows in input units, a chunk at a time."""

import numpy as np

from .threads import blas_threads

__all__ = ["layer_output"]

#: Numbers in the largest buffer of a chunk: some megabytes, however many rows are asked for.
CHUNK = 1_000_000


def layer_output(network, theta, input_map, X, layer=-1):
    """Output of one layer, by default the raw output of the network.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    input_map : InputMap
    X : ndarray of shape (n_rows, n_inputs)
        In input units.
    layer : int, default=-1

    Returns
    -------
    output : ndarray of shape (n_rows, n_units)
    """
    result = np.empty((len(X), network.sizes[1:][layer]), dtype=network.dtype)
    chunk = min(len(X), max(1, CHUNK // max(network.sizes)))
    params = network.views(theta)
    work = None
    with blas_threads(network, chunk), np.errstate(over="ignore", under="ignore"):
        for start in range(0, len(X), max(chunk, 1)):
            rows = X[start : start + chunk]
            if work is None or len(work.X) != len(rows):
                work = network.workspace(len(rows))
                network.prepare(params, work)
            input_map.apply_bounded(rows, work.X)
            network.run_forward(params, work)
            result[start : start + len(rows)] = work.outputs[layer]
    return result
