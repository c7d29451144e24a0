"""The example that compares the distance net with an MLP: error messages, and complete runs."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PATH = Path(__file__).parents[2] / "examples" / "compare_with_mlp.py"
QUICK = ["--folds", "2", "--max-iter", "3", "--n-jobs", "1"]


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("compare_with_mlp", PATH)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules[specification.name]


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def write_csv(**columns):
    return lambda path: pd.DataFrame(columns).to_csv(path, index=False)


def write_text(text):
    return lambda path: path.write_text(text, encoding="utf-8")


def truncated_npz(path):
    np.savez(path, X=X, y=LABELS)
    path.write_bytes(path.read_bytes()[:200])


def damaged_npz(path):
    np.savez(path, X=X, y=LABELS)
    content = bytearray(path.read_bytes())
    content[300:400] = bytes(100)
    path.write_bytes(bytes(content))


X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = np.arange(40) % 2
TARGET = X.sum(axis=1)
RARE = np.array([0] * 38 + [1] * 2)
WITH_NAN = np.where(LABELS == 0, np.nan, TARGET)
WITH_INF = np.where(LABELS == 0, np.inf, TARGET)

INVALID_FILES = {
    "missing": ("a.npz", None, "there is no file a.npz"),
    "folder": (".", None, "there is no file"),
    "other kind": ("a.txt", write_text("x"), "must end in .npz or .csv"),
    "not a zip": ("a.npz", write_text("hello"), "a.npz cannot be read as .npz"),
    "empty": ("a.npz", write_text(""), "a.npz cannot be read as .npz"),
    "truncated": ("a.npz", truncated_npz, "a.npz cannot be read as .npz"),
    "damaged": ("a.npz", damaged_npz, "a.npz cannot be read as .npz"),
    "no y": ("a.npz", write_npz(X=X, z=LABELS), "must hold arrays X and y; its arrays: X, z"),
    "no array": ("a.npz", write_npz(), "its arrays: none"),
    "pickled": ("a.npz", write_npz(X=X, y=LABELS.astype(object)), "Object arrays cannot be loaded"),
    "lengths": ("a.npz", write_npz(X=X, y=LABELS[1:]), "differ in length: 40 and 39 rows"),
    "words in X": ("a.npz", write_npz(X=X.astype(str), y=LABELS), "X must hold numbers"),
    "scalar": ("a.npz", write_npz(X=1.0, y=LABELS), "X must be a table"),
    "two targets": ("a.npz", write_npz(X=X, y=X), "y one value a row"),
    "inf in X": ("a.npz", write_npz(X=np.where(X > 2, np.inf, X), y=LABELS), "infinite values"),
    "NaN target": ("a.npz", write_npz(X=X, y=WITH_NAN), "NaN or infinite in 20 rows"),
    "single class": ("a.npz", write_npz(X=X, y=LABELS * 0), "single class: 0"),
    "single value": ("a.npz", write_npz(X=X, y=np.full(40, 2.5)), "single value: 2.5"),
    "rare class": ("a.npz", write_npz(X=X, y=RARE), "class 1 has 2"),
    "few rows": ("a.npz", write_npz(X=X[:9], y=LABELS[:9]), "9 rows are too few"),
    "empty csv": ("a.csv", write_text(""), "a.csv cannot be read as CSV"),
    "not text": ("a.csv", lambda path: path.write_bytes(b"\xff\xfe\x00\x9c" * 9), "cannot be read"),
    "ragged": ("a.csv", write_text("a,y\n1,2\n1,2,3,4\n"), "cannot be read as CSV"),
    "wider": ("a.csv", write_text("a,y\n" + "1,2,3\n" * 40), "more cells than the header"),
    "no column": ("a.csv", write_csv(a=TARGET, b=LABELS), "no column 'y'; columns of a.csv: a, b"),
    "lone target": ("a.csv", write_csv(y=LABELS), "no column but the target 'y'"),
    "gaps": ("a.csv", write_csv(a=TARGET, y=WITH_NAN), "'y' is missing in 20 of 40 rows"),
    "inf": ("a.csv", write_csv(a=TARGET, y=WITH_INF), "NaN or infinite in 20 rows"),
    "inf column": ("a.csv", write_csv(a=WITH_INF, y=LABELS), "infinite values"),
    "one word": ("a.csv", write_csv(a=TARGET, y=["only"] * 40), "single class: only"),
    "no rows": ("a.csv", write_text("a,y\n"), "too few"),
}


def check_refusal(code, captured, message):
    assert code == 2
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(("name", "write", "message"), INVALID_FILES.values(), ids=INVALID_FILES)
def test_invalid_file_is_refused(script, in_folder, capsys, name, write, message):
    if write is not None:
        write(in_folder / name)
    code = script.main(["--data", name, "--target", "y", *QUICK])
    check_refusal(code, capsys.readouterr(), message)
    assert not list(in_folder.glob("*.png"))


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        ({"y": LABELS}, ["--folds", "1"], "--folds must be 2 or more"),
        ({"y": LABELS}, ["--max-rows", "10"], "10 rows are too few"),
        ({"y": LABELS}, ["--output", "nowhere/a.png"], "an existing folder; got"),
        ({"y": LABELS}, ["--output", "."], "must be a file"),
        ({"y": TARGET}, ["--task", "classification"], "the target holds fractions"),
        ({"y": list("ab") * 20}, ["--task", "regression"], "this one holds strings"),
        ({"y": TARGET}, ["--target", "z"], "no column 'z'; columns of a.csv: a, y"),
    ],
)
def test_invalid_arguments_are_refused(script, in_folder, capsys, columns, arguments, message):
    write_csv(a=TARGET, **columns)(in_folder / "a.csv")
    code = script.main(["--data", "a.csv", "--target", "y", *arguments])
    check_refusal(code, capsys.readouterr(), message)


def test_csv_without_target_lists_the_columns(script, in_folder, capsys):
    write_csv(a=TARGET, b=LABELS)(in_folder / "a.csv")
    code = script.main(["--data", "a.csv"])
    check_refusal(code, capsys.readouterr(), "--target is missing; columns of a.csv: a, b")


@pytest.mark.parametrize("module", ["pandas", "matplotlib"])
def test_missing_package_is_named(script, in_folder, capsys, monkeypatch, module):
    write_csv(a=TARGET, y=LABELS)(in_folder / "a.csv")
    monkeypatch.setitem(sys.modules, module, None)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        script.importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    code = script.main(["--data", "a.csv", "--target", "y"])
    check_refusal(code, capsys.readouterr(), f"needs {module}: pip install 'skdistnet[examples]'")


TASKS = {
    "whole": (np.arange(40) % 3, "classification", "i"),
    "words": (np.array(["a", "b"] * 20), "classification", "U"),
    "truth": (LABELS == 1, "classification", "bU"),
    "fractions": (TARGET, "regression", "f"),
    "few fractions": (LABELS + 0.5, "regression", "f"),
}


@pytest.mark.parametrize("kind", ["npz", "csv"])
@pytest.mark.parametrize(("y", "task", "dtypes"), TASKS.values(), ids=TASKS)
def test_task_is_recognised(script, tmp_path, kind, y, task, dtypes):
    path = tmp_path / f"a.{kind}"
    write = write_npz(X=X, y=y) if kind == "npz" else write_csv(a=TARGET, y=y)
    write(path)
    _, loaded, _ = script.load_data(path, "y")
    actual, loaded = script.choose_task(loaded, "auto")
    assert actual == task
    assert loaded.dtype.kind in dtypes


def test_many_distinct_integers_mean_regression(script, tmp_path):
    path = tmp_path / "a.csv"
    write_csv(a=TARGET, y=np.arange(40) % 20)(path)
    assert script.choose_task(script.load_data(path, "y")[1], "auto")[0] == "classification"
    write_csv(a=TARGET, y=np.arange(40) % 21)(path)
    y = script.load_data(path, "y")[1]
    assert script.choose_task(y, "auto")[0] == "regression"
    task, labels = script.choose_task(y, "classification")
    assert (task, labels.dtype.kind) == ("classification", "i")
    task, quantity = script.choose_task(LABELS, "regression")
    assert (task, quantity.dtype.kind) == ("regression", "f")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_both_sides_choose_from_8_settings(script, task):
    searches = script.make_searches(X, task, max_iter=3, n_jobs=1)
    for search in searches.values():
        assert len(script_grid(search)) == 8
        for setting in script_grid(search):
            search.estimator.set_params(**setting)


def script_grid(search):
    from sklearn.model_selection import ParameterGrid

    return ParameterGrid(search.param_grid)


def check_run(code, captured, picture, metrics):
    assert code == 0
    assert captured.err == ""
    table = captured.out[captured.out.index("  mean  ") :].splitlines()[1:3]
    assert [row[:12].strip() for row in table] == ["distance net", "MLP"]
    cells = np.array([row[12:].split() for row in table], dtype=float)
    assert cells.shape == (2, 6)
    assert np.all(np.isfinite(cells))
    assert all(metric in captured.out for metric in (*metrics, "fit time"))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_comparison_runs_on_digits(script, in_folder, capsys):
    code = script.main(["--max-rows", "120", *QUICK])
    captured = capsys.readouterr()
    check_run(code, captured, in_folder / "compare_with_mlp.png", ["accuracy", "log-loss"])
    assert "120 rows drawn at random from 1797 (--max-rows)" in captured.out
    assert "fold 2 of 2  MLP" in captured.out


def test_csv_with_words_and_missing_values(script, in_folder, capsys):
    gaps = np.where(np.arange(40) % 7 == 0, np.nan, TARGET)
    columns = {"a": gaps, "word": ["u", "v", "w", None] * 10, "empty": [np.nan] * 40}
    columns |= {"truth": LABELS == 1, "part truth": [True, None] * 20, "n": np.arange(40)}
    write_csv(**columns, y=TARGET * 100)(in_folder / "a.csv")
    code = script.main(["--data", "a.csv", "--target", "y", "--output", "b.png", *QUICK])
    captured = capsys.readouterr()
    check_run(code, captured, in_folder / "b.png", ["R^2", "RMSE"])
    assert "a.csv: regression, 40 rows, 6 columns" in captured.out


def test_npz_with_words_as_classes(script, in_folder, capsys):
    X_missing = X.copy()
    X_missing[3, 1] = np.nan
    np.savez(in_folder / "a.npz", X=X_missing, y=np.array(["no", "yes"])[LABELS])
    code = script.main(["--data", "a.npz", *QUICK])
    picture = in_folder / "compare_with_mlp.png"
    check_run(code, capsys.readouterr(), picture, ["accuracy", "log-loss"])
