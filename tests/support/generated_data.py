"""Data and settings drawn by hypothesis: it draws the structure, and a seed draws the numbers.

A failure therefore shrinks to few rows and columns and to the one kind of column, label or setting
that matters. The first entry of each dict or list is the simplest.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import ACTIVATIONS, INITIALIZERS, KERNELS, SCHEDULES, SOLVERS
from skdistnet.engine.layers.distances import RADIUS_TYPES
from skdistnet.engine.losses import REGRESSION_LOSSES
from skdistnet.engine.network import OUTPUT_LAYERS
from skdistnet.engine.optim.weight_decay import PENALTIES
from skdistnet.recipes import inverse_time_decay

__all__ = [
    "COLUMNS",
    "LABELS",
    "TARGETS",
    "WEIGHTS",
    "classifiers",
    "names",
    "regressors",
    "tables",
]

# Columns ------------------------------------------------------------------------------------------


def with_cell(column, value):
    column[len(column) // 2] = value
    return column


def with_missing(column, rng):
    column[rng.random(len(column)) < 0.4] = np.nan
    return column


#: A column from a generator and the number of rows.
COLUMNS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "zero": lambda rng, n: np.zeros(n),
    "constant": lambda rng, n: np.full(n, 0.1),
    "two values": lambda rng, n: rng.integers(0, 2, n) * 1.0,
    "counts": lambda rng, n: rng.integers(0, 9, n) * 1.0,
    "bytes": lambda rng, n: rng.choice([0.0, 17.0, 255.0], n),
    "one cell differs": lambda rng, n: with_cell(np.zeros(n), 1.0),
    "one cell is huge": lambda rng, n: with_cell(rng.normal(size=n), 1e300),
    "offset": lambda rng, n: 1e6 + rng.normal(size=n),
    "large offset": lambda rng, n: 1e15 + rng.normal(size=n),
    "last bits": lambda rng, n: 1 + np.finfo(np.float64).eps * rng.integers(0, 3, n),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n) ** 3,
    "tiny": lambda rng, n: 1e-300 * rng.normal(size=n),
    "subnormal": lambda rng, n: 1e-310 * rng.normal(size=n),
    "huge": lambda rng, n: 1e300 * rng.normal(size=n),
    "ends of the range": lambda rng, n: rng.choice([-1.7e308, 1.7e308], n),
    "constant at the end of the range": lambda rng, n: np.full(n, 1.7e308),
    "ends of single precision": lambda rng, n: rng.choice([-3e38, 3e38], n),
    "scales mixed": lambda rng, n: rng.normal(size=n) * 10.0 ** rng.integers(-300, 300, n),
    "negative zero": lambda rng, n: rng.choice([-0.0, 0.0], n),
    "missing values": lambda rng, n: with_missing(rng.normal(size=n), rng),
    "one missing value": lambda rng, n: with_cell(rng.normal(size=n), np.nan),
    "all missing": lambda rng, n: np.full(n, np.nan),
}
#: Columns whose numbers every numeric dtype represents exactly.
SMALL_COUNTS = ["counts", "zero", "two values", "one cell differs"]

ROWS = {
    "distinct": lambda X, rng: X,
    "repeated": lambda X, rng: X[rng.integers(0, -(-len(X) // 3), len(X))],
    "all the same": lambda X, rng: X[np.zeros(len(X), dtype=int)],
}


@dataclass(frozen=True)
class Table:
    """Columns of some kinds, repeated, and a generator for targets and weights."""

    kinds: list
    times: int
    n_rows: int
    rows: str
    seed: int

    def make(self):
        """Return the matrix, float64 in C order, and the generator."""
        rng = np.random.default_rng(self.seed)
        columns = [COLUMNS[kind](rng, self.n_rows) for kind in self.kinds * self.times]
        return ROWS[self.rows](np.column_stack(columns), rng), rng


def tables(columns=tuple(COLUMNS), min_rows=1, max_columns=40):
    """Draw tables of few or many rows, and of few columns or more columns than rows."""
    return st.builds(
        Table,
        kinds=st.lists(st.sampled_from(list(columns)), min_size=1, max_size=4),
        times=st.sampled_from([1, 1, 1, max_columns // 4]),
        n_rows=st.one_of(st.integers(min_rows, 12), st.sampled_from([30, 205])),
        rows=st.sampled_from(list(ROWS)),
        seed=st.integers(0, 99),
    )


# Targets ------------------------------------------------------------------------------------------


def codes(rng, n, n_classes=3):
    """Return class codes; each class has a row if there are enough rows."""
    return rng.permutation(np.arange(n) % n_classes)


def one_row_of_a_class(rng, n):
    return with_cell(np.zeros(n, dtype=int), 1)


def indicators(rng, n):
    return (rng.random((n, 3)) < 0.4).astype(int)


#: Labels from a generator and the number of rows, as arrays.
LABELS = {
    "two": lambda rng, n: codes(rng, n, 2),
    "three": codes,
    "negative": lambda rng, n: codes(rng, n) * 7 - 10,
    "whole floats": lambda rng, n: codes(rng, n) * 2.0 - 1.0,
    "bools": lambda rng, n: codes(rng, n, 2) == 1,
    "strings": lambda rng, n: np.array(["a", "bb", "c c"])[codes(rng, n)],
    "objects": lambda rng, n: np.array(["yes", "no", ""], dtype=object)[codes(rng, n)],
    "unsigned bytes": lambda rng, n: (codes(rng, n) + 253).astype(np.uint8),
    "one row of a class": one_row_of_a_class,
    "a class for each row": lambda rng, n: rng.permutation(n),
    "one class": lambda rng, n: np.zeros(n, dtype=int),
    "an indicator matrix": indicators,
    "an indicator matrix of bools": lambda rng, n: indicators(rng, n) == 1,
    "columns of numbers": lambda rng, n: np.stack([codes(rng, n), codes(rng, n, 2) + 5], axis=1),
    "columns of strings": lambda rng, n: np.array(["a", "bb", "c"])[
        np.stack([codes(rng, n)] * 2, 1)
    ],
}

TARGETS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "counts": lambda rng, n: rng.poisson(3, n),
    "constant": lambda rng, n: np.full(n, 7.0),
    "zero": lambda rng, n: np.zeros(n),
    "bools": lambda rng, n: rng.random(n) < 0.5,
    "single precision": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "offset": lambda rng, n: 1e12 + rng.normal(size=n),
    "tiny": lambda rng, n: 1e-300 * rng.normal(size=n),
    "subnormal": lambda rng, n: 1e-310 * rng.random(n),
    "large": lambda rng, n: 1e30 * rng.normal(size=n),
    "huge": lambda rng, n: 1e300 * rng.normal(size=n),
    "heavy tails": lambda rng, n: np.abs(rng.standard_cauchy(n)) ** 5,
    "one outlier": lambda rng, n: with_cell(rng.random(n), 1e100),
    "two columns": lambda rng, n: rng.normal(size=(n, 2)) * [1e-5, 1e5] + 3,
    "a column": lambda rng, n: rng.random((n, 1)),
}

WEIGHTS = {
    "none": lambda rng, n: None,
    "ones": lambda rng, n: np.ones(n),
    "random": lambda rng, n: rng.random(n),
    "zeros among them": lambda rng, n: (rng.random(n) < 0.6) * 1.0,
    "ints": lambda rng, n: rng.integers(0, 4, n),
    "tiny": lambda rng, n: 1e-300 * rng.random(n),
    "subnormal": lambda rng, n: 1e-310 * rng.random(n),
    "huge": lambda rng, n: 1e300 * rng.random(n),
    "scales mixed": lambda rng, n: 10.0 ** rng.uniform(-300, 300, n),
    "one row outweighs": lambda rng, n: with_cell(np.ones(n), 1e30),
    "one row counts": lambda rng, n: with_cell(np.zeros(n), 1.0),
}


def names(kinds):
    """Draw a key of the dict."""
    return st.sampled_from(list(kinds))


# Settings -----------------------------------------------------------------------------------------

RADIAL, PLAIN = list(KERNELS), list(ACTIVATIONS)


@st.composite
def hidden_layers(draw):
    sizes = tuple(draw(st.lists(st.integers(1, 7), max_size=4)))
    activation = draw(
        st.one_of(
            st.sampled_from(RADIAL + PLAIN),
            st.lists(st.sampled_from(RADIAL + PLAIN), min_size=len(sizes), max_size=len(sizes)),
        )
    )
    return {"hidden_layer_sizes": sizes, "activation": activation}


SHARED = {
    "radius_type": st.sampled_from(list(RADIUS_TYPES)),
    "init": st.sampled_from(list(INITIALIZERS)),
    "init_median_activation": st.sampled_from([0.5, 1e-3, 0.999, None]),
    "n_init": st.integers(1, 2),
    "standardize": st.booleans(),
    "solver": st.sampled_from(list(SOLVERS)),
    "learning_rate": st.sampled_from([*SCHEDULES, inverse_time_decay]),
    "learning_rate_init": st.sampled_from(["auto", 1e-3, 1.0, 1e6, 1e300, 1e-300]),
    "momentum": st.sampled_from([0.9, 0.0, 0.999]),
    "rho": st.sampled_from([0.7, 0.0, 0.999]),
    "epsilon": st.sampled_from([1e-9, 1e-300, 1.0]),
    "alpha": st.sampled_from([0.0, 1e-3, 1.0, 1e9]),
    "penalty": st.sampled_from(list(PENALTIES)),
    "dropout": st.sampled_from([0.0, 0.1, 0.9]),
    "dtype": st.sampled_from([None, "float32", "float64"]),
    "batch_size": st.sampled_from(["auto", 1, 3, 10**6]),
    "tol": st.sampled_from([1e-4, 0.0, 10.0]),
    "n_iter_no_change": st.integers(1, 3),
    "early_stopping": st.booleans(),
    "validation_fraction": st.sampled_from([0.1, 0.5, 0.99, 0.01]),
}

CLASSIFYING = {
    "output_layer": st.sampled_from(list(OUTPUT_LAYERS)),
    "label_smoothing": st.sampled_from([0.0, 0.02, 0.9]),
    "class_weight": st.sampled_from([None, "balanced"]),
}

REGRESSING = {
    "loss": st.sampled_from(list(REGRESSION_LOSSES)),
    "huber_delta": st.sampled_from([1.35, 1e-6, 1e6]),
    "quantile": st.sampled_from([0.5, 0.01, [0.1, 0.9], [1e-6, 0.5, 0.5000001]]),
}


@st.composite
def nets(draw, kind, own):
    """Draw an unfitted net, some of whose parameters differ from the defaults."""
    layers = draw(hidden_layers())
    options = draw(st.fixed_dictionaries({}, optional=SHARED | own))
    return kind(**layers, **options, max_iter=draw(st.integers(1, 4)), random_state=0)


def classifiers():
    return nets(DistanceNetClassifier, CLASSIFYING)


def regressors():
    return nets(DistanceNetRegressor, REGRESSING)
