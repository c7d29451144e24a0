"""The benchmark of sequences: which steps are predicted, from what, and how results are shown."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Return a function that imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


class StepRegressor(BaseEstimator):
    """A line through the inputs and targets of all steps, in the form of a recurrent net."""

    def fit(self, X, y):
        assert X.shape == (1, y.shape[1], 1)
        self.line_ = np.polyfit(X[0, :, 0], y[0], 1)
        return self

    def predict(self, X):
        return np.polyval(self.line_, X[:, :, 0])


class NearestToLast(LinearRegression):
    """Return the last value of each window."""

    def predict(self, X):
        return X[:, -1]


# Forecasts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [1, 7])
def test_models_predict_the_same_steps(load, horizon):
    series = load("_sequence_series")
    forecast = series.Forecast("line", 2.0 * np.arange(60), 40, horizon)
    windows = series.predict_from_windows(forecast, (5, LinearRegression()), 0)
    steps = series.predict_recurrently(forecast, StepRegressor(), 0)
    np.testing.assert_allclose(windows, forecast.values[40:])
    np.testing.assert_allclose(steps, forecast.values[40:])


@pytest.mark.parametrize("horizon", [1, 7])
def test_windows_end_the_horizon_before_targets(load, horizon):
    series = load("_sequence_series")
    forecast = series.Forecast("noise", np.random.default_rng(0).normal(size=60), 40, horizon)
    last = series.predict_last_value(forecast, None, 0)
    np.testing.assert_array_equal(last, forecast.values[40 - horizon : 60 - horizon])
    windows = series.predict_from_windows(forecast, (5, NearestToLast()), 0)
    np.testing.assert_array_equal(windows, last)


def test_settings_are_chosen_before_the_test(load):
    series = load("_sequence_series")
    values = np.random.default_rng(0).normal(size=60)
    forecast = series.Forecast("noise", values, 40, 1)
    other = series.Forecast("noise", np.r_[values[:40], np.full(20, np.nan)], 40, 1)
    grid = [(n_lags, LinearRegression()) for n_lags in (1, 2, 3)]
    choices = [series.choose(task, series.predict_from_windows, grid) for task in (forecast, other)]
    assert choices[0] == choices[1]


# Sets and memory ----------------------------------------------------------------------------------


def test_stretching_keeps_ends_and_lines(load):
    stretched = load("_sequence_sets").stretch([np.array([[0.0, 1, 2], [4, 4, 4]])], 5)
    np.testing.assert_allclose(stretched, [[[0, 0.5, 1, 1.5, 2], [4, 4, 4, 4, 4]]])


def test_recurrent_nets_get_steps_first(load):
    sequences, y = [np.zeros((2, 5)), np.zeros((2, 7))], np.array([0, 1])
    task = load("_sequence_sets").SequenceSet("zeros", sequences, y, sequences, y)
    assert [part.shape for part in task.step_major()[0]] == [(5, 2), (7, 2)]
    assert task.flattened()[1].shape == (2, 14)


def test_adding_marks_one_step_of_each_half(load):
    X, y = load("_sequence_memory").draw_adding(20, 10, np.random.default_rng(0))
    np.testing.assert_array_equal(X[:, :5, 1].sum(axis=1), 1)
    np.testing.assert_array_equal(X[:, 5:, 1].sum(axis=1), 1)
    np.testing.assert_allclose(y, [x[x[:, 1] == 1, 0].sum() for x in X])


# Tables -------------------------------------------------------------------------------------------


def test_models_without_all_seeds_are_omitted(load, tmp_path):
    runs = load("_sequence_runs")
    ledger = load("_depth_runs").Ledger(tmp_path / "results.json", "sequences")
    jobs = [
        runs.Job("task", model, "", seed, lambda ledger: {"score": 0.5, "seconds": 1.0})
        for model in ("MLP", "HGB")
        for seed in range(2)
    ]
    runs.run_jobs(jobs[:3], ledger)
    assert list(runs.collect(jobs, ledger)) == [("task", "MLP")]


def test_cells_show_the_range_of_seeds(load):
    results = {
        ("task", "MLP"): [{"score": 0.5}, {"score": 0.75}],
        ("task", "HGB"): [{"score": 0.25}],
    }
    row = load("_sequence_tables").rows_of({"task": {"classes": 2}}, results)[0]
    assert row["MLP"] == "0.625 (0.5 to 0.75)"
    assert (row["classes"], row["HGB"]) == (2, "0.25")
