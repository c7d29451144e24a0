"""The models of a comparison, each set up as a careful user would, and the grids to tune them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from ..classifier import DistanceNetClassifier
from ..ensemble import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
from ..regressor import DistanceNetRegressor

__all__ = ["ENSEMBLE", "NET", "Candidate", "make_candidates"]

NET, ENSEMBLE, MLP = "distance net", "distance net ensemble", "MLP"
#: Columns of more levels are encoded by the mean target instead of an indicator for each level.
MAX_INDICATORS = 20
#: HistGradientBoosting takes columns of so many levels as they are.
MAX_NATIVE_LEVELS = 255


@dataclass(frozen=True)
class Candidate:
    """A model to evaluate.

    Attributes
    ----------
    name, description : str
    estimator : estimator
    grid : list of dict
        Settings to choose from, as `GridSearchCV` takes them; empty without tuning.
    """

    name: str
    description: str
    estimator: BaseEstimator
    grid: list[dict[str, Any]] = field(default_factory=list)


def split_columns(X, max_levels):
    """Return the names of numbers, and of columns with at most, and more than, `max_levels`."""
    words = X.select_dtypes("category").columns
    few = [name for name in words if X[name].nunique() <= max_levels]
    numbers = [name for name in X.columns if name not in set(words)]
    return numbers, few, [name for name in words if name not in set(few)]


def target_encoder(table, seed):
    """Return a cross-fitted encoder of levels by their mean target."""
    # "auto" takes whole numbers for classes.
    target_type = "auto" if table.is_classification else "continuous"
    # From scikit-learn 1.9 on, `random_state` is deprecated and `cv` takes the folds.
    if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9):
        return TargetEncoder(target_type=target_type, cv=KFold(5, shuffle=True, random_state=seed))
    return TargetEncoder(target_type=target_type, random_state=seed)


def preparation(table, seed, *, scale):
    """Return a transformer from a table's features to numbers.

    With `scale` numbers are imputed by the median, with an indicator for missing values, and
    standardised; random forests need neither.
    """
    numbers, few, many = split_columns(table.X, MAX_INDICATORS)
    scaler = [StandardScaler()] if scale else []
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    of_numbers = make_pipeline(imputer, *scaler) if scale else "passthrough"
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False)
    means = make_pipeline(target_encoder(table, seed), *scaler)
    columns = [("numbers", of_numbers, numbers), ("few", indicators, few), ("many", means, many)]
    return ColumnTransformer([column for column in columns if column[2]])


def with_levels(model, table, seed):
    """Return the model behind a target encoder for columns of more levels than it can take.

    Its settings have the same names without such columns: all rows of a file may have more levels
    than those that were compared.
    """
    many = split_columns(table.X, MAX_NATIVE_LEVELS)[2]
    if not many:
        return Pipeline([("prepare", "passthrough"), ("model", model)])
    encoder = ColumnTransformer(
        [("many", target_encoder(table, seed), many)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return Pipeline([("prepare", encoder.set_output(transform="pandas")), ("model", model)])


def scaled_target(regressor):
    return TransformedTargetRegressor(regressor, transformer=StandardScaler())


def net_candidate(table, seed, tune):
    kind = DistanceNetClassifier if table.is_classification else DistanceNetRegressor
    name = f"{kind.__name__}, on the columns as they are"
    if not tune:
        return Candidate(NET, f"{name}, at its defaults", kind(random_state=seed))
    # The first setting is the default. The hybrid begins with distances, so that it takes missing
    # values, and has relevances and novelty scores.
    starts = ["sample", "kmeans"]
    hybrid = {"hidden_layer_sizes": [(64, 64)], "activation": [("gaussian", "relu")]}
    grid = [{"init": starts, "learning_rate_init": ["auto", 0.02]}, {"init": starts, **hybrid}]
    return Candidate(NET, name, kind(random_state=seed), grid)


def ensemble_candidate(table, seed):
    kinds = DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
    kind = kinds[not table.is_classification]
    name = f"{kind.__name__}, on the columns as they are, at its defaults"
    return Candidate(ENSEMBLE, name, kind(random_state=seed))


def mlp_candidate(table, seed, tune):
    # A stronger penalty than the default, which overfits noisy tables.
    settings = {"alpha": 0.1, "random_state": seed}
    if table.is_classification:
        net, prefix = MLPClassifier(**settings), "model__"
    else:
        net, prefix = scaled_target(MLPRegressor(**settings)), "model__regressor__"
    grid = {"alpha": [0.1, 1e-4, 1.0], "learning_rate_init": [0.001, 0.003]}
    kind = "MLPClassifier" if table.is_classification else "MLPRegressor, target scaled"
    description = f"{kind}; features imputed, encoded and scaled"
    return make_candidate(MLP, description, table, seed, net, grid if tune else {}, prefix)


def boosting_candidate(table, seed, tune):
    kinds = HistGradientBoostingClassifier, HistGradientBoostingRegressor
    kind = kinds[not table.is_classification]
    model = with_levels(kind(random_state=seed), table, seed)
    grid = {"model__learning_rate": [0.1, 0.05, 0.2], "model__max_leaf_nodes": [31, 8]}
    description = f"{kind.__name__}, categories native"
    return Candidate("HistGradientBoosting", description, model, [grid] if tune else [])


def forest_candidate(table, seed, tune):
    kind = (RandomForestClassifier, RandomForestRegressor)[not table.is_classification]
    prepare = preparation(table, seed, scale=False)
    forest = Pipeline([("prepare", prepare), ("model", kind(random_state=seed))])
    grid = {"model__max_features": ["sqrt", 0.5], "model__min_samples_leaf": [1, 3, 10]}
    description = f"{kind.__name__}; categories encoded"
    return Candidate("random forest", description, forest, [grid] if tune else [])


def linear_candidate(table, seed, tune):
    if table.is_classification:
        model, name = LogisticRegression(max_iter=1000), "LogisticRegression"
        grid = {"C": list(np.logspace(-3, 2, 6))}
    else:
        model = Ridge() if tune else RidgeCV(alphas=np.logspace(-3, 3, 13))
        name, grid = "Ridge" if tune else "RidgeCV", {"alpha": list(np.logspace(-2, 3, 6))}
    description = f"{name}; features imputed, encoded and scaled"
    return make_candidate("linear model", description, table, seed, model, grid if tune else {})


def make_candidate(name, description, table, seed, model, grid, prefix="model__"):
    """Return a candidate whose model is behind the preparation that scales features."""
    prepare = preparation(table, seed, scale=True)
    grids = [{prefix + key: values for key, values in grid.items()}] if grid else []
    return Candidate(name, description, Pipeline([("prepare", prepare), ("model", model)]), grids)


def constant_candidate(table):
    if table.is_classification:
        return Candidate("constant", "the classes' frequencies", DummyClassifier(strategy="prior"))
    return Candidate("constant", "the mean target", DummyRegressor())


def make_candidates(table, *, tune=False, ensemble=False, random_state=0):
    """Return the models of a comparison by name, ours first.

    Parameters
    ----------
    table : Table
        From :func:`read_table`. The set-up depends on its task and kinds of columns.
    tune : bool, default=False
        Give each model a grid of six settings to choose from. An ensemble keeps its defaults.
    ensemble : bool, default=False
        Put an ensemble of distance nets first.
    random_state : int, default=0
        For all models.

    Returns
    -------
    candidates : dict of str to Candidate
        With the attributes `estimator` and `grid`.

    Examples
    --------
    >>> from skdistnet.compare import load_demo, make_candidates
    >>> candidates = make_candidates(load_demo())
    >>> list(candidates)[:3]
    ['distance net', 'MLP', 'HistGradientBoosting']
    >>> candidates["MLP"].estimator.named_steps["model"]
    MLPClassifier(alpha=0.1, random_state=0)
    """
    peers = [mlp_candidate, boosting_candidate, forest_candidate, linear_candidate]
    candidates = [ensemble_candidate(table, random_state)] if ensemble else []
    candidates += [make(table, random_state, tune) for make in (net_candidate, *peers)]
    candidates.append(constant_candidate(table))
    return {candidate.name: candidate for candidate in candidates}
