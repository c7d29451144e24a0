"""The lines of Python that fit the recommended model."""

import pytest
from compared_tables import make_comparison, make_table

from skdistnet.compare import make_candidates
from skdistnet.compare.inspection import learning_curve_jobs
from skdistnet.compare.reproduction import chosen_setting, code_lines
from skdistnet.compare.splits import make_splits
from skdistnet.compare.statistics import summarize

NET, BOOSTING = "distance net", "HistGradientBoosting"
HYBRID = {"hidden_layer_sizes": (64, 64), "activation": ("gaussian", "relu"), "init": "sample"}
FASTER = {"init": "kmeans", "learning_rate_init": 0.02}


def compared(scores, settings=None):
    """Return a comparison with the settings of each split by model, and its candidates."""
    table = make_table(120)
    comparison = make_comparison(table, make_splits(table, 3, 1, 0)[0], scores)
    for result in comparison.results:
        if settings is not None and result.model in settings:
            result.setting.update(settings[result.model][result.split])
    comparison.summaries = summarize(comparison)
    return comparison, make_candidates(table, tune=settings is not None)


@pytest.fixture
def run(monkeypatch):
    """Return a function that returns the model of the lines after their fit to a table."""

    def run_lines(lines, table):
        monkeypatch.setattr("skdistnet.compare.read_table", lambda: table)
        names = {}
        exec(lines, names)
        return names["model"]

    return run_lines


def test_setting_of_most_splits_is_chosen():
    comparison, _ = compared({NET: [0.5] * 3}, {NET: [HYBRID, FASTER, FASTER]})
    assert chosen_setting(comparison, NET) == FASTER


def test_learning_curves_leave_the_lines_alone(run):
    comparison, candidates = compared({NET: [0.5] * 3}, {NET: [HYBRID, FASTER, FASTER]})
    learning_curve_jobs(comparison, [candidates[NET]], 0)
    lines = code_lines(comparison, candidates, "read_table()")
    assert "init='kmeans', learning_rate_init=0.02, random_state=0)" in lines
    assert "hidden_layer_sizes" not in lines
    assert run(lines, comparison.table).init == "kmeans"


@pytest.mark.parametrize("tuned", [False, True])
def test_better_model_is_recommended(run, tuned):
    setting = {"model__learning_rate": 0.05, "model__max_leaf_nodes": 8}
    settings = {BOOSTING: [setting] * 3} if tuned else None
    scores = {NET: [0.5, 0.51, 0.52], BOOSTING: [0.9, 0.91, 0.93]}
    comparison, candidates = compared(scores, settings)
    lines = code_lines(comparison, candidates, "read_table()")
    assert ("tune=True" in lines) == tuned
    model = run(lines, comparison.table).named_steps["model"]
    assert model.learning_rate == (0.05 if tuned else 0.1)


def test_net_is_recommended_in_doubt():
    comparison, candidates = compared({NET: [0.5, 0.8, 0.6], BOOSTING: [0.9, 0.6, 0.8]})
    assert "DistanceNetClassifier" in code_lines(comparison, candidates, "read_table()")


def test_model_without_results_has_no_lines():
    comparison, candidates = compared({NET: [None], BOOSTING: [0.9]})
    assert code_lines(comparison, candidates, "read_table()") == ""
