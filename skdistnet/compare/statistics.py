"""How sure a comparison is: intervals of differences, calibration, and the verdict."""

from statistics import fmean

import numpy as np
from scipy.stats import t as student_t

from .formats import decimal, interval, is_missing, measure
from .results import Summary

__all__ = [
    "calibration_error",
    "calibration_slope",
    "corrected_interval",
    "find_best_other",
    "summarize",
    "the",
    "verdict",
]

CONFIDENCE = 0.95
N_BINS = 15


def corrected_interval(differences, test_train_ratio, confidence=CONFIDENCE):
    """Return an interval of the mean difference between two models over resampled splits.

    Scores of different splits are correlated, since their training rows overlap. The corrected
    resampled t-test widens the variance of the mean from s^2 / n to (1/n + ratio) s^2.

    Parameters
    ----------
    differences : array-like of shape (n_splits,)
        At least two.
    test_train_ratio : float
        Number of held-out rows over that of training rows.
    confidence : float, default=0.95

    Returns
    -------
    low, high : float

    References
    ----------
    Nadeau & Bengio (2003), Inference for the generalization error. Machine Learning 52, 239-281.

    Examples
    --------
    >>> from skdistnet.compare.statistics import corrected_interval
    >>> low, high = corrected_interval([0.01, 0.03, 0.02, 0.02, 0.02], 0.25)
    >>> f"{low:.3f} to {high:.3f}"
    '0.007 to 0.033'
    """
    n_splits = len(differences)
    deviation = np.std(differences, ddof=1) * np.sqrt(1 / n_splits + test_train_ratio)
    reach = deviation * student_t.ppf((1 + confidence) / 2, n_splits - 1)
    mean = float(np.mean(differences))
    return mean - float(reach), mean + float(reach)


def calibration_error(is_right, confidence):
    """Return the expected calibration error of the most probable classes.

    Parameters
    ----------
    is_right : array-like of bool of shape (n_rows,)
    confidence : array-like of shape (n_rows,)
        The probability of the predicted class.

    Returns
    -------
    error : float
        The difference between accuracy and mean confidence, averaged over 15 bins of equal width
        by their rows.
    """
    is_right, confidence = np.asarray(is_right, dtype=float), np.asarray(confidence)
    bins = np.clip((confidence * N_BINS).astype(int), 0, N_BINS - 1)
    gaps = np.bincount(bins, is_right - confidence, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(is_right))


def calibration_slope(y, prediction, split):
    """Return the slope of the least-squares line of the target over the prediction.

    1 is ideal; below, predictions are too far from the mean.

    Parameters
    ----------
    y, prediction : ndarray of shape (n_rows,)
    split : ndarray of int of shape (n_rows,)
        Each split has an intercept of its own.

    Returns
    -------
    slope : float
        NaN for predictions that are constant in each split.
    """
    counts = np.bincount(split)
    centered = prediction - (np.bincount(split, prediction) / counts)[split]
    scale = np.sum(centered**2)
    if scale <= 1e-12 * len(y) * np.var(y):
        return float("nan")
    return float(np.sum(centered * y) / scale)


def calibration_of(comparison, model):
    """Return the calibration error or slope over all held-out rows of a model."""
    positions, prediction = comparison.held_out_predictions(model)
    y = comparison.table.y[positions]
    if not comparison.table.is_classification:
        sizes = [len(result.prediction) for result in comparison.of(model)]
        return calibration_slope(y, prediction, np.repeat(np.arange(len(sizes)), sizes))
    predicted = comparison.table.classes[np.argmax(prediction, axis=1)]
    return calibration_error(predicted == y, np.max(prediction, axis=1))


def difference_of(comparison, model):
    """Return the mean difference of a model's scores to ours, and its interval."""
    by_split = differences_by_split(comparison, model)
    if model == comparison.ours or not by_split:
        return None, None, None
    differences = list(by_split.values())
    # Accuracies of few rows may differ by the same number in all splits, which is no certainty.
    if np.ptp(differences) < 1e-9:
        return float(np.mean(differences)), None, None
    splits = [comparison.splits[split] for split in by_split]
    ratio = np.mean([len(held_out) / len(train) for train, held_out in splits])
    return float(np.mean(differences)), *corrected_interval(differences, ratio)


def differences_by_split(comparison, model):
    """Return the difference of a model's score to ours, for each split that has both."""
    ours = {one.split: one.score for one in comparison.of(comparison.ours)}
    return {
        one.split: one.score - ours[one.split] for one in comparison.of(model) if one.split in ours
    }


def summarize(comparison):
    """Return the rows of the table: a Summary for each model that has results."""
    summaries = []
    for model in comparison.models:
        results = comparison.of(model)
        if not results:
            continue
        difference, low, high = difference_of(comparison, model)
        summaries.append(
            Summary(
                model=model,
                n_splits=len(results),
                score=fmean(one.score for one in results),
                difference=difference,
                low=low,
                high=high,
                loss=fmean(one.loss for one in results),
                calibration=calibration_of(comparison, model),
                fit_seconds=fmean(one.fit_seconds for one in results),
                predict_ms=fmean(one.predict_ms for one in results),
                n_bytes=fmean(one.n_bytes for one in results),
            )
        )
    return summaries


def find_best_other(comparison):
    """Return the summary of the best other model on the splits it shares with ours, or None.

    This is the constant if ours is not better than that beyond doubt, and no model better than ours
    beyond doubt. If ours is better in every split, the interval includes zero because a constant is
    far worse in some of them, as those by time.
    """
    others = [one for one in comparison.summaries if not is_missing(one.difference)]
    best = max(others, key=lambda one: (one.difference, one.model == "constant"), default=None)
    constant = next((one for one in others if one.model == "constant"), None)
    if best is None or constant is None or best.low is None or constant.high is None:
        return best
    is_beaten = max(differences_by_split(comparison, "constant").values()) < 0
    return best if constant.high < 0 or best.low > 0 or is_beaten else constant


def the(model):
    """Return the name of a model with its article; names of classes have none."""
    return model if model[0].isupper() and model != "MLP" else f"the {model}"


def verdict(comparison):
    """Return the sentence that compares ours with the best of the other models."""
    ours, name = comparison.ours, measure(comparison.score_name)
    other = find_best_other(comparison)
    if other is None:
        return f"Too little was evaluated to compare the {ours} with another model."
    by_split = differences_by_split(comparison, other.model)
    score = fmean(one.score for one in comparison.of(ours) if one.split in by_split)
    scores = f"{name} {decimal(score)} and {decimal(score + other.difference)}"
    if other.low is None:
        pair = f"between the {ours} and {the(other.model)}"
        if len(by_split) == 1:
            return f"A single split shows no difference that could be trusted {pair}: {scores}."
        return f"The difference {pair} is the same in all splits, without an interval: {scores}."
    highs = [one.high for one in comparison.summaries if one.model != ours]
    if all(not is_missing(high) and high < 0 for high in highs):
        text = f"The {ours} is better than every other model; the next is {the(other.model)}"
    elif other.high < 0:
        text = f"The {ours} is better than the best other model, {the(other.model)}"
    elif other.low > 0:
        text = f"The {ours} is worse than {the(other.model)}"
    elif other.model == "constant":
        text = f"The {ours} is not better than a constant, as far as these rows can show"
    else:
        text = (
            f"These rows show no difference between the {ours} and the best other model, "
            f"{the(other.model)}"
        )
    reach = interval(-other.high, -other.low)
    return f"{text}: {scores}, 95 % interval of the difference {reach}."
