"""CSV, Parquet and .npz files as lists of columns."""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import io
import lzma
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from ..table import InputError
from .columns import ColumnData, clean
from .text_numbers import find_decimal_mark

__all__ = ["Source", "check_package", "listing", "read_source"]

SEPARATORS = ",;\t|"
TEXT = (".csv", ".tsv", ".txt")
#: Functions that open compressed text.
COMPRESSED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
SUPPORTED = f"{', '.join(TEXT)} (also as {', '.join(COMPRESSED)}), .parquet and .npz"
#: The separator and the decimal mark are found in so many rows.
N_FIRST_ROWS, N_FIRST_CHARACTERS = 200, 200_000
#: A line behind the last one, which text cannot hold; a quote that is never closed swallows it.
END = "\0"
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


@dataclass(frozen=True)
class Source:
    """What a file holds.

    Attributes
    ----------
    name : str
        The name of the file.
    columns : list of ColumnData
    decimal : {".", ","}
        The decimal mark in text.
    notes : tuple of str
        Sentences about how the file was read.
    duplicates : frozenset of str
        Names that the file gives to several columns.
    """

    name: str
    columns: list[ColumnData]
    decimal: str = "."
    notes: tuple[str, ...] = ()
    duplicates: frozenset[str] = frozenset()


def one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def listing(names, limit=30):
    """Return names as a phrase of limited length."""
    shown = [name if name.isprintable() else repr(name) for name in names[:limit]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def check_package(package, what):
    """Raise InputError, with the command that installs the package, if it is missing."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        message = f"{what} needs {package}: pip install 'skdistnet[report]'"
        raise InputError(message) from error


def read_source(path):
    """Read a file in the format that its name ends in."""
    path = Path(path)
    compression = path.suffix.lower() if path.suffix.lower() in COMPRESSED else ""
    suffix = Path(path.stem).suffix.lower() if compression else path.suffix.lower()
    if path.is_dir():
        raise InputError(f"{path} is a folder; pass a file")
    if not path.exists():
        raise InputError(f"there is no file {path}")
    readers = {".parquet": read_parquet, ".npz": read_npz}
    if suffix not in TEXT and (compression or suffix not in readers):
        raise InputError(f"{path} is of an unknown kind; known are {SUPPORTED}")
    if path.is_file() and not path.stat().st_size:
        raise InputError(f"{path} is empty")
    if suffix in TEXT:
        return read_csv(path, COMPRESSED.get(compression, open))
    return readers[suffix](path)


# CSV ----------------------------------------------------------------------------------------------


def read_csv(path, open_text):
    """Read text with separated columns."""
    try:
        with open_text(path, "rb") as stream:
            content = stream.read()
    except Exception as error:  # a damaged archive may raise any type
        raise InputError(f"{path} cannot be read: {one_line(error)}") from error
    text, encoding_note = decode(content, path)
    if not text.strip():
        raise InputError(f"{path} is empty")
    separator = find_separator(text)
    header, rows = read_rows(text, separator, path)
    names, duplicates, notes = unique_names(header)
    first_cells = [cell.strip() for row in rows[:N_FIRST_ROWS] for cell in row]
    decimal = find_decimal_mark(first_cells, separator)
    columns = [ColumnData(name, "text", clean(cells)) for name, cells in zip(names, zip(*rows))]
    if decimal == ",":
        notes = ("Numbers are read with decimal commas.", *notes)
    return Source(path.name, columns, decimal, (*encoding_note, *notes), duplicates)


def decode(content, path):
    """Decode the bytes of a text file; also a note unless they are Unicode."""
    encoding = next((e for mark, e in BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)
    for name in [encoding] if encoding else ["utf-8", "cp1252"]:
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        note = "The file is not in UTF-8 and is read as Windows-1252."
        return text, (note,) if name == "cp1252" else ()
    raise InputError(f"{path} is not a text file, or damaged")


def find_separator(text):
    """Find the separator that gives the most columns, the same number in most of the rows."""
    best = (0, 1, 0.0)
    separator = ","
    for candidate in SEPARATORS:
        lines = io.StringIO(text[:N_FIRST_CHARACTERS], newline="")
        reader = csv.reader(lines, delimiter=candidate, skipinitialspace=True)
        try:
            widths = [len(row) for row in islice(reader, N_FIRST_ROWS) if row]
        except csv.Error:
            continue
        share = float(np.mean(np.equal(widths, widths[0]))) if widths else 0.0
        rank = (int(share >= 0.7), widths[0], share) if widths and widths[0] > 1 else best
        if rank > best:
            best, separator = rank, candidate
    return separator


def read_rows(text, separator, path):
    """Return the cells of the header and of the rows below it, all of the same length."""
    lines = chain(io.StringIO(text, newline=""), [END])
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    rows: list[list[str]] = []
    first_line = 1
    try:
        for row in reader:
            if row and row[-1].endswith(END):
                break
            if len(row) > 1 or "".join(row).strip():
                if rows and len(row) != len(rows[0]):
                    row = cut_blank_cells(row, len(rows[0]), (first_line, reader.line_num), path)
                rows.append(row)
            first_line = reader.line_num + 1
    except csv.Error as error:
        message = f"{path} cannot be read from line {first_line} on: {one_line(error)}"
        raise InputError(message) from error
    if row != [END]:
        raise InputError(f"{path} has a quote that is never closed, in line {first_line} or above")
    if len(rows) < 2:
        raise InputError(f"{path} has no rows below the header")
    return rows[0], rows[1:]


def cut_blank_cells(row, n_columns, lines, path):
    """Cut blank cells at the end of a row that is too long; refuse other rows."""
    if len(row) > n_columns and not "".join(row[n_columns:]).strip():
        return row[:n_columns]
    first, last = lines
    where = f"line {first} has" if first == last else f"lines {first} to {last} have"
    cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
    raise InputError(
        f"{path}: {where} {cells}, but the header has {n_columns}; "
        "cells that contain separators or line breaks need quotes"
    )


def unique_names(header):
    """Return distinct column names, those that the header repeats, and notes on these."""
    stripped = [name.strip() or f"column {i}" for i, name in enumerate(header, 1)]
    counts = Counter(stripped)
    taken, names = set(stripped), []
    for i, name in enumerate(stripped):
        number = stripped[:i].count(name) + 1 if counts[name] > 1 else 1
        unique = name
        while number > 1 and unique in taken:
            unique, number = f"{name} ({number})", number + 1
        taken.add(unique)
        names.append(unique)
    duplicates = [name for name in counts if counts[name] > 1]
    notes = tuple(
        f"{counts[name]} columns are named {name!r}; all but the first get a number."
        for name in duplicates
    )
    return names, frozenset(duplicates), notes


# Parquet ------------------------------------------------------------------------------------------


def read_parquet(path):
    """Read a Parquet file."""
    check_package("pyarrow", "a Parquet file")
    from pyarrow import parquet

    try:
        with path.open("rb") as stream:
            table = parquet.ParquetFile(stream).read()
        columns = [from_arrow(column) for column in table.columns]
    except Exception as error:  # a damaged file may raise any type
        raise InputError(f"{path} cannot be read as Parquet: {one_line(error)}") from error
    names, duplicates, notes = unique_names(table.column_names)
    columns = [
        ColumnData(name, *column)
        for name, column in zip(names, columns)
        if not name.startswith("__index_level_")  # the index of a data frame without a name
    ]
    return Source(path.name, columns, notes=notes, duplicates=duplicates)


def from_arrow(column):
    """Return the kind, the values and a note of a column of a Parquet file."""
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if types.is_boolean(kind) or types.is_dictionary(kind):
        cells = [None if cell is None else str(cell) for cell in column.to_pylist()]
        return "category", np.array(cells, dtype=object), ""
    if types.is_decimal(kind):
        column = column.cast(pyarrow.float64())
    if types.is_decimal(kind) or types.is_integer(kind) or types.is_floating(kind):
        return "number", column.to_numpy().astype(np.float64), ""
    if types.is_date(kind) or types.is_timestamp(kind):
        column = compute.local_timestamp(column) if getattr(kind, "tz", None) else column
        return "date", column.cast(pyarrow.timestamp("us"), safe=False).to_numpy(), ""
    if str(kind) in ("string", "large_string", "string_view"):
        return "text", clean(cell or "" for cell in column.to_pylist()), ""
    if types.is_null(kind):
        return "category", np.full(len(column), None), ""
    return "unusable", np.full(len(column), None), f"its values have the type {kind}"


# NumPy --------------------------------------------------------------------------------------------


def read_npz(path):
    """Read the arrays X, y and possibly `categorical` of an .npz file."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            found = [name for name in ("X", "y", "categorical") if name in file]
            arrays = {name: np.asarray(file[name]) for name in found}
            names = ", ".join(file.files) or "none"
    except Exception as error:  # a damaged archive may raise any type
        raise InputError(f"{path} cannot be read as .npz: {one_line(error)}") from error
    if not {"X", "y"} <= set(arrays):
        raise InputError(f"{path} must hold arrays X and y; its arrays: {names}")
    X, y = arrays["X"], arrays["y"]
    for name, array in (("X", X), ("y", y)):
        if array.dtype.kind not in "biufU":
            raise InputError(f"{name} must hold numbers or strings; got {array.dtype}")
    if 0 in (X.ndim, y.ndim, X.size) or y.size != len(y):
        raise InputError(f"X must be a table, y one value a row; got shapes {X.shape}, {y.shape}")
    if len(X) != len(y):
        raise InputError(f"X and y differ in length: {len(X)} and {len(y)} rows")
    X = X.reshape(len(X), -1)
    categorical = arrays.get("categorical", np.zeros(X.shape[1], dtype=bool))
    if categorical.dtype != bool or categorical.shape != X.shape[1:]:
        message = f"`categorical` must hold a boolean for each of the {X.shape[1]} columns of X"
        raise InputError(f"{message}; got {categorical.dtype}, shape {categorical.shape}")
    columns = [from_array(f"x{i}", X[:, i], codes) for i, codes in enumerate(categorical)]
    return Source(path.name, [*columns, from_array("y", y.ravel(), False)])


def from_array(name, values, categorical):
    """Return a one-dimensional array as a column."""
    if values.dtype.kind == "U":
        column = ColumnData(name, "text", clean(values.tolist()))
        return ColumnData(name, "category", column.values) if categorical else column
    if not categorical and values.dtype.kind != "b":
        return ColumnData(name, "number", values.astype(np.float64))
    cells = [
        None if value != value else f"{value:.15g}" if values.dtype.kind == "f" else str(value)
        for value in values.tolist()
    ]
    return ColumnData(name, "category", np.array(cells, dtype=object))
