"""The mean over steps of a loss, for all losses, with steps that have no target."""

import numpy as np
import pytest
from finite_differences import central_differences

from skdistnet.engine.losses import LOSSES, MeanOverSteps, is_counted

N_SEQUENCES, N_STEPS = 3, 4
#: Steps with a target: all, some, one.
COUNTED = np.array([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 0]], dtype=bool)
WEIGHTS = np.array([0.5, 0.3, 0.2])
N_COLUMNS = {"quantile": 2, "log_loss": 3}


def make_loss(name):
    if name == "quantile":
        return LOSSES[name](quantile=[0.2, 0.9])
    return LOSSES[name]()


def draw(name, dtype=np.float64):
    """Return the loss of steps, its columns, a raw output and a target without some steps."""
    loss, rng = make_loss(name), np.random.default_rng(0)
    n_columns = N_COLUMNS.get(name, 1)
    shape = N_SEQUENCES, N_STEPS, n_columns
    raw, target = rng.normal(size=shape), rng.random(shape) + 0.1
    if name == "log_loss":
        target /= target.sum(axis=2, keepdims=True)
    if name == "quantile":
        target = np.repeat(target[:, :, :1], n_columns, axis=2)
    target[~COUNTED] = np.nan
    rows = (each.reshape(N_SEQUENCES, -1).astype(dtype) for each in (raw, target))
    return MeanOverSteps(loss, n_columns), n_columns, *rows


def of_sequence(loss, n_columns, raw, target, counted):
    """Return the mean of the loss over the steps of one sequence that have a target."""
    raw, target = (each.reshape(N_STEPS, n_columns)[counted] for each in (raw, target))
    return loss.value(raw, target, np.full(len(raw), 1 / len(raw)))


every_loss = pytest.mark.parametrize("name", LOSSES)


@every_loss
def test_loss_is_the_mean_over_targets(name):
    loss, n_columns, raw, target = draw(name)
    values = [of_sequence(loss.loss, n_columns, *each) for each in zip(raw, target, COUNTED)]
    np.testing.assert_allclose(loss.value(raw, target, WEIGHTS), WEIGHTS @ values, rtol=1e-12)


@every_loss
def test_gradient_matches_central_differences(name):
    loss, _, raw, target = draw(name)
    gradient = np.full_like(raw, np.nan)
    value = loss.value_and_gradient(raw, target, WEIGHTS, out=gradient)
    np.testing.assert_allclose(value, loss.value(raw, target, WEIGHTS), rtol=1e-12)
    expected = central_differences(lambda moved: loss.value(moved, target, WEIGHTS), raw)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-9)


@every_loss
def test_steps_without_target_have_no_gradient(name):
    loss, n_columns, raw, target = draw(name)
    gradient = np.full_like(raw, np.nan)
    loss.value_and_gradient(raw, target, WEIGHTS, out=gradient)
    by_step = gradient.reshape(N_SEQUENCES, N_STEPS, n_columns)
    assert not by_step[~COUNTED].any()
    assert by_step[COUNTED].any(axis=1).all()


@every_loss
def test_output_without_target_changes_nothing(name):
    loss, n_columns, raw, target = draw(name)
    other = raw.reshape(N_SEQUENCES, N_STEPS, n_columns).copy()
    other[~COUNTED] = 50.0
    other = other.reshape(raw.shape)
    assert loss.value(raw, target, WEIGHTS) == loss.value(other, target, WEIGHTS)


@every_loss
def test_sequence_without_targets_counts_as_zero(name):
    loss, _, raw, target = draw(name)
    extended = np.vstack([target, np.full_like(target[:1], np.nan)])
    raw, weights = np.vstack([raw, raw[:1]]), np.append(WEIGHTS, 0.4)
    gradient = np.full_like(raw, np.nan)
    value = loss.value_and_gradient(raw, extended, weights, out=gradient)
    np.testing.assert_allclose(value, loss.value(raw[:-1], target, WEIGHTS), rtol=1e-12)
    assert not gradient[-1].any()


@every_loss
def test_single_precision_stays_single(name):
    loss, _, raw, target = draw(name, np.float32)
    gradient = np.full_like(raw, np.nan)
    weights = WEIGHTS.astype(np.float32)
    value = loss.value_and_gradient(raw, target, weights, out=gradient)
    double = loss.value(*(each.astype(np.float64) for each in (raw, target, weights)))
    np.testing.assert_allclose(value, double, rtol=1e-5)
    assert gradient.dtype == np.float32


@every_loss
def test_best_constant_repeats_for_each_step(name):
    loss, n_columns, _, target = draw(name)
    rows = target.reshape(N_SEQUENCES, N_STEPS, n_columns)[COUNTED]
    weights = np.repeat(WEIGHTS / COUNTED.sum(axis=1), COUNTED.sum(axis=1))
    expected = loss.loss.fit_intercept_only(rows, weights)
    actual = loss.fit_intercept_only(target, WEIGHTS)
    np.testing.assert_allclose(actual, np.tile(expected, N_STEPS), rtol=1e-9)


def test_counted_steps_are_those_with_target():
    np.testing.assert_array_equal(is_counted(draw("log_loss")[3], 3), COUNTED)
