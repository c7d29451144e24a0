"""Files and arguments that cannot be used are refused in a line that says why."""

import gzip
import sys

import numpy as np
import pandas as pd
import pytest
from csv_text import lines

from skdistnet.compare.reading import read_table
from skdistnet.compare.table import InputError

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
LABELS = np.arange(N) % 2


def csv(header, row, n=N):
    return lines(header, row, n).encode()


def truncated(save, name):
    def content(folder):
        save(folder / name)
        return (folder / name).read_bytes()[:400]

    return content


def npz(**arrays):
    def content(folder):
        np.savez(folder / "made.npz", **arrays)
        return (folder / "made.npz").read_bytes()

    return content


def save_parquet(path):
    pd.DataFrame(X, columns=list("aby")).to_parquet(path)


PLAIN = csv("size,colour,y", lambda i: f"{i / 2},{'red' if i % 3 else 'blue'},{i % 2}")

INVALID_FILES = {
    "missing": ("a.csv", None, "there is no file a.csv"),
    "folder": (".", None, ". is a folder; pass a file"),
    "other kind": ("a.xlsx", b"x", "a.xlsx is of an unknown kind; known are .csv, .tsv, .txt"),
    "no kind": ("a", b"x", "a is of an unknown kind"),
    "compressed npz": ("a.npz.gz", b"x", "a.npz.gz is of an unknown kind"),
    "empty": ("a.csv", b"", "a.csv is empty"),
    "blank": ("a.csv", b" \n\n", "a.csv is empty"),
    "binary": ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, "a.csv is not a text file"),
    "bad UTF-16": ("a.csv", b"\xff\xfea", "a.csv is not a text file"),
    "rubbish": ("a.csv", b"\x81\x8d\x8f\x90" * 9, "a.csv is not a text file"),
    "damaged gzip": ("a.csv.gz", gzip.compress(PLAIN)[:60], "a.csv.gz cannot be read"),
    "no gzip": ("a.csv.gz", PLAIN, "a.csv.gz cannot be read"),
    "header only": ("a.csv", b"size,y\n", "a.csv has no rows below the header"),
    "long row": ("a.csv", PLAIN + b"1,2,3,4\n", f"a.csv: line {N + 2} has 4 cells, but the header"),
    "short row": ("a.csv", b"a,b,y\n1,2,3\n\n1\n" + PLAIN, "a.csv: line 4 has 1 cell, but the h"),
    "broken row": ("a.csv", b'a,y\n1,2\n"1\n2"\n', "a.csv: lines 3 to 4 have 1 cell"),
    "open quote": ("a.csv", PLAIN + b'1,"red,0\n2,red,1\n', f"never closed, in line {N + 2}"),
    "long cell": ("a.csv", PLAIN + b'1,"' + b"a" * 140_000, f"read from line {N + 2} on: field la"),
    "one column": (
        "a.csv",
        csv("y", str),
        "single column 'y'; separators may be commas, semicolons",
    ),
    "no number": ("a.csv", csv("a,y", lambda i: f"7,{i % 2}"), "no column of a.csv can be used"),
    "few rows": (
        "a.csv",
        csv("a,y", lambda i: f"{i / 2},{i % 2}", 19),
        "19 rows with a target; 20",
    ),
    "no target": ("a.csv", csv("a,y", lambda i: f"{i / 2},?"), "a.csv has 0 rows with a target"),
    "one class": ("a.csv", csv("a,y", lambda i: f"{i / 2},x"), "'y' has the single value 'x'"),
    "one value": ("a.csv", csv("a,y", lambda i: f"{i / 2},2.5"), "'y' has the single value '2.5'"),
    "dates": ("a.csv", csv("a,y", lambda i: f"{i},2020-01-{i % 9 + 1:02}"), "'y' holds dates"),
    "names": (
        "a.csv",
        csv("a,y", lambda i: f"{i / 2},x{i}"),
        "looks like an identifier: 60 classes",
    ),
    "infinite": (
        "a.csv",
        csv("a,y", lambda i: f"{i / 2},{'inf' if i < 9 else i}"),
        "'y' is infinite in 9",
    ),
    "text": ("a.parquet", b"hello", "a.parquet cannot be read as Parquet"),
    "cut": ("a.parquet", truncated(save_parquet, "b"), "a.parquet cannot be read as Parquet"),
    "not a zip": ("a.npz", b"hello", "a.npz cannot be read as .npz"),
    "truncated": (
        "a.npz",
        truncated(lambda path: np.savez(path, X=X, y=LABELS), "b.npz"),
        "a.npz cannot be read as .npz",
    ),
    "no y": ("a.npz", npz(X=X, z=LABELS), "must hold arrays X and y; its arrays: X, z"),
    "no array": ("a.npz", npz(), "its arrays: none"),
    "pickled": ("a.npz", npz(X=X, y=LABELS.astype(object)), "Object arrays cannot be loaded"),
    "complex": ("a.npz", npz(X=X * 1j, y=LABELS), "X must hold numbers or strings; got complex128"),
    "lengths": ("a.npz", npz(X=X, y=LABELS[1:]), "X and y differ in length: 60 and 59 rows"),
    "scalar": ("a.npz", npz(X=1.0, y=LABELS), "X must be a table"),
    "two targets": ("a.npz", npz(X=X, y=X), "y one value a row"),
    "codes": (
        "a.npz",
        npz(X=X, y=LABELS, categorical=[1, 2]),
        "a boolean for each of the 3 columns",
    ),
}


def check_refusal(message, name, target, **options):
    with pytest.raises(InputError) as caught:
        read_table(name, target, **options)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(("name", "content", "message"), INVALID_FILES.values(), ids=INVALID_FILES)
def test_invalid_file_is_refused(write, tmp_path, name, content, message):
    if content is not None:
        write(content(tmp_path) if callable(content) else content, name)
    check_refusal(message, name, "y")


INVALID_ARGUMENTS = {
    "no target": ({"target": None}, "--target is missing; columns of a.csv: size, colour, y"),
    "unknown": ({"target": "z"}, "--target: a.csv has no column 'z'; its columns: size, colour, y"),
    "typing error": ({"target": "Color"}, "no column 'Color'; did you mean 'colour'? Its columns:"),
    "words": (
        {"target": "colour", "task": "regression"},
        "--task regression needs a target of numbers; 'colour' holds words such as 'blue'",
    ),
    "fractions": (
        {"target": "size", "task": "classification"},
        "--task classification needs labels; 'size' holds 60 different numbers with fractions",
    ),
    "no groups": ({"groups": "z"}, "--groups: a.csv has no column 'z'"),
    "same groups": ({"groups": "y"}, "--groups must differ from the target 'y'"),
    "one group": ({"groups": "one"}, "--groups needs two groups or more; 'one' has one value"),
    "no time": ({"time": "z"}, "--time: a.csv has no column 'z'"),
    "same time": ({"time": "y"}, "--time must differ from the target 'y'"),
    "words as time": (
        {"time": "colour"},
        "--time needs a column of dates or numbers; 'colour' holds words such as 'blue'",
    ),
    "empty time": ({"time": "none"}, "a.csv has 0 rows with a target and a time; 20 are needed"),
}


@pytest.mark.parametrize(("options", "message"), INVALID_ARGUMENTS.values(), ids=INVALID_ARGUMENTS)
def test_invalid_arguments_are_refused(write, options, message):
    content = PLAIN
    if {"one", "none"} & set(options.values()):
        content = csv("size,one,none,y", lambda i: f"{i / 2},1,,{i % 2}")
    check_refusal(message, write(content), **{"target": "y", **options})


def test_npz_has_its_target(write, tmp_path):
    write(npz(X=X, y=LABELS)(tmp_path), "a.npz")
    check_refusal("the target of an .npz file is its array 'y'; got 'x0'", "a.npz", "x0")


def test_names_in_messages_fit_in_a_line(write):
    names = ",".join(f'"a\n{i}"' for i in range(100))
    write(f"{names}\n" + ",".join(["1"] * 100))
    check_refusal("'a\\n28', 'a\\n29' and 70 more", "a.csv", "q")


@pytest.mark.parametrize(("module", "name"), [("pandas", "a.csv"), ("pyarrow", "a.parquet")])
def test_missing_package_is_named(write, monkeypatch, module, name):
    write(PLAIN, name)
    monkeypatch.setitem(sys.modules, module, None)
    check_refusal(f"needs {module}: pip install 'skdistnet[report]'", name, "y")
