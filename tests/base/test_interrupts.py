"""Ctrl-C at any step of a fit leaves a complete net, that of the best epoch so far."""

import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from unittest.mock import patch

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interrupted_fits import SMALL, both_kinds, same
from joblib import parallel_config
from sklearn.base import clone

from skdistnet import DistanceNetClassifier
from skdistnet.engine import SCHEDULES, SOLVERS
from skdistnet.engine.training import loop as training

pytestmark = pytest.mark.filterwarnings("ignore:Training was interrupted")

OPTIONS = SMALL | {"max_iter": 4, "dropout": 0.1, "n_iter_no_change": 9}


@contextmanager
def interrupted(step):
    """Raise KeyboardInterrupt in this step, counted from 0, with its parameters half written."""
    numbers, original = count(), training.Trainer.step

    def cut_off(self, batch):
        if next(numbers) == step:
            self.state.theta[::2] = np.nan
            self.gradient[:] = np.nan
            raise KeyboardInterrupt
        return original(self, batch)

    with patch.object(training.Trainer, "step", cut_off):
        yield


@contextmanager
def record_parameters():
    """Record the parameters at the start of a fit and after each of its epochs."""
    recorded, original = [], training.Trainer.train_epoch

    def epoch(self):
        if not recorded:
            recorded.append(self.state.theta.copy())
        loss = original(self)
        recorded.append(self.state.theta.copy())
        return loss

    with patch.object(training.Trainer, "train_epoch", epoch):
        yield recorded


def n_steps(X, n_epochs):
    return n_epochs * -(-len(X) // SMALL["batch_size"])


@both_kinds
@given(
    data=st.data(),
    validated=st.booleans(),
    solver=st.sampled_from(list(SOLVERS)),
    schedule=st.sampled_from(list(SCHEDULES)),
)
def test_interrupted_fit_keeps_the_best_epoch(kind, X, y, data, validated, solver, schedule):
    held_out = {"X_val": X[::3], "y_val": y[::3]} if validated else {}
    net = kind(**OPTIONS, solver=solver, learning_rate=schedule)
    with record_parameters() as recorded:
        uninterrupted = clone(net).fit(X, y, **held_out)
    step = data.draw(st.integers(0, n_steps(X, 4) - 1))
    with interrupted(step):
        net.fit(X, y, **held_out)
    n_epochs = step // n_steps(X, 1)
    assert net.n_iter_ == n_epochs
    assert net.t_ == n_epochs * len(X)
    assert net.loss_curve_ == uninterrupted.loss_curve_[:n_epochs]
    best = n_epochs
    if validated:
        assert net.validation_loss_curve_ == uninterrupted.validation_loss_curve_[:n_epochs]
        best = int(np.argmin([np.inf, *net.validation_loss_curve_]))
    assert net.best_epoch_ == best
    np.testing.assert_array_equal(net._theta_, recorded[best])
    assert np.isfinite(net.predict(X)).all()
    assert (net.score_samples(X) <= 0).all()


@both_kinds
@given(step=st.integers(0, n_steps(np.empty(178), 4) - 1))
def test_warm_fit_continues_after_interrupt(kind, X, y, step):
    net = kind(**OPTIONS, warm_start=True)
    with interrupted(step):
        net.fit(X, y)
    n_epochs = net.n_iter_
    net.fit(X, y)
    assert net.n_iter_ == n_epochs + 4 == len(net.loss_curve_)
    assert np.isfinite(net.loss_curve_).all()
    assert np.isfinite(net.predict(X)).all()


@both_kinds
@given(step=st.integers(0, n_steps(np.empty(178), 1) - 1), calls_before=st.integers(0, 2))
def test_interrupted_partial_fit_changes_nothing(kind, X, y, step, calls_before):
    classes = {"classes": [0, 1, 2]} if kind is DistanceNetClassifier else {}
    net, uninterrupted = kind(**OPTIONS), kind(**OPTIONS)
    for _ in range(calls_before):
        net.partial_fit(X, y, **classes)
        uninterrupted.partial_fit(X, y, **classes)
    before = joblib.hash(vars(net))
    with interrupted(step), pytest.warns(UserWarning, match="interrupted"):
        net.partial_fit(X, y, **classes)
    assert joblib.hash(vars(net)) == before
    assert same(net.partial_fit(X, y, **classes), uninterrupted.partial_fit(X, y, **classes))


@both_kinds
@given(step=st.integers(0, n_steps(np.empty(178), 12) - 1))
def test_interrupted_parallel_starts_keep_the_best(kind, X, y, step):
    net = kind(**OPTIONS, n_init=3, n_jobs=2)
    with (
        parallel_config(backend="threading"),
        interrupted(step),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        net.fit(X, y)
    assert len(net.init_scores_) == 3
    assert np.isfinite(net.predict(X)).all()
    assert -net.loss_ == max(score for score in net.init_scores_ if not np.isnan(score))


IN_PROCESSES = """
import os, signal, sys
from pathlib import Path
from sklearn.datasets import load_wine
from skdistnet import DistanceNetClassifier

X, y = load_wine(return_X_y=True)
calls, parent, sent = [], os.getpid(), Path(sys.argv[1])

def press_ctrl_c():
    try:
        sent.touch(exist_ok=False)  # by one process only: a second signal would end the parent
    except FileExistsError:
        return
    os.killpg(0, signal.SIGINT)

def scoring(net, X, y):
    calls.append(1)
    if len(calls) == 3 and os.getpid() != parent:
        press_ctrl_c()
    return net.score(X, y)

if __name__ == "__main__":
    # Background processes of a shell inherit an ignored SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = {"early_stopping": False, "n_iter_no_change": 9, "random_state": 0}
    net = DistanceNetClassifier(5, n_init=4, n_jobs=2, max_iter=6, scoring=scoring, **options)
    before = dict(vars(net))
    try:
        net.fit(X, y, X_val=X, y_val=y)
    except KeyboardInterrupt:
        print("raised", vars(net) == before)
"""


def test_interrupt_while_processes_train_changes_nothing(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(IN_PROCESSES)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(tmp_path / "sent")],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,  # the signal goes to all processes of its group, as Ctrl-C does
    )
    assert done.stdout == "raised True\n"
