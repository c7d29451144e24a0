"""Tasks of novelty detection: rows to train on, held-out rows like them, and novel rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _tables import read_folder, sample
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

__all__ = ["KINDS", "Task", "far_directions", "find_tasks"]

#: Titles of the tables, by kind of task.
KINDS = {
    "images": "Novel rows are the other image set",
    "digits": "Novel rows are the class of digits left out",
    "mnist": "Novel rows are the class of MNIST left out",
    "shifted": "Novel rows are training rows shifted by 3 standard deviations in 3 random features",
}
IMAGES = ("mnist", "fashion_mnist")
SHIFT, N_SHIFTED = 3.0, 3


@dataclass
class Task:
    """Rows to train on, with a target; held-out rows like them; novel rows.

    Tables have a mean over each `group`.
    """

    kind: str
    group: str
    name: str
    X: np.ndarray
    y: np.ndarray
    known: np.ndarray
    novel: np.ndarray
    classes: bool = True


def find_tasks(args):
    """Functions from a seed to a Task, by kind, group and name."""
    tasks = {}
    if args.data:
        tasks |= image_tasks(args)
    X, y = load_digits(return_X_y=True)
    for label in range(10)[: 3 if args.quick else None]:
        tasks["digits", "digits", f"digits without {label}"] = digits_task(X, y, label)
    if args.data:
        tasks |= left_out_tasks(args) | shifted_tasks(args)
    return tasks


# Images -------------------------------------------------------------------------------------------


def read_images(folder, name):
    """X, y, X_test and y_test of a file, pixels in float32."""
    with np.load(Path(folder) / f"{name}.npz", allow_pickle=False) as arrays:
        X, X_test = (arrays[part].astype(np.float32) for part in ("X", "X_test"))
        return X, arrays["y"], X_test, arrays["y_test"]


def has_images(folder):
    return all((Path(folder) / f"{name}.npz").exists() for name in IMAGES)


def image_tasks(args):
    tasks = {}
    for name, other in (IMAGES, IMAGES[::-1]) if has_images(args.data) else ():

        def task(seed, name=name, other=other):
            X, y, known, _ = read_images(args.data, name)
            novel = read_images(args.data, other)[2]
            rows = np.random.default_rng(seed).permutation(len(X))[: args.image_rows]
            n = args.test_rows
            return Task("images", name, name, X[rows], y[rows], known[:n], novel[:n])

        tasks["images", name, f"{name}, {args.image_rows:,} rows, novel: {other}"] = task
    return tasks


def left_out_tasks(args):
    tasks = {}
    if args.quick or not has_images(args.data):
        return tasks
    for label in range(10):

        def task(seed, label=label):
            X, y, X_test, y_test = read_images(args.data, "mnist")
            rows = np.random.default_rng(seed).permutation(len(X))[: args.left_out_rows]
            rows = rows[y[rows] != label]
            known, novel = X_test[y_test != label], X_test[y_test == label]
            name = f"mnist without {label}"
            return Task("mnist", "mnist", name, X[rows], y[rows], known, novel)

        tasks["mnist", "mnist", f"mnist without {label}"] = task
    return tasks


def digits_task(X, y, label):
    def task(seed):
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.25, stratify=y, random_state=seed
        )
        train, test = train[y[train] != label], test[y[test] != label]
        name = f"digits without {label}"
        return Task("digits", "digits", name, X[train], y[train], X[test], X[y == label])

    return task


# Tables -------------------------------------------------------------------------------------------


def shifted_tasks(args):
    tasks = {}
    for table in read_folder(args.data)[: 3 if args.quick else None]:

        def task(seed, table=table):
            rows = sample(table, args.rows)
            X, X_test, y, _ = train_test_split(
                rows.X,
                rows.y,
                test_size=1 / 3,
                stratify=rows.y if table.classes else None,
                random_state=seed,
            )
            novel = shift(X, np.random.default_rng(seed))
            return Task("shifted", "tables", table.name, X, y, X_test, novel, table.classes)

        tasks["shifted", "tables", table.name] = task
    return tasks


def shift(X, rng):
    """Move each row, up or down, in a few columns drawn for it, among those that vary."""
    X, spread = X.copy(), X.std(axis=0)
    varying = np.flatnonzero(spread > 0)
    for row in X:
        columns = rng.choice(varying, min(N_SHIFTED, len(varying)), replace=False)
        row[columns] += SHIFT * rng.choice([-1, 1], len(columns)) * spread[columns]
    return X


def far_directions(X, distance, seed, n_random=200):
    """Rows `distance` standard deviations from the mean, along columns and in random directions.

    Constant columns count as having deviation 1.
    """
    n_columns, spread = X.shape[1], X.std(axis=0)
    drawn = np.random.default_rng(seed).normal(size=(n_random, n_columns))
    axes = np.eye(n_columns)
    units = np.vstack([drawn / np.linalg.norm(drawn, axis=1, keepdims=True), axes, -axes])
    return X.mean(axis=0) + distance * units * np.where(spread > 0, spread, 1.0)
