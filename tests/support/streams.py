"""Tables divided into blocks, and nets trained on the blocks by `partial_fit`."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

ORDER = np.random.default_rng(5).permutation(178)
WINE, WINE_Y = (part[ORDER] for part in load_wine(return_X_y=True))
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
DATA = {
    DistanceNetClassifier: (WINE, WINE_Y, {"classes": [0, 1, 2]}),
    DistanceNetRegressor: (DIABETES[:178], DIABETES_Y[:178], {}),
}
SIZES = (1, 2, 7, 30, 5)
both_kinds = pytest.mark.parametrize("kind", DATA)


def blocks(X, y, sizes=SIZES):
    """Yield blocks of rows; the sizes are used in turn."""
    start = number = 0
    while start < len(y):
        stop = start + sizes[number % len(sizes)]
        yield X[start:stop], y[start:stop]
        start, number = stop, number + 1


def stream(net, X, y, sizes=SIZES, weigh=None, **first):
    """Pass all rows to `net` in blocks, with the keywords `first` in the first call."""
    for number, (X_block, y_block) in enumerate(blocks(X, y, sizes)):
        weights = None if weigh is None else weigh(len(y_block))
        net.partial_fit(X_block, y_block, weights, **({} if number else first))
    return net


def streamed(kind, sizes=SIZES, n_rows=178, weigh=None, **options):
    X, y, first = DATA[kind]
    net = kind(**{"random_state": 0} | options)
    return stream(net, X[:n_rows], y[:n_rows], sizes, weigh, **first)


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


def assert_same_net(net, other, X):
    np.testing.assert_array_equal(raw_output(net, X), raw_output(other, X))
    assert (net.loss_curve_, net.t_) == (other.loss_curve_, other.t_)
