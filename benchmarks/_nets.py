"""What the benchmarks train: data, nets of equal size, and the time of one of their epochs."""

import functools

import numpy as np
from _harness import seconds
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier

__all__ = ["epoch_seconds", "make_data", "mlp", "ours"]


@functools.lru_cache(maxsize=2)
def make_data(n_rows, n_features, n_classes, dtype):
    """Classes around well separated centres: random labels would train no net as real ones do."""
    rng = np.random.default_rng(0)
    centers = rng.random((n_classes, n_features)).astype(dtype)
    y = rng.integers(n_classes, size=n_rows)
    # In place, so that making X takes no more memory than X: the peak of fit is measured later.
    X = rng.standard_normal((n_rows, n_features), dtype=dtype)
    X *= 0.5
    for start in range(0, n_rows, 1000):
        part = slice(start, start + 1000)
        X[part] += centers[y[part]]
    return X, y


def epoch_seconds(make, X, y):
    """Time of one epoch of the estimator that `make` makes for a number of epochs."""
    # Where epochs are short, more of them, or the noise of starting a fit would drown them.
    epochs = min(30, max(6, 6_000_000 // X.size))
    # Memory that no fit has touched yet costs the first one as much as an epoch or two.
    make(1).fit(X, y)
    short = seconds(lambda: make(1).fit(X, y))
    return (seconds(lambda: make(1 + epochs).fit(X, y)) - short) / epochs


def mlp(hidden, batch):
    """A maker of MLPClassifiers that train for as long as they are told."""
    return lambda max_iter: MLPClassifier(
        hidden, batch_size=batch, max_iter=max_iter, tol=0, n_iter_no_change=10**6, random_state=0
    )


def ours(hidden, batch, **options):
    """A maker of DistanceNetClassifiers that train for as long as they are told."""
    return lambda max_iter: DistanceNetClassifier(
        hidden, batch_size=batch, max_iter=max_iter, random_state=0, **options
    )
