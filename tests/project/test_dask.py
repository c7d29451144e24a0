"""Dask's workers give the results of a single process."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

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
