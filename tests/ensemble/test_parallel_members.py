"""Members trained in processes and threads: the same result, from data that are sent once."""

from typing import ClassVar

import numpy as np
import pytest
from ensembles import DIABETES, WINE, WINE_Y, assert_same_members, both_kinds, small
from joblib import parallel_config
from scipy.sparse import csr_array

from skdistnet import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
from skdistnet._base import estimator, training, trial
from skdistnet.engine.training import Rows

WIDE = np.random.default_rng(0).normal(size=(200, 1000))


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize(
    "options",
    [{}, {"out_of_fold": True}, {"early_stopping": False}, {"n_init": 2}, {"dtype": "float32"}],
    ids=str,
)
@both_kinds
def test_result_does_not_depend_on_backend(kind, X, y, backend, options):
    serial = small(kind, **options).fit(X, y)
    with parallel_config(backend):
        parallel = small(kind, n_jobs=2, **options).fit(X, y)
    assert_same_members(serial, parallel)
    assert serial.trial_ == parallel.trial_
    np.testing.assert_array_equal(serial.predict(X), parallel.predict(X))
    np.testing.assert_array_equal(serial.score_samples(X), parallel.score_samples(X))
    if "out_of_fold" in options:
        assert serial.oof_score_ == parallel.oof_score_


def test_jobs_of_the_context_are_used(monkeypatch):
    asked = []
    monkeypatch.setattr(training, "effective_n_jobs", lambda n_jobs: asked.append(n_jobs) or 1)
    small(DistanceNetEnsembleClassifier, n_jobs=3).fit(WINE, WINE_Y)
    assert asked[:2] == [3, 3]  # the trials and the members


# Data ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
def test_size_of_rows_is_that_of_their_arrays(is_sparse):
    X = np.where(DIABETES > 0, DIABETES, 0.0)
    rows = Rows(csr_array(X) if is_sparse else X, X[:, :2])
    n_bytes = np.count_nonzero(X) * 8 if is_sparse else X.nbytes
    assert n_bytes + rows.target.nbytes <= rows.__sizeof__() < 2.1 * X.nbytes
    assert Rows(rows.X, rows.target, X[:, 0]).__sizeof__() == rows.__sizeof__() + 8 * len(X)


class CountedRows(Rows):
    """Rows that count how often they leave this process."""

    arrays: ClassVar[list] = []

    def __getstate__(self):
        self.arrays.append(id(self.X))
        return vars(self)


@both_kinds
def test_members_receive_the_same_large_array(kind, X, y, monkeypatch):
    """An array of more than 1 MB is written to a file that the processes of joblib share."""
    monkeypatch.setattr(CountedRows, "arrays", [])
    monkeypatch.setattr(estimator, "Rows", CountedRows)
    target = (WIDE[:, 0] > 0).astype(int)
    with parallel_config("loky"):
        ensemble = small(kind, n_jobs=2, max_iter=2).fit(WIDE, target)
    assert len(CountedRows.arrays) == 3
    assert len(set(CountedRows.arrays)) == 1
    assert len(ensemble.estimators_) == 3


def test_trials_receive_their_rows_only(monkeypatch):
    monkeypatch.setattr(trial, "MOST_ROWS", 100)
    sent = []

    def record(train_part, arguments, n_jobs):
        sent.append([len(each[1]) for each in arguments])
        return run_parts(train_part, arguments, n_jobs)

    run_parts = training.run_parts
    monkeypatch.setattr(training, "run_parts", record)
    small(DistanceNetEnsembleRegressor).fit(WINE, WINE_Y)
    assert max(sent[0]) <= 100
