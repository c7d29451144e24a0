"""Tables as people have them: formats of files, rows, the target, groups and time."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from csv_text import lines
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from skdistnet.compare.reading import load_demo, read_table
from skdistnet.compare.table import InputError

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
LABELS = np.arange(N) % 2
NUMBERS = RNG.normal(size=N)


def by_name(table):
    return {column.name: column for column in table.columns}


# Files as they are found in the wild --------------------------------------------------------------


def test_passengers_of_a_ship(write):
    def row(i):
        cabin = f"C{i // 12}" if i % 4 == 0 else ""
        age = "" if i % 5 == 0 else f"{20 + i / 2}"
        name = f'"Smith{i}, Mr. John ""Jack"" No. {i}"'
        sex = "male" if i % 3 else "female"
        return f"{i + 1},{i % 2},{i % 3 + 1},{name},{sex},{age},A/5 {i // 2},{cabin}"

    table = read_table(
        write(lines("PassengerId,Survived,Pclass,Name,Sex,Age,Ticket,Cabin", row)), "Survived"
    )
    columns = by_name(table)
    assert (table.task, table.y.dtype, table.X.shape) == ("classification", np.int64, (N, 5))
    assert columns["PassengerId"].note == "is a row number"
    assert columns["Name"].kind == "left out"
    assert (columns["Age"].kind, columns["Age"].missing) == ("number", 12)
    assert (columns["Cabin"].kind, columns["Cabin"].missing) == ("category", 45)
    assert isinstance(table.X["Sex"].dtype, pd.CategoricalDtype)
    assert isinstance(table.X.index, pd.RangeIndex)


def test_german_spreadsheet(write):
    text = lines(
        "Größe;Preis;Datum;Ort;PLZ",
        lambda i: (
            f"{i + 1}.{100 + i},5;{i},{i % 10}5 €;{i % 28 + 1:02}.0{i % 9 + 1}.2020;"
            f"Köln {i % 2};0{i % 7}123"
        ),
    )
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        table = read_table(write(text, encoding=encoding), "Preis")
        assert list(table.X)[:2] == ["Größe", "Datum (days)"]
        assert table.X["Größe"][5] == 6105.5
        assert table.y[7] == 7.75
        assert by_name(table)["PLZ"].kind == "category"
        assert set(table.X["Ort"]) == {"Köln 0", "Köln 1"}
        assert table.notes[-2] == "Numbers are read with decimal commas."
        assert table.notes[-1] == "In the target 'Preis', the sign € is removed."
        assert len(table.notes) == 2 + (encoding == "cp1252")


def test_charges_with_blanks(write):
    text = lines(
        "customerID,TotalCharges,Churn",
        lambda i: f"{i:04}-XYZ,{' ' if i < 3 else i + 0.5},{'Yes' if i % 3 else 'No'}",
    )
    table = read_table(write(text), "Churn")
    assert [column.kind for column in table.columns] == ["left out", "number"]
    assert table.X["TotalCharges"].isna().sum() == 3
    assert set(table.y.tolist()) == {"No", "Yes"}


def test_question_marks_after_spaces(write):
    text = lines(
        "age, workclass, income", lambda i: f"{i * 2}, {'?' if i % 5 else 'Private'}, >50K"
    )
    text += lines("", lambda i: f"{i}, State-gov, <=50K")
    table = read_table(write(text), "income")
    assert list(table.X) == ["age", "workclass"]
    assert set(table.y.tolist()) == {">50K", "<=50K"}
    assert by_name(table)["workclass"].missing == 48


def test_bank_marketing(write):
    text = lines(
        '"age";"job";"euribor3m";"pdays";"y"',
        lambda i: (
            f'{20 + i};"{("admin.", "blue-collar")[i % 2]}";{4.857 - i / 100};999;'
            f'"{("no", "yes")[i % 3 // 2]}"'
        ),
    )
    table = read_table(write(text), "y")
    assert list(table.X) == ["age", "job", "euribor3m"]
    assert table.X["euribor3m"][0] == 4.857
    assert by_name(table)["pdays"].note == "has one value only"


def test_quoted_line_breaks(write):
    text = lines("text,a,y", lambda i: f'"first, {i % 3}\nsecond; ""{i % 2}""",{i / 4},{i % 2}')
    table = read_table(write(text.replace("\n", "\r\n")), "y")
    assert table.X.shape == (N, 2)
    assert table.X["text"][0] == 'first, 0\r\nsecond; "0"'


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found(write, separator):
    frame = pd.DataFrame({"a b": NUMBERS, "c": ["u,v;w|x\ty", "z"] * (N // 2), "y": LABELS})
    table = read_table(write(frame.to_csv(index=False, sep=separator), "a.txt"), "y")
    assert list(table.X) == ["a b", "c"]
    np.testing.assert_array_equal(table.X["a b"], NUMBERS)


def test_compressed_text(write):
    text = lines("a\ty", lambda i: f"{i / 8}\t{i % 2}")
    assert read_table(write(gzip.compress(text.encode()), "A.TSV.GZ"), "y").X.shape == (N, 1)


def test_thousands_commas_in_quotes(write):
    table = read_table(write(lines("a,y", lambda i: f'"{i + 1},234,567",{i % 2}')), "y")
    assert table.X["a"][3] == 4234567


@pytest.mark.parametrize("end", ["\n\n  \n", "", "\r\n"])
def test_blank_lines_are_skipped(write, end):
    text = "\n" + lines("a,y,", lambda i: f"{i / 2},{i % 2}," + "\n" * (i == 9)) + end
    table = read_table(write(text), "y")
    assert table.rows.tolist() == list(range(1, N + 1))
    assert by_name(table)["column 3"].note == "has no value"


def test_blank_cells_beyond_the_header_are_cut(write):
    assert read_table(write(lines("a,y", lambda i: f"{i / 2},{i % 2},,")), "y").X.shape == (N, 1)


def test_repeated_names_get_numbers(write):
    text = lines("a,a,a (2),<script>,y", lambda i: f"{i / 2},{-i},{i * i},{i % 7},{i % 2}")
    table = read_table(write(text), "y")
    assert list(table.X) == ["a", "a (3)", "a (2)", "<script>"]
    assert table.notes == ("2 columns are named 'a'; all but the first get a number.",)
    with pytest.raises(InputError, match="several columns 'a'; rename them"):
        read_table("a.csv", "a")


def test_features_of_dates_do_not_replace_columns(write):
    text = lines("d (days),d,y", lambda i: f"{i / 2},2020-01-{i % 28 + 1:02},{i % 2}")
    assert list(read_table(write(text), "y").X) == ["d (days)", "d (days) (2)", "d (weekday)"]


names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=8)
powers = st.dictionaries(names, st.integers(-30, 30), min_size=2, max_size=5)


@given(powers, st.sampled_from(",;\t|"), st.sampled_from(".,"), st.booleans())
def test_written_frames_read_back(tmp_path_factory, powers, separator, decimal, gaps):
    path = tmp_path_factory.mktemp("frames") / "a.csv"
    random = np.random.default_rng(list(map(abs, powers.values())))
    frame = pd.DataFrame({name: random.normal(size=40) * 10.0**p for name, p in powers.items()})
    target, *others = frame
    if gaps:
        frame.loc[3:7, others] = np.nan
    frame.to_csv(path, index=False, sep=separator, decimal=decimal, encoding="utf-8-sig")
    table = read_table(path, target)
    assert list(table.X) == others
    np.testing.assert_array_equal(table.X, frame[others])
    np.testing.assert_array_equal(table.y, frame[target])


# Parquet and .npz ---------------------------------------------------------------------------------


def test_typed_columns_of_parquet(write):
    days = pd.date_range("2020-03-28", periods=N, freq="13h", tz="Europe/Berlin")
    integers = pd.array([None, *range(N - 1)], dtype="Int64") * 3
    arrays = {
        "category": pd.Categorical(["1", "01"] * (N // 2)),
        "string": ["a", None] * (N // 2),
        "boolean": pd.array([True, None, False] * (N // 3), dtype="boolean"),
        "integer": integers,
        "half": X[:, 0].astype(np.float16),
        "decimal": pa.array(range(3, N + 3), pa.decimal128(8, 2)),
        "local": days,
        "date": days.date,
        "list": [[1, 2]] * N,
        "struct": [{"a": 1}] * N,
        "null": pa.nulls(N),
        "text": [f"2020-01-{i % 28 + 1:02}" for i in range(N)],
        "y": LABELS,
        "__index_level_0__": NUMBERS,
    }
    write(b"", "a.parquet")
    parquet.write_table(pa.table({k: pa.array(v) for k, v in arrays.items()}), "a.parquet")
    table = read_table("a.parquet", "y")
    columns = by_name(table)
    kinds = [column.kind for column in table.columns]
    assert kinds == ["category"] * 3 + ["number"] * 3 + ["date"] * 2 + ["left out"] * 3 + ["date"]
    assert table.X["category"].tolist() == ["1", "01"] * (N // 2)
    assert set(table.X["boolean"].dropna()) == {"True", "False"}
    np.testing.assert_array_equal(table.X["integer"], np.array([np.nan, *range(N - 1)]) * 3)
    np.testing.assert_array_equal(table.X["decimal"], np.arange(3, N + 3))
    np.testing.assert_array_equal(table.X["local (hour)"], days.hour)
    assert "its values have the type list<" in columns["list"].note
    with pytest.raises(InputError, match="'list' cannot be used: its values have the type list"):
        read_table("a.parquet", "list")


def test_frame_written_by_pandas(write):
    write(b"", "a.parquet")
    frame = pd.DataFrame({"a": NUMBERS, "d": pd.date_range("2020-01-01", periods=N), "y": LABELS})
    frame.sample(frac=1, random_state=0).to_parquet("a.parquet")
    table = read_table("a.parquet", "y")
    assert list(table.X) == ["a", "d (days)", "d (month)", "d (weekday)"]


def test_arrays_of_npz(write):
    write(b"", "a.npz")
    codes = np.where(LABELS == 1, 3.0, np.nan)
    codes[0] = 4
    words = np.array(["no", "yes"])[LABELS]
    np.savez("a.npz", X=np.column_stack([X, codes]), y=words, categorical=[False] * 3 + [True])
    for target in (None, "y"):
        table = read_table("a.npz", target)
        assert list(table.X) == ["x0", "x1", "x2", "x3"]
        np.testing.assert_array_equal(table.X["x1"], X[:, 1])
        assert table.X["x3"].cat.categories.tolist() == ["3", "4"]
        assert (table.task, table.target, table.y.tolist()) == (
            "classification",
            "y",
            words.tolist(),
        )
    np.savez("a.npz", X=RNG.integers(0, 255, (N, 4, 4), dtype=np.uint8), y=NUMBERS)
    table = read_table("a.npz")
    assert (table.task, table.X.shape) == ("regression", (N, 16))
    np.savez("a.npz", X=np.column_stack([X.astype(str), words]), y=LABELS == 1)
    table = read_table("a.npz")
    assert [column.kind for column in table.columns] == ["number"] * 3 + ["category"]
    assert set(table.y.tolist()) == {"True", "False"}


def test_demo_is_the_digits():
    table = load_demo()
    assert (table.name, table.target, table.task) == ("digits", "digit", "classification")
    assert table.X.shape == (1797, 61)
    assert table.classes.tolist() == list(range(10))


# Rows, groups and time ----------------------------------------------------------------------------


def test_rows_without_target_are_left_out(write):
    text = lines("a,y", lambda i: f"{i / 2},{'' if i in (0, 7) else i % 2}")
    table = read_table(write(text), "y")
    assert table.rows.tolist() == [i + 1 for i in range(N) if i not in (0, 7)]
    assert table.notes == ("2 rows are left out, without a target ('y').",)
    assert len(table.X) == len(table.y) == N - 2
    np.testing.assert_array_equal(table.X.index, np.arange(N - 2))


def test_words_read_as_missing_targets_are_noted(write):
    text = lines("a,y", lambda i: f"{i / 2},{'unknown' if i == 3 else i % 2}")
    table = read_table(write(text), "y")
    assert table.y.dtype == np.int64
    assert table.notes == (
        "In the target 'y', 'unknown' (once) is read as missing.",
        "1 row is left out, without a target ('y').",
    )


def test_row_number_is_found_despite_gaps(write):
    text = lines("a,b,y", lambda i: f"{i},{i / 2},{'' if i == 3 else i % 2}")
    assert list(read_table(write(text), "y").X) == ["b"]


def test_time_orders_the_rows(write):
    order = np.random.default_rng(1).permutation(N)
    text = lines("t,a,y", lambda i: f"2020-01-{order[i] // 4 + 1:02},{i / 2},{i % 2}")
    table = read_table(write(text + ",1,1\n"), "y", time="t")
    assert table.rows.tolist() == (np.argsort(order // 4, kind="stable") + 1).tolist()
    np.testing.assert_array_equal(table.X["a"], (table.rows - 1) / 2)
    np.testing.assert_array_equal(table.y, (table.rows - 1) % 2)
    assert list(table.X) == ["t (weekday)", "a"]
    assert table.time_column == "t"
    assert table.notes == ("1 row is left out, without a time ('t').",)


def test_numbers_may_be_the_time(write):
    table = read_table(
        write(lines("year,a,b,y", lambda i: f"{2000 - i},{i},{i / 2},{i % 2}")), "y", time="year"
    )
    assert table.rows.tolist() == list(range(N, 0, -1))
    assert by_name(table)["year"].note == "orders the rows"
    assert by_name(table)["a"].note == "is a row number"


def test_groups_are_no_features(write):
    text = lines("g,b,y", lambda i: f"{i // 4 if i else ''},{i / 2},{i % 2}")
    table = read_table(write(text), "y", groups="g")
    assert list(table.X) == ["b"]
    assert table.groups.tolist() == [str(i // 4) for i in range(1, N)]
    assert table.group_column == "g"
    assert table.notes == ("1 row is left out, without a group ('g').",)


# Targets and tasks --------------------------------------------------------------------------------

TASKS = {
    "whole": ([str(i % 3) for i in range(N)], "classification", "i"),
    "whole with points": ([f"{i % 3}.0" for i in range(N)], "classification", "i"),
    "words": (["a", "b"] * (N // 2), "classification", "U"),
    "booleans": (["True", "False"] * (N // 2), "classification", "U"),
    "codes": (["01", "02"] * (N // 2), "classification", "U"),
    "20 numbers": ([str(i % 20) for i in range(N)], "classification", "i"),
    "21 numbers": ([str(i % 21) for i in range(N)], "regression", "f"),
    "few fractions": (["0.5", "1"] * (N // 2), "regression", "f"),
    "percents": ([f"{i}%" for i in range(N)], "regression", "f"),
    "huge": ([f"{i % 2}e30" for i in range(N)], "classification", "U"),
}


@pytest.mark.parametrize(("y", "task", "dtype"), TASKS.values(), ids=TASKS)
def test_task_is_recognised(write, y, task, dtype):
    table = read_table(write(lines("a,y", lambda i: f"{i / 2},{y[i]}")), "y")
    assert (table.task, table.y.dtype.kind) == (task, dtype)


def test_task_can_be_set(write):
    write(lines("a,whole,half,many", lambda i: f"{i / 4},{i % 2},{i % 2 / 2},{i // 2}"))
    assert read_table("a.csv", "whole", task="regression").y.dtype == np.float64
    assert set(read_table("a.csv", "half", task="classification").y.tolist()) == {"0", "0.5"}
    assert read_table("a.csv", "many", task="classification").y.dtype == np.int64
