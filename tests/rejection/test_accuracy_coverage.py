"""The accuracy-coverage curve: closed forms, weights, ties, errors."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from skdistnet import accuracy_coverage_curve


@pytest.mark.parametrize("seed", range(20))
def test_points_match_the_rows_above_their_threshold(seed):
    rng = np.random.default_rng(seed)
    n_rows = rng.integers(1, 12)
    is_right, weights = rng.integers(0, 2, n_rows), rng.integers(0, 4, n_rows)
    confidence = rng.choice([0.2, 0.5, 0.9, -1e9], n_rows)
    weights[0] = 1
    curve = accuracy_coverage_curve(np.ones(n_rows), is_right, confidence, sample_weight=weights)
    assert curve[2].tolist() == sorted(set(confidence[weights > 0].tolist()), reverse=True)
    for coverage, accuracy, threshold in zip(*curve, strict=True):
        accepted = confidence >= threshold
        assert coverage == pytest.approx(weights[accepted].sum() / weights.sum())
        expected = np.average(is_right[accepted], weights=weights[accepted])
        assert accuracy == pytest.approx(expected)
    assert curve[0][-1] == 1.0


def test_weights_equal_repeated_rows():
    y, y_pred, confidence = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), np.arange(4.0)
    weights = np.array([1, 3, 2, 1])
    weighted = accuracy_coverage_curve(y, y_pred, confidence, sample_weight=weights)
    repeated = accuracy_coverage_curve(
        *(np.repeat(column, weights) for column in (y, y_pred, confidence))
    )
    np.testing.assert_allclose(weighted, repeated)


def test_single_columns_are_flattened():
    y, y_pred, confidence = [0, 1, 1], [0, 1, 0], [0.5, 0.6, 0.9]
    columns = (np.array(one)[:, np.newaxis] for one in (y, y_pred, confidence))
    expected = accuracy_coverage_curve(y, y_pred, confidence)
    np.testing.assert_array_equal(accuracy_coverage_curve(*columns), expected)


def test_labels_may_be_of_any_kind():
    for labels in (["a", "b"], [True, False], np.array(["a", None], object)):
        _, accuracies, _ = accuracy_coverage_curve(labels, labels, [0.5, 0.6])
        assert accuracies.tolist() == [1.0, 1.0]
    rejected = np.array([None, "b"], object)
    assert accuracy_coverage_curve(["a", "b"], rejected, [0.5, 0.6])[1].tolist() == [1.0, 0.5]


@pytest.mark.parametrize("kind", ["uint8", "uint64", "int8", "float16", "longdouble", "object"])
def test_order_holds_for_any_number_type(kind):
    y, y_pred = np.array([0, 1, 1, 0]), np.array([0, 0, 1, 0])
    confidence = np.array([3, 0, 2, 0]).astype(kind)
    coverages, accuracies, thresholds = accuracy_coverage_curve(y, y_pred, confidence)
    assert coverages.tolist() == [0.25, 0.5, 1.0]
    assert accuracies.tolist() == [1.0, 1.0, 0.75]
    assert thresholds.tolist() == [3.0, 2.0, 0.0]
    assert thresholds.dtype == np.float64


@pytest.mark.parametrize(
    "confidence",
    [
        [False, True, True],
        np.array([np.False_, True, Fraction(1)], object),
        pd.Series([0, 1, 1], dtype="UInt8"),
        pd.Series([False, True, True], dtype="boolean"),
        [-np.inf, np.inf, np.inf],
        [2**53 - 1, 2**53, 2**53 + 1],  # the last two are one float64
    ],
    ids=["bool", "object", "nullable ints", "nullable bools", "infinite", "large ints"],
)
def test_equal_confidences_share_a_threshold(confidence):
    coverages, accuracies, thresholds = accuracy_coverage_curve([0, 1, 1], [1, 1, 1], confidence)
    assert coverages.tolist() == pytest.approx([2 / 3, 1])
    assert accuracies.tolist() == pytest.approx([1, 2 / 3])
    assert thresholds[0] > thresholds[1]


@pytest.mark.parametrize("position", range(3))
def test_masked_values_raise(position):
    columns = [np.array([0, 1]), np.array([0, 1]), np.array([0.5, 0.6])]
    columns[position] = np.ma.array(columns[position], mask=[False, True])
    with pytest.raises(ValueError, match="must have no masked values"):
        accuracy_coverage_curve(*columns)


@pytest.mark.parametrize(
    ("y", "y_pred", "confidence", "message"),
    [
        ([0, 1], [0, 1], [0.5], "inconsistent numbers of samples"),
        ([0, 1, 1], [0, 1], [0.5, 0.6], "inconsistent numbers of samples"),
        ([0, 1], [0, 1], [0.5, np.nan], "'confidence' .* a number for each row"),
        ([], [], [], "at least one row"),
        (["0", "1"], [0, 1], [0.5, 0.6], "got strings, such as '0', and numbers, such as 0"),
        (np.array(["0", "1"], object), [0, 1], [0.5, 0.6], "labels of one kind"),
        ([b"0", b"1"], ["0", "1"], [0.5, 0.6], "got strings, such as '0', and bytes, such as b'0'"),
        ([0, np.nan], [0, 1], [0.5, 0.6], "y_true contains NaN"),
        ([0, 1], [0, 1], ["9", "10"], "'confidence' .* real number .* dtype <U2: .*'10'"),
        ([0, 1], [0, 1], np.array([0.5, "0.6"], object), "'confidence' .* real number"),
        ([0, 1], [0, 1], np.array([0.5, None], object), "'confidence' .* real number"),
        ([0, 1], [0, 1], np.array(["2020", "2021"], "M8[D]"), "'confidence' .* datetime64"),
        ([0, 1], [0, 1], pd.Series([0.5, None], dtype="Float64"), "'confidence' .* number"),
        ([[0, 1], [1, 1]], [0, 1], [0.5, 0.6], "y should be a 1d array"),
        ([0, 1], [0, 1], [[0.5, 0.5], [0.6, 0.4]], "y should be a 1d array"),
    ],
)
def test_invalid_input_raises(y, y_pred, confidence, message):
    with pytest.raises(ValueError, match=message):
        accuracy_coverage_curve(y, y_pred, confidence)
