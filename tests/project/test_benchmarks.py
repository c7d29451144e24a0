"""The accuracy benchmark: ranks with ties, halves of the tables, encoding, cached results."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Return a function that imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


@pytest.fixture
def write_tables(tmp_path):
    """Return a function that writes random tables of a folder, and returns the folder."""

    def write(folder, **kinds):
        (tmp_path / folder).mkdir()
        rng = np.random.default_rng(0)
        for name, kind in kinds.items():
            y = rng.integers(2, size=30) if kind == "classes" else rng.standard_normal(30)
            np.savez(tmp_path / folder / f"{name}.npz", X=rng.standard_normal((30, 2)), y=y)
        return tmp_path / folder

    return write


# Ranks --------------------------------------------------------------------------------------------


def test_tied_scores_share_their_average_rank(load):
    ranks = load("_ranks").rank_models([[0.9, 0.902, 0.8, 0.95], [0.5, 0.6, 0.7, 0.8]])
    np.testing.assert_array_equal(ranks, [[2.5, 2.5, 4, 1], [4, 3, 2, 1]])


def test_failed_models_rank_last(load):
    ranks = load("_ranks").rank_models([[np.nan, -3.0, np.nan]])
    np.testing.assert_array_equal(ranks, [[2.5, 1, 2.5]])


def test_chained_ties_keep_the_sum_of_ranks(load):
    ranks = load("_ranks").rank_models([[0.900, 0.9015, 0.903]])
    np.testing.assert_array_equal(ranks, [[2.5, 2, 1.5]])


def test_interval_contains_the_mean_rank(load):
    ranks = np.random.default_rng(0).permuted(np.tile([1.0, 2, 3], (40, 1)), axis=1)
    low, high = load("_ranks").bootstrap_interval(ranks)
    assert np.all(low < ranks.mean(axis=0))
    assert np.all(ranks.mean(axis=0) < high)
    np.testing.assert_array_equal(load("_ranks").bootstrap_interval(ranks), (low, high))


def test_outcomes_count_failures_as_losses(load):
    own, others = [0.9, 0.5, np.nan, np.nan], [0.8, 0.501, 0.1, np.nan]
    assert load("_ranks").count_outcomes(own, others) == (1, 2, 1)


# Tables -------------------------------------------------------------------------------------------


def test_halves_alternate_within_folder_and_kind(load, write_tables):
    kinds = {"b": "classes", "a": "classes", "c": "numbers", "d": "classes", "e": "numbers"}
    folders = [write_tables("one", **kinds), write_tables("two", z="numbers")]
    halves = {table.name: table.half for table in load("_tables").read_folders(folders)}
    assert halves == {"a": "A", "b": "B", "d": "A", "c": "A", "e": "B", "z": "A"}


def test_selection_does_not_change_halves(load, write_tables):
    folder = write_tables("one", a="classes", b="classes", mnist="classes", n="classes")
    tables = load("_tables").read_folders([folder], only=["b", "mnist", "n"])
    assert {table.name: table.half for table in tables} == {"b": "B", "mnist": "", "n": "A"}


def test_repeated_names_get_their_folder(load, write_tables):
    folders = [write_tables("one", a="classes"), write_tables("two", a="numbers")]
    names = [table.name for table in load("_tables").read_folders(folders)]
    assert names == ["a", "two/a"]


def test_shares_loss_is_the_prior_log_loss(load):
    y = np.array([0, 0, 0, 1])
    table = load("_tables").Table("shares", np.zeros((4, 1)), y, classes=True)
    assert table.shares_loss == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))


# Encoding -----------------------------------------------------------------------------------------


def make_coded_table(load):
    """A number, a code of three levels with a missing one, and a code of thirty levels."""
    few = np.resize([0.0, 1.0, 2.0, np.nan], 30)
    X = np.column_stack([np.linspace(0, 1, 30), few, np.arange(30.0)])
    categorical = np.array([False, True, True])
    return load("_tables").Table("codes", X, np.arange(30) % 2, True, categorical)


def test_few_levels_are_one_hot(load):
    table = make_coded_table(load)
    encoded = load("_competitors").encode(table, np.arange(30))
    np.testing.assert_array_equal(encoded[:, :2], table.X[:, [0, 2]])
    np.testing.assert_array_equal(encoded[:4, 2:], np.eye(4))


def test_levels_outside_training_are_zero(load):
    table = make_coded_table(load)
    train = np.flatnonzero(table.X[:, 1] < 2)
    encoded = load("_competitors").encode(table, train)
    np.testing.assert_array_equal(encoded[:4, 2:], [[1, 0], [0, 1], [0, 0], [0, 0]])


def test_numbers_pass_unencoded(load):
    X = np.array([[0.0], [np.nan], [1.0]])
    table = load("_tables").Table("numbers", X, np.zeros(3), classes=False)
    assert load("_competitors").encode(table, np.arange(2)) is X


def test_frames_hold_codes_as_levels(load):
    native = load("_competitors").distance_net(categories="native")
    frame = load("_competitors").make_frame(make_coded_table(load), native)
    assert [dtype.name for dtype in frame.dtypes] == ["float64", "category", "category"]
    assert list(frame["x1"].cat.categories) == ["level 0", "level 1", "level 2"]
    np.testing.assert_array_equal(frame["x1"].isna()[:5], [False, False, False, True, False])


def test_missing_codes_become_a_level(load):
    strings = load("_competitors").distance_net(categories="strings")
    frame = load("_competitors").make_frame(make_coded_table(load), strings)
    assert frame["x1"][3] == "missing"


def test_many_levels_stay_numbers_for_hgb(load):
    hgb = next(peer for peer in load("_peers").CATEGORIES if peer.name == "HGB")
    codes = np.arange(300.0)[:, None]
    table = load("_tables").Table("many", np.hstack([codes, codes % 9]), codes, False)
    table.categorical = np.array([True, True])
    frame = load("_competitors").make_frame(table, hgb)
    assert [dtype.name for dtype in frame.dtypes] == ["float64", "category"]


# The script ---------------------------------------------------------------------------------------


def test_cached_peers_join_the_board(write_tables, tmp_path):
    folder, output = write_tables("one", a="classes", b="numbers"), tmp_path / "results.json"
    script = [sys.executable, BENCHMARKS / "accuracy.py", "--data", folder, "--output", output]
    for options in (["--models", "linear"], ["--models", "ours", "--set", "max_iter=2"]):
        run = subprocess.run([*script, *options], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
    content = json.loads(output.read_text(encoding="utf-8"))
    summary = content["summaries"]["ours, rows 3000, both halves"]
    assert [row["model"] for row in summary["all tables"]["ranks"]] == ["ours", "linear"]
    assert {len(result["score"]) for result in content["results"].values()} == {3}


def test_categories_have_their_own_board(write_tables, tmp_path):
    folder, output = write_tables("one", numbers="classes"), tmp_path / "results.json"
    X = np.column_stack([np.linspace(0, 1, 30), np.resize([0, 1, np.nan, 2], 30)])
    categorical = np.array([False, True])
    np.savez(folder / "words.npz", X=X, y=np.arange(30) % 2, categorical=categorical)
    script = [sys.executable, BENCHMARKS / "accuracy.py", "--data", folder, "--output", output]
    page = tmp_path / "page.md"
    categories = ["--categories", "--markdown", page, "--models", "ours one-hot", "MLP", "HGB"]
    for options in (["--models", "HGB"], categories):
        run = subprocess.run([*script, *options], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
    content = json.loads(output.read_text(encoding="utf-8"))
    summary = content["summaries"]["ours, rows 3000, both halves, categories"]
    assert [table["table"] for table in summary["tables"]] == ["words"]
    names = ["ours one-hot", "MLP", "HGB"]
    assert [row["model"] for row in summary["all tables"]["ranks"]] == names
    assert len(content["results"]) == 5
    assert not any("error" in result for result in content["results"].values())
    text = page.read_text(encoding="utf-8")
    assert text.index("### Accuracy") < text.index("### Mean ranks")
