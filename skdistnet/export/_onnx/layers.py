"""The layers of a network as nodes of an ONNX graph, in the formulas of the engine."""

import numpy as np

from ...engine.layers import Distance

#: Activations of dot-product layers as operators; "identity" has none.
OPERATORS = {"logistic": "Sigmoid", "relu": "Relu", "tanh": "Tanh"}
#: The least argument of the Gaussian kernel: squares of its value are not denormal, and negligible.
LOWEST = {"float32": -40.0, "float64": -320.0}
#: Errors of this size in -1/2 squared distance, where rounding makes expanded squares cancel, are
#: prevented by a shift and a bound; smaller ones do not matter, and these take time.
LARGEST_ERROR = {"float32": 1e-6, "float64": 1e-14}


def network_outputs(graph, network, theta, x, shares=None):
    """Return the outputs of all layers for mapped rows, and the raw output with the linear part.

    Some of `x` may be missing if the weights of its inputs are given, `shares` (n_inputs,).
    """
    views = network.views(theta)
    coefs = None
    if network.linear_part:
        coefs = network.linear_scale * views[-1]["linear_coefs"].astype(np.float64)
    first = network.layers[0], views[0]
    if shares is None:
        z, linear = first_layer(graph, *first, x), None
    else:
        z, *linear = branches_of_missing(graph, *first, coefs, x, shares)
    outputs = [kernel(graph, network.layers[0], z)]
    for layer, params in zip(network.layers[1:], views[1:]):
        if isinstance(layer, Distance):
            z = distances(graph, params, outputs[-1], False, layer.kernel is None)
            outputs.append(kernel(graph, layer, z))
        else:
            outputs.append(dense_layer(graph, layer, params, outputs[-1]))
    raw = outputs[-1]
    if linear:
        raw = graph.op("Add", raw, linear[0])
    elif coefs is not None:
        raw = graph.op("Gemm", x, graph.numbers(coefs), raw)
    return outputs, raw


def first_layer(graph, layer, params, x):
    """Return the output of the first layer, before a kernel, for rows without missing values."""
    if isinstance(layer, Distance):
        return distances(graph, params, x, True, layer.kernel is None)
    return dense_layer(graph, layer, params, x)


def branches_of_missing(graph, layer, params, coefs, x, shares):
    """Return the output of the first layer, a distance layer, and the linear part if it has coefs.

    Missing values take several times as long, so they have a branch of their own.
    """

    def linear(x):
        return [] if coefs is None else [graph.op("MatMul", x, graph.numbers(coefs))]

    def complete():
        return [first_layer(graph, layer, params, x), *linear(x)]

    def incomplete():
        filled, observed = fill_missing(graph, x, shares)
        u = distances_to_observed(graph, params, filled, observed, layer.kernel is None)
        return [u, *linear(filled)]

    # A sum is NaN if a number is. One that overflows may be, too, which only takes longer.
    is_incomplete = graph.op("IsNaN", graph.op("ReduceSum", x, keepdims=0))
    widths = [layer.n_units, *([] if coefs is None else [coefs.shape[1]])]
    return graph.branch(is_incomplete, incomplete, complete, widths)


def dense_layer(graph, layer, params, x):
    weights = map(graph.numbers, (params["coefs"], params["intercepts"]))
    x = graph.op("Gemm", x, *weights)
    name = known(layer.activation, ("identity", *OPERATORS), "activation")
    return x if name == "identity" else graph.op(OPERATORS[name], x)


def kernel(graph, layer, u):
    """Return the kernel of -1/2 squared distances; the output of layers that have none."""
    if layer.activation is None or not isinstance(layer, Distance):
        return u
    return OPERATIONS[known(layer.activation, OPERATIONS, "kernel")](graph, u)


def known(name, names, part):
    """Return a name; raise a ValueError if it is not among those that can be converted."""
    if name not in names:
        raise ValueError(f"The {part} {name!r} has no operators in ONNX; {sorted(names)} have.")
    return name


def gaussian(graph, u):
    bounds = graph.numbers(LOWEST[graph.dtype.name]), graph.numbers(0.0)
    return graph.op("Exp", graph.op("Clip", u, *bounds))


def cauchy(graph, u):
    u, one = graph.op("Min", u, graph.numbers(0.0)), graph.numbers(1.0)
    return graph.op("Div", one, graph.op("Sub", one, graph.op("Add", u, u)))


#: Kernels as functions that add their operators.
OPERATIONS = {"cauchy": cauchy, "gaussian": gaussian}


def distances(graph, params, x, is_first, is_last):
    """Return u = -1/2 squared distances (n_rows, n_units), by expanded squares."""
    centroids, radii = (params[name].astype(np.float64) for name in ("centroids", "inverse_radii"))
    squares = radii**2
    if not (is_first or cancels_little(graph, squares, centroids)):
        # The input map has shifted the first layer.
        shift = centroids.mean(axis=0)
        x, centroids = graph.op("Sub", x, graph.numbers(shift)), centroids - shift
    needs_bound = is_last and not cancels_little(graph, squares, centroids)
    if radii.shape == centroids.shape:
        u = expanded(graph, x, squares, centroids)
    else:
        if len(radii) == 1:
            x, centroids, factor = graph.op("Mul", x, graph.numbers(radii)), centroids * radii, -0.5
        else:
            factor = -0.5 * squares.T
        u = graph.op("Mul", squared_distances(graph, x, centroids), graph.numbers(factor))
    return graph.op("Min", u, graph.numbers(0.0)) if needs_bound else u


def cancels_little(graph, squares, centroids):
    """Return whether rounding errors of expanded squares are small; `squares` are of radii."""
    largest = (squares * centroids**2).sum(axis=1).max()
    return np.finfo(graph.dtype).eps * largest <= LARGEST_ERROR[graph.dtype.name]


def expanded(graph, x, squares, centroids):
    """Return u for a radius of each input of each unit; see engine/layers/distances.py."""
    linear = squares * centroids
    constant = -0.5 * (linear * centroids).sum(axis=1)
    x_squares = graph.op("Mul", x, x)
    u = graph.op("Gemm", x_squares, graph.numbers(-0.5 * squares.T), graph.numbers(constant))
    return graph.op("Gemm", x, graph.numbers(linear.T), u)


def squared_distances(graph, x, points):
    """Return squared Euclidean distances (n_rows, n_points)."""
    norms = graph.row_sums(graph.op("Mul", x, x), np.ones(points.shape[1]))
    weights = -2.0 * points.T, (points * points).sum(axis=1)
    return graph.op("Add", graph.op("Gemm", x, *map(graph.numbers, weights)), norms)


def distances_to_observed(graph, params, x, observed, is_last):
    """Return u for rows with missing values; see engine/layers/missing.py."""
    centroids = params["centroids"].astype(np.float64)
    squares = np.broadcast_to(params["inverse_radii"].astype(np.float64) ** 2, centroids.shape)
    linear = squares * centroids
    weighted = graph.op("Mul", observed, x)
    u = graph.op("MatMul", observed, graph.numbers(-0.5 * (linear * centroids).T))
    weighted_squares = graph.op("Mul", weighted, x)
    u = graph.op("Gemm", weighted_squares, graph.numbers(-0.5 * squares.T), u)
    u = graph.op("Gemm", weighted, graph.numbers(linear.T), u)
    needs_bound = is_last and not cancels_little(graph, squares, centroids)
    return graph.op("Min", u, graph.numbers(0.0)) if needs_bound else u


def fill_missing(graph, x, shares):
    """Return mapped rows with 0 for NaN, and the weights of observed inputs; see missing.py."""
    zero, one = graph.numbers(0.0), graph.numbers(1.0)
    missing = graph.op("IsNaN", x)
    observed = graph.op("Where", missing, zero, one)
    n_observed = graph.row_sums(observed, shares)
    # A row without any observed input counts as zero.
    is_empty = graph.op("Equal", n_observed, zero)
    total = graph.numbers(np.sum(shares))
    observed = graph.op("Where", is_empty, one, observed)
    n_observed = graph.op("Where", is_empty, total, n_observed)
    weights = graph.op("Mul", observed, graph.op("Div", total, n_observed))
    return graph.op("Where", missing, zero, x), weights
