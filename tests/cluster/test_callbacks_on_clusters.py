"""Callbacks see every epoch of a fit on a cluster, and checkpoints let it be resumed."""

import numpy as np
import pytest

pytest.importorskip("distributed", reason="needs the extra 'dask'")
pytest.importorskip("dask.dataframe")
pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

from cluster_fits import KINDS, SMALL, fitted, partitioned
from interrupted_fits import same

from skdistnet._base import checkpoints
from skdistnet._dask.rounds import RoundTrainer

both_kinds = pytest.mark.parametrize(("kind", "X", "y"), KINDS.values(), ids=KINDS)


class Recorder:
    """Record the tasks that end, and predictions of their nets; stop after some epochs."""

    def __init__(self, rows, epochs=None):
        self.rows, self.epochs = rows, epochs
        self.ended, self.predicted = [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.ended.append(context.task_name)
        self.predicted.append(fitted_estimator.predict(self.rows))
        return context.task_name == "epoch" and context.task_id + 1 == self.epochs


@both_kinds
def test_callbacks_receive_the_net_of_each_epoch(client, kind, X, y):
    recorder, data = Recorder(X), [partitioned(each) for each in (X, y)]
    net = kind(**SMALL, client=client).set_callbacks(recorder).fit(*data)
    assert recorder.ended == ["epoch"] * 3 + ["fit"]
    np.testing.assert_array_equal(recorder.predicted[-1], net.predict(X))
    assert np.any(recorder.predicted[0] != recorder.predicted[-1])


def test_callbacks_stop_a_fit(client):
    kind, X, y = KINDS["classifier"]
    recorder, data = Recorder(X, epochs=2), [partitioned(each) for each in (X, y)]
    net = kind(**SMALL, client=client).set_callbacks(recorder).fit(*data)
    assert net.n_iter_ == 2


def test_starts_are_tasks_of_callbacks(client):
    kind, X, y = KINDS["classifier"]
    recorder, data = Recorder(X), [partitioned(each) for each in (X, y)]
    kind(**SMALL | {"n_init": 2}, client=client).set_callbacks(recorder).fit(*data)
    assert recorder.ended == (["epoch"] * 3 + ["start"]) * 2 + ["fit"]


def test_other_validation_rows_do_not_resume(client, tmp_path, monkeypatch):
    kind, X, y = KINDS["classifier"]
    net = kind(**SMALL | {"checkpoint": tmp_path, "max_iter": 6}, client=client)
    data = [partitioned(each) for each in (X, y)]
    original, epochs = RoundTrainer.train_epoch, []

    def epoch(self):
        epochs.append(len(epochs))
        if len(epochs) == 3:
            raise RuntimeError("cut off")
        return original(self)

    monkeypatch.setattr(checkpoints, "EVERY", 1)
    monkeypatch.setattr(RoundTrainer, "train_epoch", epoch)
    with pytest.raises(RuntimeError, match="cut off"):
        net.fit(*data, X_val=data[0], y_val=data[1])
    net.fit(*data, X_val=data[0], y_val=partitioned(np.roll(y, 1)))
    assert len(epochs) == 3 + 6


def test_checkpointed_fit_resumes_with_same_net(client, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "EVERY", 2)
    kind, X, y = KINDS["classifier"]
    options = {"max_iter": 6, "checkpoint": tmp_path}
    undisturbed = fitted(client, kind, X, y, max_iter=6)
    original, epochs = RoundTrainer.train_epoch, []

    def epoch(self):
        epochs.append(len(epochs))
        if len(epochs) == 5:
            raise RuntimeError("cut off")
        return original(self)

    monkeypatch.setattr(RoundTrainer, "train_epoch", epoch)
    with pytest.raises(RuntimeError, match="cut off"):
        fitted(client, kind, X, y, **options)
    assert list(tmp_path.iterdir())
    net = fitted(client, kind, X, y, **options)
    assert same(net, undisturbed)
    assert len(epochs) == 5 + 2
    assert not list(tmp_path.iterdir())
