"""Streams of rows: the result of `partial_fit` does not depend on how the rows are divided."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_matrix, random
from streams import (
    DATA,
    DIABETES,
    DIABETES_Y,
    WINE,
    WINE_Y,
    assert_same_net,
    blocks,
    both_kinds,
    stream,
    streamed,
)

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine.training import loop as training

# The first rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1, 20), (3,), (1, 177)], ids=str)
def test_classifier_learns_after_any_first_block(sizes):
    net = DistanceNetClassifier(random_state=0)
    for _ in range(4):
        stream(net, WINE, WINE_Y, sizes, classes=[0, 1, 2])
    assert net.score(WINE, WINE_Y) > 0.95


def test_classifier_learns_from_sorted_classes():
    order = np.argsort(WINE_Y, kind="stable")
    net = DistanceNetClassifier(random_state=0)
    stream(net, WINE[order], WINE_Y[order], [10], classes=[0, 1, 2])
    assert net.score(WINE, WINE_Y) > 0.9


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_regressor_learns_after_a_constant_target(loss):
    y = DIABETES_Y.copy()
    y[:50] = 250.0
    net = DistanceNetRegressor(random_state=0, loss=loss)
    stream(net, DIABETES, y, [25])
    for _ in range(10):
        stream(net, DIABETES[50:], y[50:], [100])
    assert net.score(DIABETES[50:], y[50:]) > 0.35


def test_counts_may_start_with_zeros():
    counts = np.r_[np.zeros(50), np.random.default_rng(0).poisson(3.0, 392)]
    net = stream(DistanceNetRegressor(random_state=0, loss="poisson"), DIABETES, counts, [1, 20])
    assert net.predict(DIABETES[50:]).mean() == pytest.approx(3.0, abs=1.0)


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan], ids=str)
@pytest.mark.parametrize("n_constant", [30, 300])
def test_columns_may_start_to_vary_late(value, n_constant):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 3)) * [1.0, 1.0, 1e4]
    X[:n_constant, 2] = value
    y = np.where(np.arange(900) < n_constant, X[:, 0] > 0, X[:, 2] > 0)
    net = stream(DistanceNetClassifier(random_state=0), X, y, [30], classes=[False, True])
    for _ in range(10):
        stream(net, X[n_constant:], y[n_constant:], [200])
    assert net.score(X[n_constant:], y[n_constant:]) > 0.85


def test_warm_start_handles_newly_varying_targets():
    net = DistanceNetRegressor(random_state=0, warm_start=True, max_iter=30, tol=0)
    net.fit(DIABETES[:300], np.full(300, 5.0)).fit(DIABETES, DIABETES_Y)
    assert net.score(DIABETES, DIABETES_Y) > 0.3


def test_data_free_start_is_kept():
    X, y = WINE[:60], WINE_Y[:60]
    data_free = {"init": "uniform", "init_median_activation": None, "standardize": False}
    net = DistanceNetClassifier(random_state=0, learning_rate_init=1e-12, **data_free)
    theta = net.partial_fit(X[:1], y[:1], classes=[0, 1, 2])._theta_
    stream(net, X[1:], y[1:])
    np.testing.assert_allclose(net._theta_, theta, atol=1e-9)
    other = DistanceNetClassifier(random_state=0, learning_rate_init=1e-12)
    theta = other.partial_fit(X[:1], y[:1], classes=[0, 1, 2])._theta_
    assert np.abs(stream(other, X[1:], y[1:])._theta_ - theta).max() > 0.1


def test_restart_repeats_the_number_of_steps():
    net, n_steps = DistanceNetClassifier(random_state=0, batch_size=10), []
    for X, y in blocks(WINE[:40], WINE_Y[:40], (10,)):
        net.partial_fit(X, y, classes=[0, 1, 2])
        n_steps.append(net._progress_["n_steps"])
    assert n_steps == [1, 2, 3, 4]  # restarts in the second and the fourth call


@both_kinds
def test_patience_and_validation_do_not_change_nets(kind):
    X, y, first = DATA[kind]
    sizes, options = [1] * 31 + [33], {"n_iter_no_change": 1, "tol": 10.0}
    expected = streamed(kind, sizes, n_rows=64)  # restarts repeat up to ten epochs
    assert_same_net(streamed(kind, sizes, n_rows=64, **options), expected, X)
    validated = kind(random_state=0, **options)
    for X_block, y_block in blocks(X[:64], y[:64], sizes):
        validated.partial_fit(X_block, y_block, **first, X_val=X[64:], y_val=y[64:])
        last = validated.validation_scores_[-1]
        assert last == pytest.approx(validated.score(X[64:], y[64:]), rel=1e-9)
        assert validated.best_validation_score_ == last
    assert len(validated.validation_loss_curve_) == validated.n_iter_
    assert_same_net(validated, expected, X)


@both_kinds
def test_large_blocks_may_follow_a_single_row(kind):
    X, y, first = DATA[kind]
    rng = np.random.default_rng(0)
    many = np.tile(np.arange(len(y)), 15)
    X, y = X[many] + 0.01 * X.std(axis=0) * rng.normal(size=(len(many), X.shape[1])), y[many]
    net = kind((10,), random_state=0).partial_fit(X[:1], y[:1], **first)
    for _ in range(20):
        net.partial_fit(X, y)
    assert net.score(X, y) > (0.95 if kind is DistanceNetClassifier else 0.3)


def test_feature_units_need_more_than_one_row():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 3))
    X[:300, 0] = 5.0
    y = X[:, 0].copy()
    X[300, 0] = y[300] = 5.001
    net = DistanceNetRegressor((10,), random_state=0)
    for row in range(len(y)):
        net.partial_fit(X[[row]], y[[row]])
    assert net.score(X[310:], y[310:]) > 0.9


def test_target_units_adapt_after_two_rows():
    X = np.random.default_rng(0).normal(size=(300, 2))
    y = 100 * X[:, 0] + 50
    y[1] = y[0] + 1e-3
    start = {"init": "uniform", "init_median_activation": None, "standardize": False}
    net = DistanceNetRegressor((10,), random_state=0, **start)
    for row in range(len(y)):
        net.partial_fit(X[[row]], y[[row]])
    assert net._codec.scale[0] > 50


# How rows are divided -----------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("n_rows", [5, 30, 199, 201])
@pytest.mark.parametrize("batch_size", [7, "auto", 10_000])
@pytest.mark.parametrize("weighted", [True, False])
def test_calls_with_all_rows_equal_epochs(kind, n_rows, batch_size, weighted):
    X, y, first = DATA[kind]
    rng = np.random.default_rng(n_rows)
    rows = rng.integers(0, len(X), n_rows)  # some of them twice
    rows[:3] = [np.flatnonzero(label == WINE_Y)[0] for label in range(3)]
    X, y = X[rows], y[rows]
    weights = 3 * rng.random(n_rows) if weighted else None
    options = {"random_state": 0, "batch_size": batch_size, "learning_rate": "constant"}
    if kind is DistanceNetRegressor:
        options |= {"alpha": 0.1}
    else:
        options |= {"class_weight": {0: 1.0, 1: 5.0, 2: 0.3}}
    parts = kind(**options)
    for _ in range(3):
        parts.partial_fit(X, y, weights, **first)
    one_fit = kind(**options, max_iter=3, early_stopping=False).fit(X, y, weights)
    assert_same_net(parts, one_fit, X)


@both_kinds
def test_single_rows_do_as_well_as_blocks(kind):
    X, y, first = DATA[kind]
    X, y = X[:100], y[:100]
    single, block = (stream(kind(random_state=0), X, y, (size,), **first) for size in (1, 20))
    assert single.score(X, y) > block.score(X, y) - 0.1


@both_kinds
def test_single_rows_after_a_block_forget_nothing(kind):
    X, y, first = DATA[kind]
    net = kind(random_state=0)
    for _ in range(30):
        net.partial_fit(X[:90], y[:90], **first)
    before = net.score(X[:90], y[:90])
    stream(net, X[90:150], y[90:150], (1,))
    assert net.score(X[:90], y[:90]) > before - 0.1


@both_kinds
def test_curves_have_one_entry_per_call(kind):
    for n_calls, n_rows in ((1, 1), (2, 3), (5, 45), (6, 46)):
        net = streamed(kind, n_rows=n_rows)
        assert net.n_iter_ == net.best_epoch_ == len(net.loss_curve_) == n_calls
        assert net.t_ == n_rows


def test_filled_batches_scale_steps_and_weights(monkeypatch):
    """The step length follows the share of new rows, weights follow all rows."""
    trainers, original = [], training.Trainer.train_epoch

    def note(self):
        trainers.append(self)
        return original(self)

    monkeypatch.setattr(training.Trainer, "train_epoch", note)
    net = DistanceNetClassifier(random_state=0, learning_rate_init=0.01, batch_size=10)
    net.partial_fit(WINE[:30], WINE_Y[:30], np.full(30, 2.0), classes=[0, 1, 2])
    net.partial_fit(WINE[30:32], WINE_Y[30:32], np.full(2, 18.0))
    first, second = trainers
    assert (first.config.learning_rate_init, len(first.rows)) == (0.01, 30)
    assert second.config.learning_rate_init == pytest.approx(0.01 * (2 / 10) ** 0.5)
    assert len(second.rows) == 10
    assert second.rows.batches.relative == pytest.approx(np.r_[[6.0] * 2, [2 / 3] * 8])


# Kinds of data ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "makers",
    [(csr_matrix,), (coo_array,), (csr_matrix, np.asarray), (np.asarray, coo_array)],
    ids=["csr", "coo", "sparse first", "dense first"],
)
def test_sparse_rows_are_learned_like_dense_rows(makers):
    X = np.where(WINE < 1, 0.0, WINE)
    expected = stream(DistanceNetClassifier(random_state=0), X, WINE_Y, classes=[0, 1, 2])
    net = DistanceNetClassifier(random_state=0)
    for number, (X_block, y_block) in enumerate(blocks(X, WINE_Y)):
        net.partial_fit(makers[number % len(makers)](X_block), y_block, classes=[0, 1, 2])
    assert_same_net(net, expected, X)


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32")])
def test_first_call_fixes_the_dtype(dtypes):
    net = DistanceNetRegressor(random_state=0)
    for number, (X, y) in enumerate(blocks(DIABETES[:178], DIABETES_Y[:178])):
        X = X.astype(dtypes[number % 2])
        if number == 3 and X.dtype == "float64":
            X[0, 0] = 1e300
        net.partial_fit(X, y)
        assert net._network.dtype == dtypes[0]
    assert np.isfinite(net.predict(DIABETES)).all()


@pytest.mark.parametrize(
    "relabel",
    [
        lambda y: np.array(["a", "much longer", "mid"])[y].tolist(),
        lambda y: np.array(["a", "much longer", "mid"], dtype=object)[y],
        lambda y: y.astype(float),
    ],
    ids=["strings", "objects", "floats"],
)
def test_labels_of_any_dtype_are_learned_alike(relabel):
    net, expected = DistanceNetClassifier(random_state=0), streamed(DistanceNetClassifier)
    # In the order of the classes, so that the output columns agree.
    for X, y in blocks(WINE, np.array([0, 2, 1])[WINE_Y]):
        net.partial_fit(X, relabel(y), classes=relabel(np.arange(3)))
    if isinstance(relabel(WINE_Y)[0], str):
        assert_same_net(net, expected, WINE)
    assert net.score(WINE, relabel(np.array([0, 2, 1])[WINE_Y])) > 0.9


def test_several_outputs_are_learned_from_streams():
    labels = np.column_stack([WINE_Y == 1, WINE_Y == 2])
    net = DistanceNetClassifier(random_state=0)
    assert stream(net, WINE, labels.astype(int), classes=[0, 1]).score(WINE, labels) > 0.8
    y = np.column_stack([DIABETES_Y, np.full(442, 3.0)])
    net = stream(DistanceNetRegressor(random_state=0), DIABETES, y, (1, 50))
    np.testing.assert_array_equal(net.predict(DIABETES)[:, 1], 3.0)
    quantiles = DistanceNetRegressor(random_state=0, loss="quantile", quantile=[0.1, 0.9])
    low, high = stream(quantiles, DIABETES, DIABETES_Y, (50,)).predict(DIABETES).T
    assert (low <= high).all()


def test_wide_sparse_rows_stay_sparse():
    X = random(300, 4000, density=0.002, format="csr", random_state=0)
    net = DistanceNetClassifier((3,), random_state=0)
    for start in range(0, 300, 100):
        net.partial_fit(X[start : start + 100], np.arange(100) % 2, classes=[0, 1])
    assert len(net._stream_["rows"][0]["data"]) < 2 * X.nnz
    assert np.isfinite(net.predict_proba(X)).all()


def test_parameters_may_change_between_calls():
    net = DistanceNetClassifier(random_state=0)
    changes = [
        {"batch_size": 7},
        {"solver": "adam"},
        {"learning_rate_init": 0.01},
        {"class_weight": {0: 1.0, 1: 5.0, 2: 2.0}},
        {"batch_size": 10_000},
        {"solver": "rmsprop", "class_weight": None, "learning_rate_init": "auto"},
        {"batch_size": 1},
    ]
    for change, (X, y) in zip(3 * changes, blocks(WINE, WINE_Y, (8,))):
        net.set_params(**change).partial_fit(X, y, classes=[0, 1, 2])
    assert net.score(WINE, WINE_Y) > 0.9
