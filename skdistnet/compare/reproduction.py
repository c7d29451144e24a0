"""Lines of Python that reproduce the model that a comparison recommends."""

from collections import Counter

from sklearn.base import clone

from .models import ENSEMBLE, NET
from .statistics import find_best_other

__all__ = ["chosen_setting", "code_lines"]


def chosen_setting(comparison, model):
    """Return the setting that most splits chose for a model; empty without tuning."""
    results = comparison.of(model)
    counts = Counter(repr(result.setting) for result in results)
    most = counts.most_common(1)[0][0]
    return next(result.setting for result in results if repr(result.setting) == most)


def recommended(comparison):
    """Return ours, or the other model if it is better beyond doubt."""
    other = find_best_other(comparison)
    is_better = other is not None and other.low is not None and other.low > 0
    return other.model if is_better else comparison.ours


def code_lines(comparison, candidates, reading):
    """Return lines of Python that fit the recommended model to all rows.

    They are empty if that model has no result.

    Parameters
    ----------
    comparison : Comparison
    candidates : dict of str to Candidate
    reading : str
        The call that returns the table.
    """
    name = recommended(comparison)
    if not comparison.of(name):
        return ""
    setting = chosen_setting(comparison, name)
    function = reading.partition("(")[0]
    if name in (NET, ENSEMBLE):
        estimator = clone(candidates[name].estimator).set_params(**setting)
        lines = [
            f"from skdistnet import {type(estimator).__name__}",
            f"from skdistnet.compare import {function}",
            "",
            f"table = {reading}",
            f"model = {estimator!r}",
        ]
    else:
        tune = "tune=True, " if setting else ""
        seed = comparison.settings["random state"]
        lines = [
            f"from skdistnet.compare import make_candidates, {function}",
            "",
            f"table = {reading}",
            f"candidates = make_candidates(table, {tune}random_state={seed})",
            f"model = candidates[{name!r}].estimator",
        ]
        lines += [f"model.set_params(**{setting!r})"] if setting else []
    return "\n".join([*lines, "model.fit(table.X, table.y)"]) + "\n"
