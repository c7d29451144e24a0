"""What the benchmarks share: fair timing, a table, a JSON file, the machine in a sentence."""

import json
import platform
import statistics
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
    "alternate",
    "machine",
    "print_table",
    "quiet",
    "ratio",
    "seconds",
    "write_json",
    "write_section",
]


def machine():
    """Describe where the figures come from."""
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


@contextmanager
def quiet():
    """A context without ConvergenceWarnings: a benchmark trains for as long as it says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def seconds(function):
    """Wall-clock time of one call."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def alternate(measures, repeats):
    """Call each of a dict of measures in turn, `repeats` times over.

    On a shared machine only figures taken next to each other compare: so a ratio is the median of
    the ratios within a round, not the ratio of two medians.

    Parameters
    ----------
    measures : dict of str to callable
        Each returns a number of seconds.
    repeats : int

    Returns
    -------
    rounds : dict of str to list of float
    """
    rounds = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            rounds[name].append(measure())
    return rounds


def ratio(rounds, name, peer):
    """Median over rounds of one measure divided by another."""
    return statistics.median(a / b for a, b in zip(rounds[name], rounds[peer], strict=True))


def format_cells(rows):
    """The cells of a list of dicts as text; floats with three significant digits."""
    return [
        [f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()]
        for row in rows
    ]


def write_section(path, name, tables):
    """Replace, or append, the section `name` of a Markdown file: the machine and bare tables.

    Parameters
    ----------
    path : str
    name : str
        Stands in the comments that mark where the section begins and ends.
    tables : dict of str to list of dict
        Rows of each table by its title.
    """
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


def print_table(title, rows):
    """Print a list of dicts as an aligned table; floats with three significant digits."""
    if not rows:
        return
    names, cells = list(rows[0]), format_cells(rows)
    widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(names)]
    print(f"\n{title}")
    for line in (names, ["-" * width for width in widths], *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def write_json(path, results, announce=True):
    """Write results, with the machine's description, where `path` says: the whole file or none."""
    part = Path(f"{path}.part")
    part.write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")
    part.replace(path)
    if announce:
        print(f"\nwrote {path}")
