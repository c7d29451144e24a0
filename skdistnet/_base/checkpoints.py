"""Files that a fit which was cut off goes on from, a file for each of its starts.

A file is named by a digest of all that decides the result, so that the same fit finds it, in the
same program run again, and no other fit does.
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
from .fitted import LEARNED
from .hashing import digest

__all__ = ["Checkpoint", "check_checkpointing", "checkpoints_of"]

#: Parameters that do not decide what a start comes to; its seed stands for `random_state`.
IRRELEVANT = {
    "checkpoint_dir",
    "checkpoint_every",
    "false_alarm_rate",
    "handle_novelty",
    "n_init",
    "n_jobs",
    "random_state",
    "verbose",
    "warm_start",
}


def check_checkpointing(estimator):
    """Make the folder for checkpoints, if any are asked for.

    Raises
    ------
    ValueError
        For a random state that leaves nothing to be found again, and for a folder that cannot be
        made or written to.
    """
    if estimator.checkpoint_dir is None:
        return
    name, folder = type(estimator).__name__, Path(estimator.checkpoint_dir)
    if estimator.random_state is None or estimator.random_state is np.random:
        raise ValueError(
            f"The 'random_state' parameter of {name} must be an int or a numpy.random.RandomState "
            "where 'checkpoint_dir' is set, because a fit is found again by its seed; got "
            f"{estimator.random_state!r}."
        )
    problem = "it cannot be written to"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return
    except OSError as error:
        problem = str(error)
    raise ValueError(
        f"The 'checkpoint_dir' parameter of {name} must be a folder that can be made and written "
        f"to; got {estimator.checkpoint_dir!r}: {problem}."
    )


def checkpoints_of(draft, rows, validation, seeds):
    """The checkpoint of each start of a fit; None for each if there are to be none."""
    if draft.checkpoint_dir is None:
        return [None] * len(seeds)
    # What scoring and starts are given beside their numbers.
    fitted = {name: value for name, value in vars(draft).items() if name in LEARNED}
    known = [fitted, rows.X, rows.target, rows.weights]
    if validation is not None:
        known += [validation.X, validation.target, validation.weights, validation.y]
    # Another version may train in another way.
    decisive = digest([__version__, type(draft), parameter_digests(draft), known])
    # Other processes may have another working directory.
    folder = Path(draft.checkpoint_dir).absolute()
    return [
        Checkpoint(folder, digest([decisive, seed]), draft.checkpoint_every, bool(draft.verbose))
        for seed in seeds
    ]


def parameter_digests(estimator):
    """Digests of the constructor's parameters that decide the result, by name.

    Raises
    ------
    ValueError
        For a parameter that has none.
    """
    digests = {}
    for name, value in sorted(estimator.get_params(deep=False).items()):
        if name not in IRRELEVANT:
            try:
                digests[name] = digest(value)
            except ValueError as error:
                raise ValueError(
                    f"The {name!r} parameter of {type(estimator).__name__} must be such that "
                    f"pickle can save it where 'checkpoint_dir' is set; got {error}."
                ) from error
    return digests


@dataclass(frozen=True)
class Checkpoint:
    """The file that the training from one start goes on from."""

    folder: Path
    key: str
    every: int
    verbose: bool

    @property
    def path(self):
        """Where the file is."""
        return self.folder / f"{self.key}.npz"

    def load(self):
        """The state that was kept last; None if there is none that can be read."""
        try:
            state = read(self.path)
        except FileNotFoundError:
            return None
        # A file may be damaged in more ways than can be listed, and is no reason not to train.
        except Exception as error:
            warnings.warn(
                f"The checkpoint {self.path} cannot be read, so training begins anew: {error!r}.",
                stacklevel=2,
            )
            return None
        if self.verbose:
            print(f"Going on after epoch {len(state['result']['loss_curve'])}, from {self.path}")
        return state

    def keep(self, outcome, state):
        """Write what `state` returns if it is time to, or if training is over.

        The latter saves a start from being trained again for the sake of the others.
        """
        if not outcome.reason and len(outcome.loss_curve) % self.every:
            return
        try:
            write(self.path, state())
        except OSError as error:
            # A full disk must not cost the training itself; the file before is as it was.
            warnings.warn(
                f"The checkpoint {self.path} could not be written, and training goes on without: "
                f"{error!r}.",
                stacklevel=2,
            )

    def remove(self):
        """Remove the file, and what a process that was killed may have left of it."""
        for path in self.folder.glob(f"{self.key}*"):
            with suppress(OSError):
                path.unlink()


def write(path, state):
    """Write a state of arrays, numbers, strings, lists and dicts to a file, whole or not at all."""
    arrays: dict[str, Any] = {}

    def set_aside(array):
        name = f"array_{len(arrays)}"
        arrays[name] = array
        return {"array": name}

    text = json.dumps(state, default=set_aside)
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


def read(path):
    """Read the state that `write` has written."""

    def put_back(part):
        return file[part["array"]] if part.keys() == {"array"} else part

    # NumPy does not close what it opens if it cannot read it.
    with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
        return json.loads(str(file["text"]), object_hook=put_back)
