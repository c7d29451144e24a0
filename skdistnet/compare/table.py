"""A table to compare models on, and what is known about its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "InputError", "Table"]


class InputError(Exception):
    """The user's input cannot be used, for the reason in the message."""


@dataclass(frozen=True)
class Column:
    """A column of the file other than the target.

    Attributes
    ----------
    name : str
    kind : {"number", "category", "date", "left out"}
    missing : int
        Number of missing values.
    n_distinct : int
        Number of distinct observed values.
    features : tuple of str
        The columns of `Table.X` that it became; none if it is left out.
    note : str
        What was done to it, or why it is left out; empty for ordinary columns.
    """

    name: str
    kind: str
    missing: int
    n_distinct: int
    features: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of features with a target.

    Attributes
    ----------
    name : str
        The name of the file.
    target : str
        The name of the target.
    task : {"classification", "regression"}
    X : DataFrame of shape (n_rows, n_features)
        Columns of float64 and of category dtype, possibly with missing values.
    y : ndarray of shape (n_rows,)
        Labels, strings or integers, in classification; float64 in regression.
    rows : ndarray of shape (n_rows,)
        The number of each row in the file; the first row below the header is 1.
    columns : tuple of Column
    groups : ndarray of shape (n_rows,), optional
        Rows of a group stay together in splits.
    group_column, time_column : str, optional
        The names of the columns that determine the splits. With `time_column`, rows are in the
        order of time.
    notes : tuple of str
        Sentences about what was done to the file's rows.
    """

    name: str
    target: str
    task: str
    X: pd.DataFrame
    y: np.ndarray
    rows: np.ndarray
    columns: tuple[Column, ...]
    groups: np.ndarray | None = None
    group_column: str | None = None
    time_column: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def is_classification(self):
        return self.task == "classification"

    @property
    def classes(self):
        """The distinct labels, sorted."""
        return np.unique(self.y)
