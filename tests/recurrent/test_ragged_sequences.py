"""Sequences of different lengths, missing steps and missing features: what counts and what not."""

import numpy as np
import pytest
from interrupted_fits import same
from sequences import (
    KINDS,
    both_kinds,
    cut_to_lengths,
    draw_X,
    draw_y,
    every_case,
    fitted,
    raw_output,
)

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor

LENGTHS = np.random.default_rng(3).integers(1, 9, 24)
LENGTHS[:3] = 1, 8, 2


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_list_gives_the_fit_of_padded_sequences(kind, X, y, dtype):
    sequences, targets, padded = cut_to_lengths(X.astype(dtype), y, LENGTHS)
    joined = targets if y.ndim == 1 else joined_targets(targets)
    assert same(fitted(kind, sequences, targets), fitted(kind, padded, joined))


def joined_targets(targets, n_steps=8):
    """Return targets of ragged sequences as a masked array."""
    joined = np.ma.masked_all((len(targets), n_steps), np.result_type(*targets))
    for row, own in zip(joined, targets):
        row[: len(own)] = own
    return joined


@every_case
def test_each_sequence_is_predicted_as_alone(kind, X, y):
    net, (sequences, _, padded) = fitted(kind, X, y), cut_to_lengths(X, y, LENGTHS)
    together, of_padded = raw_output(net, sequences), raw_output(net, padded)
    for number, sequence in enumerate(sequences):
        alone = raw_output(net, sequence[np.newaxis])[0]
        assert_close(together[number], alone)
        assert_close(raw_output(net, [sequence])[0], alone)
        if y.ndim == 2:
            assert len(alone) == LENGTHS[number]
            assert_close(of_padded[number, : LENGTHS[number]], alone)
        else:
            assert_close(of_padded[number], alone)


@every_case
def test_shape_of_predictions_follows_the_input(kind, X, y):
    net, (sequences, _, padded) = fitted(kind, X, y), cut_to_lengths(X, y, LENGTHS)
    names = ["predict"]
    if kind is RecurrentDistanceNetClassifier:
        names += ["predict_proba", "predict_log_proba", "decision_function"]
    for name in names:
        predict = getattr(net, name)
        last = (2,) if "proba" in name else ()
        if y.ndim == 1:
            assert predict(padded).shape == predict(sequences).shape == (24, *last)
            continue
        assert predict(padded).shape == (24, 8, *last)
        predicted = predict(sequences)
        assert isinstance(predicted, list)
        assert [each.shape for each in predicted] == [(n, *last) for n in LENGTHS]
        assert [each.dtype for each in predicted] == [predict(padded).dtype] * 24


@every_case
def test_score_takes_lists(kind, X, y):
    net, (sequences, targets, padded) = fitted(kind, X, y), cut_to_lengths(X, y, LENGTHS)
    score = net.score(sequences, targets)
    if y.ndim == 1:
        assert score == net.score(padded, targets)
        return
    predicted, true = np.concatenate(net.predict(sequences)), np.concatenate(targets)
    if kind is RecurrentDistanceNetClassifier:
        assert score == pytest.approx(np.mean(predicted == true))
    else:
        residual = np.sum((predicted - true) ** 2)
        assert score == pytest.approx(1 - residual / np.sum((true - true.mean()) ** 2))


@both_kinds
def test_missing_steps_are_skipped(kind):
    X = draw_X()
    y = draw_y(kind, X)
    with_gaps = np.insert(X, [0, 3, 3, 8], np.nan, axis=1)
    net, other = fitted(kind, X, y), fitted(kind, with_gaps, y, leaking_rate=0.2)
    assert_close(raw_output(net, with_gaps), raw_output(net, X))
    # Rates that are chosen follow the number of steps, skipped ones included.
    assert_close(raw_output(other, X), raw_output(fitted(kind, X, y, leaking_rate=0.2), X))


@both_kinds
def test_states_stay_in_missing_steps(kind):
    X = draw_X()
    net = fitted(kind, X, draw_y(kind, X))
    X[0, 3] = X[1, 6:] = np.nan
    states = net.hidden_states(X)
    assert states.shape == (24, 8, 5)
    np.testing.assert_array_equal(states[0, 3], states[0, 2])
    np.testing.assert_array_equal(states[1, 6:], np.repeat(states[1, [5]], 2, axis=0))
    assert (np.diff(states[2], axis=0) != 0).any(axis=1).all()


@every_case
def test_fit_learns_nothing_from_padding(kind, X, y):
    # Standardisation, centroids and readout are those of the observed steps.
    sequences, targets, padded = cut_to_lengths(X, y, LENGTHS)
    options = {"leaking_rate": 0.2, "truncation": None}
    net = fitted(kind, sequences, targets, **options)
    longer = np.pad(padded, ((0, 0), (0, 4), (0, 0)), constant_values=np.nan)
    targets = targets if y.ndim == 1 else joined_targets(targets, 12)
    other = fitted(kind, longer, targets, **options)
    assert_close(other._theta_, net._theta_)


@every_case
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_features_may_be_missing(kind, X, y, share):
    X = X.copy()
    X[np.random.default_rng(0).random(X.shape) < share] = np.nan
    X[:, 0, 0] = 1.0
    net = fitted(kind, X, y)
    prediction = raw_output(net, X)
    assert np.isfinite(prediction if kind is KINDS[0] else prediction.astype(float)).all()


@every_case
@pytest.mark.parametrize("everywhere", [False, True])
def test_feature_may_be_missing_throughout(kind, X, y, everywhere):
    X = X.copy()
    X[slice(None) if everywhere else 0, :, 1] = np.nan
    net = fitted(kind, X, y)
    assert np.isfinite(raw_output(net, X)).all()
    assert np.isnan(net.centroids_[:, 1]).all() == everywhere


def test_missing_feature_counts_by_the_others():
    # With one unit and equal features, the distance over one feature scales to that over both.
    rng = np.random.default_rng(0)
    one = rng.normal(size=(30, 6, 1))
    X, y = np.concatenate([one, one], axis=2), one[:, -1, 0]
    net = fitted(RecurrentDistanceNetRegressor, X, y, radius_type="tied")
    views = net._network.views(net._theta_)[0]
    views["centroids"][:, 1] = views["centroids"][:, 0]
    views["inverse_radii"][:, 1] = views["inverse_radii"][:, 0]
    states = net.hidden_states(X)
    X[:, :, 1] = np.nan
    assert_close(net.hidden_states(X), states)
