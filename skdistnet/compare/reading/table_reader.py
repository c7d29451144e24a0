"""From a file to a table: which rows and columns are used, the target, and what can be wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from ..table import Column, InputError, Table
from .columns import ColumnData, convert, interpret, labels
from .files import Source, check_package, listing, read_source

__all__ = ["load_demo", "read_table"]

#: Whole numbers with more distinct values than this are a quantity, not classes.
MAX_CLASSES = 20
MIN_ROWS = 20


def read_table(path, target=None, *, task="auto", groups=None, time=None):
    """Read a table to compare models on from a file.

    Columns of text are read as numbers, dates or categories. Rows without a target are left out,
    and so are columns that cannot help to predict it, such as identifiers.

    Parameters
    ----------
    path : str or Path
        A CSV file (``.csv``, ``.tsv``, ``.txt``, possibly compressed), whose separator, encoding
        and decimal mark are found out; a ``.parquet`` file; or an ``.npz`` file with arrays ``X``
        and ``y`` and, optionally, booleans ``categorical`` that mark columns of codes.
    target : str, optional
        The column to predict. An ``.npz`` file needs none.
    task : {"auto", "classification", "regression"}, default="auto"
        With "auto", a target of words means classification, and so do at most 20 different whole
        numbers; other numbers mean regression.
    groups : str, optional
        A column; rows with the same value stay together in splits.
    time : str, optional
        A column of dates or numbers that orders the rows.

    Returns
    -------
    table : Table

    Raises
    ------
    InputError
        If the file cannot be used; the message is one line.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skdistnet.compare import read_table
    >>> rows = [f"{n / 8};{'round' if n % 3 else 'flat'};{n * n}" for n in range(50)]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "shapes.csv"
    ...     _ = path.write_text(chr(10).join(["size;shape;price", *rows, "?;flat;7"]))
    ...     table = read_table(path, "price")
    >>> table.task, list(table.X)
    ('regression', ['size', 'shape'])
    >>> table.columns[0].missing
    1
    """
    check_package("pandas", "reading a table")
    source = read_source(path)
    if str(path).lower().endswith(".npz"):
        if target not in (None, "y"):
            raise InputError(f"the target of an .npz file is its array 'y'; got {target!r}")
        target = "y"
    return make_table(source, target, task, groups, time)


def load_demo():
    """Load the images of digits that come with scikit-learn.

    Returns
    -------
    table : Table
    """
    check_package("pandas", "reading a table")
    X, y = load_digits(return_X_y=True, as_frame=True)
    frame = X.assign(digit=y)
    columns = [ColumnData(name, "number", frame[name].to_numpy(dtype=np.float64)) for name in frame]
    return make_table(Source("digits", columns), "digit", "auto", None, None)


@dataclass(frozen=True)
class Roles:
    """The columns with a role of their own, interpreted.

    Attributes
    ----------
    target : ColumnData
    groups, time : ColumnData or None
    """

    target: ColumnData
    groups: ColumnData | None
    time: ColumnData | None


def make_table(source, target, task, groups, time):
    """Make a table of the columns of a source."""
    import pandas as pd

    roles = find_roles(source, target, groups, time)
    order, row_notes = usable_rows(roles, source.name)
    y_column = roles.target.take(order)
    task = choose_task(y_column, task)
    y = make_target(y_column, task)
    columns, features = convert_columns(source, roles, order)
    if not features:
        left_out = "; ".join(f"{column.name!r} {column.note}" for column in columns[:5])
        raise InputError(f"no column of {source.name} can be used as a feature: {left_out}")
    note = roles.target.note
    target_note = (f"In the target {roles.target.name!r}, {note}.",) if note else ()
    return Table(
        name=source.name,
        target=roles.target.name,
        task=task,
        X=pd.DataFrame(features),
        y=y,
        rows=order + 1,
        columns=tuple(columns),
        groups=None if roles.groups is None else labels(roles.groups.take(order)),
        group_column=None if roles.groups is None else roles.groups.name,
        time_column=None if roles.time is None else roles.time.name,
        notes=(*source.notes, *target_note, *row_notes),
    )


def convert_columns(source, roles, order):
    """Convert the columns other than the target, at the rows of the table."""
    columns: list[Column] = []
    features: dict[str, Any] = {}
    for data in source.columns:
        if data.name == roles.target.name:
            continue
        role = ""
        if roles.time is not None and data.name == roles.time.name:
            role = "time"
        if roles.groups is not None and data.name == roles.groups.name:
            role = "groups"
        column, arrays = convert(interpret(data, source.decimal).take(order), order + 1, role=role)
        names = {name: unused_name(name, features) for name in arrays}
        columns.append(replace(column, features=tuple(names.values())))
        features |= {names[name]: array for name, array in arrays.items()}
    return columns, features


def unused_name(name, taken):
    """Return the name, with a number if another feature has it."""
    number, unused = 2, name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused


# Rows and their roles -----------------------------------------------------------------------------


def find_roles(source, target, groups, time):
    """Find and check the target, the groups and the time."""
    if target is None:
        names = listing([column.name for column in source.columns])
        raise InputError(f"--target is missing; columns of {source.name}: {names}")
    if len(source.columns) == 1:
        name = source.columns[0].name
        raise InputError(
            f"{source.name} has the single column {name!r}; separators may be commas, semicolons, "
            "tabs and vertical bars"
        )
    roles = Roles(
        target=find_column(source, target, "--target"),
        groups=None if groups is None else find_column(source, groups, "--groups"),
        time=None if time is None else find_column(source, time, "--time"),
    )
    for column, option in ((roles.groups, "--groups"), (roles.time, "--time")):
        if column is not None and column.name == roles.target.name:
            raise InputError(f"{option} must differ from the target {roles.target.name!r}")
    if roles.time is not None and roles.time.kind == "category" and not roles.time.is_missing.all():
        raise InputError(
            f"--time needs a column of dates or numbers; {roles.time.name!r} holds words such as "
            f"{first_word(roles.time)!r}"
        )
    if roles.target.kind == "date":
        raise InputError(
            f"the target must hold numbers or words; {roles.target.name!r} holds dates"
        )
    return roles


def find_column(source, name, option):
    """Return the interpreted column that an option names."""
    name = name.strip()
    if name in source.duplicates:
        raise InputError(f"{option}: {source.name} has several columns {name!r}; rename them")
    names = [column.name for column in source.columns]
    if name not in names:
        close = get_close_matches(name.lower(), [each.lower() for each in names], n=1)
        hint = next((each for each in names if close and each.lower() == close[0]), None)
        question = f"; did you mean {hint!r}? Its" if hint else "; its"
        raise InputError(
            f"{option}: {source.name} has no column {name!r}{question} columns: {listing(names)}"
        )
    column = source.columns[names.index(name)]
    if column.kind == "unusable":
        raise InputError(f"{option}: {name!r} cannot be used: {column.note}")
    return interpret(column, source.decimal)


def first_word(column):
    return next(value for value in column.values if value is not None)


def usable_rows(roles, name):
    """Return the positions of rows with all that is needed, in the order of time, and notes."""
    n_rows = len(roles.target.values)
    usable, notes = np.ones(n_rows, dtype=bool), []
    words = (("target", "a target"), ("groups", "a group"), ("time", "a time"))
    for role, what in words:
        column = getattr(roles, role)
        if column is None:
            continue
        dropped = usable & column.is_missing
        usable &= ~column.is_missing
        if n_dropped := int(dropped.sum()):
            rows = "1 row is" if n_dropped == 1 else f"{n_dropped:,} rows are"
            notes.append(f"{rows} left out, without {what} ({column.name!r}).")
    order = np.flatnonzero(usable)
    if len(order) < MIN_ROWS:
        given = " and ".join(what for role, what in words if getattr(roles, role) is not None)
        have = "1 row" if len(order) == 1 else f"{len(order)} rows"
        raise InputError(f"{name} has {have} with {given}; {MIN_ROWS} are needed")
    if roles.time is not None:
        order = order[np.argsort(roles.time.values[order], kind="stable")]
    if roles.groups is not None and len(set(labels(roles.groups.take(order)))) < 2:
        raise InputError(f"--groups needs two groups or more; {roles.groups.name!r} has one value")
    return order, tuple(notes)


# The target ---------------------------------------------------------------------------------------


def choose_task(column, task):
    """Choose the task if it is "auto"; otherwise check that the target suits it."""
    name = column.name
    if column.kind == "category":
        if task == "regression":
            raise InputError(
                f"--task regression needs a target of numbers; {name!r} holds words such as "
                f"{first_word(column)!r}"
            )
        return "classification"
    if n_infinite := int(np.isinf(column.values).sum()):
        rows = "1 row" if n_infinite == 1 else f"{n_infinite:,} rows"
        raise InputError(f"the target {name!r} is infinite in {rows}")
    n_distinct = len(np.unique(column.values))
    fractions = np.any(column.values != np.round(column.values))
    if task == "auto":
        return "regression" if fractions or n_distinct > MAX_CLASSES else "classification"
    if task == "classification" and fractions and n_distinct > MAX_CLASSES:
        raise InputError(
            f"--task classification needs labels; {name!r} holds {n_distinct} different numbers "
            "with fractions"
        )
    return task


def make_target(column, task):
    """Return the target in the dtype that suits the task."""
    distinct, counts = np.unique(labels(column), return_counts=True)
    if len(distinct) == 1:
        raise InputError(f"the target {column.name!r} has the single value {str(distinct[0])!r}")
    if task == "regression":
        return column.values
    if counts[counts == 1].sum() > len(column.values) / 2:
        raise InputError(
            f"the target {column.name!r} looks like an identifier: {len(distinct)} classes in "
            f"{len(column.values)} rows"
        )
    whole = column.kind == "number" and np.all(column.values == np.round(column.values))
    if whole and np.max(np.abs(column.values)) < 2**53:
        return column.values.astype(np.int64)
    return labels(column)
