"""Accuracy of the most confident predictions by the share of rows they cover."""

from numbers import Number, Real

import numpy as np
from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

from ._base.validation import check_sample_weight

__all__ = ["accuracy_coverage_curve", "check_same_kind"]


def check_same_kind(y_true, y_pred):
    """Raise a ValueError if one side holds strings and the other only numbers or bytes."""
    # No labels would be equal, which is more likely a mistake of the caller.
    for labels, others in ((y_true, y_pred), (y_pred, y_true)):
        text = next((label for label in labels if isinstance(label, str)), None)
        if text is not None and all(isinstance(one, Number | np.bool_ | bytes) for one in others):
            kind = "bytes" if isinstance(others[0], bytes) else "numbers"
            raise ValueError(
                "'y_true' and 'y_pred' must be labels of one kind; got strings, such as "
                f"{str(text)!r}, and {kind}, such as {others[0]}."
            )


def check_confidence(confidence):
    """Return `confidence` as float64, in which negation and comparison keep its order."""
    kind = confidence.dtype.kind
    of_numbers = kind == "O" and all(isinstance(one, Real | np.bool_) for one in confidence)
    if kind not in "biuf" and not of_numbers:
        raise ValueError(
            "'confidence' must hold a real number for each row; got an array of dtype "
            f"{confidence.dtype}: {confidence[:3]}."
        )
    confidence = confidence.astype(np.float64)
    if len(confidence) == 0 or np.isnan(confidence).any():
        raise ValueError(
            "'confidence' must hold a number for each row and at least one row; got "
            f"{np.count_nonzero(np.isnan(confidence))} NaN in {len(confidence)} rows."
        )
    return confidence


def accuracy_coverage_curve(y_true, y_pred, confidence, *, sample_weight=None):
    """Compute the accuracy of the most confident predictions by the share of rows they cover.

    Use rows that the classifier was not trained on, and read off the threshold for the accuracy or
    the coverage that you want. Rows of equal confidence are accepted or rejected together.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_pred : array-like of shape (n_samples,)
        Predicted labels of all rows.
    confidence : array-like of shape (n_samples,)
        Confidence in each prediction, such as its probability; higher is more confident. Real
        numbers of any dtype, which are compared as float64; they may be infinite.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights of rows.

    Returns
    -------
    coverages : ndarray of shape (n_thresholds,)
        Share of rows accepted, increasing up to 1.
    accuracies : ndarray of shape (n_thresholds,)
        Accuracy of the predictions for these rows.
    thresholds : ndarray of float64 of shape (n_thresholds,)
        The smallest confidence accepted, decreasing.

    Raises
    ------
    ValueError
        For inputs of different lengths, without rows or of several columns; for strings in one of
        `y_true` and `y_pred` and only numbers or bytes in the other; for masked values; for NaN or
        infinity in `y_true`; and for a confidence that is NaN or not a real number.

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
    >>> confidence = [0.9, 0.8, 0.7, 0.6]
    >>> coverages, accuracies, thresholds = accuracy_coverage_curve(
    ...     ["a", "b", "b", "a"], ["a", "b", "a", "a"], confidence
    ... )
    >>> coverages.tolist(), accuracies[:2].tolist(), accuracies[3].tolist()
    ([0.25, 0.5, 0.75, 1.0], [1.0, 1.0], 0.75)
    >>> float(thresholds[coverages >= 0.5][0])  # accepts at least half of the rows
    0.8
    """
    for name, values in {"y_true": y_true, "y_pred": y_pred, "confidence": confidence}.items():
        if np.ma.is_masked(values):
            raise ValueError(f"{name!r} must have no masked values: remove masked rows first.")
    y_true, y_pred, confidence = map(column_or_1d, (y_true, y_pred, confidence))
    check_consistent_length(y_true, y_pred, confidence)
    confidence = check_confidence(confidence)
    assert_all_finite(y_true, input_name="y_true")
    check_same_kind(y_true, y_pred)
    weights = check_sample_weight(1.0 if sample_weight is None else sample_weight, len(y_true))
    order = np.argsort(-confidence, kind="stable")
    order = order[weights[order] > 0]
    confidence, weights, is_right = confidence[order], weights[order], (y_true == y_pred)[order]
    accepted, right = np.cumsum(weights), np.cumsum(weights * is_right)
    # The last row of each confidence; a difference of equal infinities would be NaN.
    ends = np.append(np.flatnonzero(confidence[1:] != confidence[:-1]), len(confidence) - 1)
    return accepted[ends] / accepted[-1], right[ends] / accepted[ends], confidence[ends]
