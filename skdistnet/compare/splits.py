"""Splits into training and held-out rows: by folds, by groups or by time."""

from dataclasses import replace

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from .table import InputError

__all__ = ["leave_out_rare_classes", "make_splits", "sample_rows", "split_rows"]

#: Rows of rare classes may be left out up to this share of all rows.
MAX_RARE_SHARE = 0.1


def take_rows(table, positions, note):
    """Return a table of some of the rows, with a note that says which."""
    groups = None if table.groups is None else table.groups[positions]
    X = table.X.iloc[positions].reset_index(drop=True)
    for name in X.select_dtypes("category"):
        X[name] = X[name].cat.remove_unused_categories()
    y, rows, notes = table.y[positions], table.rows[positions], (*table.notes, note)
    return replace(table, X=X, y=y, rows=rows, groups=groups, notes=notes)


def sample_rows(table, max_rows, random_state):
    """Return the table with at most `max_rows` random rows, in their order; 0 means all."""
    n_rows = len(table.y)
    if not max_rows or n_rows <= max_rows:
        return table
    positions = np.random.default_rng(random_state).permutation(n_rows)[:max_rows]
    note = f"{max_rows:,} of {n_rows:,} rows are drawn at random; --max-rows 0 takes all."
    return take_rows(table, np.sort(positions), note)


def leave_out_rare_classes(table, n_folds):
    """Return the table without classes of fewer rows than folds, which need one row each."""
    if not table.is_classification or table.time_column is not None:
        return table
    if table.groups is None:
        unit, least = "rows", n_folds
        classes, counts = np.unique(table.y, return_counts=True)
    else:
        unit, least, classes = "groups", 2, table.classes
        counts = np.array([len(np.unique(table.groups[table.y == one])) for one in classes])
    rare = np.isin(table.y, classes[counts < least])
    if not rare.any():
        return table
    n_rare = int(np.sum(counts < least))
    rows = "1 row" if rare.sum() == 1 else f"{rare.sum()} rows"
    if rare.mean() > MAX_RARE_SHARE or len(classes) - n_rare < 2:
        verb = "has" if n_rare == 1 else "have"
        raise InputError(
            f"{n_rare} of the {len(classes)} classes of {table.target!r} {verb} fewer than {least} "
            f"{unit}, together {rows} of {len(rare)}"
        )
    which = "1 class" if n_rare == 1 else f"{n_rare} classes"
    note = f"{rows} of {which} with fewer than {least} {unit} are left out."
    return take_rows(table, np.flatnonzero(~rare), note)


def split_rows(table, positions, n_folds, random_state):
    """Return training and held-out parts of some of a table's rows, as indices of `positions`."""
    y = table.y[positions]
    groups = None if table.groups is None else table.groups[positions]
    n_groups = 0 if groups is None else len(np.unique(groups))
    shuffled = {"shuffle": True, "random_state": random_state}
    if table.time_column is not None:
        splitter = TimeSeriesSplit(n_folds)
    elif n_groups > 1:
        kind = StratifiedGroupKFold if table.is_classification else GroupKFold
        splitter = kind(min(n_folds, n_groups), **shuffled)
    else:
        kind, groups = StratifiedKFold if table.is_classification else KFold, None
        splitter = kind(n_folds, **shuffled)
    return list(splitter.split(y, y, groups))


def make_splits(table, n_folds, n_repeats, random_state):
    """Return the splits of all repetitions, and a phrase that describes them.

    Raises
    ------
    InputError
        If there are too few rows or groups, or training rows with a single class.
    """
    # By time, the first part is in no held-out rows.
    n_rows, n_parts = len(table.y), n_folds + (table.time_column is not None)
    if n_rows < 2 * n_parts:
        raise InputError(f"{n_rows} rows are too few for {n_folds} folds: try fewer --folds")
    folds = f"{n_folds} folds"
    if n_repeats > 1:
        folds += f", repeated {n_repeats} times"
    if table.time_column is not None:
        text = f"{n_folds} splits by {table.time_column}: later rows are held out"
    elif table.groups is not None:
        n_groups = len(np.unique(table.groups))
        if n_groups < n_folds:
            raise InputError(
                f"--groups {table.group_column}: {n_groups} groups are too few for {folds}"
            )
        text = f"{folds} by {table.group_column}: no group is in both parts"
    else:
        text = f"{folds}, stratified by class" if table.is_classification else f"{folds} of rows"
    everything = np.arange(len(table.y))
    splits = []
    for repeat in range(n_repeats):
        splits += split_rows(table, everything, n_folds, random_state + repeat)
    check_splits(table, splits)
    return splits, text


def check_splits(table, splits):
    """Raise InputError for training rows of a single class or value, or too few held-out rows."""
    least = 1 if table.is_classification else 2  # R^2 needs two
    for number, (train, held_out) in enumerate(splits, 1):
        if len(np.unique(table.y[train])) < 2:
            noun = "class" if table.is_classification else "value"
            raise InputError(
                f"the training rows of split {number} have a single {noun} of "
                f"{table.target!r}, {table.y[train][0]}: try fewer --folds"
            )
        if len(held_out) < least:
            rows = "1 row" if len(held_out) == 1 else "no rows"
            raise InputError(f"split {number} has {rows} to hold out: try fewer --folds")
