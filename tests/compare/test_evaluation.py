"""Evaluation of models on splits."""

import time
from dataclasses import replace

import numpy as np
import pytest
from compared_tables import make_table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV

from skdistnet.compare import evaluation, make_candidates
from skdistnet.compare.evaluation import (
    Failure,
    Job,
    Stopped,
    loss_of,
    metric_names,
    on_interrupt,
    predict,
    run_jobs,
    score_of,
    stop,
)
from skdistnet.compare.models import Candidate
from skdistnet.compare.splits import make_splits, split_rows

TRAIN, HELD_OUT = np.arange(45), np.arange(45, 60)


def run(table, candidates, n_jobs=1, keep=False, score_name="accuracy", train=TRAIN):
    """Return the results of candidates on one split."""
    jobs = [Job(candidate, 0, train, HELD_OUT, keep) for candidate in candidates]
    found = run_jobs(jobs, table, score_name, n_jobs=n_jobs, random_state=0)
    by_name = {job.candidate.name: result for job, result, _ in found}
    return [by_name[candidate.name] for candidate in candidates]


def linear(table, grid=()):
    candidate = make_candidates(table)["linear model"]
    return replace(candidate, grid=list(grid))


@pytest.mark.parametrize("keep", [False, True])
def test_result_is_that_of_a_fit(keep):
    table = make_table()
    candidate = linear(table)
    result = run(table, [candidate], keep=keep)[0]
    model = candidate.estimator.fit(table.X[:45], table.y[:45])
    assert_allclose(result.prediction, model.predict_proba(table.X[45:]))
    assert_allclose(result.score, model.score(table.X[45:], table.y[45:]))
    assert_allclose(result.loss, log_loss(table.y[45:], result.prediction))
    assert result.setting == {}
    assert (result.estimator is not None) == keep
    assert min(result.fit_seconds, result.predict_ms, result.n_bytes) > 0


def test_regression_predicts_numbers():
    table = make_table(task="regression")
    result = run(table, [Candidate("mean", "", DummyRegressor())], score_name="R^2")[0]
    assert_allclose(result.prediction, np.full(15, table.y[:45].mean()))
    assert_allclose(result.loss, np.abs(table.y[45:] - table.y[:45].mean()).mean())


def test_tuning_is_that_of_grid_search():
    table, grid = make_table(), {"model__C": [1e-4, 1e-2, 1.0]}
    result = run(table, [linear(table, [grid])])[0]
    search = GridSearchCV(linear(table).estimator, grid, cv=split_rows(table, TRAIN, 3, 0))
    search.fit(table.X[:45], table.y[:45])
    assert result.setting == search.best_params_
    assert_allclose(result.prediction, search.predict_proba(table.X[45:]))


@pytest.fixture
def searches(monkeypatch):
    """Return a list to which each search of a setting is appended."""
    found = []

    def record(*args, **kwargs):
        found.append(GridSearchCV(*args, **kwargs))
        return found[-1]

    monkeypatch.setattr(evaluation, "GridSearchCV", record)
    return found


def tune(table, **options):
    return run(table, [linear(table, [{"model__C": [0.01, 1.0]}])], **options)[0]


def test_many_rows_choose_on_one_fold(searches, monkeypatch):
    tune(make_table())
    monkeypatch.setattr(evaluation, "MAX_ROWS_OF_FOLDS", 40)
    tune(make_table())
    assert [len(search.cv) for search in searches] == [3, 1]


def test_many_rows_choose_on_the_latest(searches, monkeypatch):
    monkeypatch.setattr(evaluation, "MAX_ROWS_OF_FOLDS", 40)
    tune(make_table(time_column="when"))
    train, held_out = searches[0].cv[0]
    assert max(train) < min(held_out)
    assert max(held_out) == len(TRAIN) - 1


def test_tuning_keeps_groups_together(searches):
    groups = np.random.default_rng(0).permutation(np.arange(60) // 6)
    table, rows = make_table(groups=groups, group_column="who"), np.arange(15, 60)
    tune(table, train=rows)
    for train, held_out in searches[0].cv:
        assert not set(groups[rows[train]]) & set(groups[rows[held_out]])


def test_tuning_uses_the_score(searches):
    table = make_table(y=np.array(["a", "b"] * 30))
    result = tune(table, score_name="ROC AUC")
    assert searches[0].scoring == "roc_auc"
    assert result.fit_seconds == searches[0].refit_time_


class Slow(DummyRegressor):
    def predict(self, X):
        time.sleep(0.02 * len(X) / 1000)
        return super().predict(X)


def test_prediction_is_timed_in_milliseconds():
    table = make_table(task="regression")
    result = run(table, [Candidate("slow", "", Slow())], score_name="R^2")[0]
    assert 20 <= result.predict_ms < 2000


def test_processes_change_no_prediction():
    table = make_table()
    candidates = [linear(table), Candidate("net", "", make_candidates(table)["MLP"].estimator)]
    candidates[1].estimator.set_params(model__max_iter=3)
    here, there = run(table, candidates), run(table, candidates, n_jobs=2)
    for one, other in zip(here, there):
        assert_array_equal(one.prediction, other.prediction)


class Breaking(LogisticRegression):
    def fit(self, X, y):
        raise RuntimeError("no\nluck")


def test_error_of_a_model_is_a_result():
    table = make_table()
    failed, fine = run(table, [Candidate("breaking", "", Breaking()), linear(table)])
    assert isinstance(failed, Failure)
    assert failed == "RuntimeError: no luck"
    assert fine.score > 0


def test_interrupt_stops_every_model():
    class Interrupted(LogisticRegression):
        def fit(self, X, y):
            import signal

            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                return self

    table = make_table()
    with pytest.raises(Stopped), on_interrupt(stop):
        run(table, [Candidate("interrupted", "", Interrupted())])


def test_absent_classes_have_probability_zero():
    table = make_table()
    known = table.y != table.classes[1]
    model = DummyClassifier(strategy="prior").fit(table.X[known], table.y[known])
    prediction = predict(table, model, table.X)
    assert prediction.shape == (60, 3)
    assert_array_equal(prediction[:, 1], 0)
    assert_allclose(prediction.sum(axis=1), 1)
    assert np.isfinite(loss_of(table, table.y, prediction))


def test_rare_class_is_scored_by_ranks():
    y = np.array(["no"] * 50 + ["yes"] * 10)
    table = make_table(y=y)
    splits, _ = make_splits(table, 5, 1, 0)
    assert metric_names(table, splits) == ("ROC AUC", "log-loss")
    assert metric_names(table, [(np.arange(10, 60), np.arange(10))])[0] == "accuracy"
    even = make_table(y=np.array(["no", "yes"] * 30))
    assert metric_names(even, make_splits(even, 5, 1, 0)[0])[0] == "accuracy"
    regression = make_table(task="regression")
    assert metric_names(regression, splits) == ("R^2", "MAE")


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, second = np.array(["a", "b"])[rng.integers(2, size=30)], rng.random(30)
    prediction, classes = np.column_stack([1 - second, second]), np.array(["a", "b"])
    assert score_of("ROC AUC", y, prediction, classes) == roc_auc_score(y, second)
    expected = accuracy_score(y, np.where(second > 0.5, "b", "a"))
    assert score_of("accuracy", y, prediction, classes) == expected
