"""For generated data frames, nets fit soundly, and neither names nor order of levels matter."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from generated_data import LABELS, TARGETS, WEIGHTS, classifiers, names, regressors
from hypothesis import assume, given
from hypothesis import strategies as st
from interrupted_fits import same
from sklearn.base import clone
from sound_predictions import (
    assert_same_predictions,
    assert_sound,
    predict_all,
    unchanged_if_refused,
)

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore:The number of unique classes is greater"),
    pytest.mark.filterwarnings("ignore:A column-vector y was passed"),
    pytest.mark.filterwarnings("ignore:Training diverged"),
]

KINDS = {"classifier": (classifiers, LABELS), "regressor": (regressors, TARGETS)}
both_kinds = pytest.mark.parametrize(("nets", "targets"), KINDS.values(), ids=KINDS)


def words(rng, n, n_levels):
    return np.array([f"w{number}" for number in range(n_levels)], dtype=object)[
        rng.integers(0, n_levels, n)
    ]


def gaps(column, rng, value=None):
    column = np.array(column, dtype=object)
    column[rng.random(len(column)) < 0.4] = value
    return column


#: Columns, from a generator and the number of rows, of the types that frames hold.
COLUMNS = {
    "few words": lambda rng, n: words(rng, n, 3),
    "numbers": lambda rng, n: rng.normal(size=n),
    "words and gaps": lambda rng, n: gaps(words(rng, n, 4), rng),
    "words and NaN": lambda rng, n: gaps(words(rng, n, 4), rng, np.nan),
    "many words": lambda rng, n: words(rng, n, 40),
    "a word for each row": lambda rng, n: words(rng, n, 10**6),
    "one word": lambda rng, n: words(rng, n, 1),
    "one other word": lambda rng, n: np.array(["a"] * (n - 1) + ["b"], dtype=object),
    "booleans": lambda rng, n: rng.random(n) < 0.5,
    "booleans and gaps": lambda rng, n: gaps(rng.random(n) < 0.5, rng),
    "constant booleans": lambda rng, n: np.ones(n, dtype=bool),
    "missing words": lambda rng, n: pd.array([None] * n, dtype="str"),
    "empty words": lambda rng, n: np.array([""] * n, dtype=object),
    "numbers and gaps": lambda rng, n: gaps(rng.normal(size=n), rng, np.nan).astype(float),
    "large numbers": lambda rng, n: 1e6 + rng.normal(size=n),
    "constant numbers": lambda rng, n: np.full(n, 0.1),
    "counts": lambda rng, n: rng.integers(0, 5, n),
}
#: Columns whose values are of several types, which polars keeps as objects.
MIXED = {
    "mixed types": lambda rng, n: np.array(["1", 1, 2.5, True, None], dtype=object)[
        rng.integers(0, 5, n)
    ],
}
CONTAINERS = {
    "pandas": lambda X: X,
    "pandas' categories": lambda X: X.astype(
        {name: "category" for name in X if not pd.api.types.is_numeric_dtype(X[name])}
    ),
    "polars": lambda X: pl.from_pandas(X, nan_to_null=True),
}


@st.composite
def frames(draw, columns=COLUMNS, min_rows=1):
    """Draw the kinds of columns, the number of rows and a seed; return the frame and its draw."""
    kinds = draw(st.lists(st.sampled_from(list(columns)), min_size=1, max_size=5))
    n_rows = draw(st.one_of(st.integers(min_rows, 12), st.sampled_from([30, 130])))
    seed = draw(st.integers(0, 99))

    def make(offset=0, n_rows=n_rows):
        rng = np.random.default_rng(seed + offset)
        own = {f"{at} {kind}": columns[kind](rng, n_rows) for at, kind in enumerate(kinds)}
        return pd.DataFrame(own), rng

    return make


@both_kinds
@given(data=st.data(), make=frames(COLUMNS | MIXED), weigh=names(WEIGHTS))
def test_fit_to_any_frame_is_sound_and_repeatable(nets, targets, data, make, weigh):
    (X, rng), net = make(), data.draw(nets())
    y, weights = targets[data.draw(names(targets))](rng, len(X)), WEIGHTS[weigh](rng, len(X))
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y, weights)
    assume(not reasons)
    assert_sound(net, X, y)
    assert same(clone(net).fit(X, y, weights), net)
    assert_same_predictions(predict_all(pickle.loads(pickle.dumps(net)), X), predict_all(net, X))


@both_kinds
@given(data=st.data(), make=frames(), container=names(CONTAINERS))
def test_containers_of_frames_change_no_bit(nets, targets, data, make, container):
    (X, rng), net = make(), data.draw(nets())
    y = targets[data.draw(names(targets))](rng, len(X))
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y)
    assume(not reasons)
    other = clone(net).fit(CONTAINERS[container](X), y)
    rows, _ = make(1)
    with unchanged_if_refused(net) as reasons:
        expected = predict_all(net, rows)
    assume(not reasons)
    assert_same_predictions(predict_all(other, CONTAINERS[container](rows)), expected)
    assert_same_predictions(predict_all(other, rows), expected)


@both_kinds
@given(data=st.data(), make=frames(COLUMNS | MIXED))
def test_streams_of_frames_are_sound(nets, targets, data, make):
    net, target = data.draw(nets()), targets[data.draw(names(targets))]
    net.set_params(early_stopping=False)
    pool, options = target(np.random.default_rng(0), 12), {}
    if hasattr(net, "class_weight"):
        net.set_params(class_weight=None)
        columns = [np.unique(column) for column in pool.T] if pool.ndim == 2 else None
        options["classes"] = np.unique(pool) if columns is None else columns
    learned = 0
    for offset in range(3):
        X, rng = make(offset)
        y = pool[rng.integers(0, 12, len(X))]
        with unchanged_if_refused(net) as reasons:
            net.partial_fit(X, y, **options)
        if not reasons:
            learned += 1
            net.max_iter = learned
            vars(net).setdefault("init_scores_", [0.0] * net.n_init)
            assert_sound(net, X, y)


# Names and order ----------------------------------------------------------------------------------

FEW_STEPS = {
    "solver": "sgd",  # others make steps of the size of rounding errors
    "dropout": 0.0,
    "hidden_layer_sizes": 6,
    "max_iter": 10,
    "batch_size": 1000,
    "early_stopping": False,
    "random_state": 0,
}
FEW_LEVELS = ["few words", "words and gaps", "booleans", "one word", "one other word"]
NUMBERS = ["numbers", "numbers and gaps", "counts"]
FRAMES_OF_FEW = frames({kind: COLUMNS[kind] for kind in FEW_LEVELS + NUMBERS}, min_rows=12)


def with_numbers(make):
    """Return a frame, rows and a generator; without equal rows, which chance would separate."""
    (X, rng), (rows, _) = make(), make(1)
    return X.assign(x=rng.normal(size=len(X))), rows.assign(x=rng.normal(size=len(X))), rng


both_nets = pytest.mark.parametrize("kind", [DistanceNetClassifier, DistanceNetRegressor])


def predictions(kind, X, y, rows, **options):
    net = kind(**FEW_STEPS | options).fit(X, y)
    return net.predict_proba(rows) if hasattr(net, "predict_proba") else net.predict(rows)


def draw_target(kind, rng, n_rows):
    return rng.normal(size=n_rows) if kind is DistanceNetRegressor else np.arange(n_rows) % 2


@both_nets
@given(make=FRAMES_OF_FEW)
def test_names_of_levels_do_not_matter(kind, make):
    X, rows, rng = with_numbers(make)
    y = draw_target(kind, rng, len(X))
    renamed, renamed_rows = X.copy(), rows.copy()
    for name in X.columns:
        known = sorted(set(X[name].dropna()) | set(rows[name].dropna()), key=str)
        if X[name].dtype == bool or isinstance(known[0] if known else 0, str):
            order = rng.permutation(len(known))
            new = {level: f"level {number}" for level, number in zip(known, order)}
            renamed[name] = X[name].map(new).astype(object)
            renamed_rows[name] = rows[name].map(new).astype(object)
    actual = predictions(kind, renamed, y, renamed_rows)
    np.testing.assert_allclose(actual, predictions(kind, X, y, rows), atol=1e-9)


@both_nets
@given(make=FRAMES_OF_FEW)
def test_order_of_rows_does_not_matter(kind, make):
    X, rows, rng = with_numbers(make)
    y = draw_target(kind, rng, len(X))
    order = rng.permutation(len(X))
    units = np.nan_to_num(X.map(lambda value: value if isinstance(value, float) else 0.0)[:6])
    options = {"init": units.astype(float), "init_median_activation": None}
    actual = predictions(kind, X.iloc[order], y[order], rows, **options)
    np.testing.assert_allclose(actual, predictions(kind, X, y, rows, **options), atol=1e-9)


@both_nets
@given(make=FRAMES_OF_FEW)
def test_order_of_columns_does_not_matter(kind, make):
    X, rows, rng = with_numbers(make)
    y = draw_target(kind, rng, len(X))
    order = rng.permutation(X.columns)
    actual = predictions(kind, X[order], y, rows[order])
    np.testing.assert_allclose(actual, predictions(kind, X, y, rows), atol=1e-9)
