"""Small tables and fitted estimators for tests of exports."""

from functools import cache

import numpy as np
import pandas as pd
from combinations import all_combinations, all_pairs, label

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet.engine import ACTIVATIONS, KERNELS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.network import OUTPUT_LAYERS

N_ROWS = 80
QUICK = {"max_iter": 3, "early_stopping": False, "tol": 0, "random_state": 0}


#: Layers of nets: each activation, or no layer, in two places, and what goes with them.
UNITS = sorted([*KERNELS, *ACTIVATIONS])
LAYERS = {
    "first": [*UNITS, None],
    "second": [*UNITS, None],
    "radius_type": sorted(RADIUS_TYPES),
    "output_layer": sorted(OUTPUT_LAYERS),
    "linear_part": [True, False],
    "dtype": ["float64", "float32"],
}


def net_of_layers(combination):
    """Return a net fitted with a combination of `LAYERS`, and rows: missing if it takes them."""
    options = {name: combination[name] for name in LAYERS if name not in ("first", "second")}
    units = [name for name in (combination["first"], combination["second"]) if name]
    sizes = {"hidden_layer_sizes": (6, 5)[: len(units)], "activation": units or "gaussian"}
    X = numbers()
    net = DistanceNetClassifier(**sizes, **options, **QUICK).fit(X, three_classes(X))
    takes_missing = (units or [options["output_layer"]])[0] in (*KERNELS, "distance")
    return net, (with_missing(X) if takes_missing else X).astype(options["dtype"])


def parametrize_layers(metafunc):
    """Give a test every pair of layers, or every combination with ``--all-combinations``."""
    if "combination" in metafunc.fixturenames:
        exhaustive = metafunc.config.getoption("all_combinations")
        chosen = (all_combinations if exhaustive else all_pairs)(LAYERS)
        metafunc.parametrize("combination", chosen, ids=label)


def numbers(offset=0.0):
    """Return rows of four numbers."""
    return np.random.default_rng(0).normal(size=(N_ROWS, 4)) + offset


def with_missing(X):
    X = X.copy()
    X[::3, 0] = X[::4, 1] = X[12] = np.nan
    return X


def with_outliers(X):
    X = X.copy()
    X[:3, 0], X[3:6, 1] = 1e6, -999.0
    return X


def frame(missing=False):
    """Return a frame of numbers, words, integers and booleans."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "size": rng.normal(size=N_ROWS),
            "color": rng.choice(["red", "green", "blue"], N_ROWS),
            "rank": rng.integers(0, 5, N_ROWS),
            "is_new": rng.random(N_ROWS) < 0.5,
        }
    )
    if missing:
        table["color"] = table["color"].astype(object).where(np.arange(N_ROWS) % 7 > 0, None)
        table.loc[::5, "size"] = np.nan
    return table


def three_classes(X):
    return np.digitize(X[:, 0] + X[:, 1] ** 2, [0.3, 1.2])


TARGETS = {
    "binary": lambda y: y == 1,
    "integers": lambda y: 10 * y - 5,
    "floats": lambda y: 2.0 * y,
    "strings": lambda y: np.array(["a", "bb", "c"])[y],
    "objects": lambda y: np.array(["a", "bb", "c"], dtype=object)[y],
    "one class": lambda y: 0 * y + 7,
    "multilabel": lambda y: np.stack([y == 0, y > 1, y < 3], axis=1).astype(int),
    "columns": lambda y: np.stack([y, y % 2 + 5], axis=1),
    "columns of strings": lambda y: np.array(["a", "bb", "c"])[np.stack([y, y % 2], axis=1)],
}


@cache
def classifier(target="integers", **options):
    X = numbers()
    y = TARGETS[target](three_classes(X))
    return DistanceNetClassifier(6, **QUICK | options).fit(X, y)


@cache
def classifier_ensemble(target="integers", **options):
    X = numbers()
    y = TARGETS[target](three_classes(X))
    net = DistanceNetClassifier(6, max_iter=3, early_stopping=False, tol=0, **options)
    return DistanceNetEnsembleClassifier(net, random_state=0).fit(X, y)


LOSSES = {
    "squared_error": {},
    "absolute_error": {"loss": "absolute_error"},
    "huber": {"loss": "huber"},
    "poisson": {"loss": "poisson"},
    "quantile": {"loss": "quantile", "quantile": 0.2},
    "quantiles": {"loss": "quantile", "quantile": (0.1, 0.5, 0.9)},
    "one quantile": {"loss": "quantile", "quantile": (0.3,)},
}


def numeric_target(loss):
    y = numbers() @ [1.0, -2.0, 0.5, 0.1]
    return np.random.default_rng(2).poisson(np.exp(y / 2)) if loss == "poisson" else 50 + 9 * y


@cache
def regressor(loss="squared_error", **options):
    net = DistanceNetRegressor(6, **LOSSES[loss], **QUICK | options)
    return net.fit(numbers(), numeric_target(loss))


@cache
def regressor_ensemble(loss="squared_error"):
    net = DistanceNetRegressor(6, **LOSSES[loss], max_iter=3, early_stopping=False, tol=0)
    return DistanceNetEnsembleRegressor(net, random_state=0).fit(numbers(), numeric_target(loss))
