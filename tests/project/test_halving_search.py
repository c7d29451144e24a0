"""Successive halving gives few epochs to many settings and many epochs to few."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": 6, "random_state": 0, "early_stopping": False}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


@both_kinds
def test_halving_allocates_epochs(kind, X, y):
    grid = {"learning_rate_init": [1e-6, 1e-5, 0.03], "radius_type": ["diag", "tied"]}
    search = HalvingGridSearchCV(
        kind(**SMALL), grid, factor=3, cv=3, random_state=0, resource="max_iter", max_resources=18
    ).fit(X, y)
    results = search.cv_results_
    rounds, epochs = (
        results["iter"],
        np.array([settings["max_iter"] for settings in results["params"]]),
    )
    assert search.n_resources_ == [6, 18]
    np.testing.assert_array_equal(epochs, np.array(search.n_resources_)[rounds])
    assert np.bincount(rounds).tolist() == [6, 2]
    # The first round eliminates learning rates that hardly train.
    last = [
        settings["learning_rate_init"]
        for settings, number in zip(results["params"], rounds)
        if number
    ]
    assert last == [0.03, 0.03]
    assert search.best_params_["max_iter"] == 18
    assert search.best_estimator_.max_iter == search.best_estimator_.n_iter_ == 18
    alone = kind(**SMALL).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict(X), alone.predict(X))
