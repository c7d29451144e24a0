"""Columns of text become numbers, dates, categories, or are left out, with a note on the reason."""

import numpy as np
import pytest

from skdistnet.compare.reading.columns import ColumnData, clean, convert, interpret, labels

NAN = np.nan


def text(cells, name="a"):
    return ColumnData(name, "text", clean(cells))


def read(cells, decimal="."):
    return interpret(text(cells), decimal)


def converted(cells, decimal=".", **options):
    rows = np.arange(1, len(cells) + 1)
    return convert(read(cells, decimal), rows, **options)


# Numbers ------------------------------------------------------------------------------------------

NUMBERS = {
    "plain": (["1", "-2.5", "+3", "4.", ".5", "6e-3"], [1, -2.5, 3, 4, 0.5, 0.006]),
    "spaces": ([" 1 ", "\t2"], [1, 2]),
    "gaps": (["1", "", "NA", "?", "-", "--", ".", "nan", "N/A", " null "], [1] + [NAN] * 9),
    "thousands": (["1,234,567", "12,345.5", "7"], [1234567, 12345.5, 7]),
    "decimal comma": (["1,5", "0,25"], [1.5, 0.25]),
    "spaces in thousands": (
        ["1 234", "12\u00a0345", "1\u202f234\u202f567"],
        [1234, 12345, 1234567],
    ),
    "apostrophes": (["1'234'567", "8"], [1234567, 8]),
    "years": (["1999", "2004"], [1999, 2004]),
    "typographic minus": (["\u22125", "3"], [-5, 3]),
    "zeros": (["0", "0.5", "00.7"], [0, 0.5, 0.7]),
    "exponent": (["1E5", "2e+3"], [1e5, 2e3]),
    "upper case": (["1", "2", "3"] * 10 + ["NAN"], [1, 2, 3] * 10 + [NAN]),
}


@pytest.mark.parametrize(("cells", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_read(cells, expected):
    column = read(cells)
    assert column.kind == "number"
    np.testing.assert_array_equal(column.values, np.array(expected, dtype=float))


COMMA_NUMBERS = {
    "both marks": (["1.234,5", "2"], [1234.5, 2]),
    "thousands points": (["1.234", "12.345.678"], [1234, 12345678]),
    "three decimals": (["1,234", "0,5"], [1.234, 0.5]),
    "points": (["1.5", "13.40"], [1.5, 13.4]),
    "exponent": (["1,5e3", "1.000"], [1500, 1000]),
}


@pytest.mark.parametrize(("cells", "expected"), COMMA_NUMBERS.values(), ids=COMMA_NUMBERS)
def test_numbers_of_files_with_decimal_commas(cells, expected):
    column = read(cells, decimal=",")
    np.testing.assert_array_equal(column.values, expected)
    assert ("decimal mark '.'" in column.note) == (cells[0] == "1.5")


NO_NUMBERS = {
    "leading zeros": ["00123", "10115", "80331"],
    "underscores": ["1_000", "2_000"],
    "ranges": ["1-2", "3-4"],
    "addresses": ["10.0.0.1", "10.0.0.2"],
    "booleans": ["True", "False"],
    "irregular groups": ["1,23,456", "1,234"],
    "mixed signs": ["5%", "0.5"],
    "two currencies": ["$5", "€6"],
    "sign on both sides": ["$5%", "$6%"],
    "bare signs": ["%", "$"],
    "top code": ["0", "1", "2"] * 20 + ["3+"],
    "many words": ["1"] * 9 + ["none"],
    "hexadecimal": ["0x1A", "0x2B"],
    "two minus signs": ["--5", "-$-5"],
}


@pytest.mark.parametrize("cells", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_words_stay_words(cells):
    column = read(cells)
    assert column.kind == "category"
    assert column.values.tolist() == cells


@pytest.mark.parametrize(
    ("cells", "expected", "sign"),
    [
        (["5%", "12.5 %", "0"], [5, 12.5, 0], "%"),
        (["$1,234.50", "-$3", "$-4"], [1234.5, -3, -4], "$"),
        (["1.234,50 €", "2 €"], [1234.5, 2], "€"),
        (["£7", "?", "£8"], [7, NAN, 8], "£"),
    ],
)
def test_signs_around_all_numbers_are_removed(cells, expected, sign):
    column = read(cells)
    np.testing.assert_array_equal(column.values, expected)
    assert f"the sign {sign} is removed" in column.note


def test_few_words_among_numbers_are_missing():
    column = read(["1", "2.5"] * 50 + ["unknown"] * 3 + ["#DIV/0!"])
    assert column.kind == "number"
    assert np.isnan(column.values[100:]).all()
    assert column.note == "'unknown' (3 times), '#DIV/0!' (once) are read as missing"


def test_four_different_words_make_a_category():
    cells = ["1", "2"] * 100 + ["a", "b", "c"]
    assert read(cells).kind == "number"
    assert read([*cells, "d"]).kind == "category"


def test_none_is_a_word_among_words():
    assert read(["None", "Insomnia", ""]).values.tolist() == ["None", "Insomnia", None]
    np.testing.assert_array_equal(read(["None", "1", "2"]).values, [NAN, 1, 2])
    assert np.isnat(read(["None", "2020-01-31"]).values).tolist() == [True, False]
    assert read(["None", "None"]).kind == "category"


def test_infinite_numbers_are_missing():
    column, features = converted(["1", "inf", "2", "-Infinity", "1e999"])
    np.testing.assert_array_equal(features["a"], [1, NAN, 2, NAN, NAN])
    assert column.note == "3 infinite values are read as missing"
    typed = ColumnData("a", "number", np.array([1.0, np.inf, 3.0]))
    column, features = convert(typed, np.arange(3))
    np.testing.assert_array_equal(features["a"], [1, NAN, 3])
    assert (column.missing, column.note) == (1, "1 infinite value is read as missing")


def test_numbers_keep_every_bit():
    numbers = np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-250, 250)
    np.testing.assert_array_equal(read([repr(x) for x in numbers.tolist()]).values, numbers)
    commas = [repr(x).replace(".", ",") for x in numbers.tolist()]
    np.testing.assert_array_equal(read(commas, ",").values, numbers)


# Dates --------------------------------------------------------------------------------------------

DATES = {
    "iso": (["2020-01-31", "2020-12-01"], ["2020-01-31", "2020-12-01"]),
    "iso with time": (["2020-01-31T10:30", "2020-02-01"], ["2020-01-31T10:30", "2020-02-01"]),
    "space": (["2020-01-31 10:30:15.5", ""], ["2020-01-31T10:30:15.5", "NaT"]),
    "offset": (["2020-01-31T10:30:00+02:00"], ["2020-01-31T10:30"]),
    "zulu": (["2020-01-31T10:30:00.123456Z"], ["2020-01-31T10:30:00.123456"]),
    "months": (["2020-01", "2020-02"], ["2020-01-01", "2020-02-01"]),
    "slashes": (["2020/1/31"], ["2020-01-31"]),
    "day first": (["01/02/2020", "31/12/2019"], ["2020-02-01", "2019-12-31"]),
    "month first": (["01/02/2020", "12/31/2019"], ["2020-01-02", "2019-12-31"]),
    "undecided": (["01/02/2020", "03/04/2020"], ["2020-01-02", "2020-03-04"]),
    "points": (["01.02.2020", "3.4.2020"], ["2020-02-01", "2020-04-03"]),
    "two digits": (["01.02.99", "03.04.21"], ["1999-02-01", "2021-04-03"]),
    "clock": (["1/13/2020 1:05 PM", "1/14/2020 12:00 AM"], ["2020-01-13T13:05", "2020-01-14"]),
    "names": (["3 Jan 2020", "14 September 2021"], ["2020-01-03", "2021-09-14"]),
    "dashes": (["03-JAN-20", "14-Sept-21"], ["2020-01-03", "2021-09-14"]),
    "american": (["January 3, 2020", "Feb. 4 2021"], ["2020-01-03", "2021-02-04"]),
    "month names": (["Jan 2020", "May 2021"], ["2020-01-01", "2021-05-01"]),
    "zero date": (["2020-01-31"] * 30 + ["0000-00-00"], ["2020-01-31"] * 30 + ["NaT"]),
}


@pytest.mark.parametrize(("cells", "expected"), DATES.values(), ids=DATES)
def test_dates_are_read(cells, expected):
    column = read(cells)
    assert column.kind == "date"
    np.testing.assert_array_equal(column.values, np.array(expected, "datetime64[us]"))


@pytest.mark.parametrize(
    ("cells", "decimal", "note"),
    [
        (["01/02/2020", "31/12/2019"], ".", "read as dd/mm/yyyy"),
        (["01/02/2020", "12/31/2019"], ".", "read as mm/dd/yyyy"),
        (["01/02/2020"], ".", "read as mm/dd/yyyy, as no day is above 12"),
        (["01/02/2020"], ",", "read as dd/mm/yyyy, as no day is above 12"),
    ],
)
def test_order_of_day_and_month_is_noted(cells, decimal, note):
    assert read(cells, decimal).note == note


NO_DATES = {
    "contradictory": ["13/01/2020", "01/13/2020"],
    "no such day": ["2020-02-30", "2020-02-31"],
    "codes": ["12-3456", "34-5678"],
    "words": ["Mart 2020", "Junk 2021"],
    "times": ["10:30", "11:45"],
    "mixed": ["2020-01-31", "red", "blue"],
}


@pytest.mark.parametrize("cells", NO_DATES.values(), ids=NO_DATES)
def test_what_is_no_date_is_category(cells):
    assert read(cells).kind == "category"


def test_dates_become_numbers_that_vary():
    column, features = converted(["2020-01-01", "2020-01-03 12:00", "?"])
    assert (column.kind, column.missing, column.n_distinct) == ("date", 1, 2)
    assert column.features == ("a (days)", "a (weekday)", "a (hour)")
    np.testing.assert_array_equal(features["a (days)"], [18262, 18264.5, NAN])
    np.testing.assert_array_equal(features["a (weekday)"], [2, 4, NAN])
    np.testing.assert_array_equal(features["a (hour)"], [0, 12, NAN])
    assert list(converted(["1960-03-01", "1960-04-05"])[1]) == ["a (days)", "a (month)"]
    np.testing.assert_array_equal(converted(["1960-03-01", "1960-04-05"])[1]["a (month)"], [3, 4])


def test_time_column_keeps_season_and_hour():
    column, features = converted(["2020-01-01", "2020-02-02"], role="time")
    assert list(features) == ["a (month)", "a (weekday)"]
    assert "its days are no feature" in column.note
    column, features = converted(["2020-01-01", "2020-01-08"], role="time")
    assert (column.kind, features) == ("left out", {})


# Features -----------------------------------------------------------------------------------------


def test_numbers_and_words_become_features():
    column, features = converted(["1", "2", ""])
    assert (column.kind, column.missing, column.n_distinct, column.note) == ("number", 1, 2, "")
    assert features["a"].dtype == np.float64
    column, features = converted([" b ", "a", "?", "b"])
    assert (column.kind, column.missing, column.n_distinct) == ("category", 1, 2)
    assert features["a"].categories.tolist() == ["a", "b"]
    assert features["a"].codes.tolist() == [1, 0, -1, 1]


LEFT_OUT = {
    "empty": (["", "?", "NA"], "has no value"),
    "one number": (["7", "7.0", ""], "has one value only"),
    "one word": (["a", "a"], "has one value only"),
    "one date": (["2020-01-01", "2020-01-01", ""], "has one value only"),
    "from 0": (["0", "1", "2", "3"], "is a row number"),
    "from 1": (["1", "2", "3", "4"], "is a row number"),
    "identifiers": ([f"C-{i}" for i in range(50)], "differs from row to row"),
    "nearly distinct": ([f"C-{max(i, 3)}" for i in range(100)], "differs from row to row"),
}


@pytest.mark.parametrize(("cells", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_useless_columns_are_left_out(cells, reason):
    column, features = converted(cells)
    assert (column.kind, column.features, features) == ("left out", (), {})
    assert column.note.startswith(reason)


@pytest.mark.parametrize(
    "cells",
    [
        ["2", "3", "4", "5"],
        ["1", "2", "4", "3"],
        [f"C-{i}" for i in range(49)],
        [f"C-{i // 2}" for i in range(100)],
        [str(i * 1.5) for i in range(100)],
    ],
)
def test_useful_columns_are_kept(cells):
    assert converted(cells)[0].kind != "left out"


def test_one_word_or_nothing_is_informative():
    column, features = converted(["yes", "", "yes", ""])
    assert (column.kind, column.missing) == ("category", 2)
    assert features["a"].tolist() == ["yes", "(missing)", "yes", "(missing)"]
    assert "missing values are a category" in column.note


def test_columns_of_splits_are_no_features():
    assert converted(["1", "1", "2"], role="groups")[0].note == "determines the groups"
    assert converted(["1", "1", "2"], role="time")[0].note == "orders the rows"


def test_labels_are_strings():
    assert labels(read(["1", "2.5", ""])).tolist() == ["1", "2.5", ""]
    assert labels(read(["b", "a", ""])).tolist() == ["b", "a", ""]
    days = labels(read(["2020-01-31", ""]))
    assert days.tolist() == ["2020-01-31 00:00:00", ""]
