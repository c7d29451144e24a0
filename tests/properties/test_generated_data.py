"""For generated data and settings, a net fits soundly or refuses with a clear error.

Each failure seen here gets a test of its own elsewhere.
"""

import pickle

import numpy as np
import pytest
from generated_data import (
    LABELS,
    TARGETS,
    WEIGHTS,
    classifiers,
    names,
    regressors,
    tables,
)
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

pytestmark = [
    # scikit-learn sums X to check that it is finite, and warns about many classes.
    pytest.mark.filterwarnings("ignore:invalid value encountered in reduce"),
    pytest.mark.filterwarnings("ignore:The number of unique classes is greater"),
    pytest.mark.filterwarnings("ignore:A column-vector y was passed"),
    pytest.mark.filterwarnings("ignore:Training diverged"),
]

KINDS = {"classifier": (classifiers, LABELS), "regressor": (regressors, TARGETS)}
both_kinds = pytest.mark.parametrize(("nets", "targets"), KINDS.values(), ids=KINDS)
DTYPES = st.sampled_from([np.float64, np.float32])


def cast(X, dtype):
    """Return X in the dtype, clipped to its range."""
    largest = np.finfo(dtype).max
    return np.clip(X, -largest, largest).astype(dtype)


@both_kinds
@given(data=st.data(), table=tables(), dtype=DTYPES, weigh=names(WEIGHTS))
def test_fit_is_refused_or_sound_and_repeatable(nets, targets, data, table, dtype, weigh):
    (X, rng), net = table.make(), data.draw(nets())
    X = cast(X, dtype)
    y, weights = targets[data.draw(names(targets))](rng, len(X)), WEIGHTS[weigh](rng, len(X))
    copies = X.copy(), y.copy()
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y, weights)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(y, copies[1])
    assume(not reasons)
    assert_sound(net, X, y)
    assert same(clone(net).fit(X, y, weights), net)
    assert_same_predictions(predict_all(pickle.loads(pickle.dumps(net)), X), predict_all(net, X))


@both_kinds
@given(
    data=st.data(),
    table=tables(min_rows=2),
    dtype=DTYPES,
    weigh=names(WEIGHTS),
    warm_start=st.booleans(),
)
def test_second_fit_equals_first_or_changes_nothing(
    nets, targets, data, table, dtype, weigh, warm_start
):
    (X, rng), net = table.make(), data.draw(nets())
    net.set_params(early_stopping=False, warm_start=warm_start)
    target = targets[data.draw(names(targets))]
    with unchanged_if_refused(net) as reasons:
        before = rng.normal(size=X.shape) if warm_start else rng.normal(size=(9, 3))
        net.fit(before, target(rng, len(before)))
    assume(not reasons)
    X, y, weights = cast(X, dtype), target(rng, len(X)), WEIGHTS[weigh](rng, len(X))
    with unchanged_if_refused(net) as reasons:
        net.fit(X, y, weights)
    assume(not reasons)
    if warm_start:
        net.max_iter *= 2
        assert_sound(net, X, y)
    else:
        assert same(net, clone(net).fit(X, y, weights))


@both_kinds
@given(data=st.data(), tables=st.lists(tables(), min_size=1, max_size=4), weigh=names(WEIGHTS))
def test_partial_fits_are_refused_or_sound(nets, targets, data, tables, weigh):
    net, target = data.draw(nets()), targets[data.draw(names(targets))]
    net.set_params(early_stopping=False)
    if net.__sklearn_tags__().estimator_type == "classifier":
        net.set_params(class_weight=None)
    rng = np.random.default_rng(0)
    made = [table.make()[0] for table in tables]
    width = min(X.shape[1] for X in made)
    pool = target(rng, 12)
    options = {}
    if hasattr(net, "class_weight"):
        columns = [np.unique(column) for column in pool.T] if pool.ndim == 2 else None
        options["classes"] = np.unique(pool) if columns is None else columns
    learned = 0
    for X in made:
        X, y = X[:, :width], pool[rng.integers(0, 12, len(X))]
        with unchanged_if_refused(net) as reasons:
            net.partial_fit(X, y, WEIGHTS[weigh](rng, len(X)), **options)
        if not reasons:
            learned += 1
            net.max_iter = learned
            vars(net).setdefault("init_scores_", [0.0] * net.n_init)
            assert_sound(net, X, y)


@both_kinds
@given(data=st.data(), table=tables(), dtype=DTYPES)
def test_predictions_for_any_rows_are_sound(nets, targets, data, table, dtype):
    (X, rng), net = table.make(), data.draw(nets())
    y = targets[data.draw(names(targets))](rng, 20)
    with unchanged_if_refused(net) as reasons:
        net.fit(rng.normal(size=(20, X.shape[1])), y)
    assume(not reasons)
    with unchanged_if_refused(net) as reasons:
        assert_sound(net, cast(X, dtype), y)
    # NaN is refused before dot products; nothing else is.
    assert not reasons or np.isnan(X).any()
