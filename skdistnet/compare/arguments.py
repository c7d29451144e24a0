"""The arguments of the command ``compare``, and the checks that need no data."""

import argparse
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from .table import InputError

__all__ = ["add_arguments", "check_arguments"]

#: The demo should take less than a minute.
FOLDS, DEMO_FOLDS = 5, 3
#: NumPy takes seeds below 2 ** 32; each repetition of the folds has one of its own.
MAX_SEED = 2**31


def whole_number(least, most=None):
    """Return a type for argparse: a whole number from `least`, possibly to `most`."""
    limits = f"from {least}" if most is None else f"from {least} to {most}"

    def parse(text):
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"must be a whole number {limits}; got {text!r}")
        return int(text)

    return parse


def add_arguments(parser):
    """Add the arguments of the command to a parser."""
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="CSV, Parquet, or .npz with arrays X and y")
    add("--target", metavar="COLUMN", help="the column to predict")
    tasks = ["auto", "classification", "regression"]
    add("--task", choices=tasks, default="auto", help="default: found from the target")
    add("--groups", metavar="COLUMN", help="keep rows of a group together in splits")
    add("--time", metavar="COLUMN", help="hold out later rows")
    add("--tune", action="store_true", help="tune each model over six settings")
    add("--ensemble", action="store_true", help="compare an ensemble of distance nets as well")
    add("--report", metavar="PAGE", type=Path, help="HTML page to write")
    add("--demo", action="store_true", help="compare on handwritten digits instead of a file")
    add("--folds", type=whole_number(2), help=f"default: {FOLDS}; {DEMO_FOLDS} in the demo")
    repeats = "repetitions of the folds; more make intervals narrower; default: %(default)s"
    add("--repeats", type=whole_number(1), default=1, help=repeats)
    rows = "random rows to use at most, 0: all; default: %(default)s"
    add("--max-rows", type=whole_number(0), default=10_000, help=rows)
    add("--n-jobs", type=whole_number(1), help="processes; default: one for each core")
    add("--random-state", type=whole_number(0, MAX_SEED), default=0, help="default: %(default)s")


def check_arguments(args):
    """Complete the arguments; raise InputError if they do not fit together or the page's path."""
    if args.demo == (args.file is not None):
        raise InputError("name a file, or --demo; see python -m skdistnet compare --help")
    if args.demo and (args.target or args.groups or args.time):
        raise InputError("--demo has a target of its own and takes no --target, --groups or --time")
    args.folds = args.folds or (DEMO_FOLDS if args.demo else FOLDS)
    if args.groups and args.time:
        raise InputError("--groups and --time: choose one of them")
    if args.time and args.repeats > 1:
        raise InputError("--time splits rows in a single way: leave out --repeats")
    needed = ["pandas", "rich", *(["jinja2", "matplotlib"] if args.report else [])]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        raise InputError(f"the comparison needs {names}: pip install 'skdistnet[report]'")
    if args.report:
        check_writable(args.report)


def check_writable(path):
    """Raise InputError if a page cannot be written to a path."""
    if path.is_dir():
        raise InputError(f"--report must be a file; {path} is a folder")
    if not path.parent.is_dir():
        raise InputError(f"--report: there is no folder {path.parent}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            is_writable = not path.exists() or os.access(path, os.W_OK)
    except OSError as error:
        raise InputError(f"--report {path} cannot be written: {error.strerror}") from error
    if not is_writable:
        raise InputError(f"--report {path} cannot be written: the file is read-only")
