"""Novelty scores as nodes of an ONNX graph, in double precision; see skdistnet/_novelty."""

import numpy as np
from scipy.linalg import block_diag

from ..._base.tabular import check_first_layer_is_distance
from ..._novelty.norms import MIN_NORM, Norms
from ..._novelty.ppca import FARTHEST, MIN_VARIANCE, GroupedPPCA
from ..._novelty.score import BOX_MARGIN, MAX_UNITS, TINY, TiedGaussians
from ...engine.categories import CategoricalMap
from .inputs import codes_of_levels, mapped_rows
from .layers import squared_distances


def novelty_score(graph, columns, net, outputs, name):
    """Return the scores (n_rows, 1) of a net, given the outputs of its layers.

    `graph` and `columns` are those of double precision. Raises the errors of `score_samples`.
    """
    check_first_layer_is_distance(net)
    state, input_map = net._novelty_scorer("score_samples").state, net._input_map
    layers = [TiedGaussians(**layer) for layer in state["layers"]]
    features = [graph.cast(output, np.float64) for output in outputs[-len(layers) :]]
    if len(layers) > 1 and net._network.sizes[-2] > MAX_UNITS:
        features[0] = graph.columns(features[0], np.arange(MAX_UNITS))
    statistics = [gaussian_log_distance(graph, *pair) for pair in zip(layers, features)]
    inputs = mapped_rows(graph, columns, input_map, name, linear=True)
    log_distance = ppca_log_distance(graph, GroupedPPCA(**state["ppca"]), inputs)
    expected = expected_log_residual(graph, Norms(**state["norms"]), inputs)
    statistics.append(graph.op("Sub", log_distance, expected))
    statistics.append(log_distance_outside_box(graph, columns, state["bounds"]))
    score = combined(graph, statistics, len(layers), state["centers"], state["scales"])
    if isinstance(input_map, CategoricalMap):
        surprise = log_share_of_unseen(graph, columns, input_map, state["unseen_shares"])
        score = graph.op("Add", score, surprise)
    return score


def logarithm(graph, value, least):
    """Return the log of squared distances, to which a small number is added."""
    return graph.op("Log", graph.op("Add", value, np.float64(least)))


def gaussian_log_distance(graph, layer, features):
    """Return `TiedGaussians.log_distance`."""
    n_features = len(layer.origin)
    whitening = np.zeros((n_features, n_features))
    whitening[np.triu_indices(n_features)] = layer.packed
    scaled = graph.op("Sub", features, layer.origin.astype(np.float64))
    scaled = graph.op("Mul", scaled, np.float64(1.0 / layer.scale))
    whitened = graph.op("MatMul", scaled, whitening)
    squared = squared_distances(graph, whitened, layer.means.astype(np.float64))
    nearest = graph.reduce("ReduceMin", squared, axis=1)
    return logarithm(graph, graph.op("Max", nearest, np.float64(0.0)), TINY)


def observed_values(graph, values):
    """Return values with 0 for missing ones, and 1 for observed and 0 for missing ones."""
    missing = graph.op("IsNaN", values)
    observed = graph.op("Where", missing, np.float64(0.0), np.float64(1.0))
    return graph.op("Where", missing, np.float64(0.0), values), observed


def ppca_log_distance(graph, ppca, inputs):
    """Return `GroupedPPCA.log_distance`; all groups in one pass."""
    scaled = graph.op("Mul", inputs, np.float64(1.0 / ppca.scale))
    scaled = graph.op("Clip", scaled, np.float64(-FARTHEST), np.float64(FARTHEST))
    rows, observed = observed_values(graph, scaled)
    means, components = ppca.means.astype(np.float64), ppca.components.astype(np.float64)
    squared = graph.op("Add", squared_norm(graph, rows), graph.op("MatMul", rows, -2.0 * means.T))
    squared = graph.op("Add", squared, graph.op("MatMul", observed, (means * means).T))
    scores = None
    if len(components):
        own_means = np.repeat(means, ppca.n_components, axis=0)
        centers = graph.op("MatMul", observed, (components * own_means).T)
        scores = graph.op("Sub", graph.op("MatMul", rows, components.T), centers)
        bases = np.split(components, np.cumsum(ppca.n_components)[:-1])
        # Rounded components are not quite orthonormal.
        gram = block_diag(*(basis @ basis.T - 2.0 * np.eye(len(basis)) for basis in bases))
        groups = np.repeat(np.eye(len(means)), ppca.n_components, axis=0)
        explained = graph.op("Mul", scores, graph.op("MatMul", scores, gram))
        squared = graph.op("Add", squared, graph.op("MatMul", explained, groups))
    residual = graph.op("Max", squared, np.float64(0.0))
    distance = graph.op("Mul", residual, np.float64(1.0 / ppca.noise_variance))
    if scores is not None:
        precisions = groups / ppca.variances.astype(np.float64)[:, np.newaxis]
        along = graph.op("MatMul", graph.op("Mul", scores, scores), precisions)
        distance = graph.op("Add", distance, along)
    return logarithm(graph, graph.reduce("ReduceMin", distance, axis=1), MIN_VARIANCE)


def squared_norm(graph, rows):
    return graph.reduce("ReduceSumSquare", rows, axis=1)


def expected_log_residual(graph, norms, inputs):
    """Return `Norms.expected`."""
    if norms.slope == 0.0 or norms.median <= 0.0:
        return np.float64(0.0)
    clipped = graph.op("Clip", inputs, np.float64(-FARTHEST), np.float64(FARTHEST))
    centered = graph.op("Sub", clipped, norms.background.astype(np.float64))
    centered, observed = observed_values(graph, centered)
    n_columns = len(norms.background)
    n_observed = graph.op("Max", graph.row_sums(observed, np.ones(n_columns)), np.float64(1.0))
    relative = graph.op("Div", squared_norm(graph, centered), n_observed)
    relative = graph.op("Mul", relative, np.float64(n_columns / norms.median))
    relative = graph.op("Clip", relative, np.float64(MIN_NORM), np.float64(1.0))
    return graph.op("Mul", graph.op("Log", relative), np.float64(norms.slope))


def log_distance_outside_box(graph, columns, bounds):
    """Return what the function of this name in skdistnet/_novelty/score.py does."""
    low, high = np.asarray(bounds, dtype=np.float64) / 2
    bounded = np.flatnonzero(~np.isnan(low))
    if not len(bounded):
        return np.log(BOX_MARGIN)
    low, high = low[bounded], high[bounded]
    half = graph.op("Mul", columns.numbers(bounded.tolist(), np.float64), np.float64(0.5))
    outside = graph.op("Max", graph.op("Sub", low, half), graph.op("Sub", half, high))
    with np.errstate(over="ignore"):
        ranges = np.where(low < high, high - low, 0.5)
    outside, _ = observed_values(graph, graph.op("Div", outside, ranges))
    farthest = graph.reduce("ReduceMax", outside, axis=1)
    farthest = graph.op("Clip", farthest, np.float64(0.0), np.float64(FARTHEST))
    return logarithm(graph, farthest, BOX_MARGIN)


def combined(graph, statistics, n_layers, centers, scales):
    """Return what `combine` in skdistnet/_novelty/score.py does."""
    log_shares = []
    for statistic, center, scale in zip(statistics, centers, scales):
        deviate = graph.op("Sub", statistic, np.float64(center))
        deviate = graph.op("Mul", deviate, np.float64(1.0 / scale))
        half = graph.op("Exp", graph.op("Neg", graph.op("Abs", deviate)))
        half = graph.op("Mul", half, np.float64(0.5))
        near = graph.op("Log", graph.op("Sub", np.float64(1.0), half))
        far = graph.op("Sub", np.log(0.5), deviate)
        is_far = graph.op("Greater", deviate, np.float64(0.0))
        log_shares.append(graph.op("Where", is_far, far, near))
    of_layers = log_shares[0] if n_layers == 1 else graph.op("Sum", *log_shares[:n_layers])
    of_layers = graph.op("Mul", of_layers, np.float64(1.0 / n_layers))
    return graph.op("Sum", of_layers, *log_shares[n_layers:])


def log_share_of_unseen(graph, columns, input_map, shares):
    """Return the log of the smallest share among each row's unseen levels, 0 without any."""
    logs = []
    for share, (at, _, locations) in zip(shares, input_map.parts):
        codes = codes_of_levels(columns.levels[at])
        located = locations.table[locations.rows_of(codes), 0]
        is_unseen = np.isnan(located) & ~np.isnan(codes)
        table = np.where(is_unseen, np.log(share), 0.0)[:, np.newaxis]
        logs.append(graph.op("Gather", table, columns.codes(at)))
    return logs[0] if len(logs) == 1 else graph.op("Min", *logs)
