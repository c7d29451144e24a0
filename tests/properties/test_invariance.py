"""Units and offsets of features and targets, and the scale of weights, do not matter."""

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.engine.layers.distances import RADIUS_TYPES

#: Larger or more steps would amplify the rounding errors by which predictions differ.
FULL = {
    "hidden_layer_sizes": (20, 20),
    "learning_rate_init": 0.01,
    "max_iter": 50,
    "dropout": 0.0,
    "random_state": 0,
}
ONE_STEP = FULL | {"batch_size": 10_000, "max_iter": 1}


@cache
def load(name):
    """Return X, rounded so that an offset of a million is exact in double precision, and y."""
    bunch = {
        "iris": load_iris,
        "wine": load_wine,
        "digits": load_digits,
        "diabetes": load_diabetes,
    }[name]()
    X, y = bunch.data[:500], bunch.target[:500]
    return np.round(X * 2.0**25) / 2.0**25, y


def shifted(X):
    return X + 1e6


def scaled(X):
    return X * 10.0 ** np.random.default_rng(0).uniform(-6, 6, X.shape[1])


def scaled_alike(X):
    return X * 1e-3


def fit_and_predict(name, options, change=lambda X: X, weights=None, y_change=lambda y: y):
    """Return the training rows' probabilities, or a regressor's predictions."""
    X, y = load(name)
    X = change(X)
    if name == "diabetes":
        net = DistanceNetRegressor(**options).fit(X, y_change(y), weights)
        return net.predict(X)
    return DistanceNetClassifier(**options).fit(X, y, weights).predict_proba(X)


@cache
def plain_predictions(name, init, full):
    return fit_and_predict(name, (FULL if full else ONE_STEP) | {"init": init})


def tolerance(name, share):
    return share * (np.std(load(name)[1]) if name == "diabetes" else 1.0)


every_data = pytest.mark.parametrize("name", ["iris", "wine", "digits", "diabetes"])
every_init = pytest.mark.parametrize("init", ["sample", "kmeans"])
every_change = pytest.mark.parametrize("change", [shifted, scaled])
#: Pixels share one unit, so all of them are scaled by the same factor.
every_data_and_change = pytest.mark.parametrize(
    ("name", "change"),
    [(name, change) for name in ("iris", "wine", "diabetes") for change in (shifted, scaled)]
    + [("digits", shifted), ("digits", scaled_alike)],
)


@every_data_and_change
@every_init
def test_feature_units_do_not_change_a_step(name, init, change):
    actual = fit_and_predict(name, ONE_STEP | {"init": init}, change)
    expected = plain_predictions(name, init, full=False)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance(name, 1e-9))


@every_data_and_change
@every_init
def test_feature_units_do_not_change_a_fit(name, init, change):
    actual = fit_and_predict(name, FULL | {"init": init}, change)
    expected = plain_predictions(name, init, full=True)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance(name, 1e-4))


@pytest.mark.parametrize("radius_type", RADIUS_TYPES)
@every_change
def test_feature_units_do_not_matter_for_any_radii(radius_type, change):
    options = FULL | {"radius_type": radius_type}
    np.testing.assert_allclose(
        fit_and_predict("wine", options, change),
        fit_and_predict("wine", options),
        rtol=0,
        atol=1e-4,
    )


@every_data
def test_offsets_do_not_matter_without_standardize(name):
    options = ONE_STEP | {"standardize": False}
    actual, expected = fit_and_predict(name, options, shifted), fit_and_predict(name, options)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance(name, 1e-9))


@pytest.mark.parametrize("options", [ONE_STEP, FULL], ids=["one step", "full"])
def test_target_units_do_not_matter(options):
    expected = fit_and_predict("diabetes", options)
    actual = fit_and_predict("diabetes", options, y_change=lambda y: 1e6 * y - 3e7)
    share = 1e-9 if options is ONE_STEP else 1e-4
    atol = tolerance("diabetes", share)
    np.testing.assert_allclose((actual + 3e7) / 1e6, expected, rtol=0, atol=atol)


@every_init
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize(("solver", "atol"), [("sgd", 3e-4), ("rmsprop", 3e-3)])
def test_offsets_do_not_matter_in_single_precision(init, standardize, solver, atol):
    """The same rows, rounded once: only the arithmetic of the network is single.

    RMSProp's first steps follow signs of gradients, some of which are rounding at any offset.
    """
    X, y = load("iris")
    rows = (X + 1e4).astype(np.float32)
    options = FULL | {"max_iter": 5, "solver": solver, "standardize": standardize, "init": init}
    single = DistanceNetClassifier(**options).fit(rows, y)
    double = DistanceNetClassifier(**options).fit(rows.astype(np.float64), y)
    actual, expected = single.predict_proba(rows), double.predict_proba(rows.astype(np.float64))
    assert actual.dtype == np.float32
    assert np.ptp(expected, axis=0).min() > 0.1
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("offset", [0, 1e4, 1e6])
def test_single_precision_rows_are_predicted_alike(offset):
    X, y = load("iris")
    net = DistanceNetClassifier(**FULL | {"max_iter": 5}).fit(X + offset, y)
    rows = (X + offset).astype(np.float32)
    np.testing.assert_allclose(
        net.predict_proba(rows), net.predict_proba(rows.astype(np.float64)), atol=1e-4
    )


@every_init
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_constant_feature_changes_no_spherical_net(init, value):
    def with_constant(X):
        return np.column_stack([X, np.full(len(X), value)])

    options = ONE_STEP | {"init": init, "radius_type": "spherical"}
    actual, expected = (
        fit_and_predict("iris", options, with_constant),
        fit_and_predict("iris", options),
    )
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9)


# Weights ------------------------------------------------------------------------------------------


def draw_weights(name):
    return np.random.default_rng(1).integers(1, 5, len(load(name)[1])).astype(float)


@every_data
@every_init
@pytest.mark.parametrize("factor", [2.0**40, 1e-9, 1e200])
def test_weight_scale_does_not_change_a_step(name, init, factor):
    options = ONE_STEP | {"init": init}
    weights = draw_weights(name)
    actual = fit_and_predict(name, options, weights=factor * weights)
    expected = fit_and_predict(name, options, weights=weights)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance(name, 1e-9))


@every_data
@pytest.mark.parametrize("factor", [2.0**40, 3.7])
def test_weight_scale_does_not_change_a_fit(name, factor):
    weights = draw_weights(name)
    actual = fit_and_predict(name, FULL, weights=factor * weights)
    expected = fit_and_predict(name, FULL, weights=weights)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance(name, 1e-4))


@every_data
def test_equal_weights_equal_no_weights(name):
    actual = fit_and_predict(name, ONE_STEP, weights=np.full(len(load(name)[1]), 3.0))
    expected = fit_and_predict(name, ONE_STEP)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance(name, 1e-9))


@every_data
def test_sample_weights_matter(name):
    actual = fit_and_predict(name, ONE_STEP, weights=draw_weights(name))
    assert np.abs(actual - fit_and_predict(name, ONE_STEP)).max() > tolerance(name, 1e-3)


@every_data
@every_init
@pytest.mark.parametrize("early_stopping", [False, True])
def test_rows_of_weight_zero_are_ignored(name, init, early_stopping):
    X, y = load(name)
    options = FULL | {"init": init, "max_iter": 5, "early_stopping": early_stopping}
    kind = DistanceNetRegressor if name == "diabetes" else DistanceNetClassifier
    kept = np.random.default_rng(2).random(len(X)) < 0.7
    weights = np.where(kept, draw_weights(name), 0.0)
    spoiled = np.where(kept[:, np.newaxis], X, 1e9)
    zero = kind(**options).fit(spoiled, y, weights)
    removed = kind(**options).fit(X[kept], y[kept], weights[kept])
    method = "predict" if name == "diabetes" else "predict_proba"
    np.testing.assert_array_equal(getattr(zero, method)(X), getattr(removed, method)(X))
    assert zero.t_ == removed.t_
