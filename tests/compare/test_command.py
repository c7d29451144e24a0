"""The command ``compare`` from its arguments to what it prints and writes."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from compared_tables import make_table

from skdistnet.__main__ import main
from skdistnet.compare import command, make_candidates
from skdistnet.compare.evaluation import Stopped

QUICK = ["--folds", "2", "--n-jobs", "1"]


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = make_table(60)
    table.X.assign(y=table.y).to_csv("a.csv", index=False)
    return tmp_path


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a model was trained")

    monkeypatch.setattr(command, "run_jobs", refuse)


def write(**columns):
    pd.DataFrame(columns).to_csv("a.csv", index=False)


def check_refusal(code, captured, message):
    assert code == 2
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert captured.out == ""


NUMBERS = np.random.default_rng(0).normal(size=40)
HALVES = np.arange(40) % 2

BAD_ARGUMENTS = {
    "no file": ([], "name a file, or --demo"),
    "file and demo": (["a.csv", "--demo"], "name a file, or --demo"),
    "demo with target": (["--demo", "--target", "y"], "--demo has a target of its own"),
    "no such file": (["b.csv", "--target", "y"], "b.csv"),
    "no target": (["a.csv"], "--target is missing; columns of a.csv"),
    "no such target": (["a.csv", "--target", "z"], "no column 'z'"),
    "two kinds of splits": (["a.csv", "--groups", "y", "--time", "y"], "choose one of them"),
    "repeated time": (["a.csv", "--time", "y", "--repeats", "2"], "leave out --repeats"),
    "one fold": (["a.csv", "--folds", "1"], "must be a whole number from 2; got '1'"),
    "no seed": (["a.csv", "--random-state", "4294967296"], "must be a whole number from 0 to"),
    "no option": (["a.csv", "--models", "all"], "unrecognized arguments: --models all"),
    "no task": (["a.csv", "--task", "ranking"], "invalid choice: 'ranking'"),
    "regression of words": (["a.csv", "--target", "y", "--task", "regression"], "holds words"),
    "folder of the report": (["a.csv", "--report", "b/c.html"], "there is no folder b"),
    "report is a folder": (["a.csv", "--report", "."], "--report must be a file; . is a folder"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_are_refused(in_folder, no_training, capsys, arguments, message):
    code = main(["compare", "--report", "page.html", *arguments])
    check_refusal(code, capsys.readouterr(), message)
    assert os.listdir() == ["a.csv"]


BAD_TABLES = {
    "one class": ({"y": ["only"] * 40}, [], "has the single value 'only'"),
    "one number": ({"y": [2.5] * 40}, [], "has the single value '2.5'"),
    "few rows": (
        {"y": ["a", "b"] * 20, "gap": [None] * 35 + [1] * 5},
        ["--groups", "gap"],
        "5 rows",
    ),
    "rare classes": (
        {"y": ["a"] * 20 + list("bcdefghij") * 2 + ["k", "l"]},
        [],
        "11 of the 12 classes of",
    ),
    "many folds": ({"y": NUMBERS}, ["--folds", "30"], "40 rows are too few for 30 folds"),
    "few groups": (
        {"y": ["a", "b"] * 20, "who": [1, 1, 2, 2] * 10},
        ["--groups", "who"],
        "2 groups are too few for 5 folds",
    ),
}


@pytest.mark.parametrize(("columns", "options", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables_are_refused(in_folder, no_training, capsys, columns, options, message):
    write(a=NUMBERS, **columns)
    code = main(["compare", "a.csv", "--target", "y", "--report", "page.html", *options])
    check_refusal(code, capsys.readouterr(), message)
    assert os.listdir() == ["a.csv"]


def test_unwritable_folder_is_refused(in_folder, no_training, capsys, monkeypatch):
    from skdistnet.compare import arguments

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(arguments.tempfile, "TemporaryFile", refuse)  # root may write anywhere
    code = main(["compare", "a.csv", "--target", "y", "--report", "page.html"])
    check_refusal(code, capsys.readouterr(), "--report page.html cannot be written: Permission")


@pytest.mark.parametrize("package", ["pandas", "rich", "jinja2", "matplotlib"])
def test_missing_package_is_named(in_folder, no_training, capsys, monkeypatch, package):
    from skdistnet.compare import arguments

    find = arguments.find_spec
    monkeypatch.setattr(
        arguments, "find_spec", lambda name: None if name == package else find(name)
    )
    code = main(["compare", "a.csv", "--target", "y", "--report", "page.html"])
    message = f"needs {package}: pip install 'skdistnet[report]'"
    check_refusal(code, capsys.readouterr(), message)


def test_models_are_compared(in_folder, capsys):
    code = main(["compare", "a.csv", "--target", "y", *QUICK])
    captured = capsys.readouterr()
    assert code == 0
    assert "a.csv: classification of 'y' (3 classes), 60 rows, 3 features" in captured.out
    assert "2 folds, stratified by class" in captured.out
    body = captured.out.partition("───\n")[2].splitlines()
    names = ["distance net", "MLP", "HistGradientBoosting", "random forest", "linear model"]
    assert [line.partition("  ")[0].strip() for line in body[:5]] == names
    assert "95 % interval of the difference" in captured.out
    assert captured.err.count("\n") == 13
    assert "[12 of 12]" in captured.err
    assert os.listdir() == ["a.csv"]


def test_regression_is_compared(in_folder, capsys):
    write(a=NUMBERS, b=HALVES, y=NUMBERS * 100)
    assert main(["compare", "a.csv", "--target", "y", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "regression of 'y', 40 rows, 2 features" in out
    assert all(name in out for name in ("R^2", "MAE", "calibration"))


def test_report_is_written(in_folder, capsys):
    code = main(["compare", "a.csv", "--target", "y", "--report", "page.html", *QUICK])
    assert code == 0
    assert f"Report: {(in_folder / 'page.html').resolve()}" in capsys.readouterr().out
    page = (in_folder / "page.html").read_text(encoding="utf-8")
    assert "permutation importance" in page.lower()
    assert "read_table(&#39;a.csv&#39;, target=&#39;y&#39;)" in page
    assert sorted(os.listdir()) == ["a.csv", "page.html"]


def test_options_reach_the_comparison(in_folder, monkeypatch):
    def few(*args, **kwargs):
        candidates = make_candidates(*args, **kwargs)
        return {name: candidates[name] for name in ("distance net", "constant")}

    written = []
    monkeypatch.setattr(command, "make_candidates", few)
    monkeypatch.setattr(command, "write_report", lambda *args: written.append(args[0]))
    options = ["--max-rows", "40", "--repeats", "2", "--task", "classification", *QUICK]
    assert main(["compare", "a.csv", "--target", "y", "--report", "page.html", *options]) == 0
    comparison = written[0]
    assert len(comparison.table.y) == 40
    assert len(comparison.splits) == 4
    assert "read_table('a.csv', target='y', task='classification')" in comparison.code
    assert [one.split for one in comparison.results if one.estimator is not None] == [0]


def test_demo_needs_no_file(in_folder, capsys, monkeypatch):
    few = {name: make_candidates(make_table())[name] for name in ("linear model", "constant")}
    monkeypatch.setattr(command, "NOT_IN_DEMO", "constant")
    monkeypatch.setattr(command, "make_candidates", lambda *_, **__: dict(few))
    monkeypatch.setattr(command, "load_demo", lambda: make_table(task="regression"))
    few["linear model"] = make_candidates(make_table(task="regression"))["linear model"]
    assert main(["compare", "--demo", "--n-jobs", "1"]) == 0
    captured = capsys.readouterr()
    assert "3 folds of rows" in captured.out
    assert "[3 of 3]" in captured.err


@pytest.mark.parametrize("n_done", [0, 4])
def test_interrupt_reports_what_is_done(in_folder, capsys, monkeypatch, n_done):
    run_jobs = command.run_jobs

    def interrupted(*args, **kwargs):
        for number, result in enumerate(run_jobs(*args, **kwargs)):
            if number == n_done:
                raise Stopped
            yield result

    monkeypatch.setattr(command, "run_jobs", interrupted)
    code = main(["compare", "a.csv", "--target", "y", "--report", "page.html", *QUICK])
    out = capsys.readouterr().out
    assert code == 130
    assert "nterrupted" in out
    assert (in_folder / "page.html").exists() == (n_done > 0)
    assert ("1 of 2" in out) == (n_done > 0)


def test_failing_model_is_left_out(in_folder, capsys, monkeypatch):
    class Broken:
        def __sklearn_clone__(self):
            raise RuntimeError("no luck")

    def with_broken(*args, **kwargs):
        candidates = make_candidates(*args, **kwargs)
        object.__setattr__(candidates["MLP"], "estimator", Broken())
        return candidates

    monkeypatch.setattr(command, "make_candidates", with_broken)
    assert main(["compare", "a.csv", "--target", "y", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "MLP failed: RuntimeError: no luck" in out
    assert "random forest" in out


def test_interrupt_of_the_terminal_ends_all_processes(in_folder):
    arguments = ["compare", "--demo", "--tune", "--n-jobs", "2"]
    run = subprocess.Popen(
        [sys.executable, "-m", "skdistnet", *arguments],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "comparing" in run.stderr.readline()
    time.sleep(0.5)
    for _ in range(2):  # as impatient users do
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.05)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "nterrupted" in out
    assert "Traceback" not in err
