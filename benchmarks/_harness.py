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

__all__ = ["alternate", "machine", "print_table", "quiet", "ratio", "seconds", "write_json"]


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


def print_table(title, rows):
    """Print a list of dicts as an aligned table; floats with three significant digits."""
    if not rows:
        return
    names = list(rows[0])
    cells = [
        [f"{row[name]:.3g}" if isinstance(row[name], float) else str(row[name]) for name in names]
        for row in rows
    ]
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
