"""Tables for the benchmarks: .npz files of folders, or data sets of OpenML by name."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from _harness import fail

__all__ = ["HALVES", "IMAGE_SETS", "Table", "read_folder", "read_folders", "read_openml", "sample"]

#: Left out by default: pixels differ too much from the columns of a table.
IMAGE_SETS = ("mnist", "fashion_mnist")
#: Every training part must have every class, so a class needs as many rows as there are folds.
MIN_CLASS_ROWS = 3
#: Settings are chosen on the tables of one half, and reported on those of the other.
HALVES = ("A", "B")


@dataclass
class Table:
    """Rows to cross-validate on.

    Parameters
    ----------
    name : str
    X, y : ndarray
        X has NaN for a missing value.
    classes : bool
        Whether y holds class numbers.
    categorical : ndarray of bool or None
        Which columns of X hold codes of levels; None for none.
    notes, half : str
        Remarks for the reader, and the half that the table belongs to, "" for neither.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    classes: bool
    categorical: np.ndarray | None = None
    notes: str = ""
    half: str = ""

    @cached_property
    def digest(self):
        """A few characters that change with the data, so that no result of other data is reused."""
        content = hashlib.sha256(str((self.X.shape, self.X.dtype, self.y.dtype)).encode())
        for array in (self.X, self.y, *(() if self.categorical is None else (self.categorical,))):
            content.update(np.ascontiguousarray(array).data)
        return content.hexdigest()[:12]

    @property
    def has_categories(self):
        return self.categorical is not None and bool(self.categorical.any())

    @property
    def shares_loss(self):
        """The log-loss of predicting the shares of the classes for every row; None for numbers."""
        if not self.classes:
            return None
        shares = np.unique(self.y, return_counts=True)[1] / len(self.y)
        return float(-np.sum(shares * np.log(shares)))


def read_folder(folder, only=None, exclude=None):
    """As :func:`read_folders`, for one folder whose tables have no missing values."""
    tables = read_folders([folder], only, exclude)
    incomplete = [table.name for table in tables if np.isnan(table.X).any()]
    if incomplete:
        fail(f"{folder}: values are missing in {', '.join(incomplete)}; --exclude leaves them out")
    return tables


def read_folders(folders, only=None, exclude=None):
    """All tables of some folders, or those in `only`, without those in `exclude`.

    A table of the same name as one of an earlier folder is named FOLDER/NAME. By default `exclude`
    has the image sets, unless `only` is given.
    """
    paths = {}
    for folder in folders:
        if not Path(folder).is_dir():
            fail(f"--data: there is no folder {folder}")
        files = sorted(Path(folder).resolve().glob("*.npz"))
        if not files:
            fail(f"--data: no .npz file in {folder}")
        for path in files:
            name = path.stem if path.stem not in paths else f"{path.parent.name}/{path.stem}"
            if name in paths:
                fail(f"--data: {name} is there twice; rename a file or a folder")
            paths[name] = path
    unknown = sorted({*(only or ()), *(exclude or ())} - set(paths))
    if unknown:
        where = ", ".join(map(str, folders))
        fail(f"no table {', '.join(unknown)} in {where}; there are: {', '.join(paths)}")
    if exclude is None:
        exclude = () if only else IMAGE_SETS
    names = [name for name in paths if name in (only or paths) and name not in exclude]
    if not names:
        fail("--only and --exclude leave no table")
    halves = split_into_halves(list(paths.values()))
    return [replace(read_npz(paths[name]), name=name, half=halves[paths[name]]) for name in names]


def split_into_halves(paths):
    """The half, A or B, of each file: the files of a folder and a kind alternate, by name.

    It does not depend on what --only and --exclude select. Image sets belong to neither half.
    """
    halves, counts = dict.fromkeys(paths, ""), Counter()
    for path in sorted(paths):
        if path.stem in IMAGE_SETS:
            continue
        group = path.parent, has_classes(load_arrays(path, "y")["y"])
        halves[path] = HALVES[counts[group] % len(HALVES)]
        counts[group] += 1
    return halves


def load_arrays(path, *names):
    """Those of the arrays `names` that a file holds, by name; X and y must be there."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names if name in arrays or name in "Xy"}
    except (KeyError, OSError, ValueError) as error:
        fail(f"{path} must hold arrays X and y of numbers: {error}")


def has_classes(y):
    return y.dtype.kind != "f"


def read_npz(path):
    """A table from the arrays of a file; X_test and y_test, if any, are ignored."""
    arrays = load_arrays(path, "X", "y", "categorical")
    X, y, categorical = arrays["X"], arrays["y"], arrays.get("categorical")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y):
        fail(f"{path}: X must be (n, m) and y (n,), got {X.shape} and {y.shape}")
    if categorical is not None and (categorical.shape != X.shape[1:] or categorical.dtype != bool):
        fail(f"{path}: categorical must be {X.shape[1]} booleans, got {categorical.shape}")
    # Pixels fit into float32, which halves their memory.
    X = X.astype(np.float32 if X.dtype.itemsize == 1 else np.float64)
    if np.isinf(X).any() or (not has_classes(y) and not np.isfinite(y).all()):
        fail(f"{path}: values of X are infinite, or values of y missing or infinite")
    return Table(path.stem, X, y, has_classes(y), categorical)


# OpenML -------------------------------------------------------------------------------------------


def read_openml(names):
    """Tables by their names at OpenML, NAME or NAME@VERSION."""
    from sklearn.datasets import fetch_openml

    tables = []
    for name in names:
        title, _, version = name.partition("@")
        if version and not version.isdigit():
            fail(f"--openml {name}: the version after @ must be a number")
        try:
            data = fetch_openml(title, version=int(version or 1), as_frame=True)
        except Exception as error:
            fail(f"--openml {name}: {type(error).__name__}: {error}")
        tables.append(from_frame(name, data.data, data.target))
    return tables


def from_frame(name, frame, target):
    """A table from a data frame and its target; rows without a target are dropped."""
    import pandas as pd

    if not isinstance(target, pd.Series):
        fail(f"--openml {name}: exactly one target is needed")
    observed = target.notna().to_numpy()
    frame, target = frame.loc[observed], target.loc[observed]
    categorical = np.array([not is_number(frame[column]) for column in frame])
    columns = [
        frame[column].astype("category").cat.codes.replace(-1, np.nan) if codes else frame[column]
        for column, codes in zip(frame, categorical)
    ]
    X = np.column_stack([column.to_numpy(dtype=float, na_value=np.nan) for column in columns])
    if is_number(target):
        return Table(name, X, target.to_numpy(float), False, categorical)
    y = np.unique(target.astype(str).to_numpy(dtype=str), return_inverse=True)[1]
    return Table(name, X, y, True, categorical)


def is_number(column):
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def sample(table, n_rows):
    """At most `n_rows` random rows of a table, 0 for all; classes with too few rows are dropped."""
    X, y = table.X, table.y
    if n_rows and len(y) > n_rows:
        rows = np.random.default_rng(0).choice(len(y), n_rows, replace=False)
        X, y = X[rows], y[rows]
    notes = ""
    if table.classes:
        labels, y, counts = np.unique(y, return_inverse=True, return_counts=True)
        rare = counts < MIN_CLASS_ROWS
        if rare.any():
            dropped = ", ".join(f"{labels[k]} ({counts[k]} rows)" for k in np.flatnonzero(rare))
            notes = f"classes dropped, with fewer than {MIN_CLASS_ROWS} rows: {dropped}"
            keep = ~rare[y]
            X, y = X[keep], np.unique(y[keep], return_inverse=True)[1]
        if (~rare).sum() < 2:
            fail(f"{table.name}: fewer than two classes have {MIN_CLASS_ROWS} rows")
    if len(y) < 2 * MIN_CLASS_ROWS:
        fail(f"{table.name}: {len(y)} rows are too few")
    return replace(table, X=X, y=y, notes=notes)
