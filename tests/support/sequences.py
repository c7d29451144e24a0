"""Data and small nets for the tests of nets for sequences."""

import numpy as np
import pytest

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor

SMALL = {"n_units": 5, "max_iter": 3, "batch_size": 10, "random_state": 0, "early_stopping": False}
KINDS = [RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor]
both_kinds = pytest.mark.parametrize("kind", KINDS)


def draw_X(n_sequences=24, n_steps=8, n_features=2, seed=0):
    """Return sequences (n_sequences, n_steps, n_features), random walks."""
    steps = np.random.default_rng(seed).normal(size=(n_sequences, n_steps, n_features))
    return steps.cumsum(axis=1)


def running_mean(X):
    """Return the mean of the first feature so far, (n_sequences, n_steps)."""
    return np.nancumsum(X[:, :, 0], axis=1) / np.arange(1, X.shape[1] + 1)


def draw_y(kind, X, by_step=False):
    """Return targets: the last, or each, running mean of the first feature, or its sign."""
    target = running_mean(X)
    target = target if by_step else target[:, -1]
    if kind is RecurrentDistanceNetRegressor:
        return 10 + 3 * target
    return np.where(target > np.median(target), "up", "down")


def fitted(kind, X, y, *args, fit=(), **options):
    """Return a small net; `fit` has keyword arguments of its fit."""
    return kind(**SMALL | options).fit(X, y, *args, **dict(fit))


def raw_output(net, X):
    return (
        net.predict(X) if isinstance(net, RecurrentDistanceNetRegressor) else net.predict_proba(X)
    )


#: A classifier and a regressor, with a target for each sequence and for each step.
CASES = {
    f"{name}, {form}": (kind, draw_X(), draw_y(kind, draw_X(), form == "steps"))
    for name, kind in zip(("classifier", "regressor"), KINDS)
    for form in ("sequences", "steps")
}
every_case = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def cut_to_lengths(X, y, lengths):
    """Return lists of sequences and targets of these lengths, and X with NaN after their ends."""
    padded = X.copy()
    for sequence, length in zip(padded, lengths):
        sequence[length:] = np.nan
    sequences = [each[:length] for each, length in zip(X, lengths)]
    targets = [each[:length] for each, length in zip(y, lengths)] if y.ndim == 2 else y
    return sequences, targets, padded
