"""Fits to sequences resume from their checkpoints bit for bit."""

import pytest
from interrupted_fits import (
    CutOff,
    checkpoint_every,
    checkpointed,
    count_epochs,
    cut_off_and_resumed,
    same,
)
from sequences import SMALL, both_kinds, cut_to_lengths, draw_X, draw_y, every_case
from sklearn.base import clone

pytestmark = pytest.mark.filterwarnings("ignore:Training was interrupted")

N_EPOCHS = 7
OPTIONS = SMALL | {"max_iter": N_EPOCHS}


@pytest.fixture(autouse=True)
def frequent_checkpoints():
    with checkpoint_every(2):
        yield


@every_case
@pytest.mark.parametrize("truncation", [None, 3])
@pytest.mark.parametrize("fatal", [2, 6])
@pytest.mark.parametrize("error", [CutOff, KeyboardInterrupt])
def test_interrupted_fit_resumes_bit_for_bit(kind, X, y, truncation, fatal, error, tmp_path):
    net = kind(**OPTIONS, truncation=truncation)
    uninterrupted = clone(net).fit(X, y)
    resumed, epochs = cut_off_and_resumed(net, tmp_path, fatal, X, y, error=error)
    assert same(resumed, uninterrupted)
    assert len(epochs) == N_EPOCHS - (fatal - 1) // 2 * 2


@every_case
def test_ragged_sequences_and_validation_sets_resume(kind, X, y, tmp_path):
    lengths = [1 + number % 8 for number in range(24)]
    sequences, targets, _ = cut_to_lengths(X, y, lengths)
    validation = {"X_val": sequences[:7], "y_val": targets[:7]}
    net = kind(**OPTIONS, truncation=3)
    resumed, _ = cut_off_and_resumed(net, tmp_path, 6, sequences, targets, **validation)
    assert same(resumed, clone(net).fit(sequences, targets, **validation))


@both_kinds
@pytest.mark.parametrize("truncation", [None, 5])
@pytest.mark.parametrize("fatal", [4, N_EPOCHS + 4])
def test_step_trials_resume(kind, truncation, fatal, tmp_path):
    X = draw_X(3, 40)
    y = draw_y(kind, X, by_step=True)
    net = kind(**OPTIONS | {"early_stopping": "auto", "truncation": truncation})
    resumed, epochs = cut_off_and_resumed(net, tmp_path, fatal, X, y)
    assert same(resumed, clone(net).fit(X, y))
    assert len(epochs) < 2 * N_EPOCHS


@every_case
def test_other_settings_find_no_checkpoint(kind, X, y, tmp_path):
    net = checkpointed(kind(**OPTIONS), tmp_path)
    with count_epochs(6), pytest.raises(CutOff):
        net.fit(X, y)
    for changed in ({"truncation": 3}, {"leaking_rate": 0.5}, {"init": "identity"}):
        other = clone(net).set_params(**changed)
        with count_epochs() as epochs:
            other.fit(X, y)
        assert len(epochs) == N_EPOCHS
    with count_epochs() as epochs:
        net.fit(X + 1e-9, y)
    assert len(epochs) == N_EPOCHS
    assert len(list(tmp_path.iterdir())) == 1


@every_case
def test_warm_start_with_checkpoints_resumes(kind, X, y, tmp_path):
    net = kind(**OPTIONS, warm_start=True, learning_rate="constant", truncation=3)
    uninterrupted = clone(net).fit(X, y).fit(X, y)
    resumed = checkpointed(net, tmp_path).fit(X, y)
    with count_epochs(6), pytest.raises(CutOff):
        resumed.fit(X, y)
    with count_epochs() as epochs:
        resumed.fit(X, y)
    assert len(epochs) == N_EPOCHS - 4
    assert same(resumed, uninterrupted)
