"""The commands of ``python -m skdistnet``."""

import argparse
import shlex
import signal
import sys

from .compare.arguments import add_arguments
from .compare.table import InputError

__all__ = ["main", "run"]


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line."""

    def error(self, message):
        raise InputError(message)


def make_parser():
    parser = Parser(prog="skdistnet", description="Neural networks that learn by distance.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    description = """Compare a distance net with an MLP, boosted trees, a random forest, a linear
        model and a constant on your table, by cross-validation."""
    compare = commands.add_parser("compare", help="compare models", description=description)
    add_arguments(compare)
    return parser


def main(argv=None):
    """Run a command and return its exit code: 2 for input that cannot be used.

    Parameters
    ----------
    argv : list of str or None
        Arguments; None means those of the process.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        args = make_parser().parse_args(argv)
        args.command_line = shlex.join(["python", "-m", "skdistnet", *argv])
        from .compare.command import compare

        return compare(args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def run():
    """Run a command of the process and exit."""
    code = main()
    # A second Ctrl-C would interrupt the end of other processes with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


if __name__ == "__main__":
    run()
