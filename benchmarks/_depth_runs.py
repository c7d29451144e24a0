"""Images for the depth benchmark, and a file that keeps the result of each training run."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import fail, read_results, source_digest, write_json
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

__all__ = ["Images", "Ledger", "read_digits", "read_images"]


@dataclass(frozen=True)
class Images:
    """Rows of pixels between 0 and 1, in single precision, and an official split."""

    name: str
    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def read_images(path):
    """Images of a file with arrays X, y, X_test and y_test; X of bytes, flat or (n, 28, 28)."""
    names = ("X", "y", "X_test", "y_test")
    try:
        with np.load(path, allow_pickle=False) as file:
            X, y, X_test, y_test = (file[name] for name in names)
    except (KeyError, OSError, ValueError) as error:
        fail(f"{path} must hold arrays {', '.join(names)}: {error}")
    if X.dtype != np.uint8 or X_test.dtype != np.uint8:
        fail(f"{path}: X and X_test must hold bytes; got {X.dtype} and {X_test.dtype}")
    flat = [part.reshape(len(part), -1) / np.float32(255) for part in (X, X_test)]
    return Images(Path(path).stem, flat[0], y, flat[1], y_test)


def read_digits():
    """Images of 8 x 8 pixels that come with scikit-learn; a quarter of them for the test."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        (X / 16).astype(np.float32), y, stratify=y, random_state=0
    )
    return Images("digits", X_train, y_train, X_test, y_test)


class Ledger:
    """Results of training runs in a JSON file, and the tables made of them, part by part.

    Each result is written at once, so that an interrupted benchmark continues and parts can be run
    one by one. The file must hold results on the images named `data`; `fresh` repeats the runs that
    it has.
    """

    def __init__(self, path, data, fresh=False):
        self.path, self.fresh, self.n_stale = path, fresh, 0
        empty = {"data": data, "tables": {}, "curves": {}, "runs": {}}
        self.content = read_results(path, empty, "runs")
        if self.content["data"] != data:
            fail(
                f"{path} holds results on {self.content['data']}, not {data}; pass another --output"
            )
        self.source = source_digest()

    def run(self, key, label, train, own=True):
        """The result of a training run: from the file, or of calling `train()`.

        Parameters
        ----------
        key : str
            All that the result depends on, except for the source.
        label : str
            What the progress report shows.
        train : callable
            Returns a dict that JSON can hold.
        own : bool
            Whether the result depends on the source of this package.
        """
        runs = self.content["runs"]
        if key in runs and not self.fresh:
            self.n_stale += runs[key].get("source", self.source) != self.source
            return runs[key]
        result = train() | ({"source": self.source} if own else {})
        runs[key] = result
        self.write(announce=False)
        figures = ", ".join(
            f"{name} {value:.4g}" for name, value in result.items() if isinstance(value, float)
        )
        print(f"{label}: {figures or 'done'}", file=sys.stderr, flush=True)
        return result

    def write(self, announce=True):
        """Write the file."""
        write_json(self.path, self.content, announce=announce)
