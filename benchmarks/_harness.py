"""What the benchmarks share: fair timing, tables, results on disk, a description of the machine."""

import hashlib
import json
import platform
import statistics
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

import skdistnet

__all__ = [
    "add_output_options",
    "alternate",
    "fail",
    "print_table",
    "publish",
    "quiet",
    "ratio",
    "read_results",
    "seconds",
    "source_digest",
    "write_json",
    "write_section",
]


def fail(message):
    """Exit with a message and no traceback."""
    raise SystemExit(f"{Path(sys.argv[0]).name}: {message}")


def machine():
    """Describe the machine and the versions that the figures were measured with."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    blas = next((lib for lib in threadpool_info() if lib["user_api"] == "blas"), {})
    return {
        "processor": model,
        "architecture": blas.get("architecture", "unknown"),
        "blas": f"{blas.get('internal_api', 'unknown')} {blas.get('version', '')}".strip(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "skdistnet": skdistnet.__version__,
    }


def source_digest():
    """A few characters that change with the source of skdistnet."""
    content = hashlib.sha256()
    for path in sorted(Path(skdistnet.__file__).parent.rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


# Timing -------------------------------------------------------------------------------------------


@contextmanager
def quiet():
    """Silence ConvergenceWarning: benchmarks fix the number of epochs on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def seconds(function):
    """Wall-clock time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternate(measures, repeats):
    """Call each of a dict of measures in turn, `repeats` times over; a list of results for each.

    On a shared machine only times taken next to each other compare. So :func:`ratio` is the median
    of the ratios within a round, not the ratio of two medians.
    """
    rounds = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            rounds[name].append(measure())
    return rounds


def ratio(rounds, name, peer):
    """Median over rounds of one measure divided by another."""
    return statistics.median(a / b for a, b in zip(rounds[name], rounds[peer], strict=True))


# Output -------------------------------------------------------------------------------------------


def add_output_options(parser, output):
    """Add --markdown and --output, with a default for the JSON file, to a parser."""
    parser.add_argument("--markdown", metavar="FILE", help="write the tables into this file too")
    parser.add_argument("--output", default=output, help="JSON to write; default: %(default)s")


def publish(tables, args, section, results=None):
    """Print tables, by title, and write them where the command line asks for it."""
    for title, rows in tables.items():
        print_table(title, rows)
    write_json(args.output, results or {"tables": tables})
    if args.markdown:
        write_section(args.markdown, section, tables)


def format_cells(rows):
    """The cells of a list of dicts as text; floats with three significant digits."""
    return [
        [f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()]
        for row in rows
    ]


def print_table(title, rows):
    """Print a list of dicts as an aligned table."""
    if not rows:
        return
    names, cells = list(rows[0]), format_cells(rows)
    widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(names)]
    print(f"\n{title}")
    for line in (names, ["-" * width for width in widths], *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def write_section(path, name, tables):
    """Replace, or append, the section `name` of a Markdown file: the machine and the tables."""
    described = ", ".join(f"{key} {value}" for key, value in machine().items())
    lines = [f"<!-- {name}: made by a script -->", f"Measured on: {described}.", ""]
    for title, rows in tables.items():
        header = " | ".join(rows[0])
        lines += [f"### {title}", "", f"| {header} |", "|" + " --- |" * len(rows[0])]
        lines += [f"| {' | '.join(cells)} |" for cells in format_cells(rows)] + [""]
    lines.append(f"<!-- end of {name} -->")
    file = Path(path)
    text = file.read_text() if file.exists() else ""
    begin, end = lines[0], lines[-1]
    if begin in text and end in text:
        before, rest = text.split(begin, 1)
        text = before + "\n".join(lines) + rest.split(end, 1)[1]
    else:
        text += "\n" + "\n".join(lines) + "\n"
    file.write_text(text)
    print(f"wrote the section {name} of {path}")


def write_json(path, results, announce=True):
    """Write results and the machine's description to a file, which is never left half written."""
    part = Path(f"{path}.part")
    part.write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")
    part.replace(path)
    if announce:
        print(f"\nwrote {path}")


def read_results(path, default, key):
    """The content of a JSON file that :func:`write_json` wrote and that has a dict at `key`.

    Without a file it is `default`. The machine's description goes: the next write adds its own.
    """
    path = Path(path)
    if not path.parent.is_dir():
        fail(f"--output: there is no folder {path.parent}")
    if not path.exists():
        return default
    try:
        content = json.loads(path.read_text())
        content[key].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        fail(f"{path} is no file of results; remove it or pass another --output")
    content.pop("machine", None)
    return default | content
