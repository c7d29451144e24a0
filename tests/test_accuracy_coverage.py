"""The curve of accuracy by coverage: closed forms, weights, ties, refusals."""

import numpy as np
import pytest

from skdistnet import accuracy_coverage_curve


@pytest.mark.parametrize("seed", range(20))
def test_a_point_is_what_its_threshold_lets_through(seed):
    rng = np.random.default_rng(seed)
    n_rows = rng.integers(1, 12)
    is_right, weights = rng.integers(0, 2, n_rows), rng.integers(0, 4, n_rows)
    certainty = rng.choice([0.2, 0.5, 0.9, -1e9], n_rows)
    weights[0] = 1
    curve = accuracy_coverage_curve(np.ones(n_rows), is_right, certainty, sample_weight=weights)
    assert curve[2].tolist() == sorted(set(certainty[weights > 0].tolist()), reverse=True)
    for coverage, accuracy, threshold in zip(*curve, strict=True):
        answered = certainty >= threshold
        assert coverage == pytest.approx(weights[answered].sum() / weights.sum())
        expected = np.average(is_right[answered], weights=weights[answered])
        assert accuracy == pytest.approx(expected)
    assert curve[0][-1] == 1.0


def test_weights_equal_repeated_rows():
    y, answers, certainty = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), np.arange(4.0)
    weights = np.array([1, 3, 2, 1])
    weighted = accuracy_coverage_curve(y, answers, certainty, sample_weight=weights)
    repeated = accuracy_coverage_curve(
        *(np.repeat(column, weights) for column in (y, answers, certainty))
    )
    np.testing.assert_allclose(weighted, repeated)


def test_columns_of_one_are_taken_as_they_are_by_fit():
    y, answers, certainty = [0, 1, 1], [0, 1, 0], [0.5, 0.6, 0.9]
    columns = (np.array(one)[:, np.newaxis] for one in (y, answers, certainty))
    expected = accuracy_coverage_curve(y, answers, certainty)
    np.testing.assert_array_equal(accuracy_coverage_curve(*columns), expected)


def test_labels_may_be_of_any_kind():
    for labels in (["a", "b"], [True, False], np.array(["a", None], object)):
        _, accuracies, _ = accuracy_coverage_curve(labels, labels, [0.5, 0.6])
        assert accuracies.tolist() == [1.0, 1.0]
    rejected = np.array([None, "b"], object)
    assert accuracy_coverage_curve(["a", "b"], rejected, [0.5, 0.6])[1].tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("y", "answers", "certainty", "message"),
    [
        ([0, 1], [0, 1], [0.5], "inconsistent numbers of samples"),
        ([0, 1, 1], [0, 1], [0.5, 0.6], "inconsistent numbers of samples"),
        ([0, 1], [0, 1], [0.5, np.nan], "'certainty' .* a number for each row"),
        ([], [], [], "at least one row"),
        (["0", "1"], [0, 1], [0.5, 0.6], "got strings, such as '0', and numbers, such as 0"),
        (np.array(["0", "1"], object), [0, 1], [0.5, 0.6], "labels of one kind"),
        ([[0, 1], [1, 1]], [0, 1], [0.5, 0.6], "y should be a 1d array"),
        ([0, 1], [0, 1], [[0.5, 0.5], [0.6, 0.4]], "y should be a 1d array"),
    ],
)
def test_what_is_no_set_of_answers_is_refused(y, answers, certainty, message):
    with pytest.raises(ValueError, match=message):
        accuracy_coverage_curve(y, answers, certainty)
