"""How near the training data an input is: evidence from several places in one calibrated score.

No place can tell alone. Far away all Gaussian units answer 0, so that hidden activations and
outputs are the same wherever one stands; there only distances among the inputs themselves go on
growing. Among plausible inputs it is the other way round: what hidden units answer together, and
how the outputs lie to each other, tells novel from known.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from ..engine.numerics.statistics import column_range, make_dense
from ..engine.prediction import layer_outputs
from .norms import Sizes
from .ppca import FARTHEST, Subspaces

__all__ = ["box", "calibrate", "score"]

#: Units of a layer, at most, that are looked at: a covariance has the square of their number.
UNITS = 180
#: A covariance is shrunk by this at least: some units answer alike.
LEAST_SHRINKAGE = 1e-3
#: Directions of the classes' subspaces for each unit of the first layer: little beside its memory.
DIRECTIONS_PER_UNIT = 0.3
#: The share of known rows beyond the level is told from its tail between the median and here.
LEVEL = 0.95
#: A distance that is rounding and no more has a logarithm all the same.
TINY = 1e-9
#: Rows leave the box of others by so much of a column's range, without being novel, at the least.
LEAST_EXCESS = 0.1
#: The logarithm of a squared distance varies by this at least, between its median and the level,
LEAST_SPREAD = 0.08
#: and that of how far outside the box a row is by this: as for twice as far.
LEAST_BOX_SPREAD = np.log(2.0)
#: Features that vary by less, relative to their size, do not vary but for rounding.
ROUNDING = 1e-9
#: Training rows, at most, that the evidence is calibrated on: more would not pay for their time.
CALIBRATION_ROWS = 4000
#: Numbers of X, at most, that are looked at a time: sparse rows are made dense for it.
CHUNK = 4_000_000


# Features -----------------------------------------------------------------------------------------


def layer_features(network, theta, input_map, X):
    """Activations of the last hidden layer, if there is one, and raw output."""
    layers = [-2, -1] if len(network.layers) > 1 else [-1]
    features = layer_outputs(network, theta, input_map, X, layers)
    if len(layers) > 1:
        features[0] = features[0][:, :UNITS]
    return [np.clip(feature, -FARTHEST, FARTHEST, dtype=np.float64) for feature in features]


def mapped_inputs(input_map, X):
    """Rows in the units of the network, in float64; NaN for what is missing."""
    rows = np.empty(X.shape, dtype=np.float64)
    with np.errstate(over="ignore"):
        input_map.apply(X, rows)
    return rows


# Normal distributions with a covariance in common -------------------------------------------------


def shrinkage_of(residual, covariance):
    """How much to shrink towards a sphere: Ledoit and Wolf's estimate, for centred rows."""
    n_rows, n_columns = residual.shape
    squares = np.einsum("ij,ij->", covariance, covariance)
    spread = np.trace(covariance) / n_columns
    distance = squares - n_columns * spread**2
    noise = np.mean(np.einsum("ij,ij->i", residual, residual) ** 2) - squares
    return min(1.0, max(LEAST_SHRINKAGE, noise / n_rows / distance if distance > 0 else 1.0))


@dataclass(frozen=True)
class Groups:
    """Normal distributions of features, one for each group, with a covariance in common.

    In the coordinates ``(F - origin) / unit @ whitening`` that covariance is a sphere; `means` are
    in these. The whitening is triangular; `packed` are its rows one after another.
    """

    origin: np.ndarray
    unit: float
    packed: np.ndarray
    means: np.ndarray

    @classmethod
    def fit(cls, F, groups):
        """The distributions, and each row's evidence without that row.

        Rows look nearer to what was made from them than new ones do. Without a row its group's mean
        moves away by a factor, and the covariance loses one product: its inverse is known in closed
        form. What it does to the distance to other groups is little and left out.
        """
        members = (groups[:, np.newaxis] == np.unique(groups)).astype(np.float64)
        counts = members.sum(axis=0)
        origin = F.mean(axis=0)
        centered = F - origin
        residual = centered - members @ (members.T @ centered / counts[:, np.newaxis])
        unit, reach = float(np.abs(F).max()), float(np.abs(residual).max())
        if varies := reach > ROUNDING * unit and reach > 1.0 / FARTHEST:
            unit = reach
        elif unit <= 1.0 / FARTHEST:
            unit = 1.0
        whitening, kept = np.eye(F.shape[1]), 0.0
        if varies:
            whitening, kept = whiten(residual / unit)
        G = centered / unit @ whitening
        means = members.T @ G / counts[:, np.newaxis]
        distances = squared_distances(G, means)
        own = members.astype(bool)
        size = members @ counts
        with np.errstate(divide="ignore", invalid="ignore"):
            growth = size / (size - 1.0)
            lost = kept / len(F) * growth * distances[own]
            without = growth**2 * distances[own] / (1.0 - lost)
        # A group of one row is gone without it.
        distances[own] = np.where(size > 1, without, np.inf if len(counts) > 1 else 0.0)
        packed = whitening[np.triu_indices(len(whitening))].astype(np.float32)
        return cls(origin, unit, packed, means.astype(np.float32)), log_nearest(distances)

    def evidence(self, F):
        """Logarithm of the squared distance of each row to the nearest mean."""
        whitening = np.zeros((F.shape[1], F.shape[1]))
        whitening[np.triu_indices(len(whitening))] = self.packed
        with np.errstate(over="ignore"):
            G = np.clip((F - self.origin) / self.unit, -FARTHEST, FARTHEST) @ whitening
        return log_nearest(squared_distances(G, self.means.astype(np.float64)))


def whiten(residual):
    """What makes the shrunk covariance of the rows a sphere, and the share of it not shrunk."""
    covariance = residual.T @ residual / len(residual)
    shrinkage = shrinkage_of(residual, covariance)
    spread = np.trace(covariance) / len(covariance)
    covariance *= 1.0 - shrinkage
    covariance.flat[:: len(covariance) + 1] += shrinkage * spread
    lower = cholesky(covariance, lower=True)
    inverse = solve_triangular(lower, np.eye(len(lower)), lower=True)
    return np.ascontiguousarray(inverse.T), 1.0 - shrinkage


def squared_distances(G, means):
    """Of whitened rows to whitened means, (n_rows, n_means)."""
    squared = -2.0 * (G @ means.T)
    squared += np.einsum("ij,ij->i", G, G)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", means, means)
    return np.maximum(squared, 0.0)


def log_nearest(distances):
    return np.log(distances.min(axis=1) + TINY)


# The box ------------------------------------------------------------------------------------------


def box(X):
    """Lowest and highest value of each column, in float64; NaN for one of nothing but NaN."""
    return np.stack(column_range(X)).astype(np.float64)


def second_box(X):
    """Second lowest and second highest value of each column: the box that extreme rows leave."""
    rank = min(1, len(X) - 1)
    last = np.where(np.isnan(X), np.inf, X), np.where(np.isnan(X), np.inf, -X)
    low, negative_high = (np.partition(numbers, rank, axis=0)[rank] for numbers in last)
    bounds = np.stack([low, -negative_high]).astype(np.float64)
    return np.where(np.isinf(bounds), np.nan, bounds)


def log_excess(X, bounds):
    """Logarithm of how far outside the bounds a row is at most, `LEAST_EXCESS` being added.

    The unit is the range of the column, or 1 where it is constant.

    What is missing is nowhere, and so is what was missing in all of the training data.
    """
    # Halves, whose differences do not overflow.
    low, high = bounds / 2
    with np.errstate(over="ignore", invalid="ignore"):
        half = X / 2
        ranges = np.where(low < high, high - low, 0.5)
        outside = np.fmax.reduce(np.fmax(low - half, half - high) / ranges, axis=1, initial=0.0)
    return np.log(np.minimum(outside, FARTHEST) + LEAST_EXCESS)


# Evidence and score -------------------------------------------------------------------------------


def sample_size(X):
    """How many rows of X to calibrate on."""
    return min(CALIBRATION_ROWS, max(2, CHUNK // X.shape[1]))


def combine(evidence, n_layers, centers, scales):
    """The score: the sum of the logarithms of the shares of known rows with more evidence.

    Sums of such logarithms are Fisher's way to join several tests in one. Evidence of the layers
    comes first, and its mean counts as one test: an output is made of hidden activations, and says
    much of the same. What exceeds its center is, among known rows, taken to have exponential tails,
    which continue what was seen to where nothing was; evidence is a logarithm of a distance, so
    that distances have tails of a power.
    """
    deviates = (evidence - centers[:, np.newaxis]) / scales[:, np.newaxis]
    half = 0.5 * np.exp(-np.abs(deviates))
    shares = np.where(deviates > 0, np.log(0.5) - deviates, np.log1p(-half))
    return shares[:n_layers].mean(axis=0) + shares[n_layers:].sum(axis=0)


def calibrate(network, theta, input_map, X, groups, bounds):
    """Learn what evidence looks like on rows of the training data.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (n_parameters,)
    input_map : InputMap
    X : ndarray or sparse matrix of shape (n_rows, n_inputs)
        Some rows of the training data.
    groups : ndarray of int of shape (n_rows,)
        Rows whose deviations are measured from a mean of their own: the classes.
    bounds : ndarray of shape (2, n_inputs)
        Lowest and highest value of each column in all of the training data.

    Returns
    -------
    state : dict
        Arrays and lists of arrays, as :func:`score` wants it.
    scores : ndarray of shape (n_rows,)
        Of these rows, each scored by what all but itself look like.
    """
    X = make_dense(X)
    fits = [Groups.fit(F, groups) for F in layer_features(network, theta, input_map, X)]
    inputs = mapped_inputs(input_map, X)
    n_directions = int(DIRECTIONS_PER_UNIT * network.layers[0].n_units)
    across = Subspaces.cross_fitted(inputs, groups, n_directions)
    sizes = Sizes.fit(inputs, across)
    across -= sizes.expected(inputs)
    evidence = np.stack([*(own for _, own in fits), across, log_excess(X, second_box(X))])
    centers = np.median(evidence, axis=1)
    least = np.repeat([LEAST_SPREAD, LEAST_BOX_SPREAD], [len(evidence) - 1, 1])
    spreads = np.maximum(np.quantile(evidence, LEVEL, axis=1) - centers, least)
    scales = spreads / np.log(0.5 / (1.0 - LEVEL))
    state = {
        "bounds": bounds,
        "layers": [asdict(groups) for groups, _ in fits],
        "inputs": asdict(Subspaces.fit(inputs, groups, n_directions)),
        "sizes": asdict(sizes),
        "centers": centers,
        "scales": scales,
    }
    return state, combine(evidence, len(fits), centers, scales)


def score(network, theta, input_map, X, state):
    """Nearness of rows in input units to the training data, (n_rows,), 0 at best."""
    scores = np.empty(X.shape[0])
    layers = [Groups(**layer) for layer in state["layers"]]
    subspaces, sizes = Subspaces(**state["inputs"]), Sizes(**state["sizes"])
    chunk = max(1, CHUNK // max(network.sizes))
    for start in range(0, len(scores), chunk):
        rows = make_dense(X[start : start + chunk])
        features = layer_features(network, theta, input_map, rows)
        evidence = [layer.evidence(F) for F, layer in zip(features, layers)]
        inputs = mapped_inputs(input_map, rows)
        evidence.append(subspaces.evidence(inputs) - sizes.expected(inputs))
        evidence.append(log_excess(rows, state["bounds"]))
        scores[start : start + chunk] = combine(
            np.stack(evidence), len(layers), state["centers"], state["scales"]
        )
    return scores
