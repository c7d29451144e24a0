"""Tables for the benchmarks: .npz files of a folder, or data sets of OpenML by name."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import fail

__all__ = ["IMAGE_SETS", "Table", "read_folder", "read_openml", "sample"]

#: Left out by default: pixels differ too much from the columns of a table.
IMAGE_SETS = ("mnist", "fashion_mnist")
#: Every training part must have every class, so a class needs as many rows as there are folds.
MIN_CLASS_ROWS = 3


@dataclass
class Table:
    """Rows to cross-validate on."""

    name: str
    X: np.ndarray
    y: np.ndarray
    classes: bool
    notes: str = ""

    @property
    def digest(self):
        """A few characters that change with the data, so that no result of other data is reused."""
        content = hashlib.sha256(str((self.X.shape, self.X.dtype, self.y.dtype)).encode())
        content.update(np.ascontiguousarray(self.X).data)
        content.update(np.ascontiguousarray(self.y).data)
        return content.hexdigest()[:12]


def read_folder(folder, only=None, exclude=None):
    """All tables of a folder, or those in `only`, without those in `exclude`.

    By default `exclude` has the image sets, unless `only` is given.
    """
    if not Path(folder).is_dir():
        fail(f"--data: there is no folder {folder}")
    paths = {path.stem: path for path in sorted(Path(folder).glob("*.npz"))}
    if not paths:
        fail(f"--data: no .npz file in {folder}")
    unknown = sorted({*(only or ()), *(exclude or ())} - set(paths))
    if unknown:
        fail(f"no table {', '.join(unknown)} in {folder}; there are: {', '.join(paths)}")
    if exclude is None:
        exclude = () if only else IMAGE_SETS
    names = [name for name in paths if name in (only or paths) and name not in exclude]
    if not names:
        fail("--only and --exclude leave no table")
    return [read_npz(paths[name]) for name in names]


def read_npz(path):
    """A table from the arrays X and y of a file; X_test and y_test, if any, are ignored."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            X, y = arrays["X"], arrays["y"]
    except (KeyError, OSError, ValueError) as error:
        fail(f"{path} must hold arrays X and y of numbers: {error}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y):
        fail(f"{path}: X must be (n, m) and y (n,), got {X.shape} and {y.shape}")
    # Pixels fit into float32, which halves their memory.
    X = X.astype(np.float32 if X.dtype.itemsize == 1 else np.float64)
    if not np.isfinite(X).all() or (y.dtype.kind == "f" and not np.isfinite(y).all()):
        fail(f"{path}: values are missing or infinite")
    return Table(path.stem, X, y, classes=y.dtype.kind != "f")


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
    """A table from a data frame and its target; rows without a target are dropped.

    Missing numbers become the column's median. Categories are one-hot encoded, and a missing one is
    zero in all of its columns. Both use the whole table, not a fold's training part, which is the
    same for every model.
    """
    import pandas as pd

    if not isinstance(target, pd.Series):
        fail(f"--openml {name}: exactly one target is needed")
    observed = target.notna().to_numpy()
    frame, target = frame.loc[observed], target.loc[observed]
    numbers = [column for column in frame if is_number(frame[column])]
    X = frame[numbers].astype(float)
    # A column without any value has no median.
    X = X.fillna(X.median()).fillna(0.0)
    categories = frame.drop(columns=numbers).astype("category")
    if categories.shape[1]:
        X = pd.concat([X, pd.get_dummies(categories, dtype=float)], axis=1)
    if is_number(target):
        return Table(name, X.to_numpy(float), target.to_numpy(float), classes=False)
    y = np.unique(target.astype(str).to_numpy(dtype=str), return_inverse=True)[1]
    return Table(name, X.to_numpy(float), y, classes=True)


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
    return Table(table.name, X, y, table.classes, notes)
