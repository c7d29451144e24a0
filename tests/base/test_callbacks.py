"""Callbacks of scikit-learn see every epoch, receive fitted copies and can stop the fit."""

import importlib
import sys

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import callbacks as callbacks_module

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": 5,
    "random_state": 0,
    "batch_size": 30,
    "learning_rate": "constant",
    "early_stopping": False,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def raw_output(net, X):
    return net.predict(X) if isinstance(net, DistanceNetRegressor) else net.decision_function(X)


class Recorder:
    """Record every call, and stop after a number of epochs."""

    def __init__(self, epochs=None):
        self.epochs, self.calls, self.copies = epochs, [], []

    def setup(self, estimator, context):
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.calls.append(("end", context.task_name))
        self.copies.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id + 1 == self.epochs


@both_kinds
def test_every_epoch_is_a_callback_task(kind, X, y):
    recorder = Recorder()
    net = kind(**SMALL).set_callbacks(recorder).fit(X, y)
    epochs = [("begin", "epoch"), ("end", "epoch")] * net.n_iter_
    expected = [("setup", "fit"), ("begin", "fit"), *epochs, ("end", "fit"), ("teardown", "fit")]
    assert recorder.calls == expected
    assert vars(net).keys() - vars(kind(**SMALL).fit(X, y)).keys() == {"_skl_callbacks"}


@both_kinds
def test_callbacks_receive_fixed_copies_of_each_epoch(kind, X, y):
    recorder = Recorder()
    net = kind(**SMALL).set_callbacks(recorder).fit(X, y)
    for number, copy in enumerate(recorder.copies[:-1]):
        shorter = kind(**SMALL | {"max_iter": number + 1}).fit(X, y)
        np.testing.assert_array_equal(raw_output(copy, X), raw_output(shorter, X))
    np.testing.assert_array_equal(raw_output(recorder.copies[-1], X), raw_output(net, X))


@both_kinds
@pytest.mark.filterwarnings("error")
def test_callback_can_stop_training(kind, X, y):
    net = kind(**SMALL).set_callbacks(Recorder(epochs=2)).fit(X, y)
    assert net.n_iter_ == 2
    shorter = kind(**SMALL | {"max_iter": 2, "tol": 10.0}).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), raw_output(shorter, X))


@both_kinds
def test_callbacks_do_not_change_the_fit(kind, X, y):
    net, plain = kind(**SMALL).set_callbacks(Recorder()).fit(X, y), kind(**SMALL).fit(X, y)
    np.testing.assert_array_equal(raw_output(net, X), raw_output(plain, X))


@both_kinds
def test_failing_callback_leaves_estimator_unchanged(kind, X, y):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no more")

    net = kind(**SMALL).fit(X, y)
    before = raw_output(net, X)
    recorder = Failing()
    with pytest.raises(RuntimeError, match="no more"):
        net.set_callbacks(recorder).set_params(random_state=1).fit(X, y)
    assert recorder.calls[-1] == ("teardown", "fit")
    np.testing.assert_array_equal(raw_output(net, X), before)


def test_each_start_is_a_task_with_epochs():
    recorder = Recorder()
    DistanceNetClassifier(**SMALL, n_init=2).set_callbacks(recorder).fit(WINE, WINE_Y)
    epochs = [("begin", "epoch"), ("end", "epoch")] * SMALL["max_iter"]
    start = [("begin", "start"), *epochs, ("end", "start")]
    assert recorder.calls[2:-2] == [*start, *start]


@both_kinds
def test_scoring_monitor_records_every_epoch(kind, X, y):
    name = "accuracy" if kind is DistanceNetClassifier else "r2"
    monitor = callback.ScoringMonitor(scoring=name)
    net = kind(**SMALL).set_callbacks(monitor).fit(X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == net.n_iter_
    assert rows[-1][name] == pytest.approx(net.score(X, y))
    assert len({row[name] for row in rows}) > 1


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_scoring_monitor_works_with_parallel_starts(backend):
    monitor = callback.ScoringMonitor(scoring="accuracy")
    net = DistanceNetClassifier(**SMALL, n_init=3, n_jobs=2).set_callbacks(monitor)
    with parallel_config(backend=backend):
        net.fit(WINE, WINE_Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == 3 * SMALL["max_iter"]


def test_scoring_monitor_works_in_grid_search():
    monitor = callback.ScoringMonitor(scoring="accuracy")
    grid = {"hidden_layer_sizes": [(4,), (6,)]}
    search = GridSearchCV(DistanceNetClassifier(**SMALL).set_callbacks(monitor), grid, cv=3)
    search.fit(WINE, WINE_Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    # Two candidates in three folds, and a refit of the best on all rows.
    assert len(rows) == (2 * 3 + 1) * SMALL["max_iter"]


@pytest.mark.parametrize("n_init", [1, 2])
def test_progress_bar_is_shown(n_init, capsys):
    net = DistanceNetClassifier(**SMALL, n_init=n_init)
    net.set_callbacks(callback.ProgressBar()).fit(WINE, WINE_Y)
    shown = capsys.readouterr().out
    assert "DistanceNetClassifier" in shown
    assert "100%" in shown
    grid = {"hidden_layer_sizes": [(4,), (6,)]}
    search = GridSearchCV(DistanceNetClassifier(**SMALL, n_init=n_init), grid, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(WINE, WINE_Y)
    assert "DistanceNetClassifier" in capsys.readouterr().out


def test_older_scikit_learn_ignores_callbacks_with_warning(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sklearn.callback", None)
        older = importlib.reload(callbacks_module)
        mixin, decorate = older.CallbackSupportMixin, older.with_callbacks
    importlib.reload(callbacks_module)
    net = mixin()
    with pytest.warns(UserWarning, match=r"Callbacks are ignored: they need scikit-learn 1\.9"):
        assert net.set_callbacks(Recorder()) is net
    assert older.fit_task(net, 1, 1, WINE, WINE_Y, None) is None
    assert decorate(len) is len
