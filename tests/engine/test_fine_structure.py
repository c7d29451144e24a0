"""The median activation of the first layer, chosen by leave-one-out errors of ridge readouts."""

import numpy as np
import pytest

from skdistnet.engine import Network
from skdistnet.engine.init import fine_structure
from skdistnet.engine.init.fine_structure import (
    USUAL_MEDIAN,
    choose_median_activation,
    leave_one_out_errors,
    median_activations_of,
    merge_equal_rows,
)
from skdistnet.engine.init.initializers import first_median_activation
from skdistnet.engine.layers import KERNELS

GAUSSIAN = KERNELS["gaussian"]


def uniform(n_rows, n_columns, seed=0):
    """Return rows of unit spread, and their positions in [0, 1]."""
    positions = np.random.default_rng(seed).random((n_rows, n_columns))
    return (positions - 0.5) * np.sqrt(12), positions


def choose(H, target, weights=None, kernel=GAUSSIAN, seed=0):
    weights = np.full(len(H), 1 / len(H)) if weights is None else weights
    target = np.reshape(target, (len(H), -1)).astype(float)
    return choose_median_activation(kernel, H, target, weights, np.random.default_rng(seed))


def one_hot(labels):
    return np.eye(labels.max() + 1)[labels]


# Leave-one-out errors -----------------------------------------------------------------------------


def refit_errors(features, target, weights, penalty):
    """Return weighted squared errors of ridge regressions that are each fitted without the row."""
    errors = np.empty(len(features))
    columns = np.column_stack([np.ones(len(features)), features])
    penalties = penalty * np.diag([0.0] + [1.0] * features.shape[1])
    for row in range(len(features)):
        others = np.arange(len(features)) != row
        A, w = columns[others], weights[others, np.newaxis]
        coefs = np.linalg.solve(A.T @ (w * A) + penalties, A.T @ (w * target[others]))
        errors[row] = weights[row] * np.sum((target[row] - columns[row] @ coefs) ** 2)
    return errors


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("noise", [0.01, 3.0])  # by which the best penalty is small or large
def test_errors_equal_those_of_refits(weighted, noise):
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30, 6))
    target = features[:, :2] + noise * rng.normal(size=(30, 2))
    weights = rng.uniform(0.2, 3.0, 30) if weighted else np.ones(30)
    weights /= weights.sum()
    centered = np.sqrt(weights)[:, np.newaxis] * (features - weights @ features)
    largest = np.linalg.eigvalsh(centered.T @ centered)[-1]
    every = [refit_errors(features, target, weights, p * largest) for p in fine_structure.PENALTIES]
    expected = min(every, key=np.sum)
    actual = leave_one_out_errors(features, target, weights)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_error_of_constant_features_is_that_of_the_mean():
    target = np.arange(5.0)[:, np.newaxis]
    errors = leave_one_out_errors(np.ones((5, 2)), target, np.full(5, 0.2))
    others = [np.delete(target, row).mean() for row in range(5)]
    np.testing.assert_allclose(errors, 0.2 * (target[:, 0] - others) ** 2)


# The choice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", KERNELS)
def test_narrow_units_for_a_checkerboard(kernel):
    H, positions = uniform(1_000, 2)
    fields = np.floor(6 * positions).sum(axis=1).astype(int) % 2
    median, tried = choose(H, one_hot(fields), kernel=KERNELS[kernel])
    assert median < USUAL_MEDIAN
    assert dict(map(tuple, tried))[median] < 0.6 * tried[0][1]


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_medians_are_those_at_doubled_distances(kernel):
    u = np.array([kernel.inverse(median) for median in median_activations_of(kernel)])
    np.testing.assert_allclose(np.sqrt(u / u[0]), [1, 2, 4, 8])


def test_narrow_units_for_a_fast_sine_in_one_column():
    H, positions = uniform(600, 1)
    median, _ = choose(H, np.sin(2 * np.pi * 12 * positions))
    assert median < USUAL_MEDIAN


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_columns", [1, 2, 8])
def test_usual_units_for_smooth_functions(n_columns, seed):
    H, positions = uniform(800, n_columns, seed)
    noise = np.random.default_rng(seed).normal(size=len(H))
    smooth = np.sin(3 * positions[:, 0]) + positions.sum(axis=1)
    assert choose(H, smooth + 0.1 * noise)[0] == USUAL_MEDIAN
    # Without noise, classes would have a sharp border, which is fine structure.
    labels = (smooth + 0.3 * noise > np.median(smooth)).astype(int)
    assert choose(H, one_hot(labels))[0] == USUAL_MEDIAN


@pytest.mark.parametrize("n_different", [100, 250, 800])
def test_usual_units_for_noise_on_repeated_rows(n_different):
    rng = np.random.default_rng(0)
    rows = rng.integers(n_different, size=800)
    H, labels = rng.normal(size=(n_different, 2)), rng.integers(2, size=n_different)
    assert choose(H[rows], one_hot(labels[rows]))[0] == USUAL_MEDIAN


def test_few_or_constant_rows_have_the_usual_median():
    for H in (np.zeros((50, 3)), np.empty((50, 0)), np.arange(2.0)[:, np.newaxis], np.ones((1, 1))):
        assert choose(H, np.arange(len(H))) == (USUAL_MEDIAN, [])


def test_choice_does_not_depend_on_the_spread():
    H, positions = uniform(400, 2)
    fields = one_hot(np.floor(6 * positions).sum(axis=1).astype(int) % 2)
    median, errors = choose(H, fields)
    for factor in (2.0**-400, 2.0**400):
        other, other_errors = choose(factor * H, fields)
        assert other == median
        np.testing.assert_allclose(other_errors, errors, rtol=1e-6)


def test_weights_count_as_repeated_rows():
    H, positions = uniform(60, 2)
    target, repeats = np.sin(9 * positions.sum(axis=1)), np.arange(60) % 3 + 1
    repeated = np.repeat(np.arange(60), repeats)
    # Rows keep their order, so that the centroids are the same.
    same_order = type("", (), {"permutation": staticmethod(np.arange)})
    arguments = [(H, target, repeats / repeats.sum()), (H[repeated], target[repeated], None)]
    results = []
    for rows, values, weights in arguments:
        weights = np.full(len(rows), 1 / len(rows)) if weights is None else weights
        values = values[:, np.newaxis]
        results.append(choose_median_activation(GAUSSIAN, rows, values, weights, same_order))
    assert results[0][0] == results[1][0]
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-8)


def test_equal_rows_are_merged_in_order():
    H = np.array([[3.0, 1.0], [1.0, 2.0], [3.0, 1.0], [1.0, 3.0]])
    target, weights = np.array([[0.0], [1.0], [4.0], [2.0]]), np.array([0.3, 0.2, 0.1, 0.4])
    merged, targets, sums = merge_equal_rows(H, target, weights)
    np.testing.assert_array_equal(merged, H[[0, 1, 3]])
    np.testing.assert_allclose(targets, [[1.0], [1.0], [2.0]])
    np.testing.assert_allclose(sums, [0.4, 0.2, 0.4])


# Networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activations", "init"),
    [(("relu",), "sample"), ((), "sample"), (("gaussian",), "uniform")],
    ids=["dense layer", "no hidden layer", "uniform"],
)
def test_nothing_is_tried_without_units_at_rows(activations, init):
    network = Network([2, *(5 for _ in activations), 2], activations)
    H, weights = uniform(90, 2)[0], np.full(90, 1 / 90)
    rng = np.random.default_rng(0)
    target = one_hot(np.arange(90) % 2)
    assert first_median_activation(network, init, H, target, weights, rng) == (USUAL_MEDIAN, [])


def test_missing_values_count_as_the_mean():
    network, rng = Network([2, 5, 2], ("gaussian",)), np.random.default_rng(0)
    H, weights, target = uniform(90, 2)[0], np.full(90, 1 / 90), one_hot(np.arange(90) % 2)
    H[::7, 1] = np.nan
    arguments = target, weights
    expected = first_median_activation(network, "sample", np.nan_to_num(H), *arguments, rng)
    rng = np.random.default_rng(0)
    assert first_median_activation(network, "sample", H, *arguments, rng) == expected
    assert len(expected[1]) > 1
