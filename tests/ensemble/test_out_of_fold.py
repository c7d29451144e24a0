"""Predictions of training rows by the members that left them out."""

import joblib
import numpy as np
import pytest
from ensembles import (
    DIABETES,
    DIABETES_Y,
    WINE,
    WINE_Y,
    assert_same_members,
    both_kinds,
    every_form,
    listed,
    small,
)
from sklearn.metrics import log_loss, r2_score

from skdistnet import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor

OOF = {"oof_decision_function_", "oof_prediction_", "oof_score_"}


def of_classifier(y, n_estimators=3, X=WINE, weights=None, **options):
    ensemble = small(DistanceNetEnsembleClassifier, n_estimators, out_of_fold=True, **options)
    return ensemble.fit(X, y, weights)


def of_regressor(y, n_estimators=3, X=DIABETES, weights=None, **options):
    ensemble = small(DistanceNetEnsembleRegressor, n_estimators, out_of_fold=True, **options)
    return ensemble.fit(X, y, weights)


def members_rows(runs, n_members):
    """Return the rows that each member was trained on."""
    return [rows for rows, _ in runs[-n_members:]]


def folds_of(X, trained):
    """Return the member that left out each row; rows must be distinct."""
    seen = [{row.tobytes() for row in rows.X} for rows in trained]
    left_out = [[row.tobytes() not in rows for rows in seen] for row in X]
    assert all(sum(each) == 1 for each in left_out)
    return np.argmax(left_out, axis=1)


# What they are ------------------------------------------------------------------------------------


@every_form
def test_probabilities_are_of_the_member_that_left_out(y, runs):
    ensemble = of_classifier(y)
    folds = folds_of(WINE, members_rows(runs, 3))
    of_members = [listed(net.predict_proba(WINE)) for net in ensemble.estimators_]
    for number, found in enumerate(listed(ensemble.oof_decision_function_)):
        expected = np.stack([each[number] for each in of_members])[folds, np.arange(len(WINE))]
        np.testing.assert_allclose(found, expected, rtol=1e-7)
    predicted = np.stack([net.predict(WINE) for net in ensemble.estimators_])
    right = predicted[folds, np.arange(len(WINE))] == y
    assert ensemble.oof_score_ == pytest.approx(right.reshape(len(y), -1).all(axis=1).mean())


TARGETS = {
    "one target": (DIABETES_Y, {}),
    "several targets": (np.column_stack([DIABETES_Y, DIABETES_Y**2]), {}),
    "quantiles": (DIABETES_Y, {"loss": "quantile", "quantile": [0.1, 0.9]}),
    "counts": (DIABETES_Y, {"loss": "poisson"}),
}


@pytest.mark.parametrize(("y", "options"), TARGETS.values(), ids=TARGETS)
def test_predictions_are_of_the_member_that_left_out(y, options, runs):
    ensemble = of_regressor(y, **options)
    folds = folds_of(DIABETES, members_rows(runs, 3))
    of_members = np.stack([net.predict(DIABETES) for net in ensemble.estimators_])
    np.testing.assert_allclose(ensemble.oof_prediction_, of_members[folds, np.arange(len(y))])
    if not options:
        assert ensemble.oof_score_ == pytest.approx(r2_score(y, ensemble.oof_prediction_))


def test_out_of_fold_score_is_that_of_new_rows():
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(600, 5)), rng.integers(2, size=600)
    # Small batches memorise the noise.
    settings = {"hidden_layer_sizes": 50, "batch_size": 30, "max_iter": 30}
    ensemble = of_classifier(noise, X=X, n_estimators=4, **settings)
    assert ensemble.score(X, noise) > 0.6
    assert ensemble.oof_score_ == pytest.approx(0.5, abs=0.06)
    assert log_loss(noise, ensemble.oof_decision_function_) > np.log(2) - 0.02


@both_kinds
def test_members_share_one_trial(kind, X, y, runs):
    ensemble = small(kind, out_of_fold=True).fit(X, y)
    assert len(runs) == ensemble.trial_["n_trials"] + 3
    assert ensemble.trial_ == small(kind).fit(X, y).trial_


@both_kinds
def test_sizes_of_folds_differ_little(kind, X, y, runs):
    small(kind, 4, out_of_fold=True).fit(X, y)
    sizes = np.bincount(folds_of(X, members_rows(runs, 4)))
    assert sizes.max() - sizes.min() <= 1
    if kind is DistanceNetEnsembleClassifier:
        for label in range(3):
            counts = np.bincount(folds_of(X, members_rows(runs, 4))[y == label])
            assert counts.max() - counts.min() <= 1


@both_kinds
def test_without_out_of_fold_there_are_no_attributes(kind, X, y):
    ensemble = small(kind, out_of_fold=True).fit(X, y)
    assert len(OOF & set(vars(ensemble))) == 2
    ensemble.set_params(out_of_fold=False).fit(X, y)
    assert not OOF & set(vars(ensemble))


@both_kinds
def test_result_does_not_depend_on_n_jobs(kind, X, y):
    serial = small(kind, out_of_fold=True).fit(X, y)
    with joblib.parallel_config("threading"):
        parallel = small(kind, out_of_fold=True, n_jobs=2).fit(X, y)
    assert_same_members(serial, parallel)
    for name in OOF & set(vars(serial)):
        np.testing.assert_array_equal(getattr(serial, name), getattr(parallel, name))


@both_kinds
def test_precision_is_kept(kind, X, y):
    ensemble = small(kind, out_of_fold=True, dtype="float32").fit(X, y)
    (name,) = OOF & set(vars(ensemble)) - {"oof_score_"}
    assert getattr(ensemble, name).dtype == np.float32
    assert isinstance(ensemble.oof_score_, float)


@both_kinds
def test_thresholds_follow_rows_left_out(kind, X, y):
    ensemble = small(kind, 4, out_of_fold=True).fit(X, y)
    shares = [
        (net.score_samples(X) < net.novelty_threshold(0.2)).mean() for net in ensemble.estimators_
    ]
    assert 0.05 < np.mean(shares) < 0.3
    assert ensemble.novelty_threshold_ != small(kind, 4).fit(X, y).novelty_threshold_


@both_kinds
def test_given_validation_rows_select_the_epoch(kind, X, y, runs):
    ensemble = small(kind, out_of_fold=True).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert all(len(validation) == len(X[1::2]) for _, validation in runs)
    assert sum(len(X[::2]) - len(rows) for rows in members_rows(runs, 3)) == len(X[::2])
    assert np.isfinite(ensemble.oof_score_)


def test_counts_that_round_to_zero_have_a_score():
    y = 1e-300 * np.arange(len(DIABETES))
    y[0] = -1e-300
    ensemble = of_regressor(y, loss="poisson", standardize=False, dtype="float32")
    assert np.isfinite(ensemble.oof_score_)


# Which rows are left out together -----------------------------------------------------------------


@both_kinds
def test_equal_rows_are_left_out_together(kind, X, y, runs):
    draw = np.random.default_rng(0).integers(len(X), size=2 * len(X))
    ensemble = small(kind, out_of_fold=True).fit(X[draw], y[draw])
    keys = [row.tobytes() for row in X[draw]]
    trained = [{row.tobytes() for row in rows.X} for rows in members_rows(runs, 3)]
    assert sum(len(set(keys)) - len(each) for each in trained) == len(set(keys))
    for rows, seen in zip(members_rows(runs, 3), trained):
        assert len(rows) == sum(key in seen for key in keys)
    assert np.isfinite(ensemble.oof_score_)


def test_rare_classes_are_never_left_out(runs):
    y = np.where(np.arange(len(WINE)) == 100, 3, WINE_Y)
    ensemble = of_classifier(y, label_smoothing=0.0)
    assert all(rows.target[:, 3].sum() == 1 for rows in members_rows(runs, 3))
    is_nan = np.isnan(ensemble.oof_decision_function_).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(is_nan), [100])
    own = ensemble.oof_decision_function_[~is_nan].argmax(axis=1)
    assert ensemble.oof_score_ == pytest.approx((own == y[~is_nan]).mean())


def test_rare_labels_are_never_left_out(runs):
    y = np.column_stack([WINE_Y == 0, np.arange(len(WINE)) == 100]) * 1
    ensemble = of_classifier(y, label_smoothing=0.0)
    assert all(rows.target[:, 3].sum() == 1 for rows in members_rows(runs, 3))
    assert np.isnan(ensemble.oof_decision_function_[100]).all()


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_single_row_of_each_class_is_an_error():
    with pytest.raises(ValueError, match="out_of_fold"):
        of_classifier(np.arange(len(WINE)))


@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_few_rows_have_predictions(n_rows):
    ensemble = of_regressor(np.arange(float(n_rows)), n_estimators=4, X=DIABETES[:n_rows])
    assert np.isfinite(ensemble.oof_prediction_).all()
    y = np.arange(n_rows) % 2
    if n_rows == 5:
        assert np.isfinite(of_classifier(y, 4, X=WINE[:n_rows]).oof_score_)


def test_equal_rows_only_are_an_error():
    with pytest.raises(ValueError, match="out_of_fold"):
        of_regressor(np.ones(10), X=np.ones((10, 2)))


# Weights ------------------------------------------------------------------------------------------


@both_kinds
def test_rows_of_weight_zero_are_nan(kind, X, y):
    weights = np.arange(len(X)) % 4.0
    ensemble = small(kind, out_of_fold=True).fit(X, y, weights)
    (name,) = OOF & set(vars(ensemble)) - {"oof_score_"}
    values = getattr(ensemble, name).reshape(len(X), -1)
    kept = weights > 0
    assert np.isnan(values[~kept]).all()
    assert np.isfinite(values[kept]).all()
    without = small(kind, out_of_fold=True).fit(X[kept], y[kept], weights[kept])
    assert_same_members(ensemble, without)
    assert ensemble.oof_score_ == without.oof_score_


def test_score_is_weighted():
    weights = 1.0 + np.arange(len(WINE)) % 3
    ensemble = of_classifier(WINE_Y, weights=weights, max_iter=2)
    right = ensemble.oof_decision_function_.argmax(axis=1) == WINE_Y
    assert 0 < right.mean() < 1
    assert ensemble.oof_score_ == pytest.approx(np.average(right, weights=weights))
    weights = 1.0 + np.arange(len(DIABETES)) % 3
    regressor = of_regressor(DIABETES_Y, weights=weights)
    expected = r2_score(DIABETES_Y, regressor.oof_prediction_, sample_weight=weights)
    assert regressor.oof_score_ == pytest.approx(expected)
