"""Weights of sequences: multiplicities, zeros and classes."""

import copy

import numpy as np
import pytest
from interrupted_fits import same
from sequences import SMALL, draw_X, draw_y, every_case, fitted

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor

#: Full batches of whole sequences, in which only the order of additions differs.
FULL = {"batch_size": 10**6, "truncation": None, "learning_rate": "constant", "warm_start": True}
COUNTS = np.random.default_rng(5).integers(1, 4, 24)


def repeated(X, y, counts):
    return np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0)


def continued(net, *data, **options):
    """Return a copy of a fitted net, trained for further epochs."""
    return copy.deepcopy(net).fit(*data, **options)


@every_case
def test_integer_weights_equal_repetition(kind, X, y):
    start = fitted(kind, X, y, **FULL)
    weighted = continued(start, X, y, COUNTS)
    several = continued(start, *repeated(X, y, COUNTS))
    unweighted = continued(start, X, y)
    np.testing.assert_allclose(weighted._theta_, several._theta_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(weighted.loss_curve_, several.loss_curve_, rtol=1e-9)
    assert not np.allclose(weighted._theta_, unweighted._theta_, rtol=1e-5)


@every_case
def test_weights_of_validation_equal_repetition(kind, X, y):
    start = fitted(kind, X, y, **FULL)
    options = {"X_val": X, "y_val": y, "sample_weight_val": COUNTS}
    weighted = continued(start, X, y, **options)
    X_val, y_val = repeated(X, y, COUNTS)
    several = continued(start, X, y, X_val=X_val, y_val=y_val)
    for name in ("validation_loss_curve_", "validation_scores_"):
        curves = getattr(weighted, name)[3:], getattr(several, name)[3:]
        np.testing.assert_allclose(*curves, rtol=1e-9)
    assert (
        weighted.validation_loss_curve_[3:]
        != continued(start, X, y, X_val=X, y_val=y).validation_loss_curve_[3:]
    )


@every_case
def test_weight_of_zero_is_absence(kind, X, y):
    weights = np.ones(24)
    weights[::3] = 0
    kept = weights > 0
    extreme = X.copy()
    extreme[~kept] = 1e6
    net = fitted(kind, extreme, y, weights, truncation=3)
    # The others all have the same weight, which is stored as ones.
    assert same(net, fitted(kind, X[kept], y[kept], weights[kept], truncation=3))


@every_case
def test_only_ratios_of_weights_matter(kind, X, y):
    weights = np.random.default_rng(0).random(24) + 0.1
    net, other = (fitted(kind, X, y, scale * weights) for scale in (1.0, 1024.0))
    np.testing.assert_allclose(other._theta_, net._theta_, rtol=1e-8, atol=1e-10)


@every_case
def test_score_weighs_sequences(kind, X, y):
    net = fitted(kind, X, y)
    score = net.score(X, y, COUNTS)
    assert score == pytest.approx(net.score(*repeated(X, y, COUNTS)), rel=1e-9)
    assert score != pytest.approx(net.score(X, y), rel=1e-6)


def test_steps_count_alike_in_all_sequences():
    # A sequence with more targets counts more: cut into two, it has the same weight.
    kind, rng = RecurrentDistanceNetRegressor, np.random.default_rng(0)
    X, y = rng.normal(size=(6, 10, 1)), rng.normal(size=(6, 10))
    y[:3, 5:] = np.nan
    net = kind(**SMALL).fit(X, y)
    rows, _, _ = net._training_rows(X, y, None)
    np.testing.assert_array_equal(rows.weights, [5, 5, 5, 10, 10, 10])


# Classes ------------------------------------------------------------------------------------------


def test_class_weights_act_as_sample_weights():
    X = draw_X()
    y = draw_y(RecurrentDistanceNetClassifier, X)
    start = fitted(RecurrentDistanceNetClassifier, X, y, **FULL)
    weights = np.where(y == "up", 3.0, 1.0)
    by_class = copy.deepcopy(start).set_params(class_weight={"up": 3.0}).fit(X, y)
    by_row = continued(start, X, y, weights)
    np.testing.assert_allclose(by_class._theta_, by_row._theta_, rtol=1e-8, atol=1e-10)
    assert (by_class.predict_proba(X)[:, 1] > continued(start, X, y).predict_proba(X)[:, 1]).all()


def test_balanced_classes_have_equal_mass():
    X = draw_X()
    y = np.where(np.arange(24) < 6, "rare", "usual")
    start = fitted(RecurrentDistanceNetClassifier, X, y, **FULL)
    balanced = copy.deepcopy(start).set_params(class_weight="balanced").fit(X, y)
    by_row = continued(start, X, y, np.where(y == "rare", 3.0, 1.0))
    np.testing.assert_allclose(balanced._theta_, by_row._theta_, rtol=1e-8, atol=1e-10)
