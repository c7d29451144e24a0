"""Dask's workers give the results of a single process."""

from typing import ClassVar

import numpy as np
import pytest
from joblib import parallel_config
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet._base import estimator
from skdistnet.engine.training import Rows

distributed = pytest.importorskip("distributed", reason="needs the extra 'search'")

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 8, "random_state": 0}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "processes"])
def client(request):
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": request.param}
    with (
        distributed.LocalCluster(**workers, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@both_kinds
def test_grid_search_on_dask_gives_same_results(client, kind, X, y):
    grid = {"init": ["sample", "kmeans"], "learning_rate_init": [0.01, 0.05]}
    search = GridSearchCV(kind(**SMALL), grid, cv=3)
    alone = search.fit(X, y).cv_results_, search.predict(X)
    with parallel_config("dask"):
        search.fit(X, y)
    for name in (f"split{number}_test_score" for number in range(3)):
        np.testing.assert_array_equal(search.cv_results_[name], alone[0][name])
    np.testing.assert_array_equal(search.predict(X), alone[1])


@both_kinds
@pytest.mark.parametrize("early_stopping", [True, False])
def test_starts_on_dask_equal_local_starts(client, kind, X, y, early_stopping):
    options = SMALL | {"early_stopping": early_stopping, "n_init": 3}
    alone = kind(**options).fit(X, y)
    with parallel_config("dask"):
        shared = kind(**options, n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(alone.predict(X), shared.predict(X))
    assert alone.init_scores_ == shared.init_scores_
    assert alone.loss_curve_ == shared.loss_curve_


# Ensembles ----------------------------------------------------------------------------------------


def ensemble_of(kind, **options):
    ensemble = {
        DistanceNetClassifier: DistanceNetEnsembleClassifier,
        DistanceNetRegressor: DistanceNetEnsembleRegressor,
    }[kind]
    return ensemble(kind(**SMALL), 3, random_state=0, **options)


@both_kinds
@pytest.mark.parametrize("out_of_fold", [False, True])
def test_ensemble_on_dask_equals_local_ensemble(client, kind, X, y, out_of_fold):
    alone = ensemble_of(kind, out_of_fold=out_of_fold).fit(X, y)
    with parallel_config("dask"):
        shared = ensemble_of(kind, out_of_fold=out_of_fold, n_jobs=2).fit(X, y)
    assert alone.trial_ == shared.trial_
    np.testing.assert_array_equal(alone.predict(X), shared.predict(X))
    if out_of_fold:
        assert alone.oof_score_ == shared.oof_score_


class CountedRows(Rows):
    """Rows that count how often they leave this process."""

    numbers: ClassVar[list] = []

    def __reduce__(self):
        self.numbers.append(len(self))
        return Rows, tuple(vars(self).values())


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
@both_kinds
def test_data_are_sent_once(client, kind, X, y, is_sparse, monkeypatch):
    monkeypatch.setattr(CountedRows, "numbers", [])
    monkeypatch.setattr(estimator, "Rows", CountedRows)
    ensemble = ensemble_of(kind, n_jobs=2)
    with parallel_config("dask"):
        ensemble.fit(csr_array(X) if is_sparse else X, y)
    # Threads share the rows.
    assert CountedRows.numbers in ([], [len(X)])
