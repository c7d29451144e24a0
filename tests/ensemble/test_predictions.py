"""Predictions of an ensemble: means of those of its members, in every form that nets have."""

from functools import cache

import numpy as np
import pytest
from ensembles import (
    DIABETES,
    DIABETES_Y,
    LABELS,
    WINE,
    WINE_Y,
    both_kinds,
    every_form,
    listed,
    small,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from skdistnet import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
from skdistnet.engine.losses import REGRESSION_LOSSES

# Classes ------------------------------------------------------------------------------------------


@every_form
def test_probabilities_are_means(y):
    ensemble = small(DistanceNetEnsembleClassifier).fit(WINE, y)
    found = ensemble.predict_proba(WINE)
    of_members = [net.predict_proba(WINE) for net in ensemble.estimators_]
    assert isinstance(found, list) == isinstance(of_members[0], list)
    for mean, *parts in zip(listed(found), *map(listed, of_members)):
        np.testing.assert_allclose(mean, np.mean(parts, axis=0), rtol=1e-10)


@every_form
def test_forms_of_output_agree(y):
    ensemble = small(DistanceNetEnsembleClassifier).fit(WINE, y)
    net = ensemble.estimators_[0]
    logs, probabilities = ensemble.predict_log_proba(WINE), ensemble.predict_proba(WINE)
    for each, expected in zip(listed(logs), listed(probabilities)):
        np.testing.assert_allclose(np.exp(each), expected, rtol=1e-12)
    decisions, of_net = ensemble.decision_function(WINE), net.decision_function(WINE)
    assert [d.shape for d in listed(decisions)] == [d.shape for d in listed(of_net)]
    assert ensemble.predict(WINE).shape == y.shape
    assert ensemble.predict(WINE).dtype == net.predict(WINE).dtype


def test_predictions_are_of_largest_mean_probability():
    ensemble = small(DistanceNetEnsembleClassifier).fit(WINE, WINE_Y)
    probabilities = ensemble.predict_proba(WINE)
    np.testing.assert_array_equal(ensemble.predict(WINE), probabilities.argmax(axis=1))
    np.testing.assert_allclose(ensemble.decision_function(WINE), np.log(probabilities))
    several = small(DistanceNetEnsembleClassifier).fit(WINE, LABELS["several columns"])
    codes = [each.argmax(axis=1) for each in several.predict_proba(WINE)]
    np.testing.assert_array_equal(several.predict(WINE), np.transpose(codes))
    multilabel = small(DistanceNetEnsembleClassifier).fit(WINE, LABELS["multilabel"])
    np.testing.assert_array_equal(multilabel.predict(WINE), multilabel.predict_proba(WINE) > 0.5)


def test_decision_of_two_classes_is_log_odds():
    ensemble = small(DistanceNetEnsembleClassifier).fit(WINE, LABELS["two classes"])
    probabilities = ensemble.predict_proba(WINE)
    odds = probabilities[:, 1] / probabilities[:, 0]
    np.testing.assert_allclose(ensemble.decision_function(WINE), np.log(odds), rtol=1e-9)


@pytest.mark.parametrize("y", [WINE_Y, LABELS["two classes"]], ids=["three", "two"])
def test_logarithms_are_finite_where_probabilities_vanish(y):
    options = {"activation": "relu", "label_smoothing": 0.0, "linear_part": False}
    ensemble = small(DistanceNetEnsembleClassifier, **options).fit(WINE, y)
    far = 1e6 * WINE
    logs = ensemble.predict_log_proba(far)
    assert (ensemble.predict_proba(far) == 0).any()
    assert np.isfinite(logs).all()
    assert np.isfinite(ensemble.decision_function(far)).all()
    members = [net.predict_log_proba(far) for net in ensemble.estimators_]
    np.testing.assert_allclose(logs, np.logaddexp.reduce(members) - np.log(3), atol=1e-12)


@every_form
def test_score_is_accuracy(y):
    ensemble, weights = small(DistanceNetEnsembleClassifier).fit(WINE, y), 1 + np.arange(len(y)) % 3
    right = (ensemble.predict(WINE) == y).reshape(len(y), -1).all(axis=1)
    assert ensemble.score(WINE, y) == pytest.approx(right.mean())
    assert ensemble.score(WINE, y, weights) == pytest.approx(np.average(right, weights=weights))


# Numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_predictions_are_means_for_every_loss(loss):
    ensemble = small(DistanceNetEnsembleRegressor, loss=loss).fit(DIABETES, DIABETES_Y)
    members = [net.predict(DIABETES) for net in ensemble.estimators_]
    np.testing.assert_allclose(ensemble.predict(DIABETES), np.mean(members, axis=0), rtol=1e-12)
    score = ensemble.score(DIABETES, DIABETES_Y)
    assert score >= np.mean([net.score(DIABETES, DIABETES_Y) for net in ensemble.estimators_])


def test_several_targets_keep_their_shape():
    y = np.column_stack([DIABETES_Y, -1e6 * DIABETES_Y, np.full(len(DIABETES_Y), 0.1)])
    ensemble = small(DistanceNetEnsembleRegressor).fit(DIABETES, y)
    members = [net.predict(DIABETES) for net in ensemble.estimators_]
    np.testing.assert_allclose(ensemble.predict(DIABETES), np.mean(members, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(ensemble.predict(DIABETES)[:, 2], 0.1)
    assert ensemble.predict(DIABETES).shape == y.shape
    column = small(DistanceNetEnsembleRegressor).fit(DIABETES, DIABETES_Y[:, np.newaxis])
    assert column.predict(DIABETES).shape == (len(DIABETES), 1)


@cache
def fitted_to_quantiles(n_estimators):
    options = {"loss": "quantile", "quantile": [0.1, 0.5, 0.500001, 0.9], "max_iter": 2}
    ensemble = small(DistanceNetEnsembleRegressor, n_estimators, **options)
    return ensemble.fit(DIABETES[:80], DIABETES_Y[:80])


@given(arrays(np.float64, (4, 10), elements=st.floats(-1e300, 1e300)), st.integers(1, 4))
def test_quantiles_never_cross(rows, n_estimators):
    predicted = fitted_to_quantiles(n_estimators).predict(rows)
    assert predicted.shape == (4, 4)
    assert (np.diff(predicted, axis=1) >= 0).all()


@pytest.mark.parametrize("value", [0.1, 3.0, 1e300, -7e-300])
@pytest.mark.parametrize("n_estimators", [2, 3, 5])
def test_constant_target_is_exact(value, n_estimators):
    ensemble = small(DistanceNetEnsembleRegressor, n_estimators, max_iter=2)
    ensemble.fit(DIABETES, np.full(len(DIABETES), value))
    np.testing.assert_array_equal(ensemble.predict(DIABETES), value)


@pytest.mark.parametrize("n_estimators", [2, 3, 9])
def test_mean_of_largest_numbers_is_finite(n_estimators):
    ensemble = small(DistanceNetEnsembleRegressor, n_estimators, max_iter=2)
    ensemble.fit(DIABETES, DIABETES_Y)
    largest = np.finfo(np.float64).max
    ensemble.estimators_[0]._target_state_["shift"][:] = largest
    np.testing.assert_array_equal(ensemble.predict(DIABETES), largest)


# Any kind -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@both_kinds
def test_precision_of_members_is_kept(kind, X, y, dtype):
    ensemble = small(kind, dtype=dtype).fit(X, y)
    names = {"predict_proba", "decision_function", "predict_log_proba", "predict", "transform"}
    if kind is DistanceNetEnsembleClassifier:
        names.remove("predict")
    for name in names & set(dir(ensemble)):
        assert getattr(ensemble, name)(X).dtype == dtype
        assert getattr(ensemble, name)(X.astype(np.float32)).dtype == dtype


@both_kinds
def test_single_member_predicts_like_the_net(kind, X, y):
    ensemble = small(kind, 1).fit(X, y)
    (net,) = ensemble.estimators_
    for name in {"predict", "predict_proba", "decision_function"} & set(dir(net)):
        found, expected = getattr(ensemble, name)(X), getattr(net, name)(X)
        if name == "decision_function":  # logits are log-probabilities but for a constant
            found, expected = (each - each[:, :1] for each in (found, expected))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@both_kinds
def test_sparse_rows_are_like_dense_rows(kind, X, y):
    X = np.where(np.median(X, axis=0) < X, X, 0.0)
    dense, sparse = small(kind).fit(X, y), small(kind).fit(csr_array(X), y)
    np.testing.assert_allclose(dense.predict(X), sparse.predict(csr_array(X)), rtol=1e-6)
    np.testing.assert_allclose(dense.transform(X), sparse.transform(csr_array(X)), rtol=1e-6)


@pytest.mark.parametrize("out_of_fold", [False, True])
@both_kinds
def test_missing_values_are_accepted(kind, X, y, out_of_fold):
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    ensemble = small(kind, out_of_fold=out_of_fold).fit(X, y)
    assert ensemble.score(X, y) > 0.3
    assert np.isfinite(ensemble.score_samples(X)).all()


@both_kinds
def test_unfitted_ensemble_predicts_nothing(kind, X, y):
    ensemble = small(kind)
    for name in ("predict", "transform", "score_samples"):
        with pytest.raises(NotFittedError):
            getattr(ensemble, name)(X)
    for name in ("n_features_in_", "trial_", "feature_relevances_", "novelty_threshold_"):
        assert not hasattr(ensemble, name)
