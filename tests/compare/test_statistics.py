"""Intervals, calibration, and the verdict of a comparison."""

import numpy as np
import pytest
from compared_tables import make_comparison, make_table
from numpy.testing import assert_allclose
from scipy.stats import ttest_1samp

from skdistnet.compare.splits import make_splits
from skdistnet.compare.statistics import (
    calibration_error,
    calibration_slope,
    corrected_interval,
    find_best_other,
    summarize,
    verdict,
)

NET = "distance net"


def compared(scores, n_folds=5, **table):
    table = make_table(**table)
    comparison = make_comparison(table, make_splits(table, n_folds, 1, 0)[0], scores)
    comparison.summaries = summarize(comparison)
    return comparison


def test_interval_without_overlap_is_student():
    differences = [0.1, 0.3, -0.2, 0.25]
    expected = ttest_1samp(differences, 0).confidence_interval(0.95)
    assert_allclose(corrected_interval(differences, 0.0), expected)


def test_interval_has_the_closed_form():
    # Mean 2, variance 1, t(0.975; 2) = 4.302653.
    reach = 4.302652729911275 * np.sqrt(1 / 3 + 0.5)
    assert_allclose(corrected_interval([1, 2, 3], 0.5), [2 - reach, 2 + reach])


def test_interval_grows_with_confidence():
    low, high = corrected_interval([1, 2, 4], 0.25, confidence=0.5)
    lower, higher = corrected_interval([1, 2, 4], 0.25, confidence=0.99)
    assert lower < low < high < higher


def test_calibration_error_of_two_bins():
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.55, 0.55])
    is_right = np.array([True, True, True, False, True, False])
    # Gaps .15 of four rows and .05 of two.
    assert_allclose(calibration_error(is_right, confidence), (4 * 0.15 + 2 * 0.05) / 6)
    assert calibration_error(np.zeros(3), np.ones(3)) == 1
    assert calibration_error(np.ones(3), np.ones(3)) == 0


def test_calibration_slope_recovers_a_line():
    prediction, split = np.array([1.0, 2.0, 4.0, 7.0, 9.0]), np.array([0, 0, 0, 1, 1])
    y = 2 * prediction + np.where(split, 50, 3)
    assert_allclose(calibration_slope(y, prediction, split), 2)
    assert np.isnan(calibration_slope(y, np.where(split, 7.0, 5.0), split))


def test_difference_uses_shared_splits_only():
    comparison = compared({NET: [0.8, 0.6, 0.7], "MLP": [0.9, None, 0.9, 0.1]}, n_folds=4)
    ours, other = comparison.summaries
    assert (ours.difference, ours.low, ours.high) == (None, None, None)
    assert_allclose(other.difference, 0.15)
    assert_allclose([other.low, other.high], corrected_interval([0.1, 0.2], 1 / 3))
    assert (ours.n_splits, other.n_splits) == (3, 3)


def test_single_split_has_no_interval():
    other = compared({NET: [0.8], "MLP": [0.9]}).summaries[1]
    assert_allclose(other.difference, 0.1)
    assert other.low is None
    assert other.high is None


VERDICTS = {
    "better": ({NET: [0.8, 0.81, 0.83], "MLP": [0.7, 0.71, 0.72]}, "is better than every other"),
    "better than the best": (
        {NET: [0.8, 0.81, 0.83], "MLP": [0.7, 0.71, 0.72], "linear model": [0.9, 0.3, 0.3]},
        "is better than the best other model, the MLP",
    ),
    "worse": ({NET: [0.6, 0.61, 0.63], "MLP": [0.7, 0.71, 0.72]}, "is worse than the MLP"),
    "open": ({NET: [0.6, 0.81, 0.72], "MLP": [0.7, 0.71, 0.72]}, "show no difference between"),
    "constant": (
        {NET: [0.6, 0.7], "MLP": [0.5, 0.6], "constant": [0.75, 0.6]},
        "is not better than a constant",
    ),
    "noise": (
        {NET: [0.3, 0.4], "MLP": [0.4, 0.42], "constant": [0.35, 0.37]},
        "is not better than a constant",
    ),
    "only another is better": (
        {NET: [0.3, 0.31], "MLP": [0.8, 0.82], "constant": [0.3, 0.32]},
        "is worse than the MLP",
    ),
    "constant far off in a split": (
        {NET: [0.3, 0.8, 0.4], "MLP": [0.4, 0.7, 0.6], "constant": [-9.0, -0.1, -0.5]},
        "show no difference between the distance net and the best other model, the MLP",
    ),
    "no better than a constant": (
        {NET: [0.3, 0.31], "MLP": [0.8, 0.82], "constant": [0.8, 0.82]},
        "is worse than the constant",
    ),
    "equal": ({NET: [0.6, 0.7], "MLP": [0.7, 0.8]}, "is the same in all splits"),
    "single": ({NET: [0.6], "MLP": [0.7]}, "A single split shows no difference"),
    "alone": ({NET: [0.6, 0.7]}, "Too little was evaluated"),
    "apart": ({NET: [0.6, None], "MLP": [None, 0.7]}, "Too little was evaluated"),
    "ours missing": ({NET: [None], "MLP": [0.7]}, "Too little was evaluated"),
}


@pytest.mark.parametrize(("scores", "text"), VERDICTS.values(), ids=VERDICTS)
def test_verdict(scores, text):
    sentence = verdict(compared(scores))
    assert text in sentence
    assert sentence.count(". ") == 0


def test_verdict_names_the_best_other_model():
    scores = {NET: [0.8, 0.8], "MLP": [0.5, 0.52], "linear model": [0.7, 0.71]}
    comparison = compared(scores)
    assert find_best_other(comparison).model == "linear model"
    assert "linear model: accuracy 0.800 and 0.705" in verdict(comparison)


def test_verdict_shows_the_sign_of_small_bounds():
    comparison = compared({NET: [0.9, 0.9, 0.9], "MLP": [0.8999, 0.89989, 0.89991]})
    assert "difference +0.0001 to +0.0001." in verdict(comparison)


def test_equal_differences_have_no_interval():
    other = compared({NET: [0.5, 0.6], "MLP": [0.7, 0.8]}).summaries[1]
    assert_allclose(other.difference, 0.2)
    assert (other.low, other.high) == (None, None)


def test_summary_averages_costs():
    comparison = compared({NET: [0.5, 0.7]}, task="regression")
    for result in comparison.results:
        result.prediction[:] += result.split  # still constant in each split
    ours = summarize(comparison)[0]
    assert_allclose([ours.score, ours.loss, ours.fit_seconds], [0.6, 0.5, 1.0])
    assert np.isnan(ours.calibration)
