"""From the columns of a file to numbers, categories and dates, and from these to features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..table import Column
from .text_dates import date_features, parse_dates
from .text_numbers import parse_numbers

__all__ = ["ColumnData", "clean", "convert", "interpret", "labels"]

#: Words for a missing value: those of pandas, and other usual ones. "None" depends on the column.
MISSING = frozenset(
    [
        *("", "?", "-", "--", ".", "NA", "N/A", "n/a", "<NA>", "#NA", "#N/A", "#N/A N/A"),
        *("NULL", "null", "NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
    ]
)
#: At most so many distinct words, and such a share of values, may stand among numbers or dates.
MAX_EXCEPTIONS, MAX_EXCEPTION_SHARE = 3, 0.05
#: Words are taken for identifiers or free text if more than this share of them is distinct...
IDENTIFIER_SHARE = 0.95
#: ... in so many rows or more.
IDENTIFIER_ROWS = 50


@dataclass(frozen=True)
class ColumnData:
    """The values of a column, and how to understand them.

    Attributes
    ----------
    name : str
    kind : {"text", "number", "category", "date", "unusable"}
        "text" is what a file without types holds; `interpret` decides what it means.
    values : ndarray of shape (n_rows,)
        Strings, or None for missing values, in an array of objects if the kind is "text" or
        "category"; float64 with NaN; datetime64[us] with NaT.
    note : str
        What was done to the values, or why they are unusable.
    """

    name: str
    kind: str
    values: np.ndarray
    note: str = ""

    @property
    def is_missing(self):
        if self.kind == "number":
            return np.isnan(self.values)
        if self.kind == "date":
            return np.isnat(self.values)
        return np.array([value is None for value in self.values], dtype=bool)

    def take(self, positions):
        return replace(self, values=self.values[positions])


def clean(cells):
    """Return strings without spaces around them, and None for missing values, as an array."""
    values = [None if (word := cell.strip()) in MISSING else word for cell in cells]
    return np.array(values, dtype=object)


def interpret(column, decimal="."):
    """Find out whether a column of text holds numbers, dates or categories.

    Parameters
    ----------
    column : ColumnData
    decimal : {".", ","}
        The decimal mark of the file.

    Returns
    -------
    column : ColumnData
        Of another kind than "text".
    """
    import pandas as pd

    if column.kind != "text":
        return column
    # "None" is missing among numbers and dates; among words it is one of them, often a class.
    codes, words = pd.factorize(np.where(column.values == "None", None, column.values))
    if not len(words):
        return replace(column, kind="category")
    words, counts = words.tolist(), np.bincount(codes[codes >= 0])
    found = as_numbers(words, counts, decimal) or as_dates(words, counts, decimal)
    if not found:
        return replace(column, kind="category")
    kind, values, notes = found
    missing = np.array(["NaT"], values.dtype) if kind == "date" else [np.nan]
    values = np.concatenate([values, missing])[codes]
    return ColumnData(column.name, kind, values, "; ".join(note for note in notes if note))


def without_infinities(column):
    """Return a column with its infinite numbers missing, and a note on them."""
    if column.kind != "number" or not np.isinf(column.values).any():
        return column
    infinite = np.isinf(column.values)
    n_infinite = int(infinite.sum())
    values = f"{n_infinite} infinite values are" if n_infinite > 1 else "1 infinite value is"
    notes = [column.note, f"{values} read as missing"]
    return replace(
        column,
        values=np.where(infinite, np.nan, column.values),
        note="; ".join(note for note in notes if note),
    )


def describe_exceptions(words, counts, failed):
    """Describe the few words that are read as missing; None if they are too many for that."""
    if failed.sum() > MAX_EXCEPTIONS or counts[failed].sum() > MAX_EXCEPTION_SHARE * counts.sum():
        return None
    if not failed.any():
        return ""
    times = ["once" if count == 1 else f"{count:,} times" for count in counts.tolist()]
    parts = [f"{words[i]!r} ({times[i]})" for i in np.flatnonzero(failed)]
    return f"{', '.join(parts)} {'is' if len(parts) == 1 else 'are'} read as missing"


def as_numbers(words, counts, decimal):
    """Return kind, values and notes if the distinct words of a column are numbers."""
    for mark in (decimal, "," if decimal == "." else "."):
        if np.isnan(parse_numbers(words[:100], mark)[0]).sum() > MAX_EXCEPTIONS:
            continue  # without a look at the rest, which takes time
        values, sign = parse_numbers(words, mark)
        failed = np.isnan(values)
        exceptions = describe_exceptions(words, counts, failed)
        if exceptions is not None:
            break
    else:
        return None
    # "3+" beside 0, 1 and 2 is a category; "#DIV/0!" is none.
    if any(any(map(str.isdigit, words[i])) for i in np.flatnonzero(failed) if words[i][0] != "#"):
        return None
    numbers = [word for word, fails in zip(words, failed) if not fails]
    if all(map(str.isdecimal, numbers)) and any(n[0] == "0" and len(n) > 1 for n in numbers):
        return None  # codes such as 00123
    sign_note = f"the sign {sign} is removed" if sign else ""
    mark_note = f"read with the decimal mark {mark!r}" if mark != decimal else ""
    return "number", values, (sign_note, mark_note, exceptions)


def as_dates(words, counts, decimal):
    """Return kind, values and notes if the distinct words of a column are dates."""
    dates, note = parse_dates(words, day_first=decimal == ",")
    if dates is None:
        return None
    exceptions = describe_exceptions(words, counts, np.isnat(dates))
    return None if exceptions is None else ("date", dates, (note, exceptions))


def labels(column):
    """Return the values of a column as strings, "" where they are missing."""
    if column.kind == "number":
        distinct, codes = np.unique(column.values, return_inverse=True)
        words = ["" if np.isnan(value) else number_label(value) for value in distinct.tolist()]
        return np.array(words, dtype=np.str_)[codes]
    values = column.values
    if column.kind == "date":
        values = [None if day is None else day.isoformat(" ") for day in values.tolist()]
    return np.array(["" if value is None else value for value in values], dtype=np.str_)


def number_label(value):
    return str(int(value)) if value.is_integer() else repr(value)


def convert(column, rows, *, role=""):
    """Convert a column to features.

    Parameters
    ----------
    column : ColumnData
        Of any kind but "text".
    rows : ndarray of int
        The number of each row in the file.
    role : {"", "groups", "time"}
        What determines the splits is no feature, except for month, weekday and hour of a date.

    Returns
    -------
    column : Column
    features : dict of str to array
        Arrays of float64 and pandas' categoricals.
    """
    import pandas as pd

    column = without_infinities(column)
    observed = column.values[~column.is_missing]
    n_missing, n_distinct = len(rows) - len(observed), int(pd.Series(observed).nunique())
    about = (column.name, n_missing, n_distinct, column.note)
    reason = reason_to_leave_out(column, rows, n_distinct, role)
    if reason:
        return describe(*about, "left out", {}, reason), {}
    if column.kind == "number":
        features = {column.name: column.values}
        return describe(*about, "number", features), features
    if column.kind == "date":
        features = date_features(column.name, column.values, days=role != "time")
        if role != "time":
            return describe(*about, "date", features), features
        note = "orders the rows; its days are no feature, as rows to predict come later"
        return describe(*about, "date" if features else "left out", features, note), features
    values, note = column.values, ""
    if n_distinct == 1:
        values = np.where(column.is_missing, "(missing)", values)
        note = "has one value or none, so that missing values are a category"
    features = {column.name: pd.Categorical(values)}
    return describe(*about, "category", features, note), features


def describe(name, n_missing, n_distinct, former_note, kind, features, note=""):
    notes = "; ".join(text for text in (note, former_note) if text)
    return Column(name, kind, n_missing, n_distinct, tuple(features), notes)


def reason_to_leave_out(column, rows, n_distinct, role) -> str:
    """Return why a column becomes no feature; empty if it does."""
    n_observed = len(rows) - int(column.is_missing.sum())
    if column.kind == "unusable":
        return "cannot be used"
    if n_distinct == 0:
        return "has no value"
    if role == "groups":
        return "determines the groups"
    if role == "time" and column.kind != "date":
        return "orders the rows"
    if n_distinct == 1 and (column.kind != "category" or n_observed == len(rows)):
        return "has one value only"
    if column.kind == "number" and is_row_number(column.values, rows):
        return "is a row number"
    many_distinct = n_distinct > IDENTIFIER_SHARE * n_observed and len(rows) >= IDENTIFIER_ROWS
    if column.kind == "category" and many_distinct:
        return "differs from row to row, as identifiers and free text do"
    return ""


def is_row_number(values: Any, rows) -> bool:
    return bool(np.array_equal(values, rows) or np.array_equal(values, rows - 1))
