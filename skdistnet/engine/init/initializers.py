"""Initialisers of centroids, and the initial parameters of a network.

Layers are initialised one after the other, each on its own input: a sample of rows passed through
the layers before it. With inverse radius 1 on standardised data, nearly all activations vanish if
there are more than a few features. So inverse radii are scaled until the median activation of the
layer is `median_activation`, at any width and depth. Deep layers start near the identity (see
near_identity.py).

An initialiser is a function ``(H, n_units, rng, weights, kmeans)``. It returns centroids of shape
(n_units, n_inputs) for the layer's own input `H` (n_rows, n_inputs), whose rows have `weights` that
sum to 1. `rng` is a numpy.random.Generator, and ``kmeans(H, n_clusters, weights, seed)`` returns
the cluster number of each row. To add an initialiser, list it in `INITIALIZERS`.
"""

import numpy as np

from ..layers import ACTIVATIONS, Distance
from ..numerics import memory
from ..numerics.statistics import has_missing, weighted_quantiles
from .fine_structure import USUAL_MEDIAN, choose_median_activation
from .near_identity import near_identity_radii, starts_near_identity

#: Number of rows that initialisation uses, and their bytes as dense data; random rows where there
#: are more, but at least as many as a layer has units.
START_ROWS, START_BYTES = 4_000, 64 * 2**20
#: Number of rows whose distances the median is taken over.
MEDIAN_ROWS = 1_000
#: Activation at a typical squared distance in the data-free initialisation of the paper.
PAPER_ACTIVATION = 0.1
#: Differences up to this number of units in the last place are rounding: matrix products treat rows
#: at an edge differently, so that activations for equal rows differ by some tens of units.
ROUNDING = 256
#: Noise, relative to the spread of an input, that is added to duplicate centroids.
JITTER = 0.1
#: How far the logit of an absent class starts below the largest one, at every row: its probability
#: is below 0.0001 there, and small for rows nearby.
ABSENT_MARGIN = np.log(1e4)


def sample_rows(H, n_units, rng, weights, kmeans):
    """Draw rows by weight, without replacement as long as there are enough."""
    # The smallest of exponential variables divided by weights.
    with np.errstate(divide="ignore"):  # very small weights are rounded to zero
        order = np.argsort(np.log(rng.exponential(size=len(H))) - np.log(weights))
    return H[np.resize(order, n_units)]


def cluster_centers(H, n_units, rng, weights, kmeans):
    """Return centres of k-means, and rows in addition if there are more units than rows."""
    # Constant inputs do not matter; far from zero, the squared errors of their means overflow.
    constant = H.min(axis=0) == H.max(axis=0)
    varying = np.where(constant, 0, H)
    # Round to a millionth of each input's spread (a power of two), because k-means breaks ties by
    # the last bit: shifted data would have other clusters.
    quantum = 2.0 ** (np.round(np.log2(spread(varying, weights))) - 20)
    rounded = np.round(varying / quantum) * quantum
    n_clusters = min(n_units, len(H))
    labels = kmeans(rounded, n_clusters, weights, int(rng.integers(2**31)))
    centers = class_means(H, np.eye(n_clusters)[labels], weights, rng)
    others = sample_rows(H, n_units - n_clusters, rng, weights, kmeans)
    return np.concatenate([centers, others])


def uniform(H, n_units, rng, weights, kmeans):
    """Draw from 0.5 + 0.3 U[0, 1), as in the paper for inputs in [0, 1], whatever the data."""
    return 0.5 + 0.3 * rng.random((n_units, H.shape[1]))


INITIALIZERS = {"kmeans": cluster_centers, "sample": sample_rows, "uniform": uniform}


def by_name(init, name):
    """Return whether `init`, which may be an array or a function, is this name."""
    return isinstance(init, str) and init == name


def draw_centroids(init, H, n_units, rng, weights, kmeans, origin=None):
    """Return initial centroids; `origin` is the zero of the first layer's own input, else None."""
    if not callable(init) and not isinstance(init, str):  # centroids of the first layer only
        if origin is not None:
            return init
        init = "sample"
    own_input = H if origin is None else H - origin
    if isinstance(init, str):
        centroids = INITIALIZERS[init](own_input, n_units, rng, weights, kmeans)
    else:
        shape, seed = (n_units, H.shape[1]), rng.integers(2**31)
        centroids = np.asarray(init(own_input, n_units, np.random.RandomState(seed)))
        if centroids.shape != shape:
            raise ValueError(
                f"The centroids that 'init' returns must have shape {shape}; got {centroids.shape}."
            )
        if not np.all(np.isfinite(centroids)):
            raise ValueError("The centroids that 'init' returns must be finite.")
    return centroids if origin is None else centroids + origin


def weighted_median(values, weights):
    """Return the weighted median of the positive `values` (n_rows, n); 1 if there are none."""
    rows, columns = np.nonzero(values > 0)
    if not len(rows):
        return 1.0
    return float(weighted_quantiles(values[rows, columns, np.newaxis], weights[rows], 0.5)[0])


def variances(H, weights):
    """Return the weighted variance of each input; exactly 0 where all rows are equal."""
    # Weights of a wider dtype would make each product with them copy the rows.
    weights = weights.astype(H.dtype)
    # Relative to a row: the mean of equal numbers, when rounded, would leave a variance.
    deviation = H - H[0]
    deviation -= weights @ deviation
    deviation *= deviation
    return weights @ deviation


def spread(H, weights):
    """Return the weighted standard deviation of each input, at least a tenth of their mean."""
    variance = variances(H, weights)
    floor = 0.01 * variance.mean()
    # The square of the reciprocal must not overflow.
    return np.sqrt(np.maximum(variance, floor if floor > np.finfo(H.dtype).tiny ** 0.5 else 1.0))


def class_means(H, target, weights, rng):
    """Return the weighted mean of each class's rows; a random row for a class without rows."""
    mass = weights @ target
    means = (target * weights[:, np.newaxis]).T @ H
    present = mass > 0
    means[present] /= mass[present, np.newaxis]
    constant = H.min(axis=0) == H.max(axis=0)
    means[:, constant] = H[0, constant]  # rounding would differ from class to class
    means[~present] = H[rng.integers(len(H), size=np.count_nonzero(~present))]
    return means


def random_vectors(number, H, weights, rng, scale=1.0):
    """Draw normal vectors (number, n_inputs) with `scale` times the spread of the inputs."""
    std = np.sqrt(variances(H, weights))
    if not std.any():
        std[:] = 1
    return scale * std * rng.standard_normal((number, H.shape[1]))


def remove_rounding(H):
    """Make each column constant, in place, whose numbers differ by rounding alone."""
    constant = np.ptp(H, axis=0) <= ROUNDING * np.finfo(H.dtype).eps * np.abs(H[0])
    H[:, constant] = H[0, constant]


def separate_duplicates(centroids, H, weights, rng):
    """Move duplicate centroids, in place: units that start equal would stay equal."""
    _, first = np.unique(centroids, axis=0, return_index=True)
    duplicates = np.setdiff1d(np.arange(len(centroids)), first)
    if duplicates.size:
        noise = random_vectors(duplicates.size, H, weights, rng, JITTER)
        centroids[duplicates] += noise.astype(centroids.dtype)


def initial_radii(layer, H, centroids, weights, median_activation, rng, rotated=False):
    """Return inverse radii 1/std of each input, scaled to the layer's median activation.

    With `rotated` inputs, which are no features of their own, all have the same.
    Without `median_activation` they are f (1 + 0.4 N(0, 1)) with f = sqrt(2 ln(1/0.1) / n_inputs),
    as in the paper.
    """
    if median_activation is None:
        typical = np.sqrt(2.0 * np.log(1.0 / PAPER_ACTIVATION) / layer.n_inputs)
        return typical * (1.0 + 0.4 * rng.standard_normal(layer.radii_shape))
    rows = slice(None)
    if len(H) > MEDIAN_ROWS:
        rows = rng.choice(len(H), MEDIAN_ROWS, replace=False)
    shape = layer.radii_shape
    inverse = np.ones(H.shape[1]) if shape[1] == 1 or rotated else 1.0 / spread(H, weights)
    scaled, centers = H[rows] * inverse, centroids * inverse
    squared = -2.0 * (scaled @ centers.T)
    squared += np.einsum("ij,ij->i", scaled, scaled)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", centers, centers)
    # Distances of rows to themselves are zero except for rounding.
    squared[squared < max(1e-5 * squared.max(), np.finfo(H.dtype).tiny ** 0.5)] = 0
    kernel = layer.kernel
    u = np.log(PAPER_ACTIVATION) if kernel is None else kernel.inverse(median_activation)
    factor = np.sqrt(-2.0 * u / weighted_median(squared, weights[rows]))
    return np.broadcast_to(factor if shape[1] == 1 else factor * inverse, shape)


def first_median_activation(network, init, H, target, weights, rng, rotated=False):
    """Return the median activation for the first layer, and pairs of those tried and their errors.

    Only hidden distance units at rows may be narrower than usual.
    """
    layer = network.layers[0]
    if not isinstance(layer, Distance) or layer.kernel is None or by_name(init, "uniform"):
        return USUAL_MEDIAN, []
    H = np.nan_to_num(H)
    if layer.radii_shape[1] > 1 and not rotated:
        H = H / spread(H, weights)
    return choose_median_activation(layer.kernel, H, target, weights, rng)


def apply_layer(layer, views, H):
    """Return the output of a layer for the rows `H` of its input."""
    work = layer.workspace(len(H), H.dtype)
    work.X[...] = H
    out = np.empty((len(H), layer.n_units), dtype=H.dtype)
    layer.prepare(views, work)
    layer.forward(views, work, out)
    return out


def lower_absent_classes(layer, views, H, target, groups, weights, rng):
    """Initialise the outputs of classes without rows so that they are predicted at no row.

    The net would predict a class that starts among rows until training has pushed it away. So its
    centroid moves away from them in a random direction, or its intercept is lowered.
    """
    present = target.any(axis=0)
    raw = apply_layer(layer, views, H)
    for group in groups:
        columns = np.arange(group.start, group.stop)
        absent = columns[~present[columns]]
        bound = raw[:, columns[present[columns]]].max(axis=1) - ABSENT_MARGIN
        if not isinstance(layer, Distance):
            excess = raw[:, absent] - bound[:, np.newaxis]
            views["intercepts"][absent] -= np.maximum(excess.max(axis=0), 0.0)
            continue
        radii = np.broadcast_to(views["inverse_radii"], views["centroids"].shape)
        for column, vector in zip(absent, random_vectors(len(absent), H, weights, rng)):
            views["centroids"][column] = move_away(H, radii[column], vector, bound)


def move_away(H, inverse_radii, vector, bound):
    """Return the centroid nearest the rows' mean, along a vector, with logits at most `bound`."""
    mean = H.mean(axis=0)
    scaled, direction = (H - mean) * inverse_radii, vector * inverse_radii
    length = np.linalg.norm(direction)
    along = scaled @ (direction / length)
    # At the distance t from the mean the logit, -1/2 |scaled - t direction / length|^2, is `bound`.
    square = along**2 - np.einsum("ij,ij->i", scaled, scaled) - 2.0 * bound
    t = np.max(along + np.sqrt(np.maximum(square, 0.0)))
    return mean + t / length * vector


def draw_start_rows(network, target, rng):
    """Return indices of the rows to initialise with: all, or a random part with all classes."""
    n_rows = len(target)
    fitting = START_BYTES // (network.sizes[0] * network.dtype.itemsize)
    most = max(min(START_ROWS, fitting), *network.sizes[1:])
    if n_rows <= most:
        return np.arange(n_rows)
    drawn = rng.choice(n_rows, most, replace=False, shuffle=False)
    missing = ~np.any(target[drawn] != 0, axis=0) & np.any(target != 0, axis=0)
    return np.concatenate([drawn, np.argmax(target[:, missing] != 0, axis=0)])


def initialize(
    network,
    X,
    target,
    weights,
    *,
    init,
    median_activations,
    origin,
    rng,
    kmeans,
    groups=(),
    rotated=False,
):
    """Return the initial parameters of a network, of shape (n_parameters,).

    `X` is a sample of rows in the network's units, where NaN counts as zero, the mean; `target` has
    one-hot classes, whose means are the centroids of a distance output; `weights` sum to 1. `init`
    is a name in `INITIALIZERS`, an array of centroids of the first layer in the network's units, or
    a function ``(H, n_units, random_state)`` that returns the centroids of a distance layer.
    `median_activations` are those of the first layer and of the others; without one, radii do not
    depend on data. `origin` (n_inputs,) is the zero, in
    the network's units, of the first layer's own input.

    `groups` has slices of target columns that share a softmax if classes without rows should start
    away from the rows. Otherwise they start at a row, because later calls may bring rows of them.
    Inputs are `rotated` if they are directions, orthonormal in the space of columns.
    """
    theta = memory.empty(network.n_parameters, network.dtype)
    theta[network.linear_slice] = 0.0
    H = np.where(np.isnan(X), np.zeros_like(X), X) if has_missing(X) else X
    *hidden, output = range(len(network.layers))
    by_class = not by_name(init, "uniform")
    for number, (layer, views) in enumerate(zip(network.layers, network.views(theta))):
        median_activation = median_activations[min(number, 1)]
        if isinstance(layer, Distance):
            if number == output and by_class:
                centroids = class_means(H, target, weights, rng)
            else:
                zero = None if number else origin
                centroids = draw_centroids(init, H, layer.n_units, rng, weights, kmeans, zero)
            if starts_near_identity(layer, number, init, median_activation):
                centroids = np.array(centroids, dtype=np.float64)
                radii = near_identity_radii(layer, centroids, weights @ H, spread(H, weights))
                separate_duplicates(centroids, H, weights, rng)
            else:
                centroids = np.array(centroids, dtype=H.dtype)
                separate_duplicates(centroids, H, weights, rng)
                own = rotated and number == 0
                radii = initial_radii(layer, H, centroids, weights, median_activation, rng, own)
            views["centroids"][...] = centroids
            views["inverse_radii"][...] = radii
        else:
            # The bounds of Glorot & Bengio (2010), as in MLPClassifier.
            bound = np.sqrt(ACTIVATIONS[layer.activation].gain / (layer.n_inputs + layer.n_units))
            for name in layer.parameter_names:
                views[name][...] = rng.uniform(-bound, bound, views[name].shape)
        if number in hidden:
            with np.errstate(over="ignore", invalid="ignore"):
                H = apply_layer(layer, views, H)
            # Unscaled features may overflow; training detects the consequences.
            H[~np.isfinite(H)] = 0
            remove_rounding(H)
    if groups:
        lower_absent_classes(layer, views, H, target, groups, weights, rng)
    return theta
