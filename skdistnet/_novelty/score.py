"""Novelty scores, their calibration and thresholds.

A score combines logs of distances: of hidden activations, and of the raw output, to the nearest
class mean; of the input to the nearest class, given its norm; and of the input to the box of the
training data. Far from the data, where all Gaussian activations are 0, only distances of the input
grow. Near the data, activations and outputs separate novel from known rows better. An unseen level
of a category adds the log of the share of rows that are expected to have one.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse import csr_array

from ..engine.numerics.memory import slices
from ..engine.numerics.statistics import column_range, make_dense
from ..engine.numerics.threads import blas_threads
from ..engine.prediction import layer_outputs
from .norms import Norms, background
from .ppca import FARTHEST, GroupedPPCA
from .thresholds import quantiles, threshold

MAX_UNITS = 180  # of a layer; a covariance has the square of their number of entries
COMPONENTS_PER_UNIT = 0.3  # principal components of the input per unit of the first layer
CALIBRATION_ROWS = 4000  # more would not be worth their time
CHUNK = 4_000_000  # numbers of X worked on at a time, since sparse rows are made dense
BOX_PART = 200_000  # numbers that are dense at a time for the box
TAIL_LEVEL = 0.95  # the tail of a statistic is fitted between its median and this quantile,
MIN_SPREAD = 0.08  # which differ by this at least,
MIN_BOX_SPREAD = np.log(2.0)  # or by this for the box: a factor of two
MIN_SHRINKAGE = 1e-3  # of a covariance: some units have equal activations
ROUNDING = 1e-9  # relative variation below which a feature is constant
TINY = 1e-9  # added to squared distances before their log
#: Share of known rows with an unseen level in a column where each level has several rows.
UNSEEN_SHARE = 2e-4
BOX_MARGIN = 0.1  # added to distances outside the box, in ranges of the column, before their log


@dataclass(frozen=True)
class NoveltyScorer:
    """Novelty scores and thresholds, calibrated on training rows."""

    state: dict  # of arrays and numbers, and of lists and dicts of them

    @classmethod
    def fit(cls, network, theta, input_map, X, groups, seed=0, limits=None):
        """Calibrate on a sample of the rows X, in input units; `groups` are classes, or zeros.

        `limits` are the range of each column over all rows, if X is a part of these.
        """
        rows, groups = calibration_rows(X, groups, seed)
        n_rows = rows.shape[0]
        # As many threads as in training, so that concurrent fits do not change the result.
        with blas_threads(network, rows.shape[0]):
            inputs, features = stages(network, theta, input_map, rows)
            layers, held_out = zip(*(TiedGaussians.fit(F, groups) for F in features))
            max_components = int(COMPONENTS_PER_UNIT * network.layers[0].n_units)
            ppca = GroupedPPCA.fit(inputs, groups, max_components)
            log_distance = GroupedPPCA.cross_fitted_log_distance(inputs, groups, max_components)
            norms = Norms.fit(inputs, log_distance)
            log_distance -= norms.expected(inputs)
            # From the second lowest to the second highest values, so that extreme rows are outside.
            rank = min(1, n_rows - 1)
            outside = log_distance_outside_box(rows, box(extreme_values(rows, rank), input_map))
            statistics = np.stack([*held_out, log_distance, outside])
            centers = np.median(statistics, axis=1)
            least = np.repeat([MIN_SPREAD, MIN_BOX_SPREAD], [len(statistics) - 1, 1])
            spreads = np.maximum(np.quantile(statistics, TAIL_LEVEL, axis=1) - centers, least)
            scales = spreads / np.log(0.5 / (1.0 - TAIL_LEVEL))
            known_scores = combine(statistics, len(layers), centers, scales)
            unique = input_map.unique(rows)
            known_scores += log_share_of_unseen(unique, unseen_shares(unique))
        state = {
            "bounds": box(limits or column_range(X), input_map),
            "unseen_shares": unseen_shares(unique),
            "layers": [asdict(layer) for layer in layers],
            "ppca": asdict(ppca),
            "norms": asdict(norms),
            "centers": centers,
            "scales": scales,
            "known_scores": quantiles(known_scores),
        }
        return cls(state).with_held_out(np.empty(0))

    def with_held_out(self, scores):
        """Return the scorer with thresholds for which these scores of held-out rows count, too."""
        held_out = {"n_held_out": len(scores), "held_out_scores": quantiles(scores)}
        return NoveltyScorer(self.state | held_out)

    def of_trial(self, network, theta, trial_map, input_map, X, groups, seed=0):
        """Return the scorer for rows that a trial held out, given its network and its rows.

        Distances are to those of the trial's rows. Scores are what this scorer makes of them, so
        that they are distributed as the scores of rows that are new to it. Inputs are in the units
        of this scorer's network, `input_map`.
        """
        rows, groups = calibration_rows(X, groups, seed)
        with blas_threads(network, rows.shape[0]):
            inputs, features = stages(network, theta, trial_map, rows, input_map)
            max_components = int(COMPONENTS_PER_UNIT * network.layers[0].n_units)
            own = {
                "bounds": box(column_range(X), trial_map),
                "unseen_shares": unseen_shares(trial_map.unique(rows)),
                "layers": [asdict(TiedGaussians.fit(F, groups)[0]) for F in features],
                "ppca": asdict(GroupedPPCA.fit(inputs, groups, max_components)),
            }
            if input_map is trial_map:  # with other directions than this scorer's, or with columns
                own["norms"] = self.state["norms"] | {"background": background(inputs)}
        return NoveltyScorer(self.state | own)

    def score(self, network, theta, network_map, X, input_map=None):
        """Return scores of rows in input units, (n_rows,); 0 at best, lower is more novel.

        Statistics of the input have the units of `input_map`, by default those of the network.
        """
        state, scores = self.state, np.empty(X.shape[0])
        layers = [TiedGaussians(**layer) for layer in state["layers"]]
        ppca, norms = GroupedPPCA(**state["ppca"]), Norms(**state["norms"])
        chunk = max(1, CHUNK // max(X.shape[1], *network.sizes))
        with blas_threads(network, len(scores)):
            for start in range(0, len(scores), chunk):
                part = slice(start, start + chunk)
                rows = X[part]
                inputs, features = stages(network, theta, network_map, rows, input_map)
                statistics = [layer.log_distance(F) for F, layer in zip(features, layers)]
                statistics.append(ppca.log_distance(inputs) - norms.expected(inputs))
                statistics.append(log_distance_outside_box(rows, state["bounds"]))
                stacked = np.stack(statistics)
                scores[part] = combine(stacked, len(layers), state["centers"], state["scales"])
                unseen = network_map.unseen(rows)
                scores[part] += log_share_of_unseen(unseen, state["unseen_shares"])
        return scores

    def threshold(self, false_alarm_rate):
        """Return the score below which this share of known rows falls."""
        scores = self.state["known_scores"], self.state["held_out_scores"]
        return threshold(*scores, self.state["n_held_out"], float(false_alarm_rate))


def calibration_rows(X, groups, seed):
    """Return a random sample of the rows and their groups."""
    size = min(CALIBRATION_ROWS, max(2, CHUNK // X.shape[1]))
    chosen = np.random.default_rng(seed).permutation(X.shape[0])[:size]
    return X[chosen], groups[chosen]


@dataclass(frozen=True)
class TiedGaussians:
    """Normal distribution of each group's features, with a covariance in common."""

    origin: np.ndarray
    scale: float
    packed: np.ndarray  # upper triangle of the matrix that whitens ``(F - origin) / scale``
    means: np.ndarray  # of the groups, after whitening

    @classmethod
    def fit(cls, F, groups):
        """Return the distributions, and each row's :meth:`log_distance` under a fit without it.

        Without a row, its group's mean moves away by a factor, and the covariance loses an outer
        product, so that its inverse has a closed form. The small effect on other groups is ignored.
        """
        labels, own = np.unique(groups, return_inverse=True)
        rows, counts = np.arange(len(F)), np.bincount(own).astype(np.float64)
        members = csr_array((np.ones(len(F)), (rows, own)), shape=(len(F), len(labels)))
        origin = F.mean(axis=0)
        centered = F - origin
        residual = centered - (members.T @ centered / counts[:, np.newaxis])[own]
        scale, largest = float(np.abs(F).max()), float(np.abs(residual).max())
        if varies := largest > ROUNDING * scale and largest > 1.0 / FARTHEST:
            scale = largest
        elif scale <= 1.0 / FARTHEST:
            scale = 1.0
        whitening, unshrunk = whiten(residual / scale) if varies else (np.eye(F.shape[1]), 0.0)
        whitened = centered / scale @ whitening
        means = members.T @ whitened / counts[:, np.newaxis]
        squared = squared_distances(whitened, means)
        size, own_squared = counts[own], squared[rows, own]
        with np.errstate(divide="ignore", invalid="ignore"):
            growth = size / (size - 1.0)
            lost = unshrunk / len(F) * growth * own_squared
            without = growth**2 * own_squared / (1.0 - lost)
        # Without its only row a group does not exist.
        squared[rows, own] = np.where(size > 1, without, np.inf if len(counts) > 1 else 0.0)
        packed = whitening[np.triu_indices(len(whitening))].astype(np.float32)
        log_distance = np.log(squared.min(axis=1) + TINY)
        return cls(origin, scale, packed, means.astype(np.float32)), log_distance

    def log_distance(self, F):
        """Return the log of each row's squared Mahalanobis distance to the nearest mean."""
        whitening = np.zeros((F.shape[1], F.shape[1]))
        whitening[np.triu_indices(len(whitening))] = self.packed
        with np.errstate(over="ignore"):
            scaled = np.clip((F - self.origin) / self.scale, -FARTHEST, FARTHEST)
        squared = squared_distances(scaled @ whitening, self.means.astype(np.float64))
        return np.log(squared.min(axis=1) + TINY)


def whiten(residual):
    """Return a triangular matrix that whitens centred rows, and 1 - Ledoit-Wolf shrinkage."""
    n_rows, n_columns = residual.shape
    covariance = residual.T @ residual / n_rows
    squares = np.einsum("ij,ij->", covariance, covariance)
    variance = np.trace(covariance) / n_columns
    distance = squares - n_columns * variance**2
    noise = np.mean(np.einsum("ij,ij->i", residual, residual) ** 2) - squares
    optimum = noise / n_rows / distance if distance > 0 else 1.0
    shrinkage = min(1.0, max(MIN_SHRINKAGE, optimum))
    covariance *= 1.0 - shrinkage
    covariance.flat[:: n_columns + 1] += shrinkage * variance
    lower = cholesky(covariance, lower=True)
    inverse = solve_triangular(lower, np.eye(n_columns), lower=True)
    return np.ascontiguousarray(inverse.T), 1.0 - shrinkage


def squared_distances(rows, means):
    """Return squared Euclidean distances, (n_rows, n_means)."""
    squared = -2.0 * (rows @ means.T)
    squared += np.einsum("ij,ij->i", rows, rows)[:, np.newaxis]
    squared += np.einsum("ij,ij->i", means, means)
    return np.maximum(squared, 0.0)


def stages(network, theta, network_map, X, input_map=None):
    """Return the scaled input, NaN where missing, and the last activations and raw output.

    The input has the units of `input_map`, by default those of the network.
    """
    with np.errstate(over="ignore"):
        inputs = (input_map or network_map).linear_inputs(X)
    layers = [-2, -1] if len(network.layers) > 1 else [-1]
    features = layer_outputs(network, theta, network_map, X, layers)
    if len(layers) > 1:
        features[0] = features[0][:, :MAX_UNITS]
    return inputs, [np.clip(F, -FARTHEST, FARTHEST, dtype=np.float64) for F in features]


def extreme_values(X, rank):
    """Return the values of this rank, from below and from above, of each column: (2, n_columns)."""
    bounds = np.empty((2, X.shape[1]), X.dtype)
    for part in slices(X.shape[1], BOX_PART // X.shape[0]):
        columns = make_dense(X[:, part])
        bounds[0, part] = np.partition(columns, rank, axis=0)[rank]
        bounds[1, part] = -np.partition(-columns, rank, axis=0)[rank]
    return bounds


def box(bounds, input_map):
    """Return bounds (2, n_columns) as floats, NaN for columns of codes, which have none."""
    bounds = np.stack(bounds).astype(np.float64)
    bounds[:, list(input_map.code_columns)] = np.nan
    return bounds


def unseen_shares(unique):
    """Return for each column of codes how many known rows have as surprising an unseen level.

    The share of rows with unseen levels is that of rows with levels of their own, `unique`
    (n_rows, n_code_columns), which no other row has (Good-Turing). Columns with a smaller share
    count, too.
    """
    rates = unique.mean(axis=0)
    shares = [rates[rates <= rate].sum() for rate in rates]
    return np.minimum(np.array(shares) + UNSEEN_SHARE, 1.0)


def log_share_of_unseen(unseen, shares):
    """Return the log of the smallest share among each row's unseen levels, 0 without any."""
    return np.where(unseen, np.log(shares), 0.0).min(axis=1, initial=0.0)


def log_distance_outside_box(X, bounds):
    """Return the log of each row's largest distance outside the bounds, plus `BOX_MARGIN`.

    Distances are in ranges of the column, or absolute where it is constant. NaN does not count.
    """
    # Differences of halves do not overflow.
    low, high = bounds.astype(np.float64) / 2
    outside = np.empty(X.shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        ranges = np.where(low < high, high - low, 0.5)
        for part in slices(X.shape[0], BOX_PART // X.shape[1]):
            half = make_dense(X[part]) / 2
            distances = np.fmax(low - half, half - high) / ranges
            outside[part] = np.fmax.reduce(distances, axis=1, initial=0.0)
    return np.log(np.minimum(outside, FARTHEST) + BOX_MARGIN)


def combine(statistics, n_layers, centers, scales):
    """Return scores: the sum over statistics of the log share of known rows with a larger one.

    This is Fisher's method of combining tests. The layers' statistics, which come first, count as
    one test by their mean, since outputs depend on activations. Exponential tails above the center,
    power laws of the distances, extrapolate the shares.
    """
    deviates = (statistics - centers[:, np.newaxis]) / scales[:, np.newaxis]
    half = 0.5 * np.exp(-np.abs(deviates))
    log_shares = np.where(deviates > 0, np.log(0.5) - deviates, np.log1p(-half))
    return log_shares[:n_layers].mean(axis=0) + log_shares[n_layers:].sum(axis=0)
