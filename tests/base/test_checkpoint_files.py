"""Checkpoint files: which fit they belong to, damaged files and failed writes."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from interrupted_fits import (
    N_EPOCHS,
    SMALL,
    WINE,
    WINE_Y,
    CutOff,
    both_kinds,
    checkpoint_every,
    checkpointed,
    count_epochs,
    same,
    write_checkpoint,
)
from sklearn.base import clone

from skdistnet import DistanceNetClassifier
from skdistnet._base.callbacks import fitted_attributes
from skdistnet._base.hashing import digest


@pytest.fixture(autouse=True)
def frequent_checkpoints():
    with checkpoint_every(2):
        yield


# Which fit a file belongs to ----------------------------------------------------------------------


def rows_in_order(X, n_units, random_state):
    return X[:n_units]


OTHERS = {
    "other parameter": {"alpha": 0.5},
    "other seed": {"random_state": 1},
    "other init": {"init": rows_in_order},
    "other max_iter": {"max_iter": N_EPOCHS - 1},
}


@both_kinds
@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_different_fit_ignores_the_checkpoint(kind, X, y, changed, tmp_path):
    net = checkpointed(kind(**SMALL), tmp_path)
    with count_epochs(6), pytest.raises(CutOff):
        net.fit(X, y)
    files = os.listdir(tmp_path)
    with count_epochs() as epochs:
        clone(net).set_params(**changed).fit(X, y)
    assert len(epochs) == changed.get("max_iter", N_EPOCHS)
    assert os.listdir(tmp_path) == files


@both_kinds
def test_changed_data_ignore_the_checkpoint(kind, X, y, tmp_path):
    net = checkpointed(kind(**SMALL), tmp_path)
    moved = X.copy()
    moved[3, 2] = np.nextafter(moved[3, 2], np.inf)
    others = [
        ((moved, y), {}),
        ((X, np.roll(y, 1)), {}),
        ((X, y, np.arange(1.0, len(X) + 1)), {}),
        ((X.astype(np.float32), y), {}),
        ((X, y), {"X_val": X[:9], "y_val": y[:9]}),
    ]
    with count_epochs(6), pytest.raises(CutOff):
        net.fit(X, y)
    for data, options in others:
        with count_epochs() as epochs:
            clone(net).fit(*data, **options)
        assert len(epochs) == N_EPOCHS
    with count_epochs() as epochs, checkpoint_every(3):
        net.set_params(n_jobs=2).fit(np.asfortranarray(X), y)
    assert len(epochs) == N_EPOCHS - 4


# Damaged files and failed writes ------------------------------------------------------------------


def flip_a_bit(content):
    # Within an array: padding between arrays may hold any bytes.
    position = content.index(b"\x93NUMPY", len(content) // 2) + 10
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


DAMAGES = {
    "cut short": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "text": lambda content: b"loss 0.1",
    "a flipped bit": flip_a_bit,
}


@both_kinds
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_file_warns_and_training_restarts(kind, X, y, damage, tmp_path):
    net = checkpointed(kind(**SMALL), tmp_path)
    path = write_checkpoint(net, tmp_path, X, y)
    path.write_bytes(damage(path.read_bytes()))
    message = (
        rf"The checkpoint {re.escape(str(path))} cannot be read, so training starts again: \w+"
    )
    with count_epochs() as epochs, pytest.warns(UserWarning, match=message):
        net.fit(X, y)
    assert len(epochs) == N_EPOCHS
    assert same(net, kind(**SMALL).fit(X, y))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", [np.save, np.savez])
def test_unrelated_file_warns(other, tmp_path):
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    path = write_checkpoint(net, tmp_path, WINE, WINE_Y)
    with open(path, "wb") as file:
        other(file, np.zeros(3))
    with pytest.warns(UserWarning, match="cannot be read"):
        net.fit(WINE, WINE_Y)


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_failed_write_warns_and_training_continues(name, tmp_path, monkeypatch):
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)

    def fail(*args):
        raise OSError(28, "No space left on device")

    message = r"could not be written, and training continues without it: .*No space left"
    with monkeypatch.context() as patched:
        patched.setattr(os, name, fail)
        with pytest.warns(UserWarning, match=message):
            net.fit(WINE, WINE_Y)
    assert same(net, DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_interrupted_write_keeps_the_previous_file(name, tmp_path, monkeypatch):
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    calls, original = [], getattr(os, name)

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise CutOff
        return original(*args)

    with monkeypatch.context() as patched:
        patched.setattr(os, name, interrupted)
        with pytest.raises(CutOff):
            net.fit(WINE, WINE_Y)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    with count_epochs() as epochs:
        net.fit(WINE, WINE_Y)
    assert len(epochs) == N_EPOCHS - 4
    assert same(net, DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y))


KILLED = """
import os, signal, sys, warnings
from sklearn.datasets import load_wine
from skdistnet import DistanceNetClassifier
from skdistnet._base import checkpoints
from skdistnet._base.callbacks import fitted_attributes
from skdistnet._base.hashing import digest

warnings.simplefilter("ignore")
folder, event, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = []
checkpoints.EVERY = 2


def killing(function):
    def call(*args, **options):
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **options)

    return call


def score(net, X, y, sample_weight):
    if event == "epoch":
        killing(int)()
    return net.score(X, y, sample_weight)


if event == "write":
    os.fsync = killing(os.fsync)
net = DistanceNetClassifier(
    (6, 5), max_iter=9, batch_size=30, random_state=0, early_stopping=True, scoring=score,
    init=lambda X, n_units, random_state: X[:n_units], class_weight={0: 1.5},
    checkpoint=folder,
)
print(digest(fitted_attributes(net.fit(*load_wine(return_X_y=True)))))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill outright")
def test_killed_process_resumes_from_checkpoint(tmp_path):
    def run(event, number):
        command = [sys.executable, "-c", KILLED, str(tmp_path), event, str(number)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for event, number in [("epoch", 4), ("write", 2)]:
        assert run(event, number).returncode == -signal.SIGKILL
    # The incomplete file has a name of its own, and the previous one is still present.
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npz", ".tmp"]
    resumed = run("nowhere", 0)
    uninterrupted = DistanceNetClassifier(
        **SMALL | {"init": rows_in_order, "class_weight": {0: 1.5}, "early_stopping": True},
        scoring="accuracy",
    )
    assert resumed.stdout.strip() == digest(fitted_attributes(uninterrupted.fit(WINE, WINE_Y))), (
        resumed.stderr
    )
    assert not list(tmp_path.iterdir())


# Settings -----------------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("random_state", [None, np.random])
def test_fit_without_reproducible_seed_is_refused(kind, X, y, random_state, tmp_path):
    net = kind(**SMALL | {"random_state": random_state}, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"'random_state' parameter of .* must be an int or"):
        net.fit(X, y)


@both_kinds
def test_folder_is_created_or_refused(kind, X, y, tmp_path):
    deep = tmp_path / "a" / "b"
    kind(**SMALL, checkpoint=deep).fit(X, y)
    assert deep.is_dir()
    (tmp_path / "file").touch()
    for bad in (tmp_path / "file", tmp_path / "file" / "inside"):
        net = kind(**SMALL, checkpoint=str(bad))
        with pytest.raises(ValueError, match=r"'checkpoint' parameter of .* must be a folder"):
            net.fit(X, y)
        assert not fitted_attributes(net)


def test_parameter_without_digest_is_named(tmp_path):
    def init(X, n_units, random_state, file=(_ for _ in ())):
        return X[:n_units]

    net = DistanceNetClassifier(**SMALL, init=init, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="The 'init' parameter of DistanceNetClassifier must be"):
        net.fit(WINE, WINE_Y)


@both_kinds
def test_partial_fit_writes_no_checkpoints(kind, X, y, tmp_path):
    net = kind(**SMALL | {"random_state": None}, checkpoint=tmp_path)
    classes = {"classes": np.unique(y)} if kind is DistanceNetClassifier else {}
    with checkpoint_every(1):
        net.partial_fit(X, y, **classes)
    assert not list(tmp_path.iterdir())


def test_verbose_prints_where_training_resumes(tmp_path, capsys):
    net = checkpointed(DistanceNetClassifier(**SMALL, verbose=True), tmp_path)
    path = write_checkpoint(net, tmp_path, WINE, WINE_Y)
    capsys.readouterr()
    net.fit(WINE, WINE_Y)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"Resuming after epoch 4, from {path}"
    assert second.startswith(f"Epoch 5/{N_EPOCHS}")


def test_callbacks_see_the_remaining_epochs(tmp_path):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    seen = []

    class Recorder:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            seen.append((context.task_name, context.task_id))

    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    write_checkpoint(net, tmp_path, WINE, WINE_Y)
    net.set_callbacks(Recorder()).fit(WINE, WINE_Y)
    assert seen == [*(("epoch", number) for number in range(N_EPOCHS - 4)), ("fit", 0)]
