"""Where centroids, inverse radii and weights start.

Layers start one after the other, each on its own input: a sample of rows pushed through the layers
before it. Radii decide everything at the start. With inverse radius 1 on standardised data almost
no unit answers once there are more than a few features, so radii are scaled until the median
answer of the layer is what `median_activation` says, at any width and depth. Deep layers hand on
what they are given: see :mod:`skdistnet.engine.relays`.

To add a way to place centroids, write a function ``(H, n_units, rng, weights, kmeans)`` that
returns (n_units, n_inputs) centroids for the layer's own input `H` (n_rows, n_inputs), whose rows
count by `weights`, and list it in `INITIALIZERS`. `kmeans(H, n, weights, seed)` gives each row the
number of its cluster.
"""

import numpy as np

from ..layers import Distance
from ..layers.activations import ACTIVATIONS
from ..numerics import memory
from ..numerics.statistics import has_missing
from .near_identity import near_identity_radii, starts_near_identity

__all__ = ["INITIALIZERS", "draw_start_rows", "initialize"]

#: Rows that a start looks at; drawn at random where there are more.
START_ROWS = 4_000
#: Bytes of those rows, unless a layer has more units than so many: of sparse data they are dense.
START_BYTES = 64 * 2**20
#: Rows whose distances the median is taken over.
MEDIAN_ROWS = 1_000
#: The answer that the data-free start of the paper gives at a typical squared distance.
PAPER_ACTIVATION = 0.1
#: Answers of a layer to rows that are alike differ by some tens of units in their last place, as
#: products of matrices treat rows at an edge in another way: what differs by less is the same.
ROUNDING = 256
#: Spread, relative to an input's own, by which centroids that coincide are set apart.
JITTER = 0.1
#: How far the logit of an absent class starts below the largest one, at every row: its probability
#: is below 0.0001 there, and small for rows nearby.
ABSENT_MARGIN = np.log(1e4)


def sample(H, n_units, rng, weights, kmeans):
    """Rows of the layer's own input, without replacement as long as there are enough."""
    # The smallest of exponential variables divided by weights: drawn by weight, none twice.
    with np.errstate(divide="ignore"):  # of weights far apart the least are rounded to zero
        order = np.argsort(np.log(rng.exponential(size=len(H))) - np.log(weights))
    return H[np.resize(order, n_units)]


def cluster(H, n_units, rng, weights, kmeans):
    """Centres of k-means, and rows where there are more units than rows."""
    # Rounded to a millionth of each input's spread (as a power of two), because k-means breaks
    # ties by the last bit and would answer a shift of the data with other clusters.
    # Constant inputs tell nothing, and far from zero squares of their means' errors overflow.
    constant = H.min(axis=0) == H.max(axis=0)
    varying = np.where(constant, 0, H)
    quantum = 2.0 ** (np.round(np.log2(spread(varying, weights))) - 20)
    rounded = np.round(varying / quantum) * quantum
    n_clusters = min(n_units, len(H))
    seed = int(rng.integers(2**31))
    labels = kmeans(rounded, n_clusters, weights, seed)
    centers = class_means(varying, np.eye(n_clusters)[labels], weights, rng)
    centers[:, constant] = H[0, constant]
    rest = sample(H, n_units - n_clusters, rng, weights, kmeans)
    return np.concatenate([centers, rest])


def uniform(H, n_units, rng, weights, kmeans):
    """0.5 + 0.3 U[0, 1), the paper's start for inputs in [0, 1]; looks at no data."""
    return 0.5 + 0.3 * rng.random((n_units, H.shape[1]))


INITIALIZERS = {"kmeans": cluster, "sample": sample, "uniform": uniform}


def weighted_median(values, weights):
    """Median of positive `values` (n_rows, n) whose rows count by `weights`; 1 if there is none."""
    rows, columns = np.nonzero(values > 0)
    if not len(rows):
        return 1.0
    values, weights = values[rows, columns], weights[rows]
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order], dtype=np.float64)
    # A hair less than half, so that rounding does not decide between two values in the middle.
    return float(values[order][np.searchsorted(cumulative, (0.5 - 1e-9) * cumulative[-1])])


def variances(H, weights):
    """Weighted variance of each input; exactly 0 where all rows are alike."""
    # Wider weights would make a wider copy of the rows in each product with them.
    weights = weights.astype(H.dtype)
    # From a row, not from zero: else radii would measure how the mean of equal numbers is rounded.
    deviation = H - H[0]
    deviation -= weights @ deviation
    deviation *= deviation
    return weights @ deviation


def spread(H, weights):
    """Weighted standard deviation of each input, kept from zero by a tenth of their mean square."""
    variance = variances(H, weights)
    floor = 0.01 * variance.mean()
    # One over the square of the result must not overflow.
    return np.sqrt(np.maximum(variance, floor if floor > np.finfo(H.dtype).tiny ** 0.5 else 1.0))


def set_apart(centroids, H, weights, rng):
    """Move centroids that coincide: units that start equal would stay equal for ever."""
    _, first = np.unique(centroids, axis=0, return_index=True)
    again = np.setdiff1d(np.arange(len(centroids)), first)
    if again.size:
        noise = random_vectors(again.size, H, weights, rng, JITTER)
        centroids[again] += noise.astype(centroids.dtype)
    return centroids


def random_vectors(number, H, weights, rng, scale=1.0):
    """Normal vectors (number, n_inputs), `scale` times as wide as the inputs spread."""
    std = np.sqrt(variances(H, weights))
    if not std.any():
        std[:] = 1
    return scale * std * rng.standard_normal((number, H.shape[1]))


def class_means(H, target, weights, rng):
    """Weighted mean of each class's rows; any row for a class that has none."""
    mass = weights @ target
    means = (target * weights[:, np.newaxis]).T @ H
    present = mass > 0
    means[present] /= mass[present, np.newaxis]
    constant = H.min(axis=0) == H.max(axis=0)
    means[:, constant] = H[0, constant]  # not what rounding makes of it, another for each class
    means[~present] = H[rng.integers(len(H), size=np.count_nonzero(~present))]
    return means


def level(H):
    """Make equal, in place, what differs by rounding alone: answers to rows that are alike."""
    alike = np.ptp(H, axis=0) <= ROUNDING * np.finfo(H.dtype).eps * np.abs(H[0])
    H[:, alike] = H[0, alike]


def fitted_radii(layer, H, centroids, weights, median_activation, rng):
    """Inverse radii 1/std of each input, scaled so that the median answer is as asked."""
    rows = slice(None)
    if len(H) > MEDIAN_ROWS:
        rows = rng.choice(len(H), MEDIAN_ROWS, replace=False)
    shape = layer.radii_shape
    inverse = np.ones(H.shape[1]) if shape[1] == 1 else 1.0 / spread(H, weights)
    scaled, centers = H[rows] * inverse, centroids * inverse
    squared = -2.0 * (scaled @ centers.T)
    squared += np.einsum("ij,ij->i", scaled, scaled)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", centers, centers)
    # What rounding leaves of the zeros between a row and itself is no distance.
    squared[squared < max(1e-5 * squared.max(), np.finfo(H.dtype).tiny ** 0.5)] = 0
    if layer.kernel is None:
        u = np.log(PAPER_ACTIVATION)
    else:
        u = layer.kernel.inverse(median_activation)
    factor = np.sqrt(-2.0 * u / weighted_median(squared, weights[rows]))
    return np.broadcast_to(factor if shape[1] == 1 else factor * inverse, shape)


def data_free_radii(layer, rng):
    """The start of the paper: f (1 + 0.4 N(0, 1)), f = sqrt(2 ln(1/0.1) / n_inputs)."""
    typical = np.sqrt(2.0 * np.log(1.0 / PAPER_ACTIVATION) / layer.n_inputs)
    return typical * (1.0 + 0.4 * rng.standard_normal(layer.radii_shape))


def start_distance_layer(layer, views, H, target, weights, place, median_activation, rng):
    """Fill the views of a distance layer; `place` is None where centroids are class means."""
    if place is None:
        centroids = class_means(H, target, weights, rng)
    else:
        centroids = place(H, layer.n_units, rng)
    centroids = set_apart(np.array(centroids, dtype=H.dtype), H, weights, rng)
    views["centroids"][...] = centroids
    if median_activation is None:
        views["inverse_radii"][...] = data_free_radii(layer, rng)
    else:
        radii = fitted_radii(layer, H, centroids, weights, median_activation, rng)
        views["inverse_radii"][...] = radii


def start_relay_layer(layer, views, H, weights, place, rng):
    """Fill the views of a layer deep in the network, which hands on its input to begin with."""
    centroids = np.array(place(H, layer.n_units, rng), dtype=np.float64)
    radii = near_identity_radii(layer, centroids, weights @ H, spread(H, weights))
    views["centroids"][...] = set_apart(centroids, H, weights, rng)
    views["inverse_radii"][...] = radii


def start_dense_layer(layer, views, rng):
    """Uniform weights in the bounds of Glorot & Bengio (2010), as in MLPClassifier."""
    gain = ACTIVATIONS[layer.activation].gain
    bound = np.sqrt(gain / (layer.n_inputs + layer.n_units))
    for name in layer.parameter_names:
        views[name][...] = rng.uniform(-bound, bound, views[name].shape)


def start_absent_classes(layer, views, H, target, groups, weights, rng):
    """Start the outputs of classes without rows so that they have the largest logit at no row.

    The data do not show where such a class lies. If it started among the rows, the net would
    predict it until training has pushed it away. So its centroid moves away from the rows in a
    random direction, and the intercept of an affine output is lowered.
    """
    present = target.any(axis=0)
    work = layer.workspace(len(H), H.dtype)
    work.X[...] = H
    raw = np.empty(target.shape, dtype=H.dtype)
    layer.prepare(views, work)
    layer.forward(views, work, raw)
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


def ask(init, H, n_units, rng):
    """Centroids that the function `init` places, checked."""
    centroids = np.asarray(init(H, n_units, np.random.RandomState(rng.integers(2**31))))
    if centroids.shape != (n_units, H.shape[1]):
        raise ValueError(
            f"The centroids that 'init' places must have shape {(n_units, H.shape[1])}; "
            f"got {centroids.shape}."
        )
    if not np.all(np.isfinite(centroids)):
        raise ValueError("The centroids that 'init' places must be finite.")
    return centroids


def placement(init, is_first, origin, weights, kmeans):
    """A function ``(H, n_units, rng)`` that places centroids as `init` says."""
    if isinstance(init, str):
        draw = INITIALIZERS[init]
    elif callable(init):

        def draw(H, n_units, rng, weights, kmeans):
            return ask(init, H, n_units, rng)

    else:
        if is_first:
            return lambda H, n_units, rng: init
        draw = INITIALIZERS["sample"]
    if not is_first:
        return lambda H, n_units, rng: draw(H, n_units, rng, weights, kmeans)
    return lambda H, n_units, rng: draw(H - origin, n_units, rng, weights, kmeans) + origin


def draw_start_rows(network, target, rng):
    """Indices of the rows to start from: all or a random part, no class left out."""
    n_rows = len(target)
    fitting = START_BYTES // (network.sizes[0] * network.dtype.itemsize)
    most = max(min(START_ROWS, fitting), *network.sizes[1:])
    if n_rows <= most:
        return np.arange(n_rows)
    drawn = rng.choice(n_rows, most, replace=False, shuffle=False)
    missing = ~np.any(target[drawn] != 0, axis=0) & np.any(target != 0, axis=0)
    return np.concatenate([drawn, np.argmax(target[:, missing] != 0, axis=0)])


def initialize(
    network, X, target, weights, *, init, median_activation, origin, rng, kmeans, groups=()
):
    """Start a network's parameters.

    Parameters
    ----------
    network : Network
    X : ndarray of shape (n_rows, n_inputs)
        A sample of the data, in the network's units. Missing numbers, NaN, stand at zero, the mean.
    target : ndarray of shape (n_rows, n_outputs)
        One-hot classes, for the centroids of a distance output.
    weights : ndarray of shape (n_rows,)
        Positive, summing to 1.
    init : str, ndarray or callable
        A name of `INITIALIZERS`; centroids of the first layer, in the network's units; or a
        function ``(H, n_units, random_state)`` for every distance layer, given the layer's own
        input, which for the first layer is X measured from `origin`.
    median_activation : float or None
        None starts radii without looking at data.
    origin : ndarray of shape (n_inputs,)
        Zero of the first layer's own input, in the network's units.
    rng : numpy.random.Generator
    kmeans : callable
    groups : list of slice
        Columns of the target that share a softmax. Classes without rows start away from the rows.
        Without groups, such a class starts at a row, because later calls may bring its rows.

    Returns
    -------
    theta : ndarray of shape (n_parameters,)
    """
    theta = memory.empty(network.n_parameters, network.dtype)
    H = np.where(np.isnan(X), np.zeros_like(X), X) if has_missing(X) else X
    last = len(network.layers) - 1
    for number, (layer, views) in enumerate(zip(network.layers, network.views(theta))):
        if isinstance(layer, Distance):
            place = placement(init, number == 0, origin, weights, kmeans)
            if number == last and not (isinstance(init, str) and init == "uniform"):
                place = None
            if starts_near_identity(layer, number, init, median_activation):
                start_relay_layer(layer, views, H, weights, place, rng)
            else:
                start_distance_layer(
                    layer, views, H, target, weights, place, median_activation, rng
                )
        else:
            start_dense_layer(layer, views, rng)
        if number < last:
            work = layer.workspace(len(H), network.dtype)
            work.X[...] = H
            H = np.empty((len(X), layer.n_units), dtype=network.dtype)
            layer.prepare(views, work)
            with np.errstate(over="ignore", invalid="ignore"):
                layer.forward(views, work, H)
            # Where features keep their units rows may be too far off; the next layer starts all
            # the same, and training sees what comes of it.
            H[~np.isfinite(H)] = 0
            level(H)
    if groups:
        start_absent_classes(layer, views, H, target, groups, weights, rng)
    return theta
