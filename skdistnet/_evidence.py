"""How near the training data an input is: the evidence of several layers in one calibrated score.

No layer can tell alone. Far away all Gaussian units answer 0, so that hidden activations and
outputs are the same wherever one stands; there only the box of the training data and the first
layer's distances go on growing. Among plausible inputs it is the other way round: what hidden units
answer together, and how the outputs lie to each other, tells novel from known.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from .engine.inputs import column_range, make_dense
from .engine.network import Network
from .engine.prediction import layer_output

__all__ = ["box", "calibrate", "score"]

#: Units of a layer, at most, that are looked at: a covariance has the square of their number.
UNITS = 128
#: A covariance is shrunk by this at least: some units answer alike.
LEAST_SHRINKAGE = 1e-3
#: Evidence is scaled so that this quantile of it is that of a standard normal distribution.
LEVEL, NORMAL_QUANTILE = 0.95, 1.645
#: A distance that is rounding and no more has a logarithm all the same.
TINY = 1e-9
#: Rows leave the box of others by so much of a column's range, without being novel, at the least.
LEAST_EXCESS = 0.1
#: The logarithm of a squared distance varies by this at least.
LEAST_SCALE = 0.05
#: Features that vary by less, relative to their size, do not vary but for rounding.
ROUNDING = 1e-9
#: Squares of this do not overflow; nothing is told from what is farther.
FARTHEST = 1e100
#: Training rows, at most, that the evidence is calibrated on: more would not pay for their time.
CALIBRATION_ROWS = 1000
#: Numbers of X, at most, that are looked at a time: sparse rows are made dense for it.
CHUNK = 4_000_000


# Features of the layers ---------------------------------------------------------------------------


def first_distances(network, theta, input_map, X):
    """Scaled distances to the first layer's centroids, before a kernel sends them to zero."""
    first = network.layers[0]
    sizes = (first.n_inputs, first.n_units)
    alone = Network(sizes, (), "distance", first.radius_type, network.dtype)
    u = layer_output(alone, theta[network.slices[0]], input_map, X)
    return np.sqrt(np.maximum(-2.0 * u, 0.0))


def layer_features(network, theta, input_map, X):
    """First layer's distances, activations of the last hidden layer if there is one, raw output."""
    features = [first_distances(network, theta, input_map, X)]
    if len(network.layers) > 1:
        features.append(layer_output(network, theta, input_map, X, layer=-2))
    features = [feature[:, :UNITS] for feature in features]
    features.append(layer_output(network, theta, input_map, X))
    return [np.clip(feature, -FARTHEST, FARTHEST, dtype=np.float64) for feature in features]


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


def excess(X, bounds):
    """How far outside the bounds a row is at most, in ranges of the column; 1 if it is constant.

    What is missing is nowhere, and so is what was missing in all of the training data.
    """
    # Halves, whose differences do not overflow.
    low, high = bounds / 2
    with np.errstate(over="ignore", invalid="ignore"):
        half = X / 2
        ranges = np.where(low < high, high - low, 0.5)
        outside = np.fmax.reduce(np.fmax(low - half, half - high) / ranges, axis=1, initial=0.0)
    return np.minimum(outside, FARTHEST)


# Evidence and score -------------------------------------------------------------------------------


def sample_size(X):
    """How many rows of X to calibrate on."""
    return min(CALIBRATION_ROWS, max(2, CHUNK // X.shape[1]))


def combine(evidence, centers, scales):
    """The score, 0 where no evidence speaks for novelty, and falling as any of it grows.

    What exceeds its center counts like a normal deviate: their squares are added.
    """
    deviates = np.maximum((evidence - centers[:, np.newaxis]) / scales[:, np.newaxis], 0.0)
    return -np.hypot.reduce(deviates, axis=0)


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
    features = layer_features(network, theta, input_map, X)
    fits = [Groups.fit(F, groups) for F in features]
    evidence = np.stack([*(own for _, own in fits), excess(X, second_box(X))])
    centers = np.median(evidence, axis=1)
    usual = np.quantile(evidence, LEVEL, axis=1)
    centers[-1] = usual[-1] = max(usual[-1], LEAST_EXCESS)
    scales = np.maximum(usual - centers, LEAST_SCALE) / NORMAL_QUANTILE
    scales[-1] = usual[-1] / NORMAL_QUANTILE
    state = {
        "bounds": bounds,
        "layers": [asdict(groups) for groups, _ in fits],
        "centers": centers,
        "scales": scales,
    }
    return state, combine(evidence, centers, scales)


def score(network, theta, input_map, X, state):
    """Nearness of rows in input units to the training data, (n_rows,), 0 at best."""
    scores = np.empty(X.shape[0])
    chunk = max(1, CHUNK // max(network.sizes))
    for start in range(0, len(scores), chunk):
        rows = make_dense(X[start : start + chunk])
        features = layer_features(network, theta, input_map, rows)
        evidence = [Groups(**layer).evidence(F) for F, layer in zip(features, state["layers"])]
        evidence.append(excess(rows, state["bounds"]))
        scores[start : start + chunk] = combine(
            np.stack(evidence), state["centers"], state["scales"]
        )
    return scores
