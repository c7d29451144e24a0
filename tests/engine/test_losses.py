import numpy as np
import pytest
from finite_differences import central_differences
from sklearn.metrics import log_loss

from skdistnet.engine.losses import LOSSES, check_target, normalized_weights

every_loss = pytest.mark.parametrize("loss", [make() for make in LOSSES.values()], ids=list(LOSSES))


def sample(n_rows=6, n_outputs=3, dtype=np.float64):
    """Return raw outputs, one-hot rows (a target for any loss) and uneven weights that sum to 1."""
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(n_rows, n_outputs)).astype(dtype)
    target = np.eye(n_outputs, dtype=dtype)[rng.integers(n_outputs, size=n_rows)]
    return raw, target, normalized_weights(rng.uniform(0.5, 2.0, n_rows), n_rows, dtype)


def differentiate(loss, raw, target, weights):
    out = np.full_like(raw, np.nan)
    return loss.value_and_gradient(raw, target, weights, out=out), out


@every_loss
def test_gradient_matches_central_differences(loss):
    raw, target, weights = sample()
    _, gradient = differentiate(loss, raw, target, weights)
    expected = central_differences(lambda moved: loss.value(moved, target, weights), raw)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)


@every_loss
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_both_methods_return_the_same_float(loss, dtype, rtol):
    raw, target, weights = sample(dtype=dtype)
    value, gradient = differentiate(loss, raw, target, weights)
    assert type(value) is float
    assert type(loss.value(raw, target, weights)) is float
    assert gradient.dtype == dtype
    assert value == pytest.approx(loss.value(raw, target, weights), rel=rtol)


@every_loss
def test_arguments_are_left_unchanged(loss):
    arrays = sample()
    differentiate(loss, *arrays)
    loss.value(*arrays)
    loss.inverse_link(arrays[0])
    for actual, fresh in zip(arrays, sample()):
        np.testing.assert_array_equal(actual, fresh)


@every_loss
def test_value_is_the_weighted_mean_over_rows(loss):
    raw, target, weights = sample()
    one = np.ones(1)
    rows = [loss.value(raw[[i]], target[[i]], one) for i in range(len(raw))]
    assert loss.value(raw, target, weights) == pytest.approx(np.dot(weights, rows), rel=1e-12)


@every_loss
def test_rows_of_weight_zero_are_ignored(loss):
    raw, target, weights = sample()
    weights[2] = 0.0
    kept = weights > 0
    value, gradient = differentiate(loss, raw, target, weights)
    assert value == pytest.approx(loss.value(raw[kept], target[kept], weights[kept]), rel=1e-13)
    assert gradient[2].tolist() == [0.0, 0.0, 0.0]


@every_loss
def test_check_target_accepts_one_hot_rows(loss):
    _, target, _ = sample()
    assert check_target(loss, target, 3) is None


@every_loss
@pytest.mark.parametrize("shape", [(6, 2), (6, 4), (6,)])
def test_check_target_names_the_wrong_shape(loss, shape):
    with pytest.raises(ValueError, match=r"must have shape \(n_rows, 3\).*got \(6,"):
        check_target(loss, np.zeros(shape), 3)


@every_loss
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_check_target_rejects_infinite_and_missing_values(loss, bad):
    _, target, _ = sample()
    target[1, 0] = bad
    with pytest.raises(ValueError, match="must be"):
        check_target(loss, target, 3)


@pytest.mark.parametrize("row", [[0.5, 0.6, 0.0], [-0.5, 1.5, 0.0], [0.0, 0.0, 0.0]])
def test_log_loss_rejects_rows_without_probabilities(row):
    with pytest.raises(
        ValueError, match="'log_loss' must be probabilities that sum to 1 in each row"
    ):
        check_target(LOSSES["log_loss"](), np.array([[1.0, 0.0, 0.0], row]), 3)


def test_log_loss_equals_that_of_scikit_learn():
    raw, target, weights = sample(n_rows=40)
    loss = LOSSES["log_loss"]()
    expected = log_loss(
        target.argmax(axis=1), loss.inverse_link(raw), sample_weight=weights, labels=[0, 1, 2]
    )
    assert loss.value(raw, target, weights) == pytest.approx(expected, rel=1e-12)


def test_gradient_is_p_minus_y_for_soft_targets():
    raw, target, weights = sample()
    soft = 0.9 * target + 0.1 / 3
    loss = LOSSES["log_loss"]()
    value, gradient = differentiate(loss, raw, soft, weights)
    probabilities = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    expected = weights[:, np.newaxis] * (probabilities - soft)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-15)
    cross_entropy = -(weights[:, np.newaxis] * soft * np.log(probabilities)).sum()
    assert value == pytest.approx(cross_entropy, rel=1e-12)
    np.testing.assert_allclose(loss.inverse_link(raw), probabilities, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_stays_finite_at_extreme_logits(dtype):
    raw = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -2e4], [1e4, 0.0, 0.0]], dtype=dtype)
    target = np.eye(3, dtype=dtype)
    weights = np.full(3, 1 / 3, dtype=dtype)
    loss = LOSSES["log_loss"]()
    value, gradient = differentiate(loss, raw, target, weights)
    assert value == pytest.approx((0.0 + np.log(2.0) + 1e4) / 3, rel=1e-5)
    assert loss.value(raw, target, weights) == pytest.approx(value, rel=1e-6)
    expected = np.array([[0, 0, 0], [0.5, -0.5, 0], [1, 0, -1]]) / 3
    np.testing.assert_allclose(gradient, expected, atol=1e-7)
    np.testing.assert_allclose(loss.inverse_link(raw).sum(axis=1), 1.0, rtol=1e-6)


def test_log_loss_ignores_a_common_logit_shift():
    raw, target, weights = sample()
    loss = LOSSES["log_loss"]()
    shifted = raw + np.arange(6.0)[:, np.newaxis]
    assert loss.value(shifted, target, weights) == pytest.approx(loss.value(raw, target, weights))
    np.testing.assert_allclose(loss.inverse_link(shifted), loss.inverse_link(raw), rtol=1e-12)


def test_squared_error_is_half_the_mean_square():
    raw, target = np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 4.0]])
    loss, weights = LOSSES["squared_error"](), np.array([0.75, 0.25])
    value, gradient = differentiate(loss, raw, target, weights)
    assert value == pytest.approx(0.75 * 5.0 / 4.0 + 0.25 * 20.0 / 4.0)
    np.testing.assert_allclose(gradient, [[0.375, 0.75], [0.25, -0.5]])
    np.testing.assert_array_equal(loss.inverse_link(raw), raw)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalized_weights_sum_to_one(dtype):
    expected = np.array([0.25, 0.75], dtype=dtype)
    for scale in (1, 1e-30, 1e30):
        weights = normalized_weights([1 * scale, 3 * scale], 2, dtype)
        assert weights.dtype == dtype
        np.testing.assert_allclose(weights, expected, rtol=1e-6)
    np.testing.assert_array_equal(normalized_weights(None, 4, dtype), np.full(4, 0.25, dtype))


# Best constant ------------------------------------------------------------------------------------


def constant_loss(loss, raw, target, weights):
    return loss.value(np.tile(raw, (len(target), 1)), target, weights)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_log_loss_intercept_is_the_class_shares(smoothing):
    _, target, weights = sample(n_rows=40)
    target = (1 - smoothing) * target + smoothing / 3
    loss = LOSSES["log_loss"]()
    start, shares = loss.fit_intercept_only(target, weights), weights @ target
    np.testing.assert_allclose(loss.inverse_link(start[np.newaxis])[0], shares, rtol=1e-12)
    least = constant_loss(loss, start, target, weights)
    assert least == pytest.approx(-shares @ np.log(shares), rel=1e-12)
    for moved in np.eye(3):
        assert constant_loss(loss, start + 0.01 * moved, target, weights) > least


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_absent_class_has_no_share_in_intercept(dtype):
    target = np.eye(3, dtype=dtype)[[0, 0, 2, 0]]
    weights = np.full(4, 0.25, dtype)
    loss = LOSSES["log_loss"]()
    start = loss.fit_intercept_only(target, weights)
    assert np.isfinite(start).all()
    actual = loss.inverse_link(start[np.newaxis])[0]
    np.testing.assert_allclose(actual, [0.75, 0.0, 0.25], atol=1e-7)
    value = constant_loss(loss, start, target, weights)
    assert value == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), rel=1e-6)
