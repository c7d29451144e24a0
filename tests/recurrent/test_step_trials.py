"""What is held out of sequences, and that nothing of it is trained on."""

from dataclasses import replace

import numpy as np
import pytest
from sequences import SMALL, both_kinds, draw_X, draw_y, every_case

from skdistnet import RecurrentDistanceNetClassifier
from skdistnet._base import trial
from skdistnet.engine.losses import is_counted

TRIAL = SMALL | {"early_stopping": "auto"}


def few_sequences(kind, n_sequences=3, n_steps=40):
    X = draw_X(n_sequences, n_steps)
    return X, draw_y(kind, X, by_step=True)


def counted(rows, net):
    return is_counted(rows.target, net._codec.n_columns)


@both_kinds
@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.01, 0.99])
def test_trial_holds_out_the_last_targets(kind, fraction, runs):
    X, y = few_sequences(kind)
    net = kind(**TRIAL, validation_fraction=fraction).fit(X, y)
    (trained, held_out), (everything, no_validation) = runs
    n_trained = min(39, max(1, round((1 - fraction) * 40)))
    assert trained.X.shape[1] == n_trained
    assert counted(trained, net).all()
    np.testing.assert_array_equal(trained.X, X[:, :n_trained])
    expected = np.arange(40) >= n_trained
    np.testing.assert_array_equal(counted(held_out, net), np.tile(expected, (3, 1)))
    np.testing.assert_array_equal(held_out.X, X)
    assert everything.X.shape == X.shape
    assert counted(everything, net).all()
    assert no_validation is None
    assert net.trial_["n_trials"] == 1


@both_kinds
def test_held_out_targets_and_inputs_train_nothing(kind, runs):
    X, y = few_sequences(kind)
    kind(**TRIAL).fit(X, y)
    other_X, other_y = X.copy(), y.copy()
    other_X[:, 32:] += 100
    other_y[:, 32:] = y[::-1, 32:][:, ::-1]
    kind(**TRIAL).fit(other_X, other_y)
    np.testing.assert_array_equal(runs[0][0].X, runs[2][0].X)
    if kind is RecurrentDistanceNetClassifier:  # numbers are in units of all targets
        np.testing.assert_array_equal(runs[0][0].target, runs[2][0].target)
    else:
        scaled = [run[0].target for run in (runs[0], runs[2])]
        np.testing.assert_allclose(np.corrcoef(*map(np.ravel, scaled))[0, 1], 1)


@both_kinds
def test_targets_are_counted_where_they_are(kind, runs):
    X, y = few_sequences(kind)
    y = np.ma.masked_array(y, np.random.default_rng(0).random(y.shape) < 0.4)
    y.mask[0, :20] = True
    net = kind(**TRIAL).fit(X, y)
    (trained, held_out), (everything, _) = runs
    present = ~y.mask
    np.testing.assert_array_equal(counted(everything, net), present)
    first = np.zeros_like(present)
    first[:, : trained.X.shape[1]] = counted(trained, net)
    last = counted(held_out, net)
    assert not (first & last).any()
    np.testing.assert_array_equal(first | last, present)
    for number in range(3):
        assert np.flatnonzero(first[number])[-1] < np.flatnonzero(last[number])[0]
        n_targets = present[number].sum()
        assert abs(last[number].sum() - 0.2 * n_targets) <= 0.5


@both_kinds
def test_sequence_with_one_target_is_trained_on(kind, runs):
    X, y = few_sequences(kind)
    y = np.ma.masked_array(y, np.zeros(y.shape, bool))
    y.mask[1, 1:] = True
    net = kind(**TRIAL).fit(X, y)
    trained, held_out = runs[0]
    np.testing.assert_array_equal(counted(trained, net).sum(axis=1), [32, 1, 32])
    np.testing.assert_array_equal(counted(held_out, net).sum(axis=1), [8, 8])
    np.testing.assert_array_equal(held_out.X, X[[0, 2]])
    # The mean over a sequence's targets is weighted by their number.
    np.testing.assert_allclose(trained.weights / trained.weights[1], [32, 1, 32])


@both_kinds
def test_weights_of_sequences_weigh_the_trial(kind, runs):
    X, y = few_sequences(kind)
    kind(**TRIAL).fit(X, y, [1.0, 2.0, 0.0])
    trained, held_out = runs[0]
    assert len(trained) == len(held_out) == 2
    for rows in (trained, held_out):
        np.testing.assert_allclose(rows.weights[1] / rows.weights[0], 2)


def test_trial_validates_as_validation_set_would():
    kind = RecurrentDistanceNetClassifier
    X, y = few_sequences(kind)
    options = SMALL | {"leaking_rate": 0.3, "tol": 1e-9}
    found = kind(**options | {"early_stopping": "auto"}).fit(X, y).trial_
    held_out = np.ma.masked_array(y, np.tile(np.arange(40) < 32, (3, 1)))
    net = kind(**options).fit(X[:, :32], y[:, :32], X_val=X, y_val=held_out)
    for name in ("validation_loss_curve", "validation_scores"):
        np.testing.assert_allclose(found[name], getattr(net, f"{name}_"), rtol=1e-9)


def test_best_epoch_counts_labels_not_sequences(monkeypatch):
    # With half an error more among 60 labels the second epoch is best; with one in two, the first.
    curves = {"validation_loss_curve": [0.30, 0.32], "validation_scores": [0.80, 0.84]}

    train_trial = trial.train_trial

    def with_curves(*arguments):
        net, result, checkpoint = train_trial(*arguments)
        return net, replace(result, **curves), checkpoint

    monkeypatch.setattr(trial, "train_trial", with_curves)
    kind = RecurrentDistanceNetClassifier
    net = kind(**TRIAL).fit(*few_sequences(kind, n_sequences=1, n_steps=300))
    assert net.trial_["best_epoch"] == 2


@both_kinds
def test_few_targets_make_no_trial(kind, runs):
    X, y = few_sequences(kind, n_steps=19)
    net = kind(**TRIAL).fit(X, y)
    assert len(runs) == 1
    assert net.trial_ is None
    assert net.n_iter_ == SMALL["max_iter"]


@both_kinds
@pytest.mark.parametrize("by_step", [False, True])
def test_many_sequences_are_held_out_whole(kind, by_step, runs):
    X = draw_X(70)
    y = draw_y(kind, X, by_step)
    net = kind(**TRIAL, validation_fraction=0.25).fit(X, y)
    *trials, (everything, _) = runs
    assert len(trials) == net.trial_["n_trials"] == 4
    assert len(everything) == 70
    hashes = []
    for trained, held_out in trials:
        both = np.concatenate([trained.X, held_out.X])
        assert len(np.unique(both, axis=0)) == 70
        hashes += [each.tobytes() for each in held_out.X]
    assert len(set(hashes)) == len(hashes)


@every_case
@pytest.mark.parametrize("truncation", ["auto", 3])
def test_early_stopping_holds_sequences_out(kind, X, y, truncation, runs):
    options = SMALL | {"early_stopping": True, "validation_fraction": 0.25}
    net = kind(**options, truncation=truncation).fit(X, y)
    ((trained, held_out),) = runs
    assert (len(trained), len(held_out)) == (18, 6)
    both = np.concatenate([trained.X, held_out.X])
    assert len(np.unique(both, axis=0)) == 24
    assert len(net.validation_loss_curve_) == len(net.validation_scores_) == net.n_iter_


@both_kinds
def test_single_sequence_cannot_be_held_out(kind):
    X, y = few_sequences(kind, n_sequences=1, n_steps=80)
    net = kind(**SMALL | {"early_stopping": True})
    with pytest.raises(ValueError, match=r"at least two sequences.*pass X_val and y_val.*'auto'"):
        net.fit(X, y)
    net.fit(X, y, X_val=X, y_val=y)
    net.set_params(early_stopping="auto").fit(X, y)
    assert net.trial_["n_trials"] == 1


@both_kinds
def test_two_sequences_can_be_held_out(kind, runs):
    X, y = few_sequences(kind, n_sequences=2)
    kind(**SMALL | {"early_stopping": True}).fit(X, y)
    ((trained, held_out),) = runs
    assert len(trained) == len(held_out) == 1


@every_case
@pytest.mark.parametrize("truncation", ["auto", 3])
def test_validation_set_selects_the_best_epoch(kind, X, y, truncation):
    X_val, options = draw_X(9, 11, seed=1), SMALL | {"max_iter": 12, "learning_rate_init": 0.5}
    y_val = draw_y(kind, X_val, y.ndim == 2)
    net = kind(**options, truncation=truncation, tol=0.0)
    net.fit(X, y, X_val=X_val, y_val=y_val)
    losses = net.validation_loss_curve_
    assert net.best_epoch_ == 1 + int(np.argmin(losses))
    codec, raw = net._codec, net._raw_output(X_val)
    target = codec.encode(net._check_data(X_val, y_val, None)[1], np.dtype(float))
    loss = codec.loss.value(raw, target, np.full(9, 1 / 9))
    np.testing.assert_allclose(loss, min(losses), rtol=1e-9)
    np.testing.assert_allclose(net.score(X_val, y_val), net.best_validation_score_, rtol=1e-9)


@both_kinds
def test_validation_score_counts_all_steps_alike(kind):
    X = draw_X()
    y, lengths = draw_y(kind, X, by_step=True), [8, 1, 3] * 8
    sequences = [each[:length] for each, length in zip(X, lengths)]
    targets = [each[:length] for each, length in zip(y, lengths)]
    net = kind(**SMALL).fit(X, y, X_val=sequences, y_val=targets)
    score = net.score(sequences, targets)
    np.testing.assert_allclose(score, net.best_validation_score_, rtol=1e-9)
