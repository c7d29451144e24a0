"""How sure a classifier is of its answers, and what is gained by giving only the surest."""

from numbers import Number

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_consistent_length, column_or_1d

from ._validation import check_sample_weight

__all__ = [
    "accuracy_coverage_curve",
    "certainties",
    "estimator_inside",
    "find_novelty_threshold",
]


def certainties(estimator, method, X, answers):
    """How sure a fitted classifier is of its answers about X: their probabilities, or its scores.

    The class answered is the most probable one, unless the classifier cuts elsewhere, as those of a
    threshold do.
    """
    values = np.asarray(getattr(estimator, method)(X))
    if method != "predict_proba":
        return values
    answered = np.asarray(answers)[:, np.newaxis] == np.asarray(estimator.classes_)
    return np.where(answered, values, 0).max(axis=1)


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
    """Raise if strings stand beside numbers: none would be right, and a slip is more likely."""
    for labels, others in ((y_true, y_pred), (y_pred, y_true)):
        text = next((label for label in labels if isinstance(label, str)), None)
        if text is not None and all(isinstance(label, Number | np.bool_) for label in others):
            raise ValueError(
                "'y_true' and 'y_pred' must be labels of one kind; got strings, such as "
                f"{str(text)!r}, and numbers, such as {others[0]}."
            )


def accuracy_coverage_curve(y_true, y_pred, certainty, *, sample_weight=None):
    """How accurate the answers are, by how many of them are given, the surest first.

    Take rows that the classifier was not trained on, and read off a threshold for the accuracy or
    the coverage that is wanted. Rows of one certainty are answered together or not at all.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_pred : array-like of shape (n_samples,)
        Answers, for all rows.
    certainty : array-like of shape (n_samples,)
        How sure each answer is, such as its top probability; higher is surer.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of rows, none of them negative.

    Returns
    -------
    coverages : ndarray of shape (n_thresholds,)
        Share of rows answered, rising up to 1.
    accuracies : ndarray of shape (n_thresholds,)
        Share of right answers among them.
    thresholds : ndarray of shape (n_thresholds,)
        The smallest certainty answered, falling.

    Raises
    ------
    ValueError
        For inputs of different lengths, without rows or of several columns, for strings beside
        numbers, and for a certainty that is NaN.

    See Also
    --------
    RejectingClassifier : Takes such a threshold.

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
    >>> float(thresholds[coverages >= 0.5][0])  # half of the rows, or more, are answered
    0.8
    """
    y_true, y_pred, certainty = map(column_or_1d, (y_true, y_pred, certainty))
    check_consistent_length(y_true, y_pred, certainty)
    check_same_kind(y_true, y_pred)
    is_right = y_true == y_pred
    if len(certainty) == 0 or np.isnan(certainty).any():
        raise ValueError("'certainty' must have a number for each row, and at least one row.")
    weights = check_sample_weight(sample_weight, len(certainty))
    weights = np.ones(len(certainty)) if weights is None else weights
    is_right, certainty = is_right[weights > 0], certainty[weights > 0]
    weights = weights[weights > 0]
    surest_first = np.argsort(-certainty, kind="stable")
    certainty, weights = certainty[surest_first], weights[surest_first]
    answered, right = np.cumsum(weights), np.cumsum(weights * is_right[surest_first])
    # The last row of each certainty.
    ends = np.append(np.flatnonzero(np.diff(certainty)), len(certainty) - 1)
    return answered[ends] / answered[-1], right[ends] / answered[ends], certainty[ends]
