"""Scorers for the parameter `scoring`, checked for support of sample weights."""

from inspect import signature

from sklearn.metrics import check_scoring

__all__ = ["check_scorer"]


def takes_weights(scorer):
    """Return whether the signature of a scorer has `sample_weight`; True if it cannot be read.

    All of scikit-learn's scorers accept it and pass it to their score function, which may not.
    """
    try:
        parameters = signature(getattr(scorer, "_score_func", scorer))
    except (TypeError, ValueError):
        return True
    try:
        parameters.bind_partial(sample_weight=None)
    except TypeError:
        return False
    return True


def check_scorer(estimator, weights):
    """Return the scorer of an estimator, and its keyword arguments for rows of these weights.

    Raises
    ------
    ValueError
        If rows have weights and the scorer does not accept `sample_weight`.
    """
    scorer = check_scoring(estimator, scoring=estimator.scoring)
    if weights is None:
        return scorer, {}
    if not takes_weights(scorer):
        raise ValueError(
            f"The 'scoring' parameter of {type(estimator).__name__}, {estimator.scoring!r}, takes "
            "no 'sample_weight', but rows have weights from 'sample_weight' or 'class_weight': "
            "pass a scorer that takes it."
        )
    return scorer, {"sample_weight": weights}
