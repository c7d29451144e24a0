"""Confidence of a classifier in its predictions, and accuracy by the share of rows predicted."""

from numbers import Number, Real

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

from ._base.constraints import check_sample_weight

__all__ = [
    "accuracy_coverage_curve",
    "certainties",
    "check_same_kind",
    "estimator_inside",
    "find_novelty_threshold",
]


def certainties(estimator, method, X, labels):
    """Return the probability of each predicted label, or the score of each row, as float64.

    The predicted label is the most probable one, unless the classifier decides otherwise, as one
    with a decision threshold of its own does. For "score_samples" `labels` are not used.
    """
    # Compared in its own dtype, such as float32, a threshold would be rounded.
    values = np.asarray(getattr(estimator, method)(X), dtype=np.float64)
    if method != "predict_proba":
        return values
    predicted = np.asarray(labels)[:, np.newaxis] == np.asarray(estimator.classes_)
    return np.where(predicted, values, 0).max(axis=1)


def estimator_inside(estimator):
    """The one by which a pipeline, a search or a frozen estimator answers; None for others."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if hasattr(estimator, "steps"):
        return estimator.steps[-1][1]
    return getattr(estimator, "best_estimator_", None)


def find_novelty_threshold(estimator):
    """That of the classifier, or of the one that a pipeline or a search ends in; None if none."""
    while estimator is not None:
        try:
            return estimator.novelty_threshold_
        except NotFittedError:
            raise  # it would have one: says what to do
        except AttributeError:
            estimator = estimator_inside(estimator)
    return None


def check_same_kind(y_true, y_pred):
    """Raise a ValueError for strings on one side and only numbers or bytes on the other.

    No labels would be equal, which is more likely the caller's error than the classifier's.
    """
    for labels, others in ((y_true, y_pred), (y_pred, y_true)):
        text = next((label for label in labels if isinstance(label, str)), None)
        if text is not None and all(isinstance(one, Number | np.bool_ | bytes) for one in others):
            kind = "bytes" if isinstance(others[0], bytes) else "numbers"
            raise ValueError(
                "'y_true' and 'y_pred' must be labels of one kind; got strings, such as "
                f"{str(text)!r}, and {kind}, such as {others[0]}."
            )


def check_certainty(certainty):
    """Return `certainty` as float64, so that negation and comparison keep its order.

    Raises
    ------
    ValueError
        For NaN, strings, dates and other objects that are not real numbers, and without rows.
    """
    is_number = certainty.dtype.kind in "biuf" or (
        certainty.dtype.kind == "O" and all(isinstance(one, Real | np.bool_) for one in certainty)
    )
    if not is_number:
        raise ValueError(
            "'certainty' must hold a real number for each row; got an array of dtype "
            f"{certainty.dtype}: {certainty[:3]}."
        )
    certainty = certainty.astype(np.float64)
    if len(certainty) == 0 or np.isnan(certainty).any():
        raise ValueError(
            "'certainty' must hold a number for each row and at least one row; got "
            f"{np.count_nonzero(np.isnan(certainty))} NaN in {len(certainty)} rows."
        )
    return certainty


def accuracy_coverage_curve(y_true, y_pred, certainty, *, sample_weight=None):
    """Compute the accuracy of the most confident predictions by the share of rows they cover.

    Use rows that the classifier was not trained on, and read off the threshold for the accuracy or
    the coverage that you want. Rows of equal certainty are accepted or rejected together.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_pred : array-like of shape (n_samples,)
        Predicted labels of all rows.
    certainty : array-like of shape (n_samples,)
        Confidence in each prediction, such as its probability; higher is more confident. Real
        numbers of any dtype, infinite ones too, which are compared as float64.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of rows.

    Returns
    -------
    coverages : ndarray of shape (n_thresholds,)
        Share of rows accepted, increasing up to 1.
    accuracies : ndarray of shape (n_thresholds,)
        Accuracy of the predictions for these rows.
    thresholds : ndarray of float64 of shape (n_thresholds,)
        The smallest certainty accepted, decreasing.

    Raises
    ------
    ValueError
        For inputs of different lengths, without rows or of several columns; for strings in one of
        `y_true` and `y_pred` and only numbers or bytes in the other; for masked values, for NaN or
        infinity in `y_true`, and for a certainty that is NaN or no real number.

    See Also
    --------
    RejectingClassifier : Rejects rows by such a threshold.

    References
    ----------
    .. [1] R. El-Yaniv, Y. Wiener, "On the foundations of noise-free selective classification",
       Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from skdistnet import accuracy_coverage_curve
    >>> certainty = [0.9, 0.8, 0.7, 0.6]
    >>> coverages, accuracies, thresholds = accuracy_coverage_curve(
    ...     ["a", "b", "b", "a"], ["a", "b", "a", "a"], certainty
    ... )
    >>> coverages.tolist(), accuracies[:2].tolist(), accuracies[3].tolist()
    ([0.25, 0.5, 0.75, 1.0], [1.0, 1.0], 0.75)
    >>> float(thresholds[coverages >= 0.5][0])  # accepts at least half of the rows
    0.8
    """
    for name, values in {"y_true": y_true, "y_pred": y_pred, "certainty": certainty}.items():
        if np.ma.is_masked(values):
            raise ValueError(f"{name!r} must have no masked values: remove masked rows first.")
    y_true, y_pred, certainty = map(column_or_1d, (y_true, y_pred, certainty))
    check_consistent_length(y_true, y_pred, certainty)
    certainty = check_certainty(certainty)
    assert_all_finite(y_true, input_name="y_true")
    check_same_kind(y_true, y_pred)
    is_right = y_true == y_pred
    weights = check_sample_weight(sample_weight, len(certainty))
    weights = np.ones(len(certainty)) if weights is None else weights
    is_right, certainty = is_right[weights > 0], certainty[weights > 0]
    weights = weights[weights > 0]
    order = np.argsort(-certainty, kind="stable")
    certainty, weights = certainty[order], weights[order]
    accepted, right = np.cumsum(weights), np.cumsum(weights * is_right[order])
    # The last row of each certainty. A difference of equal infinities would not be zero but NaN.
    ends = np.append(np.flatnonzero(certainty[1:] != certainty[:-1]), len(certainty) - 1)
    return accepted[ends] / accepted[-1], right[ends] / accepted[ends], certainty[ends]
