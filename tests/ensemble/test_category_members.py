"""Ensembles on data frames with categories, whose members weigh columns or take ranks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from category_tables import FORMS, draw_frame, target_of
from ensembles import NETS, assert_same_members, small

from skdistnet import (
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet.engine import projection

FRAME, _ = draw_frame()
ROWS, _ = draw_frame(seed=1)
both_kinds = pytest.mark.parametrize("kind", NETS)


def fitted(kind, n_estimators=4, **options):
    options = {"max_iter": 3, "hidden_layer_sizes": 8} | options
    return small(kind, n_estimators, **options).fit(FRAME, target_of(NETS[kind], FRAME))


@both_kinds
def test_members_have_the_same_levels(kind):
    ensemble = fitted(kind)
    np.testing.assert_array_equal(ensemble.is_categorical_, [True, False, True, True, False])
    for net in ensemble.estimators_:
        for levels, expected in zip(net.categories_, ensemble.categories_):
            np.testing.assert_array_equal(levels, expected)
    assert ensemble.categories_[0].tolist() == ["blue", "green", "red"]
    assert ensemble.feature_relevances_.shape == (5,)
    assert ensemble.feature_relevances_.sum() == pytest.approx(1)


@both_kinds
def test_numbers_alone_have_no_levels(kind):
    X = FRAME[["size", "count"]]
    ensemble = small(kind, 2, max_iter=2).fit(X, target_of(NETS[kind], FRAME))
    assert ensemble.is_categorical_ is ensemble.categories_ is None


@both_kinds
def test_every_dtype_gives_the_same_ensemble(kind):
    ensemble, y = fitted(kind, 2), target_of(NETS[kind], FRAME)
    expected = ensemble.predict(ROWS)
    for form in ("polars' categories", "Arrow's strings", "pandas' categories"):
        rows = FORMS[form](ROWS)
        np.testing.assert_array_equal(ensemble.predict(rows), expected)
        same = small(kind, 2, max_iter=3, hidden_layer_sizes=8).fit(FORMS[form](FRAME), y)
        np.testing.assert_array_equal(same.predict(rows), expected)


@both_kinds
def test_parallel_members_equal_those_in_turn(kind):
    assert_same_members(fitted(kind, n_jobs=2), fitted(kind))


@both_kinds
def test_rows_left_out_are_predicted(kind):
    ensemble = fitted(kind, out_of_fold=True)
    if kind is DistanceNetEnsembleRegressor:
        predicted = ensemble.oof_prediction_
    else:
        predicted = ensemble.oof_decision_function_
    assert len(predicted) == len(FRAME)
    assert np.isfinite(predicted).all()
    assert np.isfinite(ensemble.oof_score_)
    assert np.isfinite(ensemble.score_samples(ROWS)).all()


@both_kinds
def test_unseen_levels_are_missing_for_all_members(kind):
    ensemble = fitted(kind)
    unseen, missing = ROWS.assign(city="new"), ROWS.assign(city=None)
    np.testing.assert_array_equal(ensemble.predict(unseen), ensemble.predict(missing))
    novel = ensemble.score_samples(ROWS.assign(color="new")) < ensemble.novelty_threshold_
    assert novel.mean() > 0.9
    again = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(again.predict(unseen), ensemble.predict(unseen))
    assert ensemble.transform(unseen).shape == (len(unseen), 8 * 4)


def test_weighted_members_weigh_columns():
    y = 3.0 * (FRAME["color"] == "red") + 0.01 * FRAME["count"]
    options = {"max_iter": 20, "hidden_layer_sizes": 8}
    ensemble = small(DistanceNetEnsembleRegressor, 2, **options).fit(FRAME, y)
    plain, weighted = ensemble.estimators_
    assert plain._feature_weights_ is None
    assert weighted._feature_weights_.shape == (5,)
    assert weighted._feature_weights_.argmax() == 0
    of_plain, of_weighted = (
        [np.nanmax(np.abs(each["points"])) for each in net._input_locations_]
        for net in (plain, weighted)
    )
    ratios = np.divide(of_weighted, of_plain)
    np.testing.assert_allclose(ratios, weighted._feature_weights_[[0, 2, 3]], rtol=0.2)


def test_targets_of_few_rows_change_no_weights():
    """A target that is constant in the rows of some trials has no direction of its own there."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"level": rng.integers(0, 40, 120).astype(str), "x": rng.normal(size=120)})
    y = np.column_stack([X["x"], np.arange(120) == 3, np.arange(120) == 50]) * 1.0
    nets = set()
    for seed in range(3):
        net = DistanceNetRegressor(6, max_iter=2)
        ensemble = DistanceNetEnsembleRegressor(net, 2, random_state=seed).fit(X, y)
        nets |= {net._network.sizes[0] for net in ensemble.estimators_}
        assert np.isfinite(ensemble.predict(X)).all()
    assert nets == {4}


@both_kinds
def test_members_may_project_where_trials_do_not(kind, monkeypatch):
    monkeypatch.setattr(projection, "MANY_RARE_COLUMNS", 74)
    rng = np.random.default_rng(0)
    # Every row has a column of its own or one of five, so that a trial lacks some columns.
    columns = np.where(np.arange(100) < 70, np.arange(100), 70 + np.arange(100) % 5)
    X = np.eye(75)[rng.permutation(columns)]
    ensemble = small(kind, max_iter=3, n_estimators=4).fit(X, rng.integers(0, 2, 100))
    assert all(net._input_components_ is not None for net in ensemble.estimators_)
    assert ensemble.trial_["n_trials"] > 1
    assert np.isfinite(ensemble.predict(X)).all()


def test_ensemble_of_listed_columns():
    X = FRAME.to_numpy(dtype=object)
    y = target_of(NETS[DistanceNetEnsembleClassifier], FRAME)
    options = {"max_iter": 3, "hidden_layer_sizes": 8, "categorical_features": [0, 2, 3]}
    ensemble = small(DistanceNetEnsembleClassifier, 2, **options).fit(X, y)
    expected = fitted(DistanceNetEnsembleClassifier, 2).predict_proba(ROWS)
    np.testing.assert_array_equal(ensemble.predict_proba(ROWS.to_numpy(dtype=object)), expected)
