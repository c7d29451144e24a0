"""Streams of rows: what `partial_fit` learns does not hang on how the rows are divided."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from scipy.sparse import coo_array, csr_matrix, issparse, random_array
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import training

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
    """Blocks of these sizes, over and over."""
    start = number = 0
    while start < len(y):
        stop = start + sizes[number % len(sizes)]
        yield X[start:stop], y[start:stop]
        start, number = stop, number + 1


def stream(net, X, y, sizes=SIZES, weigh=None, **first):
    """Feed all rows to `net`, with the keywords `first` in the first call."""
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


# The first rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(1, 20), (3,), (1, 177)], ids=str)
def test_a_classifier_learns_after_any_first_block(sizes):
    net = DistanceNetClassifier(random_state=0)
    for _ in range(4):
        stream(net, WINE, WINE_Y, sizes, classes=[0, 1, 2])
    assert net.score(WINE, WINE_Y) > 0.95


def test_a_classifier_learns_from_sorted_classes():
    order = np.argsort(WINE_Y, kind="stable")
    net = DistanceNetClassifier(random_state=0)
    stream(net, WINE[order], WINE_Y[order], [10], classes=[0, 1, 2])
    assert net.score(WINE, WINE_Y) > 0.9


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_a_regressor_learns_after_a_constant_target(loss):
    y = DIABETES_Y.copy()
    y[:50] = 250.0
    net = DistanceNetRegressor(random_state=0, loss=loss)
    stream(net, DIABETES, y, [25])
    for _ in range(10):
        stream(net, DIABETES[50:], y[50:], [100])
    assert net.score(DIABETES[50:], y[50:]) > 0.35


def test_counts_may_begin_with_zeros():
    counts = np.r_[np.zeros(50), np.random.default_rng(0).poisson(3.0, 392)]
    net = stream(DistanceNetRegressor(random_state=0, loss="poisson"), DIABETES, counts, [1, 20])
    assert net.predict(DIABETES[50:]).mean() == pytest.approx(3.0, abs=1.0)


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan], ids=str)
@pytest.mark.parametrize("n_constant", [30, 300])
def test_columns_may_begin_to_vary_late(value, n_constant):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 3)) * [1.0, 1.0, 1e4]
    X[:n_constant, 2] = value
    y = np.where(np.arange(900) < n_constant, X[:, 0] > 0, X[:, 2] > 0)
    net = stream(DistanceNetClassifier(random_state=0), X, y, [30], classes=[False, True])
    for _ in range(10):
        stream(net, X[n_constant:], y[n_constant:], [200])
    assert net.score(X[n_constant:], y[n_constant:]) > 0.85


def test_targets_may_begin_to_vary_under_warm_start():
    net = DistanceNetRegressor(random_state=0, warm_start=True, max_iter=30, tol=0)
    net.fit(DIABETES[:300], np.full(300, 5.0)).fit(DIABETES, DIABETES_Y)
    assert net.score(DIABETES, DIABETES_Y) > 0.3


def test_a_start_without_data_is_kept():
    X, y = WINE[:60], WINE_Y[:60]
    data_free = {"init": "uniform", "init_median_activation": None, "standardize": False}
    net = DistanceNetClassifier(random_state=0, learning_rate_init=1e-12, **data_free)
    theta = net.partial_fit(X[:1], y[:1], classes=[0, 1, 2])._theta_
    stream(net, X[1:], y[1:])
    np.testing.assert_allclose(net._theta_, theta, atol=1e-9)
    other = DistanceNetClassifier(random_state=0, learning_rate_init=1e-12)
    theta = other.partial_fit(X[:1], y[:1], classes=[0, 1, 2])._theta_
    assert np.abs(stream(other, X[1:], y[1:])._theta_ - theta).max() > 0.1


def test_a_start_makes_as_many_steps_as_before():
    net, n_steps = DistanceNetClassifier(random_state=0, batch_size=10), []
    for X, y in blocks(WINE[:40], WINE_Y[:40], (10,)):
        net.partial_fit(X, y, classes=[0, 1, 2])
        n_steps.append(net._progress_["n_steps"])
    assert n_steps == [1, 2, 3, 4]  # starts anew in the second and in the fourth


@both_kinds
def test_neither_patience_nor_validation_changes_the_net(kind):
    X, y, first = DATA[kind]
    sizes, options = [1] * 31 + [33], {"n_iter_no_change": 1, "tol": 10.0}
    expected = streamed(kind, sizes, n_rows=64)  # the starts go through up to ten epochs
    assert_same_net(streamed(kind, sizes, n_rows=64, **options), expected, X)
    validated = kind(random_state=0, **options)
    for X_block, y_block in blocks(X[:64], y[:64], sizes):
        validated.partial_fit(X_block, y_block, **first, X_val=X[64:], y_val=y[64:])
        last = validated.validation_scores_[-1]
        assert last == pytest.approx(validated.score(X[64:], y[64:]), rel=1e-9)
        assert validated.best_validation_score_ == last
    assert len(validated.validation_loss_curve_) == validated.n_iter_
    assert_same_net(validated, expected, X)


# How rows are divided -----------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("n_rows", [5, 30, 199, 201])
@pytest.mark.parametrize("batch_size", [7, "auto", 10_000])
@pytest.mark.parametrize("weighted", [True, False])
def test_calls_with_all_rows_are_epochs_of_fit(kind, n_rows, batch_size, weighted):
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
    whole = kind(**options, max_iter=3, early_stopping=False).fit(X, y, weights)
    assert_same_net(parts, whole, X)


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
def test_curves_have_an_entry_for_each_call(kind):
    for n_calls, n_rows in ((1, 1), (2, 3), (5, 45), (6, 46)):
        net = streamed(kind, n_rows=n_rows)
        assert net.n_iter_ == net.best_epoch_ == len(net.loss_curve_) == n_calls
        assert net.t_ == n_rows


@both_kinds
def test_decay_is_as_strong_as_for_all_rows(kind):
    """Not for those of a call, by which single rows would be decayed as a table of one."""
    X, y, first = DATA[kind]
    net = kind(random_state=0)
    for _ in range(2):
        stream(net, X, y, (30,), **first)
    assert net._resume_stream().n_rows == pytest.approx(178)
    net.set_params(warm_start=True, max_iter=2, alpha=0.1).fit(X, y)
    assert net.partial_fit(X[:1], y[:1])._stream_["n_before"] == pytest.approx(178)


def test_filled_batches_are_trained_as_planned(monkeypatch):
    """Steps are as long as rows are new; decay and weights are in proportion to all rows."""
    trainers, whole = [], training.Trainer.epoch

    def note(self):
        trainers.append(self)
        return whole(self)

    monkeypatch.setattr(training.Trainer, "epoch", note)
    net = DistanceNetClassifier(random_state=0, learning_rate_init=0.01, batch_size=10)
    net.partial_fit(WINE[:30], WINE_Y[:30], np.full(30, 2.0), classes=[0, 1, 2])
    net.partial_fit(WINE[30:32], WINE_Y[30:32], np.full(2, 18.0))
    first, second = trainers
    assert (first.plan.rate, first.n_rows, len(first.rows)) == (0.01, 30, 30)
    assert second.plan.rate == pytest.approx(0.01 * (2 / 10) ** 0.5)
    assert (second.n_rows, len(second.rows)) == (32, 10)
    assert second.batches.relative == pytest.approx(np.r_[[6.0] * 2, [2 / 3] * 8])


# Kinds of data ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "makers",
    [(csr_matrix,), (coo_array,), (csr_matrix, np.asarray), (np.asarray, coo_array)],
    ids=["csr", "coo", "sparse first", "dense first"],
)
def test_sparse_rows_are_learned_as_dense_ones(makers):
    X = np.where(WINE < 1, 0.0, WINE)
    expected = stream(DistanceNetClassifier(random_state=0), X, WINE_Y, classes=[0, 1, 2])
    net = DistanceNetClassifier(random_state=0)
    for number, (X_block, y_block) in enumerate(blocks(X, WINE_Y)):
        net.partial_fit(makers[number % len(makers)](X_block), y_block, classes=[0, 1, 2])
    assert_same_net(net, expected, X)


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32")])
def test_the_dtype_is_that_of_the_first_call(dtypes):
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
    # In the order of the classes, so that columns are the same.
    for X, y in blocks(WINE, np.array([0, 2, 1])[WINE_Y]):
        net.partial_fit(X, relabel(y), classes=relabel(np.arange(3)))
    if isinstance(relabel(WINE_Y)[0], str):
        assert_same_net(net, expected, WINE)
    assert net.score(WINE, relabel(np.array([0, 2, 1])[WINE_Y])) > 0.9


def test_rows_of_several_outputs_are_learned():
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
    X = random_array((300, 4000), density=0.002, format="csr", rng=np.random.default_rng(0))
    net = DistanceNetClassifier((3,), random_state=0)
    for start in range(0, 300, 100):
        net.partial_fit(X[start : start + 100], np.arange(100) % 2, classes=[0, 1])
    assert issparse(net._stream_["rows"][0])
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


# Weights ------------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("weight", [0.3, 1e6])
def test_equal_weights_change_nothing_in_streams(kind, weight):
    weighted = streamed(kind, weigh=lambda n_rows: np.full(n_rows, weight))
    assert_same_net(weighted, streamed(kind), DATA[kind][0])


@both_kinds
def test_rows_without_weight_might_be_absent(kind):
    X, y, first = DATA[kind]
    weighted, absent = kind(random_state=0), kind(random_state=0)
    for X_block, y_block in blocks(X, y, (13,)):
        weights = np.arange(len(y_block)) % 3
        weighted.partial_fit(X_block, y_block, weights, **first)
        kept = weights > 0
        absent.partial_fit(X_block[kept], y_block[kept], weights[kept], **first)
    assert_same_net(weighted, absent, X)
    before = joblib.hash(vars(weighted))
    with pytest.raises(ValueError, match="must not be zero for every row"):
        weighted.partial_fit(X, y, np.zeros(len(y)))
    assert joblib.hash(vars(weighted)) == before


@pytest.mark.parametrize(
    ("solver", "batch_size", "within"),
    [
        ("adam", 50, 0.05),
        ("adam", 1000, 0.05),
        ("sgd", 50, 0.05),
        ("sgd", 1000, 0.05),
        ("rmsprop", 200, 0.1),
    ],
)
def test_rare_classes_of_noise_are_balanced(solver, batch_size, within):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 5)), np.zeros(4000, dtype=int)
    y[rng.choice(4000, 8, replace=False)] = 1
    options = {"solver": solver, "batch_size": batch_size, "max_iter": 10, "random_state": 0}
    net = DistanceNetClassifier((10,), **options, class_weight="balanced", early_stopping=False)
    probability = net.fit(X, y).predict_proba(X)[:, 1]
    mean = 0.5 * probability[y == 1].mean() + 0.5 * probability[y == 0].mean()
    assert mean == pytest.approx(0.5, abs=within)


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
@pytest.mark.filterwarnings("ignore:Training hardly moved the loss")  # y is noise
def test_heavy_rows_decide_a_prediction(solver):
    rng = np.random.default_rng(0)
    X, y, weights = rng.normal(size=(500, 3)), np.zeros(500), np.full(500, 1e-3)
    X[:4], y[:4], weights[:4] = X[0], [3, 5, 6, 10], 999
    net = DistanceNetRegressor(solver=solver, random_state=0, max_iter=60, early_stopping=False)
    assert net.fit(X, y, weights).predict(X[:1]) == pytest.approx(6.0, abs=0.2)


# The state of a stream ----------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("n_rows", [1, 3, 45, 178])
@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
@pytest.mark.filterwarnings("ignore:Training was interrupted")
def test_a_call_that_fails_changes_nothing(kind, n_rows, error, monkeypatch):
    X, y, _ = DATA[kind]
    net = streamed(kind, n_rows=n_rows, random_state=np.random.RandomState(0))
    before, whole = joblib.hash(vars(net)), training.Trainer.epoch

    def fail(self):
        whole(self)
        raise error

    monkeypatch.setattr(training.Trainer, "epoch", fail)
    for n_new in (1, 60):
        try:
            net.partial_fit(X[-n_new:], y[-n_new:], np.arange(1.0, n_new + 1))
        except MemoryError:
            assert error is MemoryError
        assert joblib.hash(vars(net)) == before


def test_a_failure_leaves_the_start_of_decay(monkeypatch):
    """New columns change radii in it, which an interrupted call must not."""
    X = np.where(np.arange(13) < 3, 1.0, WINE)
    options = {"alpha": 0.1, "decay": "prior", "warm_start": True, "max_iter": 2}
    net = DistanceNetClassifier(random_state=0, **options).fit(X, WINE_Y)
    before = joblib.hash(vars(net))

    def fail(self):
        raise MemoryError

    monkeypatch.setattr(training.Trainer, "epoch", fail)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(MemoryError):
            method(WINE, WINE_Y)
        assert joblib.hash(vars(net)) == before


@both_kinds
@pytest.mark.parametrize("n_rows", [1, 45])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_goes_on_to_the_same_net(kind, n_rows, copied):
    X, y, _ = DATA[kind]
    net = streamed(kind, n_rows=n_rows)
    other, state = copied(net), joblib.hash(vars(net))
    rest = slice(n_rows, n_rows + 50)
    stream(other, X[rest], y[rest])
    assert joblib.hash(vars(net)) == state
    stream(net, X[rest], y[rest])
    assert joblib.hash(vars(net)) == joblib.hash(vars(other))


def test_a_clone_begins_a_new_stream():
    net = streamed(DistanceNetClassifier)
    assert "_stream_" not in vars(clone(net))
    again = stream(clone(net), WINE, WINE_Y, classes=[0, 1, 2])
    assert_same_net(again, net, WINE)


def test_a_cold_fit_forgets_the_stream():
    options = {"random_state": 0, "max_iter": 3}
    net = streamed(DistanceNetClassifier, **options).fit(WINE, WINE_Y)
    assert_same_net(net, DistanceNetClassifier(**options).fit(WINE, WINE_Y), WINE)
    assert "_stream_" not in vars(net)


def test_a_stream_leaves_novelty_uncalibrated():
    net = streamed(DistanceNetClassifier)
    with pytest.raises(NotFittedError, match="calibrated by fit"):
        net.score_samples(WINE)
