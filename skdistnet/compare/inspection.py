"""A look into the net of a comparison: relevances, novelty, and scores after fewer rows."""

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.inspection import permutation_importance

from .evaluation import Job, predict, score_of
from .results import Inspection

__all__ = ["inspect_net", "learning_curve_jobs"]

#: Shares of the training rows, for learning curves.
SHARES = (0.1, 0.25, 0.5)
#: Smaller shares are left out.
MIN_ROWS = 20
#: Permutation importances are those of so many most relevant features, on so many held-out rows.
MAX_ROWS, MAX_FEATURES = 500, 100


def learning_curve_jobs(comparison, candidates, random_state):
    """Return jobs that fit models to shares of the first split's training rows.

    The split number of a job is the number of its training rows. Settings are those that were
    chosen in the first split.
    """
    table, (train, held_out) = comparison.table, comparison.splits[0]
    if table.time_column is None:
        train = np.random.default_rng(random_state).permutation(train)
    jobs = []
    for candidate in candidates:
        first = [one for one in comparison.of(candidate.name) if one.split == 0]
        if not first:
            continue
        estimator = clone(candidate.estimator).set_params(**first[0].setting)
        fixed = replace(candidate, estimator=estimator, grid=[])
        for n_rows in (int(share * len(train)) for share in SHARES):
            # The latest rows are the most like those to predict.
            rows = train[-n_rows:]
            if n_rows >= MIN_ROWS and len(np.unique(table.y[rows])) > 1:
                jobs.append(Job(fixed, n_rows, rows, held_out))
    return jobs


def importances_of(comparison, net, random_state):
    """Return means and standard deviations of permutation importances on held-out rows.

    Beyond the most relevant features they are NaN.
    """
    table, rows = comparison.table, comparison.splits[0][1]
    if len(rows) > MAX_ROWS:
        rows = np.random.default_rng(random_state).choice(rows, MAX_ROWS, replace=False)
    X = table.X.iloc[rows]
    most = np.sort(np.argsort(-net.feature_relevances_, kind="stable")[:MAX_FEATURES])

    def score(net, some, y):
        X_permuted = X.assign(**{name: some[name].to_numpy() for name in some.columns})
        return score_of(comparison.score_name, y, predict(table, net, X_permuted), table.classes)

    some, y = X.iloc[:, most], table.y[rows]
    found = permutation_importance(net, some, y, scoring=score, random_state=random_state)
    means, deviations = np.full((2, X.shape[1]), np.nan)
    means[most], deviations[most] = found.importances_mean, found.importances_std
    return means, deviations


def learning_curves(comparison, results):
    """Return numbers of training rows, and the scores after a fit to so many by model."""
    n_rows = sorted({result.split for result in results})
    curves = {}
    for model in comparison.models:
        by_size = {one.split: one.score for one in results if one.model == model}
        if by_size:
            last = next(one.score for one in comparison.of(model) if one.split == 0)
            curves[model] = np.array([*(by_size.get(size, np.nan) for size in n_rows), last])
    return np.array([*n_rows, len(comparison.splits[0][0])]), curves


def inspect_net(comparison, results, random_state):
    """Return an Inspection of the net that was fitted in the first split.

    `results` are those of :func:`learning_curve_jobs`.
    """
    first = next(one for one in comparison.of(comparison.ours) if one.split == 0)
    net, held_out = first.estimator, comparison.splits[0][1]
    importances, deviations = importances_of(comparison, net, random_state)
    train_sizes, curves = learning_curves(comparison, results)
    return Inspection(
        net=net,
        held_out=held_out,
        features=list(comparison.table.X.columns),
        relevances=net.feature_relevances_,
        importances=importances,
        importances_std=deviations,
        novelty_scores=net.score_samples(comparison.table.X.iloc[held_out]),
        novelty_threshold=float(net.novelty_threshold_),
        train_sizes=train_sizes,
        learning_curves=curves,
    )
