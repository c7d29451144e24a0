"""Fits of nets for sequences that fail, are interrupted or diverge, and their callbacks."""

from contextlib import contextmanager
from itertools import count
from unittest.mock import patch

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interrupted_fits import CutOff, count_epochs
from sequences import SMALL, both_kinds, draw_X, draw_y, every_case, fitted, raw_output
from sklearn.base import clone

from skdistnet.engine.training import loop as training

# Failures and interrupts --------------------------------------------------------------------------


@every_case
@pytest.mark.parametrize("fatal", [1, 3])
def test_failed_fit_changes_nothing(kind, X, y, fatal):
    for net in (kind(**SMALL), fitted(kind, X, y)):
        before = joblib.hash(vars(net))
        with count_epochs(fatal), pytest.raises(CutOff):
            net.fit(X, y)
        assert joblib.hash(vars(net)) == before


@contextmanager
def interrupted(step):
    """Raise KeyboardInterrupt in this step, counted from 0, with its parameters half written."""
    numbers, original = count(), training.Trainer.step

    def cut_off(self, batch):
        if next(numbers) == step:
            self.state.theta[::2] = np.nan
            raise KeyboardInterrupt
        return original(self, batch)

    with patch.object(training.Trainer, "step", cut_off):
        yield


@every_case
@given(step=st.integers(0, 8), validated=st.booleans())
@pytest.mark.filterwarnings("ignore:Training was interrupted")
def test_interrupted_fit_keeps_complete_epochs(kind, X, y, step, validated):
    net, held_out = kind(**SMALL), {"X_val": X[:5], "y_val": y[:5]} if validated else {}
    uninterrupted = clone(net).fit(X, y, **held_out)
    with interrupted(step):
        net.fit(X, y, **held_out)
    assert net.n_iter_ == step // 3
    assert net.loss_curve_ == uninterrupted.loss_curve_[: step // 3]
    assert np.isfinite(net._theta_).all()
    assert raw_output(net, X).shape == raw_output(uninterrupted, X).shape


@every_case
@pytest.mark.parametrize("step", [0, 30])
def test_interrupted_windows_keep_a_net(kind, X, y, step):
    net = kind(**SMALL | {"max_iter": 12}, truncation=3, n_init=2)
    with interrupted(step), pytest.warns(UserWarning, match="Training was interrupted"):
        net.fit(X, y)
    assert np.isfinite(net._theta_).all()
    assert len(net.init_scores_) in (1, 2)


@both_kinds
def test_interrupted_step_trial_keeps_its_net(kind):
    X = draw_X(3, 40)
    y = draw_y(kind, X, by_step=True)
    net = kind(**SMALL | {"early_stopping": "auto"})
    with interrupted(1), pytest.warns(UserWarning, match="Training was interrupted"):
        net.fit(X, y)
    assert np.isfinite(net._theta_).all()
    assert net.predict(X).shape == (3, 40)


@every_case
def test_diverging_fit_warns_and_stays_finite(kind, X, y):
    net = kind(**SMALL, learning_rate_init=1e30, solver="sgd")
    with pytest.warns(UserWarning, match="Training diverged"):
        net.fit(X, y)
    assert np.isfinite(net._theta_).all()


# Callbacks ----------------------------------------------------------------------------------------


class Recorder:
    """Record the epochs and their copies, and stop after a number of them."""

    def __init__(self, epochs=None):
        self.epochs, self.tasks, self.copies = epochs, [], []

    def setup(self, estimator, context):
        self.tasks.append("setup")

    def teardown(self, estimator, context):
        self.tasks.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.tasks.append(context.task_name)
        if context.task_name == "epoch":
            self.copies.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id + 1 == self.epochs


@every_case
@pytest.mark.parametrize("truncation", ["auto", 3])
def test_callbacks_receive_a_net_each_epoch(kind, X, y, truncation):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    options = SMALL | {"learning_rate": "constant", "truncation": truncation}
    recorder = Recorder()
    net = kind(**options).set_callbacks(recorder).fit(X, y)
    assert recorder.tasks == ["setup", "epoch", "epoch", "epoch", "fit", "teardown"]
    for number, fixed in enumerate(recorder.copies):
        shorter = kind(**options | {"max_iter": number + 1}).fit(X, y)
        np.testing.assert_array_equal(raw_output(fixed, X), raw_output(shorter, X))
    np.testing.assert_array_equal(raw_output(recorder.copies[-1], X), raw_output(net, X))
    stopped = kind(**options).set_callbacks(Recorder(2)).fit(X, y)
    assert stopped.n_iter_ == 2


@both_kinds
def test_callbacks_see_the_step_trial(kind):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    X, recorder = draw_X(3, 40), Recorder()
    net = kind(**SMALL | {"early_stopping": "auto"}).set_callbacks(recorder)
    net.fit(X, draw_y(kind, X, by_step=True))
    epochs = ["epoch"] * 3
    assert recorder.tasks == ["setup", *epochs, "trial", *epochs, "start", "fit", "teardown"]
