"""A trained network applied to rows in input units, a chunk at a time."""

import numpy as np

from .layers.missing import fill_missing
from .numerics.statistics import has_missing
from .numerics.threads import blas_threads

__all__ = ["layer_output", "layer_outputs"]

#: Numbers in the largest buffer of a chunk: larger chunks leave the cache, smaller split products.
CHUNK = 600_000
#: So few rows are answered one by one: weights and buffers for products pay with more.
FEW = 3


def layer_output(network, theta, input_map, X, layer=-1):
    """Output (n_rows, n_units) of one layer, by default the raw output: see `layer_outputs`."""
    return layer_outputs(network, theta, input_map, X, [layer])[0]


def layer_outputs(network, theta, input_map, X, layers):
    """Outputs of some layers, by one pass of the rows through the network.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    input_map : InputMap
    X : ndarray or sparse matrix of shape (n_rows, n_inputs)
        In input units; NaN for what is missing, if the first layer measures distances.
    layers : sequence of int
        Which ones, -1 being the last.

    Returns
    -------
    outputs : list of ndarray of shape (n_rows, n_units)
    """
    layers = [layer % len(network.layers) for layer in layers]
    n_rows = X.shape[0]
    results = [
        np.empty((n_rows, network.layers[layer].n_units), dtype=network.dtype) for layer in layers
    ]
    # Overflow shows in the output, where it is dealt with: what is returned has finite differences.
    limit = float(np.finfo(network.dtype).max) / 4
    by_itself = answer_one_by_one(network, theta, layers, input_map)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        far = range(n_rows)
        if n_rows > FEW:
            incomplete = input_map.ignores_columns or has_missing(X)
            write_by_products(network, theta, layers, input_map, X, incomplete, results)
            far = [] if all_within(results, limit) else rows_beyond(results, limit)
        # One by one, so that the prediction for a row does not depend on the others.
        for row in far:
            rows, outs = X[row : row + 1], [result[row : row + 1] for result in results]
            write(by_itself(rows), outs)
            if not all_within(outs, limit):
                # Too far off to square: a nearer row takes its place.
                write(by_itself(rows, bounded=True), outs)
                for out in outs:
                    # What is left was far off after training.
                    np.clip(np.nan_to_num(out, copy=False), -limit, limit, out=out)
    return results


def all_within(outs, limit):
    """Whether all outputs are numbers, not NaN, up to the limit."""
    return all(np.abs(out).max(initial=0.0) <= limit for out in outs)


def rows_beyond(outs, limit):
    """Return the rows that have NaN or outputs beyond the limit."""
    return np.flatnonzero(~np.all([(np.abs(out) <= limit).all(axis=1) for out in outs], axis=0))


def write(answers, outs):
    """Write what each layer answers where it belongs."""
    for given, out in zip(answers, outs):
        out[...] = given


def write_by_products(network, theta, layers, input_map, X, incomplete, results):
    """Write the outputs of some layers for many rows.

    Chunks have equal sizes except for the last. If that is shorter, the buffers still hold rows of
    the chunk before, whose outputs are computed again and not used.
    """
    n_rows = X.shape[0]
    chunk = -(-n_rows // -(-n_rows // max(1, CHUNK // max(network.sizes))))
    params, shifts = centered(network, theta)
    work = network.workspace(chunk)
    network.prepare(params, work)
    for start in range(0, n_rows, chunk):
        rows = X[start : start + chunk]
        input_map.apply(rows, work.X[: rows.shape[0]])
        if incomplete:
            fill_missing(work.layers[0])
        with blas_threads(network, chunk):
            for number, layer in enumerate(network.layers):
                if shifts[number] is not None:
                    work.layers[number].X -= shifts[number]
                layer.forward(params[number], work.layers[number], work.outputs[number])
                if number in layers:
                    out = work.outputs[number][: rows.shape[0]]
                    results[layers.index(number)][start : start + chunk] = out


def centered(network, theta):
    """Parameters with the centroids of distance layers around zero, and by what they are shifted.

    Distances do not change if a layer's input is shifted with them, but in single precision the
    expanded squares would cancel where outputs of the layer before hardly vary. The input map has
    shifted the first layer already.
    """
    params, shifts = network.views(theta), [None] * len(network.layers)
    for number, views in enumerate(params):
        if number and "centroids" in views:
            shifts[number] = views["centroids"].mean(axis=0)
            params[number] = views | {"centroids": views["centroids"] - shifts[number]}
    return params, shifts


def answer_one_by_one(network, theta, layers, input_map):
    """A function that computes the outputs of some layers for a single row."""
    params, buffer = network.views(theta), np.empty((1, network.sizes[0]), network.dtype)

    def answer(rows, bounded=False):
        input_map.apply(rows, buffer)
        if bounded:
            input_map.bound(buffer)
        answers = [buffer[0]]
        for number in range(max(layers) + 1):
            answers.append(network.layers[number].answer(params[number], answers[-1]))
        return [answers[layer + 1] for layer in layers]

    return answer
