"""A trained network applied to rows in input units, a chunk at a time."""

import numpy as np

from .threads import blas_threads

__all__ = ["layer_output"]

#: Numbers in the largest buffer of a chunk: larger chunks leave the cache, smaller split products.
CHUNK = 600_000
#: So few rows are answered one by one: weights and buffers for products pay with more.
FEW = 3


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
    layer %= len(network.layers)
    result = np.empty((len(X), network.layers[layer].n_units), dtype=network.dtype)
    if len(X) <= FEW:
        chunk = 1
        buffer, answer = answer_one_by_one(network, theta, layer)
    else:
        largest = max(1, CHUNK // max(network.sizes))
        # Chunks of equal size but for the last, which may be some rows shorter.
        chunk = -(-len(X) // -(-len(X) // largest))
        buffer, answer = answer_by_products(network, theta, layer, chunk)
    # Overflow shows in the output, where it is dealt with.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for start in range(0, len(X), chunk):
            rows, out = X[start : start + chunk], result[start : start + chunk]
            mapped = buffer[: len(rows)]
            input_map.apply(rows, mapped)
            out[...] = answer()[: len(rows)]
            if not np.isfinite(out).all():
                # Some rows are too far off to square: they are answered from nearer.
                input_map.bound(mapped)
                out[...] = answer()[: len(rows)]
    return result


def answer_by_products(network, theta, layer, n_rows):
    """A buffer for `n_rows` and a function that answers what it holds.

    What a shorter chunk leaves there of the one before is answered again, for nothing.
    """
    params, work = network.views(theta), network.workspace(n_rows)
    network.prepare(params, work)

    def answer():
        with blas_threads(network, n_rows):
            network.run_forward(params, work)
        return work.outputs[layer]

    return work.X, answer


def answer_one_by_one(network, theta, layer):
    """The same for a single row."""
    params, buffer = network.views(theta), np.empty((1, network.sizes[0]), network.dtype)

    def answer():
        x = buffer[0]
        for number in range(layer + 1):
            x = network.layers[number].answer(params[number], x)
        return x[np.newaxis]

    return buffer, answer
