"""Fits of ensembles that are killed, interrupted, stopped, or followed by callbacks."""

import joblib
import numpy as np
import pytest
from ensembles import WINE, WINE_Y, assert_same_members, both_kinds, fitted_small, small
from interrupted_fits import CutOff, checkpoint_every, count_epochs
from joblib import parallel_config
from sklearn.base import clone

from skdistnet import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor

N_TRIAL_EPOCHS = 5 * 8

# Checkpoints --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fatal", [5, 37, 43, 51, 59])  # in trials, and in each member
@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_killed_ensemble_resumes_bit_for_bit(kind, X, y, fatal, out_of_fold, tmp_path):
    uninterrupted = fitted_small(kind, out_of_fold)
    n_epochs = N_TRIAL_EPOCHS + 3 * uninterrupted.trial_["n_epochs"]
    ensemble = small(kind, out_of_fold=out_of_fold, checkpoint=tmp_path)
    with checkpoint_every(2):
        with count_epochs(fatal), pytest.raises(CutOff):
            ensemble.fit(X, y)
        assert list(tmp_path.iterdir())
        with count_epochs() as epochs:
            ensemble.fit(X, y)
    assert_same_members(ensemble, uninterrupted)
    assert n_epochs - fatal + 1 <= len(epochs) <= n_epochs - fatal + 2
    assert not list(tmp_path.iterdir())


def test_killed_starts_of_members_resume(tmp_path):
    uninterrupted = small(DistanceNetEnsembleClassifier, 2, n_init=2).fit(WINE, WINE_Y)
    ensemble = small(DistanceNetEnsembleClassifier, 2, n_init=2, checkpoint=tmp_path)
    with checkpoint_every(2), count_epochs(63), pytest.raises(CutOff):
        ensemble.fit(WINE, WINE_Y)
    with checkpoint_every(2):
        ensemble.fit(WINE, WINE_Y)
    assert_same_members(ensemble, uninterrupted)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("random_state", [None, np.random])
def test_checkpoints_need_a_seed_of_the_ensemble(random_state, tmp_path):
    ensemble = small(DistanceNetEnsembleClassifier, checkpoint=tmp_path)
    ensemble.set_params(random_state=random_state, estimator__random_state=0)
    with pytest.raises(ValueError, match="'random_state' parameter of DistanceNetEnsembleClass"):
        ensemble.fit(WINE, WINE_Y)


# Ctrl-C -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_ctrl_c_in_a_trial_keeps_its_net(kind, X, y, out_of_fold, runs):
    ensemble = small(kind, out_of_fold=out_of_fold)
    with (
        count_epochs(13, KeyboardInterrupt),
        pytest.warns(UserWarning, match="after 0 of 3 members; the ensemble has only the net"),
    ):
        ensemble.fit(X, y)
    (net,) = ensemble.estimators_
    assert (net.n_iter_, len(runs)) == (4, 2)
    assert ensemble.trial_ is None
    assert np.isfinite(ensemble.predict(X)).all()
    assert np.isfinite(ensemble.score_samples(X)).all()
    assert not hasattr(ensemble, "oof_score_")


@pytest.mark.parametrize(("n_complete", "kept"), [(0, "only the net"), (1, "these"), (2, "these")])
@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_ctrl_c_in_a_member_keeps_complete_ones(kind, X, y, n_complete, kept, out_of_fold):
    whole = fitted_small(kind, out_of_fold)
    fatal = N_TRIAL_EPOCHS + n_complete * whole.trial_["n_epochs"] + 3
    ensemble = clone(whole)
    with (
        count_epochs(fatal, KeyboardInterrupt),
        pytest.warns(UserWarning, match=f"after {n_complete} of 3 members.*has {kept}"),
    ):
        ensemble.fit(X, y)
    assert len(ensemble.estimators_) == max(1, n_complete)
    for net, expected in zip(ensemble.estimators_, whole.estimators_[:n_complete]):
        np.testing.assert_array_equal(net._theta_, expected._theta_)
    assert np.isfinite(ensemble.predict(X)).all()
    assert np.isfinite(ensemble.score_samples(X)).all()
    assert not hasattr(ensemble, "oof_score_")


@both_kinds
def test_ctrl_c_with_threads_keeps_complete_members(kind, X, y):
    whole = fitted_small(kind)
    fatal = N_TRIAL_EPOCHS + 2 * whole.trial_["n_epochs"] + 2
    ensemble = small(kind, n_jobs=2)
    with (
        parallel_config("threading"),
        count_epochs(fatal, KeyboardInterrupt),
        pytest.warns(UserWarning, match="after 2 of 3 members; the ensemble has these"),
    ):
        ensemble.fit(X, y)
    assert len(ensemble.estimators_) == 2
    assert np.isfinite(ensemble.predict(X)).all()


def test_interrupted_ensemble_resumes_from_checkpoints(tmp_path):
    ensemble = small(DistanceNetEnsembleClassifier, checkpoint=tmp_path)
    with (
        checkpoint_every(2),
        count_epochs(53, KeyboardInterrupt),
        pytest.warns(UserWarning, match="interrupted after 1 of 3 members"),
    ):
        ensemble.fit(WINE, WINE_Y)
    assert list(tmp_path.iterdir())
    with count_epochs() as epochs:
        ensemble.fit(WINE, WINE_Y)
    assert len(epochs) <= 2 * 8
    assert_same_members(ensemble, fitted_small(DistanceNetEnsembleClassifier))
    assert not list(tmp_path.iterdir())


# Callbacks ----------------------------------------------------------------------------------------


class Recorder:
    """Record tasks and fitted copies; ask to stop in an epoch of members or of trials."""

    def __init__(self, epoch=None, parts="member"):
        self.epoch, self.parts, self.tasks, self.copies = epoch, parts, [], []

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context):
        self.tasks.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.copies.append(fitted_estimator)
        part = [name for name in self.tasks if name != "epoch"][-1]
        is_last = context.task_name == "epoch" and context.task_id + 1 == self.epoch
        return is_last and part == self.parts


@pytest.fixture
def callback():
    return pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")


@pytest.mark.parametrize("n_init", [1, 2])
@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_trials_and_members_are_tasks(kind, X, y, out_of_fold, n_init, callback):
    recorder = Recorder()
    ensemble = small(kind, out_of_fold=out_of_fold, n_init=n_init)
    ensemble.set_callbacks(recorder).fit(X, y)
    tried = ["trial"] + ["epoch"] * 8
    epochs = ["epoch"] * ensemble.trial_["n_epochs"]
    member = ["member", *epochs] if n_init == 1 else ["member", *["start", *epochs] * 2]
    assert recorder.tasks == ["fit"] + tried * ensemble.trial_["n_trials"] + member * 3
    plain = small(kind, out_of_fold=out_of_fold, n_init=n_init).fit(X, y)
    assert_same_members(ensemble, plain)


@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_callbacks_receive_fitted_copies(kind, X, y, out_of_fold, callback):
    recorder = Recorder()
    ensemble = small(kind, 2, out_of_fold=out_of_fold).set_callbacks(recorder).fit(X, y)
    assert len(recorder.copies) == len(recorder.tasks)
    for copy in recorder.copies:
        assert type(copy) is kind
        assert np.isfinite(copy.predict(X[:5])).all()
    assert [len(copy.estimators_) for copy in recorder.copies] == [1] * len(recorder.tasks[1:]) + [
        2
    ]
    np.testing.assert_array_equal(recorder.copies[-1].predict(X), ensemble.predict(X))
    # That of the last member's task, before the one of the fit.
    np.testing.assert_array_equal(
        recorder.copies[-2].predict(X), ensemble.estimators_[-1].predict(X)
    )


@both_kinds
def test_stop_request_ends_each_member(kind, X, y, callback, recwarn):
    ensemble = small(kind).set_callbacks(Recorder(epoch=3)).fit(X, y)
    assert [net.n_iter_ for net in ensemble.estimators_] == [3, 3, 3]
    assert not recwarn


@both_kinds
def test_stop_request_in_trials_shortens_members(kind, X, y, callback):
    ensemble = small(kind).set_callbacks(Recorder(epoch=3, parts="trial")).fit(X, y)
    assert len(ensemble.trial_["validation_loss_curve"]) == 3
    assert [net.n_iter_ for net in ensemble.estimators_] == [ensemble.trial_["n_epochs"]] * 3


@pytest.mark.parametrize("backend", [None, "loky", "threading"])
def test_scoring_monitor_follows_an_ensemble(backend, callback):
    monitor = callback.ScoringMonitor(scoring="accuracy")
    n_jobs = 2 if backend else None
    ensemble = small(DistanceNetEnsembleClassifier, n_jobs=n_jobs).set_callbacks(monitor)
    with parallel_config(backend=backend or "loky"):
        ensemble.fit(WINE, WINE_Y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    n_trial_epochs = 8 * ensemble.trial_["n_trials"]
    assert len(rows) == n_trial_epochs + 3 * ensemble.trial_["n_epochs"]
    assert all(0 < row["accuracy"] <= 1 for row in rows)


@pytest.mark.parametrize("n_init", [1, 2])
def test_progress_bar_shows_an_ensemble(n_init, callback, capsys):
    ensemble = small(DistanceNetEnsembleRegressor, 2, n_init=n_init)
    ensemble.set_callbacks(callback.ProgressBar()).fit(WINE, WINE_Y)
    shown = capsys.readouterr().out
    assert "DistanceNetEnsembleRegressor" in shown
    assert "member" in shown


@both_kinds
def test_failing_callback_changes_nothing(kind, X, y, callback):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "member":
                raise RuntimeError("no more")

    ensemble = small(kind, 2).fit(X, y).set_callbacks(Failing())
    before = joblib.hash(ensemble.estimators_)
    with pytest.raises(RuntimeError, match="no more"):
        ensemble.set_params(random_state=1).fit(X, y)
    assert joblib.hash(ensemble.estimators_) == before
