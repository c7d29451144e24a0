"""Feature relevances ignore units, are small for noise and agree with permutation importance."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine, make_friedman1
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

WINE, WINE_Y = load_wine(return_X_y=True)
BOTH = [
    (DistanceNetClassifier, WINE, WINE_Y),
    (DistanceNetRegressor, *load_diabetes(return_X_y=True)),
]
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), BOTH, ids=["classifier", "regressor"])


@both_kinds
@pytest.mark.parametrize("sizes", [(8,), (8, 5)])
def test_relevances_are_shares(kind, X, y, sizes):
    net = kind(sizes, max_iter=5, random_state=0).fit(X, y)
    assert net.feature_relevances_.shape == (X.shape[1],)
    assert net.feature_relevances_.min() >= 0
    assert net.feature_relevances_.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="read-only"):
        net.feature_relevances_[0] = 1


@both_kinds
def test_relevances_do_not_depend_on_units(kind, X, y):
    factors = np.logspace(-4, 4, X.shape[1])
    nets = [kind(20, max_iter=5, random_state=0).fit(rows, y) for rows in (X, X * factors + 3)]
    relevances = [net.feature_relevances_ for net in nets]
    np.testing.assert_allclose(*relevances, rtol=1e-4)


def test_constant_feature_has_no_relevance():
    X = np.column_stack([WINE, np.full(len(WINE), 7.0)])
    net = DistanceNetClassifier(20, random_state=0).fit(X, WINE_Y)
    assert net.feature_relevances_[-1] < 1e-12


def test_informative_features_rank_above_noise():
    X, y = make_friedman1(500, n_features=10, random_state=0)  # five are informative
    net = DistanceNetRegressor(linear_part=False, random_state=0).fit(X, y)
    relevances = net.feature_relevances_
    assert relevances[:5].min() > relevances[5:].max()


def test_linear_part_does_not_count_in_relevances():
    X, y = make_friedman1(500, n_features=10, random_state=0)
    net = DistanceNetRegressor(random_state=0).fit(X, y)
    relevances = net.feature_relevances_
    assert relevances[:3].min() > relevances[5:].max()
    assert np.abs(net.linear_coef_[0, 3:5]).min() > 2  # whose effects are linear, 10 and 5
    net._theta_[net._network.linear_slice] *= 100
    np.testing.assert_array_equal(net.feature_relevances_, relevances)


def test_relevances_agree_with_permutation_importance():
    net = DistanceNetClassifier(random_state=0).fit(WINE, WINE_Y)
    importances = permutation_importance(
        net, WINE, WINE_Y, scoring="neg_log_loss", n_repeats=5, random_state=0
    ).importances_mean
    assert spearmanr(net.feature_relevances_, importances).statistic > 0.75


@both_kinds
@pytest.mark.parametrize("name", ["feature_relevances_", "feature_importances_"])
def test_dense_first_layer_has_no_relevances(kind, X, y, name):
    net = kind(5, "relu", max_iter=2, random_state=0).fit(X, y)
    assert not hasattr(net, name)
    with pytest.raises(AttributeError, match=r"radial 'activation' for it; got .*\['relu'\]"):
        getattr(net, name)
    assert hasattr(kind(), name) == hasattr(RandomForestClassifier(), "feature_importances_")
    with pytest.raises(NotFittedError):
        getattr(kind(), name)


# Tools that use feature_importances_ --------------------------------------------------------------

SELECTORS = {
    "from model": lambda net: SelectFromModel(net, max_features=5),
    "recursive": lambda net: RFE(net, n_features_to_select=5, step=3),
    "cross-validated": lambda net: RFECV(net, min_features_to_select=5, step=4, cv=2),
}


@both_kinds
@pytest.mark.parametrize("selector", SELECTORS.values(), ids=SELECTORS)
def test_selectors_keep_the_most_relevant_feature(kind, X, y, selector):
    net = kind(20, max_iter=10, random_state=0)
    pipeline = make_pipeline(selector(net), clone(net)).fit(X, y)
    chosen = pipeline[0].get_support()
    assert chosen.shape == (X.shape[1],)
    assert chosen[net.fit(X, y).feature_importances_.argmax()]
    assert pipeline.predict(X).shape == y.shape


@both_kinds
def test_importances_equal_relevances(kind, X, y):
    net = kind(8, max_iter=5, random_state=0).fit(X, y)
    np.testing.assert_array_equal(net.feature_importances_, net.feature_relevances_)
