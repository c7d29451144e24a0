"""Files from which an interrupted fit resumes, one for each of its starts.

The name of a file is a digest of everything that decides the result. So the same fit finds its
files when the program runs again, and no other fit does.
"""

import json
import os
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from .hashing import digest
from .trained import LEARNED

EVERY = 10  # epochs between two checkpoints
#: Parameters that do not decide the result of a start, whose seed replaces `random_state`.
IRRELEVANT = {"checkpoint", "n_init", "n_jobs", "random_state", "verbose", "warm_start"}


def check_seed(estimator):
    """Raise a ValueError if a fit of the estimator could not find its files again."""
    if estimator.random_state is None or estimator.random_state is np.random:
        raise ValueError(
            f"The 'random_state' parameter of {type(estimator).__name__} must be an int or a "
            "numpy.random.RandomState if 'checkpoint' is set, because a fit finds its files by the "
            f"seed; got {estimator.random_state!r}."
        )


def check_checkpoint_folder(estimator):
    """Make the folder for checkpoints, if `checkpoint` is set; it must be writable."""
    if estimator.checkpoint is None:
        return
    check_seed(estimator)
    name, folder = type(estimator).__name__, Path(estimator.checkpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("it cannot be written to")
    except OSError as error:
        raise ValueError(
            f"The 'checkpoint' parameter of {name} must be a folder that can be made and written "
            f"to; got {estimator.checkpoint!r}: {error}."
        ) from error


def checkpoints_of(candidate, rows, validation, seeds):
    """Return the checkpoint of each start of a fit, or None for each."""
    if candidate.checkpoint is None:
        return [None] * len(seeds)
    fitted = {name: value for name, value in vars(candidate).items() if name in LEARNED}
    data = fitted, vars(rows), None if validation is None else vars(validation)
    # Another version may train in another way.
    decisive = digest([__version__, type(candidate), parameter_digests(candidate), data])
    # Other processes may have another working directory.
    folder = Path(candidate.checkpoint).absolute()
    paths = [folder / f"{digest([decisive, seed])}.npz" for seed in seeds]
    return [Checkpoint(path, bool(candidate.verbose)) for path in paths]


def parameter_digests(estimator):
    """Return digests of the parameters that decide the result, or raise a ValueError."""
    digests = {}
    for name, value in sorted(estimator.get_params(deep=False).items()):
        if name not in IRRELEVANT:
            try:
                digests[name] = digest(value)
            except ValueError as error:
                raise ValueError(
                    f"The {name!r} parameter of {type(estimator).__name__} must be such that "
                    f"pickle can save it if 'checkpoint' is set; got {error}."
                ) from error
    return digests


@dataclass(frozen=True)
class Checkpoint:
    """The file from which training of one start resumes."""

    path: Path
    verbose: bool

    def load(self):
        """Return the state that was saved last; None if there is no readable file."""

        def restore_array(part):
            return file[part["array"]] if part.keys() == {"array"} else part

        try:
            # NumPy does not close a file that it cannot read.
            with open(self.path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                state = json.loads(str(file["text"]), object_hook=restore_array)
        except FileNotFoundError:
            return None
        # A file may be damaged in more ways than can be listed, which must not prevent training.
        except Exception as error:
            warnings.warn(
                f"The checkpoint {self.path} cannot be read, so training starts again: {error!r}.",
                stacklevel=2,
            )
            return None
        if self.verbose:
            print(f"Resuming after epoch {len(state['result']['loss_curve'])}, from {self.path}")
        return state

    def keep(self, result, state):
        """Write what the function `state` returns, every ten epochs and at the end of training."""
        # The end is saved so that, of several starts, those that are complete are not repeated.
        if not result.reason and len(result.loss_curve) % EVERY:
            return
        try:
            write(self.path, state())
        except OSError as error:
            # A full disk must not end the training; the previous file is intact.
            warnings.warn(
                f"The checkpoint {self.path} could not be written, and training continues without "
                f"it: {error!r}.",
                stacklevel=2,
            )

    def remove(self):
        """Remove the file, and temporary files that a killed process may have left."""
        for path in self.path.parent.glob(f"{self.path.stem}*"):
            with suppress(OSError):
                path.unlink()


def write(path, state):
    """Write a state of arrays, numbers, strings, lists and dicts to a file, in an atomic step."""
    arrays: dict[str, Any] = {}

    def store_array(array):
        name = f"array_{len(arrays)}"
        arrays[name] = array
        return {"array": name}

    text = json.dumps(state, default=store_array)
    descriptor, temporary = tempfile.mkstemp(".tmp", path.stem, path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, text=np.array(text), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
