"""Files of checkpoints: whose they are, and what becomes of damaged ones and failing writes."""

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
    checkpointed,
    epochs_counted,
    kept_file,
    same,
)
from sklearn.base import clone

from skdistnet import DistanceNetClassifier
from skdistnet._base.callbacks import learned
from skdistnet._base.hashing import digest

# Whose a file is ----------------------------------------------------------------------------------


def rows_in_order(X, n_units, random_state):
    return X[:n_units]


OTHERS = {
    "another parameter": {"alpha": 0.5},
    "another seed": {"random_state": 1},
    "another start": {"init": rows_in_order},
    "another budget": {"max_iter": N_EPOCHS - 1},
}


@both_kinds
@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_another_fit_begins_anew_and_leaves_the_file(kind, X, y, changed, tmp_path):
    net = checkpointed(kind(**SMALL), tmp_path)
    with epochs_counted(6), pytest.raises(CutOff):
        net.fit(X, y)
    files = os.listdir(tmp_path)
    with epochs_counted() as epochs:
        clone(net).set_params(**changed).fit(X, y)
    assert len(epochs) == changed.get("max_iter", N_EPOCHS)
    assert os.listdir(tmp_path) == files


@both_kinds
def test_other_data_are_another_fit(kind, X, y, tmp_path):
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
    with epochs_counted(6), pytest.raises(CutOff):
        net.fit(X, y)
    for data, options in others:
        with epochs_counted() as epochs:
            clone(net).fit(*data, **options)
        assert len(epochs) == N_EPOCHS
    with epochs_counted() as epochs:
        net.set_params(n_jobs=2, checkpoint_every=3, false_alarm_rate=0.1).fit(
            np.asfortranarray(X), y
        )
    assert len(epochs) == N_EPOCHS - 4


# Files --------------------------------------------------------------------------------------------


def flip_a_bit(content):
    # Of an array: some bytes between two of them mean nothing, and may be anything.
    place = content.index(b"\x93NUMPY", len(content) // 2) + 10
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES = {
    "cut short": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "text": lambda content: b"loss 0.1",
    "a flipped bit": flip_a_bit,
}


@both_kinds
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_told_of_and_training_begins_anew(kind, X, y, damage, tmp_path):
    net = checkpointed(kind(**SMALL), tmp_path)
    path = kept_file(net, tmp_path, X, y)
    path.write_bytes(damage(path.read_bytes()))
    message = rf"The checkpoint {re.escape(str(path))} cannot be read, so training begins anew: \w+"
    with epochs_counted() as epochs, pytest.warns(UserWarning, match=message):
        net.fit(X, y)
    assert len(epochs) == N_EPOCHS
    assert same(net, kind(**SMALL).fit(X, y))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", [np.save, np.savez])
def test_a_file_of_something_else_is_told_of(other, tmp_path):
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    path = kept_file(net, tmp_path, WINE, WINE_Y)
    with open(path, "wb") as file:
        other(file, np.zeros(3))
    with pytest.warns(UserWarning, match="cannot be read"):
        net.fit(WINE, WINE_Y)


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_a_write_that_fails_is_told_of_and_training_goes_on(name, tmp_path, monkeypatch):
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)

    def fail(*args):
        raise OSError(28, "No space left on device")

    message = r"could not be written, and training goes on without: .*No space left"
    with monkeypatch.context() as patched:
        patched.setattr(os, name, fail)
        with pytest.warns(UserWarning, match=message):
            net.fit(WINE, WINE_Y)
    assert same(net, DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_a_write_that_is_cut_off_leaves_the_file_before(name, tmp_path, monkeypatch):
    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    calls, whole = [], getattr(os, name)

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise CutOff
        return whole(*args)

    with monkeypatch.context() as patched:
        patched.setattr(os, name, interrupted)
        with pytest.raises(CutOff):
            net.fit(WINE, WINE_Y)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    with epochs_counted() as epochs:
        net.fit(WINE, WINE_Y)
    assert len(epochs) == N_EPOCHS - 4
    assert same(net, DistanceNetClassifier(**SMALL).fit(WINE, WINE_Y))


KILLED = """
import os, signal, sys, warnings
from sklearn.datasets import load_wine
from skdistnet import DistanceNetClassifier
from skdistnet._base.callbacks import learned
from skdistnet._base.hashing import digest

warnings.simplefilter("ignore")
folder, place, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
calls = []


def killing(whole):
    def call(*args, **options):
        calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*args, **options)

    return call


def watched(net, X, y, sample_weight):
    if place == "epoch":
        killing(int)()
    return net.score(X, y, sample_weight)


if place == "write":
    os.fsync = killing(os.fsync)
net = DistanceNetClassifier(
    (6, 5), max_iter=9, batch_size=30, random_state=0, early_stopping=True, scoring=watched,
    init=lambda X, n_units, random_state: X[:n_units], class_weight={0: 1.5},
    checkpoint_dir=folder, checkpoint_every=2,
)
print(digest(learned(net.fit(*load_wine(return_X_y=True)))))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill outright")
def test_a_process_killed_in_an_epoch_or_a_write_loses_nothing(tmp_path):
    def run(place, number):
        command = [sys.executable, "-c", KILLED, str(tmp_path), place, str(number)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for place, number in [("epoch", 4), ("write", 2)]:
        assert run(place, number).returncode == -signal.SIGKILL
    # What was written half has a name of its own, and the file before is there.
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npz", ".tmp"]
    resumed = run("nowhere", 0)
    whole = DistanceNetClassifier(
        **SMALL | {"init": rows_in_order, "class_weight": {0: 1.5}, "early_stopping": True},
        scoring="accuracy",
    )
    assert resumed.stdout.strip() == digest(learned(whole.fit(WINE, WINE_Y))), resumed.stderr
    assert not list(tmp_path.iterdir())


# What is asked for --------------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize("random_state", [None, np.random])
def test_a_fit_that_cannot_be_found_again_is_refused(kind, X, y, random_state, tmp_path):
    net = kind(**SMALL | {"random_state": random_state}, checkpoint_dir=tmp_path)
    with pytest.raises(ValueError, match=r"'random_state' parameter of .* must be an int or"):
        net.fit(X, y)


@both_kinds
def test_a_folder_is_made_and_one_that_cannot_be_is_refused(kind, X, y, tmp_path):
    deep = tmp_path / "a" / "b"
    kind(**SMALL, checkpoint_dir=deep).fit(X, y)
    assert deep.is_dir()
    (tmp_path / "file").touch()
    for bad in (tmp_path / "file", tmp_path / "file" / "inside"):
        net = kind(**SMALL, checkpoint_dir=str(bad))
        with pytest.raises(ValueError, match=r"'checkpoint_dir' parameter of .* must be a folder"):
            net.fit(X, y)
        assert not learned(net)


def test_a_parameter_without_a_digest_is_refused_by_name(tmp_path):
    def init(X, n_units, random_state, file=(_ for _ in ())):
        return X[:n_units]

    net = DistanceNetClassifier(**SMALL, init=init, checkpoint_dir=tmp_path)
    with pytest.raises(ValueError, match="The 'init' parameter of DistanceNetClassifier must be"):
        net.fit(WINE, WINE_Y)


@both_kinds
def test_partial_fit_takes_no_part(kind, X, y, tmp_path):
    net = kind(**SMALL | {"random_state": None}, checkpoint_dir=tmp_path, checkpoint_every=1)
    classes = {"classes": np.unique(y)} if kind is DistanceNetClassifier else {}
    net.partial_fit(X, y, **classes)
    assert not list(tmp_path.iterdir())


def test_verbose_says_where_a_fit_goes_on(tmp_path, capsys):
    net = checkpointed(DistanceNetClassifier(**SMALL, verbose=True), tmp_path)
    path = kept_file(net, tmp_path, WINE, WINE_Y)
    capsys.readouterr()
    net.fit(WINE, WINE_Y)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"Going on after epoch 4, from {path}"
    assert second.startswith(f"Epoch 5/{N_EPOCHS}")


def test_callbacks_are_told_of_the_epochs_that_are_left(tmp_path):
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    seen = []

    class Recorder:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            seen.append((context.task_name, context.task_id))

    net = checkpointed(DistanceNetClassifier(**SMALL), tmp_path)
    kept_file(net, tmp_path, WINE, WINE_Y)
    net.set_callbacks(Recorder()).fit(WINE, WINE_Y)
    assert seen == [*(("epoch", number) for number in range(N_EPOCHS - 4)), ("fit", 0)]
