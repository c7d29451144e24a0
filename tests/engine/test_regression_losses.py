"""Losses for regression: closed forms, best constants, links, units, typical values."""

import numpy as np
import pytest
from finite_differences import central_differences
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_pinball_loss, mean_poisson_deviance

from skdistnet.engine import Network
from skdistnet.engine.losses import LOSSES, REGRESSION_LOSSES, check_target, normalized_weights
from skdistnet.engine.numerics.statistics import weighted_quantiles

SETTINGS = [
    *((name, {}) for name in REGRESSION_LOSSES),
    ("huber", {"huber_delta": 0.3}),
    ("quantile", {"quantile": 0.9}),
    ("quantile", {"quantile": [0.2]}),
    ("quantile", {"quantile": (0.1, 0.5, 0.6, 0.95)}),
]
every_setting = pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
LEVELS = [0.05, 0.25, 0.5, 0.95]


def counts(n_rows=60, n_outputs=1, seed=0):
    """Return targets in the range of all losses, with ties and zeros, and uneven weights."""
    rng = np.random.default_rng(seed)
    target = rng.poisson(2.0, size=(n_rows, n_outputs)) * 0.7
    return target, normalized_weights(rng.uniform(0.5, 2.0, n_rows), n_rows, np.float64)


def make(name, settings):
    """Return the loss and the number of outputs of its target."""
    loss = LOSSES[name](**settings)
    return loss, max(1, np.size(settings.get("quantile", 0.5)))


def differentiate(loss, raw, target, weights):
    out = np.full_like(raw, np.nan)
    return loss.value_and_gradient(raw, target, weights, out=out), out


def softplus_inverse(gaps):
    return gaps + np.log(-np.expm1(-gaps))


# Values and gradients -----------------------------------------------------------------------------


@every_setting
def test_gradients_match_central_differences(name, settings):
    loss, n_outputs = make(name, settings)
    target, weights = counts(8)
    target = np.repeat(target, n_outputs, axis=1)
    raw = np.random.default_rng(1).normal(size=target.shape)
    _, gradient = differentiate(loss, raw, target, weights)
    expected = central_differences(lambda moved: loss.value(moved, target, weights), raw)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)


@every_setting
def test_intercept_is_the_best_constant(name, settings):
    loss, n_outputs = make(name, settings)
    target, weights = counts()
    if n_outputs > 1:  # equal quantiles start with a gap
        target = target + np.random.default_rng(1).uniform(0, 0.5, target.shape)
    if name == "squared_error":  # a standardised target has mean zero
        target = target - weights @ target
    target = np.repeat(target, n_outputs, axis=1)
    start = loss.fit_intercept_only(target, weights)
    if name == "huber":  # no closed form: the median is used
        return np.testing.assert_allclose(start, weighted_quantiles(target, weights, 0.5))
    least = loss.value(np.broadcast_to(start, target.shape), target, weights)
    for step in (-0.3, -0.05, 0.05, 0.3):
        for output in range(n_outputs):
            moved = np.tile(start, (len(target), 1))
            moved[:, output] += step
            assert loss.value(moved, target, weights) >= least - 1e-12
    return None


@pytest.mark.parametrize("name", LOSSES)
def test_network_differentiates_any_loss_by_name(name):
    network, rng = Network([2, 4, 2], output_layer="linear"), np.random.default_rng(0)
    theta, X = rng.normal(size=network.n_parameters), rng.normal(size=(7, 2))
    Y = np.eye(2)[rng.integers(2, size=7)]
    _, gradient = network.loss_and_grad(theta, X, Y, loss=name)
    expected = central_differences(
        lambda moved: network.loss_and_grad(moved, X, Y, loss=name)[0], theta
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8)


def test_absolute_error_and_quantile_equal_scikit_learn():
    target, weights = counts(n_outputs=2)
    raw = np.random.default_rng(1).normal(size=target.shape)
    absolute = LOSSES["absolute_error"]().value(raw, target, weights)
    assert absolute == pytest.approx(weights @ np.abs(raw - target).mean(axis=1))
    assert LOSSES["quantile"]().value(raw, target, weights) == pytest.approx(absolute / 2)
    expected = mean_pinball_loss(target, raw, sample_weight=weights, alpha=0.9)
    assert LOSSES["quantile"](0.9).value(raw, target, weights) == pytest.approx(expected)


def test_levels_have_their_mean_pinball_loss():
    target, weights = counts()
    loss, raw = LOSSES["quantile"](LEVELS), np.random.default_rng(1).normal(size=(60, 4))
    predictions = loss.inverse_link(raw)
    expected = np.mean(
        [
            mean_pinball_loss(target, predictions[:, [i]], sample_weight=weights, alpha=level)
            for i, level in enumerate(LEVELS)
        ]
    )
    assert loss.value(raw, np.repeat(target, 4, axis=1), weights) == pytest.approx(expected)


def test_huber_lies_between_squared_and_absolute_error():
    target, weights = counts(n_outputs=2)
    raw = np.random.default_rng(1).normal(size=target.shape)
    wide, narrow = LOSSES["huber"](1e3), LOSSES["huber"](1e-6)
    square, line = LOSSES["squared_error"](), LOSSES["absolute_error"]()
    np.testing.assert_allclose(
        differentiate(wide, raw, target, weights)[1],
        differentiate(square, raw, target, weights)[1],
    )
    assert wide.value(raw, target, weights) == pytest.approx(square.value(raw, target, weights))
    np.testing.assert_allclose(
        1e6 * differentiate(narrow, raw, target, weights)[1],
        differentiate(line, raw, target, weights)[1],
    )
    assert 1e6 * narrow.value(raw, target, weights) == pytest.approx(
        line.value(raw, target, weights), rel=1e-5
    )


def test_huber_has_its_closed_form():
    loss, one = LOSSES["huber"](2.0), np.ones(1)
    for error, expected in [(0.0, 0.0), (1.0, 0.5), (-2.0, 2.0), (5.0, 8.0), (-5.0, 8.0)]:
        assert loss.value(np.array([[error]]), np.zeros((1, 1)), one) == pytest.approx(expected)


# Poisson ------------------------------------------------------------------------------------------


def test_poisson_is_half_of_scikit_learn_deviance():
    target, weights = counts()
    raw = np.random.default_rng(1).normal(size=target.shape)
    expected = mean_poisson_deviance(target[:, 0], np.exp(raw[:, 0]), sample_weight=weights)
    value = LOSSES["poisson"]().value(raw, target, weights)
    assert value == pytest.approx(expected / 2)


def test_poisson_is_zero_at_best():
    target = np.array([[1.0, 3e9], [0.5, 7.0]])
    half = np.full(2, 0.5)
    assert LOSSES["poisson"]().value(np.log(target), target, half) == pytest.approx(0, abs=1e-5)
    raw = np.random.default_rng(0).normal(size=target.shape)
    assert LOSSES["poisson"]().value(raw, target, half) > 0


def test_poisson_is_exact_for_large_float32_counts():
    target, one = np.full((1, 1), 1e7, np.float32), np.ones(1, np.float32)
    raw = np.log(target) + np.float32(0.01)
    # 1/2 y d^2 for a small distance d of the logarithms
    assert LOSSES["poisson"]().value(raw, target, one) == pytest.approx(500, rel=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_poisson_means_are_positive_and_finite(dtype):
    raw = np.array([[-1e30, -1e3, -1.0, 0.0, 1e3, 1e30]], dtype=dtype)
    means = LOSSES["poisson"]().inverse_link(raw)
    assert means.dtype == dtype
    assert np.isfinite(means).all()
    assert (means > 0).all()


def test_poisson_rejects_negative_targets():
    with pytest.raises(ValueError, match=r"'poisson' must be .* not negative; got .* from -2.5"):
        check_target(LOSSES["poisson"](), np.array([[1.0], [-2.5]]), 1)


def test_poisson_intercept_is_finite_for_zero_counts():
    target, weights = counts(n_outputs=2)
    target[:, 1] = 0.0
    start = LOSSES["poisson"]().fit_intercept_only(target, weights)
    assert start[0] == pytest.approx(np.log(weights @ target[:, 0]))
    assert -50 < start[1] < -20


# Several levels -----------------------------------------------------------------------------------


numbers = st.floats(-1e6, 1e6)


@given(arrays(np.float64, (3, 4), elements=numbers))
def test_quantiles_of_several_levels_never_cross(raw):
    quantiles = LOSSES["quantile"](LEVELS).inverse_link(raw)
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_outputs_parametrise_lowest_quantile_and_gaps():
    raw = np.array([[1.0, *softplus_inverse(np.array([0.5, 2.0, 1.0]))]])
    actual = LOSSES["quantile"](LEVELS).inverse_link(raw)
    np.testing.assert_allclose(actual, [[1.0, 1.5, 3.5, 4.5]])
    np.testing.assert_allclose(actual[:, 1] - actual[:, 0], np.log1p(np.exp(raw[:, 1])))


def test_each_level_needs_an_output():
    with pytest.raises(ValueError, match=r"a column for each of the levels .0.05.*shape \(5, 3\)"):
        check_target(LOSSES["quantile"](LEVELS), np.zeros((5, 3)), 3)


# Units and typical values -------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.01, 0.25, 0.5, 0.9, 0.999])
def test_weighted_quantiles_equal_those_of_repeated_rows(level):
    rng = np.random.default_rng(2)
    columns, times = rng.normal(size=(40, 2)), rng.integers(1, 5, 40)
    expected = np.quantile(np.repeat(columns, times, axis=0), level, axis=0, method="inverted_cdf")
    for dtype in (np.float32, np.float64):
        weights = normalized_weights(times, 40, dtype)
        np.testing.assert_array_equal(weighted_quantiles(columns, weights, level), expected)


def test_robust_units_ignore_a_few_outliers():
    normal = np.random.default_rng(0).normal(5.0, 3.0, size=(20_000, 1))
    even = np.full(20_000, 1 / 20_000)
    shift, scale = LOSSES["huber"]().units(normal, even)
    np.testing.assert_allclose([shift[0], scale[0]], [5.0, 3.0], rtol=0.02)
    normal[:100] = 1e12
    shift, scale = LOSSES["huber"]().units(normal, even)
    np.testing.assert_allclose([shift[0], scale[0]], [5.0, 3.0], rtol=0.03)


def test_robust_units_fall_back_to_standard_deviation():
    target = np.zeros((100, 1))
    target[:20] = np.arange(20.0)[:, np.newaxis]
    _, scale = LOSSES["huber"]().units(target, np.full(100, 0.01))
    assert scale[0] == pytest.approx(target.std())


@pytest.mark.parametrize("name", ["absolute_error", "huber", "quantile"])
def test_typical_value_of_robust_losses_ignores_outliers(name):
    loss = LOSSES[name]()
    raw, target = np.random.default_rng(0).normal(size=(2, 99, 1))
    weights = np.full(99, 1 / 99)
    before = loss.typical_value(raw, target, weights)
    target[np.argmax(np.abs(raw - target))] = 1e9
    assert loss.value(raw, target, weights) > 1e6
    assert loss.typical_value(raw, target, weights) == pytest.approx(before, rel=0.1)


@pytest.mark.parametrize("name", LOSSES)
def test_typical_value_is_a_nonnegative_float(name):
    loss, (target, weights) = LOSSES[name](), counts(30, 3)
    target = np.eye(3)[target.argmax(axis=1)]
    raw = np.random.default_rng(1).normal(size=target.shape)
    actual = loss.typical_value(raw, target, weights)
    assert type(actual) is float
    assert actual >= 0
