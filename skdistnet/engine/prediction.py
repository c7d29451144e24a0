"""Outputs of a trained network for rows in input units, computed chunk by chunk."""

import numpy as np

from .layers.missing import fill_missing
from .numerics import memory
from .numerics.denormals import flush_activations
from .numerics.statistics import has_missing
from .numerics.threads import blas_threads

#: Rows of a chunk, and numbers in its largest buffer, at most: larger chunks leave the cache,
#: smaller ones split products.
CHUNK_ROWS, CHUNK = 1000, 1_000_000
#: Rows that are mapped at once if the map is a product with a matrix.
BLOCK_ROWS = 20_000
#: Up to this many rows are computed one by one, which saves preparing parameters and buffers.
FEW_ROWS = 3


class PreparedNetwork:
    """Parameters of a network in the form that predictions need; it refers to none of them."""

    def __init__(self, network, theta):
        self.network, self.shifts, self.expansions = network, [], []
        params = network.views(theta)
        for number, (layer, views) in enumerate(zip(network.layers, params)):
            shift = None
            # Expanded squares would cancel in single precision where the outputs of the layer
            # before hardly vary. The input map has shifted the first layer already.
            if number > 0 and "centroids" in views:
                mean = views["centroids"].mean(axis=0)
                views = views | {"centroids": views["centroids"] - mean}
                shift = mean[:, np.newaxis]
            self.shifts.append(shift)
            # The linear part is computed with the first layer, so that rows are read once.
            functions = np.empty((0, layer.n_inputs), network.dtype)
            if number == 0 and network.linear_part:
                functions = network.linear_scale * params[-1]["linear_coefs"].T
            self.expansions.append(layer.expand(views, functions))


class Pass:
    """Buffers for passes of `n_rows` rows through a prepared network.

    The caller writes `rows`. In all other buffers rows are columns: the numbers of a unit are
    contiguous.
    """

    def __init__(self, prepared, theta, shares, n_rows):
        self.prepared, self.theta, self.shares = prepared, theta, shares
        #: Whether some value has been missing; None before the first rows.
        self.incomplete = None
        network, empty = prepared.network, memory.empty
        self.rows, squares = (empty((n_rows, network.sizes[0]), network.dtype) for _ in range(2))
        self.squares, self.layers = squares.T, []
        for expansion, n_units in zip(prepared.expansions, network.sizes[1:]):
            shape = len(expansion.linear), n_rows
            self.layers.append(
                (empty(shape, network.dtype), empty((n_units, n_rows), network.dtype))
            )
        # To subtract a full array takes half the time of a column.
        self.shifts = [
            None if shift is None else shift.repeat(n_rows, axis=1) for shift in prepared.shifts
        ]

    def outputs(self):
        """Yield the output (n_units, n_rows) of each layer, which the next one may change."""
        network, Z, squares = self.prepared.network, self.rows.T, self.squares
        for number, (layer, (u, out)) in enumerate(zip(network.layers, self.layers)):
            if self.shifts[number] is not None:
                Z -= self.shifts[number]
            if number == 0:
                self._write_first(Z, squares, u)
                linear_part = u[layer.n_units :]
            else:
                self.prepared.expansions[number].write(Z, squares, u)
            u = u[: layer.n_units]
            Z = layer.activate(u, out)
            squares = out if Z is u else u
            if number + 1 == len(network.layers) and network.linear_part:
                Z += linear_part
            yield Z

    def _write_first(self, Z, squares, u):
        """Write the arguments of the first layer, and the linear part."""
        network, expansion = self.prepared.network, self.prepared.expansions[0]
        if self.incomplete is None:
            self.incomplete = has_missing(self.rows)
        if not self.incomplete:
            expansion.write(Z, squares, u)
            # To look for NaN in the results of a unit is faster than to look in all rows again.
            self.incomplete = bool(np.isnan(u[0]).any())
        if self.incomplete:
            observed = fill_missing(self.rows, self.shares)
            if observed is None:  # as when other values are too large to square
                expansion.write(Z, squares, u)
            else:
                views = network.views(self.theta)[0]
                network.layers[0].write_incomplete(views, expansion, self.rows, observed, u)


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
            prepared = PreparedNetwork(network, theta)
            for part in memory.slices(n_rows, BLOCK_ROWS):
                # A projection of many columns may use more threads than the network.
                own_map, rows = input_map.prepared(X[part], network.dtype)
                own_results = [result[part] for result in results]
                write_outputs(prepared, theta, layers, own_map, rows, own_results)
            if all_within(results, limit):
                return results
            within = [(np.abs(result) <= limit).all(axis=1) for result in results]
            alone = np.flatnonzero(~np.all(within, axis=0))
        write_outputs_one_by_one(network, theta, layers, input_map, X, results, alone, limit)
    return results


def all_within(outs, limit):
    """Return whether no output is NaN or beyond the limit."""
    return all(np.abs(out).max(initial=0.0) <= limit for out in outs)


def write_outputs(prepared, theta, layers, input_map, X, results):
    """Write the outputs of some layers, in chunks of equal size."""
    network, n_rows = prepared.network, X.shape[0]
    chunk = min(CHUNK_ROWS, max(1, CHUNK // max(network.sizes)))
    chunk = -(-n_rows // -(-n_rows // chunk))
    work, last = Pass(prepared, theta, input_map.input_shares, chunk), max(layers)
    with blas_threads(network, chunk):
        for part in memory.slices(n_rows, chunk):
            # If the last chunk is shorter, rows of the one before are computed again and not used.
            length = part.stop - part.start
            input_map.apply(X[part], work.rows[:length])
            for number, out in enumerate(work.outputs()):
                if number in layers:
                    result = results[layers.index(number)][part]
                    result[...] = out[:, :length].T
                    if number + 1 < len(network.layers):
                        flush_activations(result)
                if number == last:
                    break


def write_outputs_one_by_one(network, theta, layers, input_map, X, results, alone, limit):
    """Write the outputs of few rows, or of those too far away for the squares of inputs."""
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
