"""A trained network applied to rows in input units, a chunk at a time."""

import numpy as np

from .missing import fill_missing, has_missing
from .threads import blas_threads

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
    if n_rows <= FEW:
        chunk = 1
        answer = answer_one_by_one(network, theta, layers, input_map)
    else:
        largest = max(1, CHUNK // max(network.sizes))
        # Chunks of equal size but for the last, which may be some rows shorter.
        chunk = -(-n_rows // -(-n_rows // largest))
        incomplete = input_map.ignores_columns or has_missing(X)
        answer = answer_by_products(network, theta, layers, input_map, chunk, incomplete)
    # Overflow shows in the output, where it is dealt with: what is returned has finite differences.
    largest = float(np.finfo(network.dtype).max) / 4
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for start in range(0, n_rows, chunk):
            rows = X[start : start + chunk]
            outs = [result[start : start + chunk] for result in results]
            write(answer(rows), outs)
            # NaN is not, either.
            if not all(np.abs(out).max(initial=0.0) <= largest for out in outs):
                # Some rows are too far off to square: they are answered from nearer.
                write(answer(rows, bounded=True), outs)
                for out in outs:
                    # What is left was far off after training.
                    np.clip(np.nan_to_num(out, copy=False), -largest, largest, out=out)
    return results


def write(answers, outs):
    """Write what each layer answers where it belongs."""
    for given, out in zip(answers, outs):
        out[...] = given


def answer_by_products(network, theta, layers, input_map, n_rows, incomplete):
    """A function that answers up to `n_rows` rows.

    What a shorter chunk leaves in the buffers of the one before is answered again, for nothing.
    """
    params, work = network.views(theta), network.workspace(n_rows)
    network.prepare(params, work)

    def answer(rows, bounded=False):
        mapped = work.X[: rows.shape[0]]
        input_map.apply(rows, mapped)
        if bounded:
            input_map.bound(mapped)
        if incomplete:
            fill_missing(work.layers[0])
        with blas_threads(network, n_rows):
            network.run_forward(params, work)
        return [work.outputs[layer][: rows.shape[0]] for layer in layers]

    return answer


def answer_one_by_one(network, theta, layers, input_map):
    """The same for a single row."""
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
