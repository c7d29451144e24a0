"""A fit with a trial that is continued, killed, interrupted, stopped or followed by callbacks."""

import joblib
import numpy as np
import pytest
from interrupted_fits import checkpoint_every, count_epochs, cut_off_and_resumed, same
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 12, "random_state": 0, "batch_size": 30}
N_TRIALS = 5
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


def assert_same_net(net, other):
    np.testing.assert_array_equal(net._theta_, other._theta_)
    assert net.loss_curve_ == other.loss_curve_


# Later calls --------------------------------------------------------------------------------------


@both_kinds
def test_partial_fit_never_tries(kind, X, y, runs):
    options = {"classes": np.unique(y)} if kind is DistanceNetClassifier else {}
    net = kind(**SMALL).partial_fit(X, y, **options)
    assert len(runs) == net.n_iter_ == 1
    assert not hasattr(net, "trial_")


@both_kinds
def test_warm_start_continues_for_the_epochs_found(kind, X, y, runs):
    net = kind(**SMALL, warm_start=True).fit(X, y)
    before = net.trial_
    n_runs = len(runs)
    net.fit(X, y)
    assert len(runs) == n_runs + 1
    assert net.trial_ is before
    assert net.n_iter_ == 2 * before["n_epochs"]
    net.set_params(max_iter=2).fit(X, y)
    assert net.n_iter_ == 2 * before["n_epochs"] + 2


@both_kinds
def test_cold_fit_makes_a_trial_of_its_own(kind, X, y):
    net = kind(**SMALL).fit(X, y).fit(X[::2], y[::2])
    assert net.trial_ == kind(**SMALL).fit(X[::2], y[::2]).trial_
    assert net.set_params(early_stopping=False).fit(X, y).trial_ is None


def test_stream_is_followed_by_a_fit_of_max_iter(runs):
    net = DistanceNetClassifier(**SMALL, warm_start=True)
    net.partial_fit(WINE, WINE_Y, classes=[0, 1, 2]).fit(WINE, WINE_Y)
    assert len(runs) == 2
    assert net.n_iter_ == 1 + SMALL["max_iter"]


@pytest.mark.parametrize("fatal", [2, 65])  # in the first trial, and after all
@both_kinds
def test_failed_fit_leaves_the_estimator_unchanged(kind, X, y, fatal):
    net = kind(**SMALL).fit(X[::2], y[::2])
    before = joblib.hash(vars(net))
    with count_epochs(fatal, MemoryError), pytest.raises(MemoryError):
        net.fit(X, y)
    assert joblib.hash(vars(net)) == before


# Checkpoints, interrupts, callbacks, output -------------------------------------------------------


@pytest.mark.parametrize("fatal", [1, 5, 13, 27, 61, 65])
@pytest.mark.parametrize("n_init", [1, 2])
@both_kinds
def test_killed_fit_resumes_bit_for_bit(kind, X, y, fatal, n_init, tmp_path):
    net = kind(**SMALL, n_init=n_init)
    with count_epochs() as all_epochs:
        uninterrupted = clone(net).fit(X, y)
    assert len(uninterrupted.trial_["validation_loss_curve"]) == 12
    with checkpoint_every(2):
        resumed, epochs = cut_off_and_resumed(net, tmp_path, fatal, X, y)
    assert same(resumed, uninterrupted)
    # The last checkpoint of a trial is that of its end.
    assert len(epochs) == len(all_epochs) - (fatal - 1) // 2 * 2


def test_given_validation_rows_keep_checkpoints_apart(tmp_path):
    """The trial and the training then have the same rows and the same seed."""
    net, data = DistanceNetClassifier(**SMALL), (WINE, WINE_Y)
    options = {"X_val": WINE[::3], "y_val": WINE_Y[::3]}
    uninterrupted = clone(net).fit(*data, **options)
    for fatal in (5, 15):
        with checkpoint_every(2):
            resumed, _ = cut_off_and_resumed(net, tmp_path, fatal, *data, **options)
        assert same(resumed, uninterrupted)


@pytest.mark.parametrize("n_epochs", [0, 1, 4])
@both_kinds
def test_ctrl_c_in_the_trial_keeps_its_best_net(kind, X, y, n_epochs, runs):
    net = kind(**SMALL)
    with (
        count_epochs(n_epochs + 1, KeyboardInterrupt),
        pytest.warns(UserWarning, match=f"interrupted after {n_epochs} epochs"),
    ):
        net.fit(X, y)
    assert net.trial_ is None
    assert (net.n_iter_, len(runs)) == (n_epochs, 1)
    assert len(net.validation_loss_curve_) == n_epochs
    if n_epochs:
        assert net.best_epoch_ == 1 + int(np.argmin(net.validation_loss_curve_))
    assert np.isfinite(net.predict(X)).all()
    assert np.isfinite(net.score_samples(X)).all()


def test_interrupted_trial_resumes_from_its_checkpoint(tmp_path):
    net = DistanceNetClassifier(**SMALL, checkpoint=tmp_path)
    with (
        checkpoint_every(2),
        count_epochs(6, KeyboardInterrupt),
        pytest.warns(UserWarning, match="interrupted after 5 epochs"),
    ):
        net.fit(WINE, WINE_Y)
    with checkpoint_every(2), count_epochs() as epochs:
        net.fit(WINE, WINE_Y)
    assert same(net, DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y))
    assert len(epochs) == N_TRIALS * SMALL["max_iter"] - 4 + net.n_iter_


class Recorder:
    """Record tasks, and ask in an epoch of the trial to stop."""

    def __init__(self, epoch=None):
        self.epoch, self.tasks = epoch, []

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context):
        self.tasks.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        in_trial = self.tasks.count("start") == 0
        return in_trial and context.task_name == "epoch" and context.task_id + 1 == self.epoch


@pytest.mark.parametrize("n_init", [1, 2])
@both_kinds
def test_epochs_of_trials_are_tasks(kind, X, y, n_init):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    recorder = Recorder()
    net = kind(**SMALL, n_init=n_init).set_callbacks(recorder).fit(X, y)
    n_tried = len(net.trial_["validation_loss_curve"])
    tried = ["trial"] + ["epoch"] * n_tried
    start = ["start"] + ["epoch"] * net.n_iter_
    assert recorder.tasks == ["fit"] + tried * net.trial_["n_trials"] + start * n_init
    assert_same_net(net, kind(**SMALL, n_init=n_init).fit(X, y))


@both_kinds
def test_stop_request_in_the_trial_ends_only_it(kind, X, y):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    net = kind(**SMALL).set_callbacks(Recorder(epoch=3)).fit(X, y)
    assert len(net.trial_["validation_loss_curve"]) == 3
    assert net.trial_["best_epoch"] <= 3
    assert net.n_iter_ == net.trial_["n_epochs"] <= 6


@both_kinds
def test_verbose_fit_reports_the_trials(kind, X, y, capsys):
    net = kind(**SMALL, verbose=True).fit(X, y)
    lines, n_trials = capsys.readouterr().out.splitlines(), net.trial_["n_trials"]
    headings, others = ([line for line in lines if line.startswith(w)] for w in ("Trial", "Epoch"))
    n_rows, n_held_out = net.trial_["n_samples"], len(X) - net.trial_["n_samples"]
    assert headings[0] == f"Trial on {n_rows} rows, validated on {n_held_out}"
    assert len(headings) == n_trials
    tried = [line for line in others if "validation loss" in line]
    assert len(tried) == n_trials * len(net.trial_["validation_loss_curve"])
    assert len(others) == len(tried) + net.n_iter_
    assert others[-1].startswith(f"Epoch {net.n_iter_:{len(str(net.n_iter_))}}/{net.n_iter_} ")


def test_trial_is_saved_with_the_net():
    skops_io = pytest.importorskip("skops.io")
    from skdistnet._base.trained import TRUSTED_TYPES

    net = DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y)
    again = skops_io.loads(skops_io.dumps(net), trusted=TRUSTED_TYPES)
    assert again.trial_ == net.trial_
