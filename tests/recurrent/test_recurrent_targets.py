"""Labels and numbers as targets of sequences and of steps, in all their forms."""

import numpy as np
import pandas as pd
import pytest
from interrupted_fits import same
from sequences import SMALL, both_kinds, cut_to_lengths, draw_X, draw_y, fitted, running_mean
from sklearn.metrics import d2_pinball_score

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor
from skdistnet.engine.losses import REGRESSION_LOSSES

X = draw_X()
both_forms = pytest.mark.parametrize("by_step", [False, True], ids=["sequences", "steps"])
CODES = np.random.default_rng(0).permutation(np.arange(24 * 8) % 3).reshape(24, 8)
LABELS = {
    "ints": CODES * 7 - 10,
    "bools": CODES > 0,
    "whole floats": CODES * 2.0 - 1,
    "strings": np.array(["a", "bb", "c c"])[CODES],
    "objects": np.array(["yes", "no", ""], dtype=object)[CODES],
    "one class": np.full(CODES.shape, "only"),
}
every_form_of_labels = pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)


def classifier(X, y, **options):
    return fitted(RecurrentDistanceNetClassifier, X, y, **options)


def regressor(X, y, **options):
    return fitted(RecurrentDistanceNetRegressor, X, y, **options)


# Labels -------------------------------------------------------------------------------------------


@both_forms
@every_form_of_labels
def test_labels_of_any_type_are_predicted(y, by_step):
    y = y if by_step else y[:, 0]
    net = classifier(X, y)
    np.testing.assert_array_equal(net.classes_, np.unique(y))
    labels, probabilities = net.predict(X), net.predict_proba(X)
    assert labels.shape == y.shape
    assert labels.dtype == net.classes_.dtype
    assert probabilities.shape == (*y.shape, len(net.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_array_equal(net.classes_[probabilities.argmax(axis=-1)], labels)
    np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), probabilities, rtol=1e-12)
    assert net.score(X, y) == pytest.approx(np.mean(labels == y))


@both_forms
@pytest.mark.parametrize("n_classes", [2, 3])
def test_decisions_are_differences_of_logits(by_step, n_classes):
    y = (CODES if by_step else CODES[:, 0]) % n_classes
    net = classifier(X, y)
    decisions, logarithms = net.decision_function(X), net.predict_log_proba(X)
    if n_classes == 2:
        assert decisions.shape == y.shape
        expected = logarithms[..., 1] - logarithms[..., 0]
        np.testing.assert_allclose(decisions, expected, rtol=1e-9, atol=1e-12)
    else:
        differences = decisions[..., 1:] - decisions[..., :1]
        expected = logarithms[..., 1:] - logarithms[..., :1]
        np.testing.assert_allclose(differences, expected, rtol=1e-9, atol=1e-12)


@every_form_of_labels
def test_forms_of_labels_for_steps_are_equal(y):
    net = classifier(X, y)
    for form in (list(y), tuple(y), y.tolist(), pd.DataFrame(y), np.ma.asarray(y)):
        other = classifier(X, form)
        np.testing.assert_array_equal(other._theta_, net._theta_)
        np.testing.assert_array_equal(other.predict(X), net.predict(X))


@both_kinds
def test_forms_of_sequences_are_equal(kind):
    y = draw_y(kind, X)
    net, objects = fitted(kind, X, y), np.empty(24, dtype=object)
    objects[:] = list(X)
    frames = [pd.DataFrame(each) for each in X]
    for form in (list(X), tuple(X), X.tolist(), objects, frames, np.asfortranarray(X)):
        assert same(fitted(kind, form, y), net)
    of_series = fitted(kind, X, pd.Series(y, index=range(50, 74)))
    np.testing.assert_array_equal(of_series._theta_, net._theta_)
    integers = np.round(X).astype(int)
    assert same(fitted(kind, integers, y), fitted(kind, integers.astype(float), y))


def test_column_of_labels_warns():
    y = CODES[:, :1]
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        net = classifier(X, y)
    assert same(net, classifier(X, y[:, 0]))


def test_labels_of_single_steps_are_by_step():
    net = classifier(X[:, :1], CODES[:, :1])
    assert net.predict(X).shape == (24, 8)


@both_forms
def test_class_of_weightless_sequences_counts(by_step):
    y = (CODES if by_step else CODES[:, 0]) % 2
    y[0] = 5
    weights = np.ones(24)
    weights[0] = 0
    net = fitted(RecurrentDistanceNetClassifier, X, y, weights)
    np.testing.assert_array_equal(net.classes_, [0, 1, 5])


def test_smoothing_keeps_probabilities_from_the_ends():
    y = (running_mean(X) > 0) * 1
    options = {"max_iter": 40, "n_units": 20}
    largest = [
        classifier(X, y, **options, label_smoothing=each).predict_proba(X).max()
        for each in (0, 0.4)
    ]
    assert largest[1] < 0.92 < 0.99 < largest[0]


# Numbers ------------------------------------------------------------------------------------------

OPTIONS = {loss: {"loss": loss} for loss in REGRESSION_LOSSES}
OPTIONS["several quantiles"] = {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}
every_loss = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


@both_forms
@every_loss
def test_every_loss_is_reduced(options, by_step):
    y = draw_y(RecurrentDistanceNetRegressor, X, by_step) ** 2 / 50
    net = regressor(X, y, max_iter=30, **options)
    assert net.loss_curve_[-1] < 0.8 * net.loss_curve_[0]
    predicted = net.predict(X)
    n_levels = (3,) if isinstance(net.quantile, list) else ()
    assert predicted.shape == (*y.shape, *n_levels)
    if n_levels:
        assert (np.diff(predicted, axis=-1) >= 0).all()
    if net.loss == "poisson":
        assert (predicted > 0).all()
    assert 0 < net.score(X, y) < 1


def test_quantiles_of_steps_are_scored():
    y = draw_y(RecurrentDistanceNetRegressor, X, by_step=True)
    net = regressor(X, y, loss="quantile", quantile=0.9, max_iter=20)
    expected = d2_pinball_score(y.ravel(), net.predict(X).ravel(), alpha=0.9)
    assert net.score(X, y) == pytest.approx(expected)
    assert np.mean(y <= net.predict(X)) > 0.7


@both_forms
@every_loss
def test_constant_targets_are_predicted(options, by_step):
    y = np.full((24, 8) if by_step else 24, 7.0)
    predicted = regressor(X, y, **options).predict(X)
    np.testing.assert_allclose(predicted, 7.0, rtol=1e-6)


@both_forms
def test_predictions_follow_units_of_the_target(by_step):
    y = draw_y(RecurrentDistanceNetRegressor, X, by_step)
    net, other = regressor(X, y), regressor(X, 1024 * y)
    np.testing.assert_allclose(other.predict(X), 1024 * net.predict(X), rtol=1e-9)


@pytest.mark.parametrize("truncation", [None, 3])
def test_steps_without_target_are_not_trained_on(truncation):
    y = draw_y(RecurrentDistanceNetRegressor, X, by_step=True)
    y[np.random.default_rng(0).random(y.shape) < 0.4] = np.nan
    y[:, 7] = 3.0
    net = regressor(X, y, truncation=truncation)
    masked = np.ma.masked_array(np.where(np.isnan(y), 1e9, y), np.isnan(y))
    assert same(net, regressor(X, masked, truncation=truncation))
    assert np.abs(net.predict(X)).max() < 100
    assert net.score(X, y) == net.score(X, masked)


def test_targets_after_the_end_are_not_trained_on():
    y = draw_y(RecurrentDistanceNetRegressor, X, by_step=True)
    sequences, targets, _ = cut_to_lengths(X, y, [8, 3] * 12)
    net = regressor(sequences, targets)
    longer = y.copy()
    longer[1::2, 3:] = 1e9
    assert same(net, regressor(sequences, longer))


@pytest.mark.parametrize("dtype", [None, object])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_labels_of_steps_may_be_masked(dtype, one_by_one):
    y = np.array(["a", "bb", "c c"], dtype=dtype)[CODES]
    masked = np.ma.masked_array(y, np.random.default_rng(0).random(y.shape) < 0.4)
    masked.mask[:, 0] = False
    net = classifier(X, masked)
    other = np.ma.masked_array(np.where(masked.mask, "bb", y), masked.mask)
    assert same(net, classifier(X, list(other) if one_by_one else other))
    assert net._theta_.tobytes() != classifier(X, y)._theta_.tobytes()


def test_objects_that_are_nan_are_no_labels():
    y = np.array(["a", "bb", "c c"], dtype=object)[CODES]
    missing = np.random.default_rng(0).random(y.shape) < 0.4
    missing[:, 0] = False
    with_nan = np.where(missing, np.nan, y)
    assert same(classifier(X, with_nan), classifier(X, np.ma.masked_array(y, missing)))


# Learning -----------------------------------------------------------------------------------------


def test_order_of_two_events_is_learned():
    rng = np.random.default_rng(0)
    X, y = 0.1 * rng.normal(size=(240, 20, 1)), rng.integers(2, size=240)
    X[:, 3, 0] += np.where(y == 0, 1, 2)
    X[:, 12, 0] += np.where(y == 0, 2, 1)
    net = RecurrentDistanceNetClassifier(24, random_state=0, max_iter=40).fit(X[:160], y[:160])
    assert net.score(X[160:], y[160:]) > 0.9


def test_windows_of_a_series_learn_to_forecast():
    t = np.arange(500)
    series = np.sin(t / 5) * np.sin(t / 7)
    net = RecurrentDistanceNetRegressor(20, max_iter=20, truncation=25, random_state=0)
    net.fit(series[None, :300, None], series[None, 1:301])
    errors = net.predict(series[None, :-1, None])[0, 300:] - series[301:]
    assert np.sqrt(np.mean(errors**2)) < 0.15 * series.std()


def test_defaults_are_those_of_the_classes():
    assert SMALL.keys() <= RecurrentDistanceNetClassifier().get_params().keys()
