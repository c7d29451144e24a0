"""Outputs of a trained network for rows in input units, computed chunk by chunk."""

import numpy as np

from .layers.missing import fill_missing
from .numerics import memory
from .numerics.threads import blas_threads

#: Numbers in the largest buffer of a chunk: larger chunks leave the cache, smaller split products.
CHUNK = 600_000
#: Up to this many rows are computed one by one, which saves preparing weights and buffers.
FEW_ROWS = 3


def layer_output(network, theta, input_map, X, layer=-1):
    """Return the output (n_rows, n_units) of one layer, by default the raw output."""
    return layer_outputs(network, theta, input_map, X, [layer])[0]


def layer_outputs(network, theta, input_map, X, layers):
    """Return the outputs (n_rows, n_units) of several layers by a single pass.

    X, an array or a sparse matrix, is in input units, and may contain NaN if the first layer is a
    distance layer; `layers` are ints, -1 being the last. Outputs are finite, and so are their
    differences. Those of a row do not depend on other rows, except for rounding.
    """
    layers = [layer % len(network.layers) for layer in layers]
    n_rows = X.shape[0]
    results = [np.empty((n_rows, network.sizes[layer + 1]), network.dtype) for layer in layers]
    limit = float(np.finfo(network.dtype).max) / 4
    # Overflow shows in the outputs and is handled there.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        alone = np.arange(n_rows)
        if n_rows > FEW_ROWS:
            write_by_products(network, theta, layers, input_map, X, results)
            if all_within(results, limit):
                return results
            within = [(np.abs(result) <= limit).all(axis=1) for result in results]
            alone = np.flatnonzero(~np.all(within, axis=0))
        params = network.views(theta)
        for row in alone:
            x = np.empty((1, network.sizes[0]), network.dtype)
            input_map.apply(X[row : row + 1], x)
            outs = row_outputs(network, params, layers, x[0], input_map.input_shares)
            if not all_within(outs, limit):
                # The row is too far away to square: a nearer one is used instead.
                input_map.bound(x)
                outs = row_outputs(network, params, layers, x[0], input_map.input_shares)
                # Parameters that diverged in training can still make outputs too large.
                outs = [np.clip(np.nan_to_num(out), -limit, limit) for out in outs]
            for result, out in zip(results, outs):
                result[row] = out
    return results


def all_within(outs, limit):
    """Return whether no output is NaN or beyond the limit."""
    return all(np.abs(out).max(initial=0.0) <= limit for out in outs)


def write_by_products(network, theta, layers, input_map, X, results):
    """Write the outputs of some layers for many rows, in chunks of equal size."""
    n_rows, incomplete = X.shape[0], input_map.is_incomplete(X)
    chunk = -(-n_rows // -(-n_rows // max(1, CHUNK // max(network.sizes))))
    params, shifts = network.views(theta), {}
    for number, views in enumerate(params):
        # Expanded squares would cancel in single precision where the outputs of the layer before
        # hardly vary. The input map has shifted the first layer already.
        if number > 0 and "centroids" in views:
            shifts[number] = views["centroids"].mean(axis=0)
            params[number] = views | {"centroids": views["centroids"] - shifts[number]}
    work = network.workspace(chunk)
    network.prepare(params, work)
    for part in memory.slices(n_rows, chunk):
        # If the last chunk is shorter, rows of the one before are computed again and not used.
        length = part.stop - part.start
        input_map.apply(X[part], work.X[:length])
        if incomplete:
            work.layers[0].observed = fill_missing(work.X, input_map.input_shares)
        with blas_threads(network, chunk):
            for number, layer in enumerate(network.layers):
                if number in shifts:
                    work.layers[number].X -= shifts[number]
                layer.forward(params[number], work.layers[number], work.outputs[number])
                if number + 1 == len(network.layers):
                    network.add_linear_part(params, work)
                if number in layers:
                    results[layers.index(number)][part] = work.outputs[number][:length]


def row_outputs(network, params, layers, x, shares):
    """Return the outputs of some layers for a single mapped row; `shares` as in `fill_missing`."""
    outputs, inputs = [], x
    for number in range(max(layers) + 1):
        own = () if number else (shares,)
        x = network.layers[number].forward_row(params[number], x, *own)
        outputs.append(x)
    if network.linear_part and len(outputs) == len(network.layers):
        coefs = network.linear_scale * params[-1]["linear_coefs"]
        outputs[-1] = x + np.nan_to_num(inputs) @ coefs
    return [outputs[layer] for layer in layers]
