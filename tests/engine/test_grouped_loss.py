"""The log-loss over groups of outputs, each with a softmax of its own."""

import numpy as np
import pytest
from finite_differences import central_differences

from skdistnet.engine.losses import LOSSES, GroupedLogLoss, check_target, normalized_weights

LOG_LOSS = LOSSES["log_loss"]()
every_grouping = pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 2), (1, 3), (4,), (2, 2, 1)])


def sample(sizes, n_rows=6, dtype=np.float64):
    """Return raw outputs, a one-hot target in each group and uneven weights that sum to 1."""
    rng = np.random.default_rng(3)
    raw = rng.normal(size=(n_rows, sum(sizes))).astype(dtype)
    one_hot = [np.eye(size, dtype=dtype)[rng.integers(size, size=n_rows)] for size in sizes]
    weights = normalized_weights(rng.uniform(0.5, 2.0, n_rows), n_rows, dtype)
    return raw, np.hstack(one_hot), weights


def groups(array, sizes):
    return np.split(array, np.cumsum(sizes)[:-1], axis=1)


@every_grouping
def test_gradient_matches_central_differences(sizes):
    raw, target, weights = sample(sizes)
    loss, gradient = GroupedLogLoss(sizes), np.full_like(raw, np.nan)
    value = loss.value_and_gradient(raw, target, weights, out=gradient)
    assert value == pytest.approx(loss.value(raw, target, weights), rel=1e-13)
    expected = central_differences(lambda moved: loss.value(moved, target, weights), raw)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)


@every_grouping
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_is_the_sum_of_log_losses(sizes, dtype):
    raw, target, weights = sample(sizes, dtype=dtype)
    parts = list(zip(groups(raw, sizes), groups(target, sizes)))
    expected = sum(LOG_LOSS.value(part, part_target, weights) for part, part_target in parts)
    actual = GroupedLogLoss(sizes).value(raw, target, weights)
    assert type(actual) is float
    assert actual == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-13)
    probabilities = GroupedLogLoss(sizes).inverse_link(raw)
    assert probabilities.dtype == dtype
    for actual, (part, _) in zip(groups(probabilities, sizes), parts):
        np.testing.assert_allclose(actual, LOG_LOSS.inverse_link(part), rtol=1e-6)


def test_one_group_equals_the_log_loss_exactly():
    raw, target, weights = sample((5,))
    out, expected = np.empty_like(raw), np.empty_like(raw)
    value = GroupedLogLoss((5,)).value_and_gradient(raw, target, weights, out)
    assert value == LOG_LOSS.value_and_gradient(raw, target, weights, expected)
    np.testing.assert_array_equal(out, expected)


@every_grouping
def test_gradient_is_written_into_noncontiguous_arrays(sizes):
    raw, target, weights = sample(sizes)
    expected = np.empty_like(raw)
    GroupedLogLoss(sizes).value_and_gradient(raw, target, weights, expected)
    out = np.empty((len(raw), 2 * raw.shape[1]))[:, ::2]
    GroupedLogLoss(sizes).value_and_gradient(raw, target, weights, out)
    np.testing.assert_allclose(out, expected, rtol=1e-13)


@every_grouping
def test_arguments_are_left_unchanged(sizes):
    loss, arrays = GroupedLogLoss(sizes), sample(sizes)
    loss.value_and_gradient(*arrays, out=np.empty_like(arrays[0]))
    loss.value(*arrays)
    loss.inverse_link(arrays[0])
    check_target(loss, arrays[1], sum(sizes))
    for actual, fresh in zip(arrays, sample(sizes)):
        np.testing.assert_array_equal(actual, fresh)


def test_large_outputs_do_not_overflow():
    raw = np.array([[1e4, -1e4, 0.0, 800.0], [-1e4, 1e4, 800.0, 0.0]])
    target, weights = np.array([[1.0, 0, 0, 1], [0, 1, 1, 0]]), np.full(2, 0.5)
    assert GroupedLogLoss((2, 2)).value(raw, target, weights) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("row", [[1.0, 1, 1, 0, 0], [1, 0, 0, 0, 0], [0.5, 0.6, 0, 0.9, 0]])
def test_groups_of_the_target_must_be_probabilities(row):
    with pytest.raises(ValueError, match="must be probabilities"):
        check_target(GroupedLogLoss((2, 3)), np.array([row]), 5)


def test_target_of_another_width_raises():
    with pytest.raises(ValueError, match=r"must have shape \(n_rows, 4\).*got \(6, 5\)"):
        check_target(GroupedLogLoss((2, 2)), np.zeros((6, 5)), 4)


def test_typical_value_is_the_loss():
    raw, target, weights = sample((2, 3))
    loss = GroupedLogLoss((2, 3))
    assert loss.typical_value(raw, target, weights) == loss.value(raw, target, weights)


@every_grouping
def test_intercept_is_the_best_constant_of_groups(sizes):
    _, target, weights = sample(sizes, n_rows=40)
    loss = GroupedLogLoss(sizes)
    start = loss.fit_intercept_only(target, weights)
    value = loss.value(np.tile(start, (40, 1)), target, weights)
    expected = 0.0
    for part in groups(target, sizes):
        shares = weights @ part
        expected -= shares[shares > 0] @ np.log(shares[shares > 0])
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(loss.inverse_link(start[np.newaxis])[0], weights @ target, rtol=1e-9)
