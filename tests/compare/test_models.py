"""The models of a comparison."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from compared_tables import make_table
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from skdistnet.compare import make_candidates

NAMES = ["MLP", "HistGradientBoosting", "random forest", "linear model", "constant"]
TASKS = ["classification", "regression"]


def with_words(table, n_levels):
    """Return the table with a further column of as many words."""
    words = pd.Categorical([f"word {n % n_levels}" for n in range(len(table.X))])
    return make_table(len(table.X), table.task, X=table.X.assign(word=words))


@pytest.mark.parametrize("task", TASKS)
def test_ours_is_first(task):
    table = make_table(task=task)
    assert list(make_candidates(table)) == ["distance net", *NAMES]
    names = ["distance net ensemble", "distance net", *NAMES]
    assert list(make_candidates(table, ensemble=True)) == names


def shortened(model):
    """Return a copy of the model with few epochs or trees."""
    few = {"max_iter": 3, "n_estimators": 3}
    names = {key: key.rpartition("__")[2] for key in model.get_params()}
    return clone(model).set_params(**{key: few[name] for key, name in names.items() if name in few})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["distance net", *NAMES])
@pytest.mark.parametrize("n_levels", [2, 30])
def test_models_take_words_and_gaps(task, name, n_levels):
    table = with_words(make_table(task=task), n_levels)
    model = shortened(make_candidates(table)[name].estimator)
    model.fit(table.X[:50], table.y[:50])
    assert len(model.predict(table.X[50:])) == 10
    new = table.X[50:].assign(colour=pd.Categorical(["unseen"] * 10), size=np.nan)
    assert len(model.predict(new)) == 10


def test_missing_numbers_have_indicators():
    table = make_table()
    model = make_candidates(table)["linear model"].estimator.fit(table.X, table.y)
    # Two numbers, an indicator, and three colours with missing ones.
    assert model[:-1].transform(table.X).shape == (60, 7)


def test_whole_numbers_of_regression_are_no_classes():
    table = with_words(make_table(task="regression"), 30)
    table = replace(table, y=np.round(table.y))
    model = make_candidates(table)["linear model"].estimator.fit(table.X, table.y)
    encoder = model.named_steps["prepare"].named_transformers_["many"][0]
    assert encoder.target_type_ == "continuous"


def test_boosting_encodes_more_than_255_levels():
    table = with_words(make_table(600), 300)
    model = make_candidates(table)["HistGradientBoosting"].estimator
    model = shortened(model).fit(table.X, table.y)
    assert model.predict(table.X[:3]).shape == (3,)


@pytest.mark.parametrize("task", TASKS)
def test_each_grid_has_six_valid_settings(task):
    candidates = make_candidates(make_table(task=task), tune=True)
    for candidate in candidates.values():
        settings = list(ParameterGrid(candidate.grid)) if candidate.grid else []
        assert len(settings) == (0 if candidate.name == "constant" else 6)
        for setting in settings:
            clone(candidate.estimator).set_params(**setting)


@pytest.mark.parametrize("task", TASKS)
def test_first_setting_of_the_net_is_the_default(task):
    net = make_candidates(make_table(task=task), tune=True)["distance net"]
    first = next(iter(ParameterGrid(net.grid)))
    default = type(net.estimator)().get_params()
    assert first == {name: default[name] for name in first}


@pytest.mark.parametrize("task", TASKS)
def test_every_setting_takes_gaps(task):
    table = make_table(task=task)
    net = make_candidates(table, tune=True)["distance net"]
    for setting in ParameterGrid(net.grid):
        model = shortened(net.estimator).set_params(**setting).fit(table.X, table.y)
        assert len(model.feature_relevances_) == 3
