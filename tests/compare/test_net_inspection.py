"""What a comparison shows of its net."""

import numpy as np
import pytest
from compared_tables import make_comparison, make_table
from numpy.testing import assert_array_equal

from skdistnet.compare import make_candidates
from skdistnet.compare.evaluation import Job, run_jobs
from skdistnet.compare.inspection import inspect_net, learning_curve_jobs
from skdistnet.compare.splits import make_splits

NET = "distance net"


def inspected(n_rows=300, **changes):
    table = make_table(n_rows, **changes)
    comparison = make_comparison(table, make_splits(table, 3, 1, 0)[0], {NET: [], "constant": []})
    candidates = make_candidates(table)
    candidates = [candidates[name] for name in comparison.models]
    jobs = [Job(one, 0, *comparison.splits[0], one.name == NET) for one in candidates]
    run = {"n_jobs": 1, "random_state": 0}
    name = comparison.score_name
    comparison.results = [result for _, result, _ in run_jobs(jobs, table, name, **run)]
    curve_jobs = learning_curve_jobs(comparison, candidates, 0)
    curves = [result for _, result, _ in run_jobs(curve_jobs, table, name, **run)]
    return comparison, inspect_net(comparison, curves, 0)


@pytest.fixture(scope="module")
def classification():
    return inspected()


def test_useful_features_are_important(classification):
    inspection = classification[1]
    assert inspection.features == ["size", "weight", "colour"]
    size, weight, colour = inspection.importances
    assert min(size, colour) > max(weight, 0) + 0.02
    assert_array_equal(inspection.relevances, inspection.net.feature_relevances_)


def test_novelty_is_of_held_out_rows(classification):
    comparison, inspection = classification
    held_out = comparison.splits[0][1]
    assert_array_equal(inspection.held_out, held_out)
    scores = inspection.net.score_samples(comparison.table.X.iloc[held_out])
    assert_array_equal(inspection.novelty_scores, scores)
    assert inspection.novelty_threshold == inspection.net.novelty_threshold_


def test_learning_curves_end_with_all_rows(classification):
    comparison, inspection = classification
    assert list(inspection.train_sizes) == [20, 50, 100, 200]
    assert set(inspection.learning_curves) == {NET, "constant"}
    for name, curve in inspection.learning_curves.items():
        assert len(curve) == 4
        assert curve[-1] == comparison.of(name)[0].score
    assert inspection.learning_curves[NET][-1] > inspection.learning_curves[NET][0]


def test_learning_curves_use_the_latest_rows():
    table = make_table(300, time_column="when")
    comparison = make_comparison(table, make_splits(table, 2, 1, 0)[0], {NET: [0.5, 0.6]})
    for job in learning_curve_jobs(comparison, [make_candidates(table)[NET]], 0):
        assert_array_equal(job.train, np.arange(100)[-len(job.train) :])


def test_learning_curves_use_random_rows():
    table = make_table(300)
    comparison = make_comparison(table, make_splits(table, 2, 1, 0)[0], {NET: [0.5, 0.6]})
    train = comparison.splits[0][0]
    for job in learning_curve_jobs(comparison, [make_candidates(table)[NET]], 0):
        assert set(job.train) < set(train)
        assert set(job.train) != set(train[-len(job.train) :])


def test_learning_curves_keep_the_chosen_setting():
    table = make_table(300)
    comparison = make_comparison(table, make_splits(table, 2, 1, 0)[0], {NET: [0.5, 0.6]})
    comparison.results[0].setting["init"] = "kmeans"
    jobs = learning_curve_jobs(comparison, [make_candidates(table, tune=True)[NET]], 0)
    assert all(job.candidate.estimator.init == "kmeans" and not job.candidate.grid for job in jobs)


def test_features_beyond_the_most_relevant_have_no_importance(monkeypatch):
    from skdistnet.compare import inspection as module

    monkeypatch.setattr(module, "MAX_FEATURES", 2)
    inspection = inspected(100)[1]
    least = np.argmin(inspection.relevances)
    assert list(np.flatnonzero(np.isnan(inspection.importances))) == [least]
