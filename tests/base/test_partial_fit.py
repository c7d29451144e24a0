"""`partial_fit` and `warm_start` continue where the last call stopped."""

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine import SCHEDULES, SOLVERS
from skdistnet.engine.training import loop as training
from skdistnet.recipes import inverse_time_decay

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": 3,
    "random_state": 0,
    "batch_size": 50,
    "learning_rate": "constant",
    "early_stopping": False,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def partial_fit(net, X, y, times=1, weights=None):
    classes = {"classes": np.unique(WINE_Y)} if isinstance(net, DistanceNetClassifier) else {}
    for _ in range(times):
        net.partial_fit(X, y, weights, **classes)
    return net


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


def assert_same_net(net, other, X):
    np.testing.assert_array_equal(raw_output(net, X), raw_output(other, X))
    assert net.loss_curve_ == other.loss_curve_
    assert (net.n_iter_, net.t_) == (other.n_iter_, other.t_)


# partial_fit --------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("solver", SOLVERS)
def test_partial_fits_equal_one_fit(kind, X, y, solver):
    options = SMALL | {"solver": solver, "alpha": 0.01}
    parts = partial_fit(kind(**options), X, y, times=3)
    assert_same_net(parts, kind(**options).fit(X, y), X)


def inverse_root(step, steps_per_epoch, total_steps):
    return (step + 1) ** -0.5


@both_kinds
@pytest.mark.parametrize("schedule", [inverse_root, inverse_time_decay])
def test_step_schedules_continue_over_calls(kind, X, y, schedule):
    options = SMALL | {"learning_rate": schedule}
    parts = partial_fit(kind(**options), X, y, times=3)
    assert_same_net(parts, kind(**options).fit(X, y), X)
    constant = partial_fit(kind(**SMALL), X, y, times=3)
    assert not np.array_equal(raw_output(parts, X), raw_output(constant, X))


@both_kinds
@pytest.mark.parametrize("schedule", sorted({"cosine", "adaptive"} & set(SCHEDULES)))
def test_schedules_needing_total_steps_are_constant(kind, X, y, schedule):
    parts = partial_fit(kind(**SMALL | {"learning_rate": schedule}), X, y, times=3)
    assert_same_net(parts, partial_fit(kind(**SMALL), X, y, times=3), X)


@both_kinds
def test_partial_fit_ignores_max_iter(kind, X, y):
    few = partial_fit(kind(**SMALL | {"max_iter": 1}), X, y, times=2)
    many = partial_fit(kind(**SMALL | {"max_iter": 50}), X, y, times=2)
    assert_same_net(few, many, X)
    assert few.n_iter_ == 2


@both_kinds
def test_seed_determines_the_net(kind, X, y):
    first = partial_fit(kind(**SMALL), X, y, times=2)
    assert_same_net(first, partial_fit(kind(**SMALL), X, y, times=2), X)
    assert_same_net(kind(**SMALL).fit(X, y), kind(**SMALL).fit(X, y), X)
    other = partial_fit(kind(**SMALL | {"random_state": 1}), X, y, times=2)
    assert not np.array_equal(raw_output(first, X), raw_output(other, X))


def test_random_state_generator_advances_between_fits():
    net = DistanceNetClassifier(**SMALL | {"random_state": np.random.RandomState(0)})
    first = raw_output(net.fit(WINE, WINE_Y), WINE)
    assert not np.array_equal(raw_output(net.fit(WINE, WINE_Y), WINE), first)
    again = DistanceNetClassifier(**SMALL | {"random_state": np.random.RandomState(0)})
    np.testing.assert_array_equal(raw_output(again.fit(WINE, WINE_Y), WINE), first)


def test_blocks_may_lack_classes():
    net = DistanceNetClassifier(**SMALL)
    order = np.argsort(WINE_Y, kind="stable")
    for _ in range(60):
        for block in np.array_split(order, 4):
            partial_fit(net, WINE[block], WINE_Y[block])
    assert net.classes_.tolist() == [0, 1, 2]
    assert net.n_iter_ == 240
    assert net.t_ == 60 * len(WINE)
    mixed = DistanceNetClassifier(**SMALL)
    for _ in range(20):
        for start in range(4):
            partial_fit(mixed, WINE[start::4], WINE_Y[start::4])
    assert mixed.score(WINE, WINE_Y) > 0.95


def test_classes_are_needed_in_first_call_only():
    net = DistanceNetClassifier(**SMALL).partial_fit(WINE, WINE_Y, classes=[2, 0, 1])
    assert_same_net(net, partial_fit(DistanceNetClassifier(**SMALL), WINE, WINE_Y), WINE)
    net.partial_fit(WINE[:20], WINE_Y[:20])
    assert net.n_iter_ == 2


def test_first_block_fixes_target_units():
    net = DistanceNetRegressor(**SMALL)
    partial_fit(net, DIABETES[:200], DIABETES_Y[:200])
    scale = net._codec.scale.copy()
    partial_fit(net, DIABETES[200:], 1e3 * DIABETES_Y[200:])
    np.testing.assert_array_equal(net._codec.scale, scale)
    with pytest.raises(ValueError, match=r"as many dimensions \(1\) and targets \(1\)"):
        partial_fit(net, DIABETES, np.column_stack([DIABETES_Y, DIABETES_Y]))


@both_kinds
def test_partial_fit_continues_after_fit(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    before = net.loss_
    partial_fit(net, X, y, times=5)
    assert net.n_iter_ == 8
    assert net.loss_ < before


@both_kinds
def test_partial_fit_warns_of_divergence(kind, X, y):
    options = {"solver": "sgd", "learning_rate_init": 1e300, "hidden_layer_sizes": ()}
    net = kind(**SMALL | options)
    with pytest.warns(ConvergenceWarning, match="Training diverged"):
        partial_fit(net, X, y, times=4)
    assert np.isfinite(net.predict(X)).all()


@both_kinds
def test_interrupted_partial_fit_is_not_silent(kind, X, y, monkeypatch):
    """Otherwise a user's loop over blocks would continue silently after Ctrl-C."""
    net = partial_fit(kind(**SMALL), X, y)
    before = raw_output(net, X)

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Trainer, "train_epoch", interrupt)
    with pytest.raises((KeyboardInterrupt, UserWarning)):  # warnings are errors in these tests
        partial_fit(net, X, y)
    np.testing.assert_array_equal(raw_output(net, X), before)


# warm_start ---------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("solver", SOLVERS)
def test_warm_start_continues_like_partial_fit(kind, X, y, solver):
    options = SMALL | {"solver": solver}
    warm = kind(**options, warm_start=True).fit(X, y).fit(X, y)
    assert_same_net(warm, partial_fit(kind(**options), X, y, times=6), X)
    assert_same_net(warm, kind(**options | {"max_iter": 6}).fit(X, y), X)
    assert warm.n_iter_ == len(warm.loss_curve_) == 6


@both_kinds
def test_cosine_schedule_restarts_with_each_warm_fit(kind, X, y):
    options = SMALL | {"learning_rate": "cosine", "warm_start": True}
    net = kind(**options).fit(X, y).fit(X, y)
    assert net.n_iter_ == 6
    # A schedule continued from its end would have a rate of zero.
    assert net.loss_curve_[5] < 0.99 * net.loss_curve_[3]


@both_kinds
def test_warm_start_allows_new_solver_and_rate(kind, X, y):
    net = kind(**SMALL, warm_start=True).fit(X, y)
    before = net.loss_
    net.set_params(solver="adam", learning_rate="cosine", max_iter=20).fit(X, y)
    assert net.n_iter_ == 23
    assert net.loss_ < before


@both_kinds
@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": (7, 5)},
        {"hidden_layer_sizes": (6,)},
        {"activation": "cauchy"},
        {"activation": ["gaussian", "relu"]},
        {"radius_type": "tied"},
    ],
    ids=str,
)
def test_warm_start_refuses_changed_layers(kind, X, y, change):
    net = kind(**SMALL, warm_start=True).fit(X, y)
    expected = raw_output(net, X)
    with pytest.raises(ValueError, match="layers differ from those of the fit to be continued"):
        net.set_params(**change).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), expected)
    net.set_params(warm_start=False).fit(X, y)


def test_warm_start_accepts_equivalent_layers():
    net = DistanceNetClassifier(**SMALL, warm_start=True).fit(WINE, WINE_Y)
    same = {"hidden_layer_sizes": [np.int64(6), 5], "activation": ["gaussian", "gaussian"]}
    assert net.set_params(**same).fit(WINE, WINE_Y).n_iter_ == 6


def test_warm_start_keeps_the_classes():
    net = DistanceNetClassifier(**SMALL, warm_start=True).fit(WINE, WINE_Y)
    net.fit(WINE[:100], WINE_Y[:100])
    assert net.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"only the known classes.*got \[3\] too"):
        net.fit(WINE, WINE_Y + 1)


@both_kinds
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_error_during_training_changes_nothing(kind, X, y, method, monkeypatch):
    net = kind(**SMALL, warm_start=True).fit(X, y)
    before, expected = joblib.hash(vars(net)), kind(**SMALL, warm_start=True).fit(X, y).fit(X, y)
    original = training.Trainer.train_epoch

    def fail(self):
        original(self)
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(training.Trainer, "train_epoch", fail)
        with pytest.raises(MemoryError):
            getattr(net, method)(X, y)
    assert joblib.hash(vars(net)) == before
    assert_same_net(net.fit(X, y), expected, X)


@both_kinds
@pytest.mark.parametrize("warm", [True, False])
def test_continued_fit_keeps_its_precision(kind, X, y, warm):
    net = kind(**SMALL, warm_start=True).fit(X, y)
    net.set_params(dtype="float32")
    with pytest.raises(ValueError, match=r"computes in float64, .* got dtype='float32'"):
        net.fit(X, y) if warm else net.partial_fit(X, y)
    assert net.set_params(dtype="float64").fit(X.astype("float32"), y).n_iter_ == 6
