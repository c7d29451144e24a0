"""The scorer that the parameter `scoring` names, checked against the rows that it is to score."""

from inspect import signature

from sklearn.metrics import check_scoring

__all__ = ["make_scorer"]


def takes_weights(scorer):
    """Whether a scorer takes `sample_weight`, by its signature; it does if it has none to read.

    scikit-learn's scorers all take it and pass it to their score function, which may not.
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


def make_scorer(estimator, weights):
    """The scorer of an estimator, and the keywords that it needs for rows of these weights.

    Raises
    ------
    ValueError
        Where rows have weights and the scorer takes none.
    """
    scorer = check_scoring(estimator, scoring=estimator.scoring)
    if weights is None:
        return scorer, {}
    if not takes_weights(scorer):
        raise ValueError(
            f"The 'scoring' parameter of {type(estimator).__name__}, {estimator.scoring!r}, takes "
            "no 'sample_weight', and rows have weights, by 'sample_weight' or 'class_weight': give "
            "one that does."
        )
    return scorer, {"sample_weight": weights}
