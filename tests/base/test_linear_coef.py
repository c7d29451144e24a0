"""The linear part of estimators: trends, units, missing values, and its place in other methods."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skdistnet import DistanceNetClassifier, DistanceNetRegressor, published_recipe
from skdistnet._base.trained import TRUSTED_TYPES
from skdistnet.engine.losses import REGRESSION_LOSSES
from skdistnet.inspection import prototypes, prune, unit_report
from skdistnet.inspection.pruning import subnet

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
SMALL = {"hidden_layer_sizes": (6, 5), "max_iter": 8, "random_state": 0}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)
LEVELS = [0.1, 0.5, 0.9]


def raw_output(net, X):
    """Return the raw output, in the units of y, with a column for each output."""
    if isinstance(net, DistanceNetRegressor):
        output = net.predict(X)
        output = np.log(output) if net.loss == "poisson" else output
    else:
        output = net.decision_function(X)
    return output.reshape(len(X), -1)


def linear_share(net, X):
    """Return the linear part of the rows, in which values far out are compressed."""
    return (net._input_map.scale_points(X) * net._input_scale_) @ net.linear_coef_.T


def scale_linear_part(net, factor):
    net._theta_ = net._theta_.copy()
    net._theta_[net._network.linear_slice] *= factor
    return net


# Coefficients -------------------------------------------------------------------------------------


def far_rows(net, X):
    """Return rows beyond the reach of all units, where the linear part is low."""
    steps = np.array([[60.0], [61.0], [70.0]])
    return X.mean(axis=0) - steps * np.sign(net.linear_coef_[0]) * X.std(axis=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_linear_part_decides_far_from_data(loss, dtype):
    X, y = 10 * DIABETES + 3, 100 * DIABETES_Y - 7 * (loss != "poisson")
    net = DistanceNetRegressor(**SMALL, loss=loss, standardize=False, dtype=dtype).fit(X, y)
    far = far_rows(net, X)
    np.testing.assert_array_equal(net.transform(far)[1:], net.transform(far)[:-1])
    expected = np.diff(far, axis=0) @ net.linear_coef_.T
    assert np.abs(expected).min() > 1e-3
    rtol = 1e-3 if dtype == "float32" else 1e-8
    np.testing.assert_allclose(np.diff(raw_output(net, far), axis=0), expected, rtol=rtol)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_far_values_are_compressed_in_it(loss):
    net = DistanceNetRegressor(**SMALL, loss=loss).fit(DIABETES, DIABETES_Y)
    far = far_rows(net, DIABETES)
    expected = linear_share(net, far)
    actual = raw_output(net, far) - raw_output(scale_linear_part(net, 0.0), far)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@both_kinds
@pytest.mark.parametrize("standardize", [True, False])
def test_coefficients_are_in_units_of_the_data(kind, X, y, standardize):
    """Up to four standard deviations from the mean."""
    X = np.clip(X, X.mean(axis=0) - 1.9 * X.std(axis=0), X.mean(axis=0) + 1.9 * X.std(axis=0))
    net = kind(**SMALL, standardize=standardize, linear_part=True).fit(X, y)
    expected = (X - X.mean(axis=0)) @ net.linear_coef_.T
    actual = raw_output(net, X) - raw_output(scale_linear_part(net, 0.0), X)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-8)


TARGETS = {
    "two classes": (DistanceNetClassifier, {}, WINE_Y == 0, 2),
    "multilabel": (DistanceNetClassifier, {}, np.column_stack([WINE_Y == 0, WINE_Y == 1]) * 1, 4),
    "several columns": (DistanceNetClassifier, {}, np.column_stack([WINE_Y, WINE_Y > 0]), 5),
    "several targets": (DistanceNetRegressor, {}, WINE[:, :2], 2),
    "levels": (DistanceNetRegressor, {"loss": "quantile", "quantile": LEVELS}, WINE[:, 0], 3),
}


@pytest.mark.parametrize(("kind", "options", "y", "n_outputs"), TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("sizes", [(), 4])
def test_coefficients_have_a_row_per_output(kind, options, y, n_outputs, sizes):
    net = kind(**SMALL | {"hidden_layer_sizes": sizes}, **options).fit(WINE, y)
    assert net.linear_coef_.shape == (n_outputs, 13)
    assert np.isfinite(net.linear_coef_).all()
    assert net.linear_coef_.any(axis=1).all()
    with pytest.raises(ValueError, match="read-only"):
        net.linear_coef_[...] = 0


@both_kinds
def test_net_without_linear_part_has_no_coefficients(kind, X, y):
    with pytest.raises(NotFittedError):
        kind().linear_coef_  # noqa: B018
    net = kind(**SMALL, linear_part=False).fit(X, y)
    assert net.linear_coef_ is None
    assert net._network.n_parameters < kind(**SMALL).fit(X, y)._network.n_parameters
    assert not published_recipe()["linear_part"]


@both_kinds
def test_linear_part_is_zero_at_the_mean(kind, X, y):
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    X = np.clip(X, np.quantile(X, 0.1, axis=0), np.quantile(X, 0.9, axis=0))
    net = kind(**SMALL).fit(X, y, weights)
    mean = np.average(X, axis=0, weights=weights)[np.newaxis]
    before = raw_output(net, mean)
    np.testing.assert_allclose(raw_output(scale_linear_part(net, 1e3), mean), before, rtol=1e-6)


@both_kinds
def test_missing_values_count_as_the_mean(kind, X, y):
    X = np.clip(X, np.quantile(X, 0.1, axis=0), np.quantile(X, 0.9, axis=0))
    net = kind(**SMALL).fit(X, y)
    rows = X[:20].copy()
    rows[::2, 1] = rows[1::4, 3] = rows[5] = np.nan
    filled = np.where(np.isnan(rows), X.mean(axis=0), rows)
    with_part = raw_output(net, rows)
    without = raw_output(scale_linear_part(net, 0.0), rows)
    coefs = kind(**SMALL).fit(X, y).linear_coef_
    expected = (filled - X.mean(axis=0)) @ coefs.T
    np.testing.assert_allclose(with_part - without, expected, rtol=1e-6, atol=1e-9)


@both_kinds
def test_sparse_rows_have_the_same_linear_part(kind, X, y):
    X = np.where(np.median(X, axis=0) < X, X, 0.0)
    dense, sparse = kind(**SMALL).fit(X, y), kind(**SMALL).fit(csr_array(X), y)
    np.testing.assert_allclose(sparse.linear_coef_, dense.linear_coef_, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(sparse.predict(csr_array(X)), dense.predict(X), rtol=1e-5)


@both_kinds
def test_units_of_features_do_not_change_it(kind, X, y):
    factors = 2.0 ** np.arange(X.shape[1])
    net, other = kind(**SMALL).fit(X, y), kind(**SMALL).fit(X * factors + 1024, y)
    np.testing.assert_allclose(other.linear_coef_ * factors, net.linear_coef_, rtol=1e-4)


# What it learns -----------------------------------------------------------------------------------


def test_trend_is_followed_beyond_the_data():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    y = 3 * X[:, 0] - 2 * X[:, 1] + 0.05 * rng.normal(size=400)
    new = rng.uniform(1.5, 2.5, (100, 2))
    target = 3 * new[:, 0] - 2 * new[:, 1]
    nets = [DistanceNetRegressor(100, linear_part=part, random_state=0) for part in (True, False)]
    errors = [np.abs(net.fit(X, y).predict(new) - target).mean() for net in nets]
    assert errors[0] < 0.5 * errors[1]


def test_net_without_units_equals_least_squares():
    net = DistanceNetRegressor((), max_iter=1000, early_stopping=False, random_state=0)
    net.set_params(solver="adam", learning_rate_init=0.02).fit(DIABETES, DIABETES_Y)
    expected = LinearRegression().fit(DIABETES, DIABETES_Y).predict(DIABETES)
    np.testing.assert_allclose(net.predict(DIABETES), expected, atol=0.02 * DIABETES_Y.std())


def test_collinear_columns_are_learned_like_ridge():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(600, 3))
    X = factors @ rng.normal(size=(3, 30)) + 0.1 * rng.normal(size=(600, 30))
    y = factors @ [1.0, -1.0, 0.5] + rng.normal(size=600)
    parts = train_test_split(X, y, random_state=0)
    net, ridge = (
        model.fit(parts[0], parts[2]).score(parts[1], parts[3])
        for model in (DistanceNetRegressor(random_state=0), Ridge())
    )
    assert net > ridge - 0.05


def test_weak_signals_are_learned_like_logistic_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 20))
    y = rng.random(1000) < 1 / (1 + np.exp(-X[:, :10] @ np.full(10, 0.3)))
    parts = train_test_split(X, y, random_state=0)
    net, linear = (
        log_loss(parts[3], model.fit(parts[0], parts[2]).predict_proba(parts[1]))
        for model in (DistanceNetClassifier(random_state=0), LogisticRegression())
    )
    assert net < linear + 0.05


# Its place in other methods -----------------------------------------------------------------------


@both_kinds
def test_novelty_scores_do_not_see_it(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    scores, threshold = net.score_samples(X), net.novelty_threshold_
    before = raw_output(net, X)
    scale_linear_part(net, 100.0)
    np.testing.assert_array_equal(net.score_samples(X), scores)
    assert net.novelty_threshold_ == threshold
    assert not np.allclose(raw_output(net, X), before)


@both_kinds
def test_hidden_features_do_not_see_it(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    features, relevances = net.transform(X), net.feature_relevances_
    scale_linear_part(net, 100.0)
    np.testing.assert_array_equal(net.transform(X), features)
    np.testing.assert_array_equal(net.feature_relevances_, relevances)


@both_kinds
def test_prototypes_show_its_share(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    parts = [prototypes(net, X, output=output).linear_part for output in range(net.n_outputs_)]
    np.testing.assert_allclose(np.transpose(parts), linear_share(net, X), rtol=1e-7, atol=1e-9)
    without = kind(**SMALL, linear_part=False).fit(X, y)
    np.testing.assert_array_equal(prototypes(without, X).linear_part, 0)


def test_unit_report_of_a_regressor_does_not_see_it():
    net = DistanceNetRegressor(**SMALL).fit(DIABETES, DIABETES_Y)
    before = unit_report(net, DIABETES)
    after = unit_report(scale_linear_part(net, 100.0), DIABETES)
    np.testing.assert_array_equal(after.use, before.use)


@both_kinds
def test_pruning_keeps_it(kind, X, y):
    net = kind(**SMALL).fit(X, y)
    smaller = subnet(net, [np.arange(2), np.arange(3)])
    np.testing.assert_array_equal(smaller.linear_coef_, net.linear_coef_)
    pruned, _ = prune(net, X, y, 1.0)
    assert pruned.linear_coef_.shape == net.linear_coef_.shape
    assert pruned.linear_coef_.all()


@pytest.mark.parametrize("activation", [["relu", "gaussian"], ["cauchy", "tanh"]])
@both_kinds
def test_hybrids_have_a_linear_part(kind, X, y, activation):
    net = kind(**SMALL, activation=activation).fit(X, y)
    before, share = raw_output(net, X), linear_share(net, X)
    without = raw_output(scale_linear_part(net, 0.0), X)
    np.testing.assert_allclose(before - without, share, rtol=1e-6, atol=1e-8)


@both_kinds
def test_saved_nets_keep_it(kind, X, y):
    skops_io = pytest.importorskip("skops.io")
    net = kind(**SMALL).fit(X, y)
    for again in (
        pickle.loads(pickle.dumps(net)),
        skops_io.loads(skops_io.dumps(net), trusted=TRUSTED_TYPES),
    ):
        np.testing.assert_array_equal(again.linear_coef_, net.linear_coef_)
        np.testing.assert_array_equal(again.predict(X), net.predict(X))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("linear_part", [True, False])
@both_kinds
def test_continued_fit_refuses_another_linear_part(kind, X, y, method, linear_part):
    net = kind(**SMALL, warm_start=True, linear_part=linear_part).fit(X, y)
    before = net._theta_
    net.set_params(linear_part=not linear_part)
    message = f"has linear_part={linear_part}, which must stay the same.*got .*={not linear_part}"
    with pytest.raises(ValueError, match=message):
        getattr(net, method)(X, y)
    assert net._theta_ is before
    net.set_params(linear_part=np.bool_(linear_part))
    getattr(net, method)(X, y)


@both_kinds
def test_partial_fit_trains_it(kind, X, y):
    options = {"classes": np.unique(y)} if kind is DistanceNetClassifier else {}
    net = kind(**SMALL).partial_fit(X, y, **options)
    assert net.linear_coef_.any()
    before = net.linear_coef_
    assert (net.partial_fit(X, y).linear_coef_ != before).any()
