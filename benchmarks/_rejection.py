"""How many errors are left when the least certain answers are not given."""

import numpy as np
from _harness import quiet
from scipy.special import xlogy
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

__all__ = ["COVERAGES", "entropy", "errors_by_coverage", "margin", "top_probability"]

#: Shares of rows that are answered.
COVERAGES = (1.0, 0.95, 0.9, 0.8)
N_FOLDS = 5


def top_probability(model, X):
    """How sure a classifier is of its answers."""
    return model.predict_proba(X).max(axis=1)


def margin(model, X):
    """How far the most probable class is ahead of the next."""
    *_, second, first = np.sort(model.predict_proba(X), axis=1).T
    return first - second


def entropy(model, X):
    """Minus the entropy of the probabilities: high where they are all on one class."""
    probabilities = model.predict_proba(X)
    return xlogy(probabilities, probabilities).sum(axis=1)


def errors_by_coverage(model_of, X, y, tellers, seed):
    """Error among the rows that are answered, by shuffled and stratified 5-fold cross-validation.

    In each fold the rows of lowest certainty are rejected, just as many as the coverage says, and
    rows of all folds are counted together.

    Parameters
    ----------
    model_of : callable
        Takes a seed and returns an unfitted classifier.
    X, y : ndarray of shape (n_samples, n_features), (n_samples,)
    tellers : dict of str to callable
        From model and rows to certainties, higher is more certain; by name.
    seed : int
        Of the folds and of the model.

    Returns
    -------
    errors : dict of str to dict of float to float
        Error by teller and coverage.
    """
    wrong = {name: np.zeros(len(COVERAGES)) for name in tellers}
    answered = np.zeros(len(COVERAGES))
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    for train, test in splitter.split(X, y):
        with quiet(), threadpool_limits(1):
            model = model_of(seed).fit(X[train], y[train])
        is_wrong = model.predict(X[test]) != y[test]
        kept = np.round(np.multiply(COVERAGES, len(test))).astype(int)
        answered += kept
        for name, tell in tellers.items():
            surest_first = np.argsort(-tell(model, X[test]), kind="stable")
            wrong[name] += np.cumsum(is_wrong[surest_first])[kept - 1]
    return {name: dict(zip(COVERAGES, counts / answered)) for name, counts in wrong.items()}
