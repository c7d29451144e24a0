"""Rows and networks for the tests of the initializers."""

import numpy as np

from skdistnet._base.start import kmeans_labels
from skdistnet.engine import INITIALIZERS, Network
from skdistnet.engine.init.initializers import initialize

N_ROWS, N_UNITS, N_CLASSES = 120, 12, 3


def draw_rows(rng, n_rows=N_ROWS, n_inputs=5, dtype=np.float64):
    """Return standardised rows in three clusters, and their one-hot classes."""
    codes = np.arange(n_rows) % N_CLASSES
    X = rng.normal(size=(n_rows, n_inputs)) + rng.normal(size=(N_CLASSES, n_inputs))[codes]
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-3)
    return X.astype(dtype), np.eye(N_CLASSES, dtype=dtype)[codes]


def rows_at_random(H, n_units, random_state):
    return H[random_state.randint(len(H), size=n_units)]


def resolve(init, X, n_units):
    """Return `init`, or for "callable" and "array" a function or an array that fits X."""
    if not isinstance(init, str) or init in INITIALIZERS:
        return init
    if init == "callable":
        return rows_at_random
    return np.random.default_rng(1).normal(size=(n_units, X.shape[1]))


def start(network, X, target, init="sample", median=0.5, weights=None, seed=0, origin=None):
    weights = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    return initialize(
        network,
        X,
        target,
        weights.astype(X.dtype),
        init=resolve(init, X, network.sizes[1]),
        median_activations=(median, median),
        origin=np.zeros(X.shape[1], dtype=X.dtype) if origin is None else origin,
        rng=np.random.default_rng(seed),
        kmeans=kmeans_labels,
    )


def make_network(n_inputs, depth=1, **options):
    return Network([n_inputs, *[N_UNITS] * depth, N_CLASSES], **options)
