"""What the depth benchmark works on and keeps: images, and results of trainings in a file."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import write_json
from accuracy import source_digest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

__all__ = ["Images", "Ledger", "read_digits", "read_images"]


def fail(message):
    """Leave with a message and no traceback."""
    raise SystemExit(f"{Path(sys.argv[0]).name}: {message}")


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
    parts = train_test_split((X / 16).astype(np.float32), y, stratify=y, random_state=0)
    return Images("digits", parts[0], parts[2], parts[1], parts[3])


class Ledger:
    """Results of single trainings in a JSON file, and the tables made of them, part by part.

    Each training is written down when it is over, so that a run that was stopped goes on where it
    was, and parts that are run one by one end up in one file.

    Parameters
    ----------
    path : str
    data : str
        Name of the images; a file with results on others is refused.
    fresh : bool
        Train again what is in the file.
    """

    def __init__(self, path, data, fresh=False):
        self.path, self.fresh, self.stale = Path(path), fresh, 0
        self.content = {"data": data, "tables": {}, "curves": {}, "runs": {}}
        if not self.path.parent.is_dir():
            fail(f"--output: there is no folder {self.path.parent}")
        if self.path.exists():
            try:
                content = json.loads(self.path.read_text())
                known = content["data"]
            except (OSError, ValueError, KeyError, TypeError):
                fail(f"{path} is no file of results; remove it or give another --output")
            if known != data:
                fail(f"{path} holds results on {known}, not {data}; give another --output")
            self.content |= content
        # That of the machine that writes it.
        self.content.pop("machine", None)
        self.source = source_digest()

    def run(self, key, label, train, own=True):
        """The result of a training: from the file, or of `train()`, which is then called.

        Parameters
        ----------
        key : str
            Names all that the result depends on but the source.
        label : str
            Names it for a reader of the progress.
        train : callable
            Returns a dict of what JSON can hold.
        own : bool
            Whether the result changes with the source of this package.
        """
        runs = self.content["runs"]
        if key in runs and not self.fresh:
            self.stale += runs[key].get("source", self.source) != self.source
            return runs[key]
        result = train() | ({"source": self.source} if own else {})
        runs[key] = result
        self.write(announce=False)
        says = ", ".join(
            f"{name} {value:.4g}" for name, value in result.items() if isinstance(value, float)
        )
        print(f"{label}: {says or 'done'}", file=sys.stderr, flush=True)
        return result

    def write(self, announce=True):
        """Write the file."""
        write_json(self.path, self.content, announce=announce)
