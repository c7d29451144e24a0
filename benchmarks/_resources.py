"""Threads, memory, growth with the size of the work, and a grid search on two cores."""

import functools
import json
import statistics
import subprocess
import sys
from pathlib import Path

from _harness import alternate, quiet, ratio, seconds
from _nets import epoch_seconds, make_data, mlp, ours
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

__all__ = ["grid_search_rows", "growth_rows", "memory_rows", "thread_rows"]

#: Rows, features, hidden layers, batch: the first is to gain from threads, none is to lose by them.
THREAD_WORK = [
    (4_000, 784, (1000,), 500),
    (4_000, 784, (200,), 200),
    (4_000, 784, (100, 100), 200),
    (1_797, 64, (100,), 200),
    (8_192, 8, (100, 100), 200),
    (1_000, 10, (10,), 50),
]
#: Linux says here how much memory a process takes.
STATUS = Path("/proc/self/status")


def epoch_seconds_with(threads, make, X, y):
    """Time of an epoch with so many BLAS threads; None leaves the default."""
    with threadpool_limits(threads, user_api="blas"):
        return epoch_seconds(make, X, y)


def thread_rows(repeats):
    """A table row for each net: one BLAS thread, two, and as many as there are by default."""
    rows = []
    for n_rows, n_features, hidden, batch in THREAD_WORK:
        work = (ours(hidden, batch), *make_data(n_rows, n_features, 10, "float32"))
        measures = {
            "one": functools.partial(epoch_seconds_with, 1, *work),
            "two": functools.partial(epoch_seconds_with, 2, *work),
            "default": functools.partial(epoch_seconds_with, None, *work),
        }
        rounds = alternate(measures, repeats)
        rows.append(
            {
                "net": "-".join(map(str, (n_features, *hidden, 10))),
                "rows": n_rows,
                "batch": batch,
                "one, ms": 1e3 * statistics.median(rounds["one"]),
                "two, ms": 1e3 * statistics.median(rounds["two"]),
                "default, ms": 1e3 * statistics.median(rounds["default"]),
                "one / two": ratio(rounds, "one", "two"),
                "default / one": ratio(rounds, "default", "one"),
            }
        )
    return rows


# Memory -------------------------------------------------------------------------------------------


def memory_makers():
    """Makers of the estimators whose memory is compared."""
    return {
        "ours": ours((100, 100), 200),
        "ours, standardize=False": ours((100, 100), 200, standardize=False),
        "MLP": mlp((100, 100), 200),
    }


def status_megabytes(key):
    """A line of the process's status, in MB: VmRSS is the memory now, VmHWM its peak."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key + ":"))
    return int(line.split()[1]) * 1024 / 1e6


def weigh_fit(name, n_rows):
    """Fit for one epoch and print the memory before and at the peak, for `memory_rows` to read."""
    with quiet(), threadpool_limits(1, user_api="blas"):
        make = memory_makers()[name]
        # What the first fit of all loads for good is no part of the memory of a fit.
        make(1).fit(*make_data(500, 784, 10, "float32"))
        X, y = make_data(n_rows, 784, 10, "float32")
        before = status_megabytes("VmRSS")
        make(1).fit(X, y)
    print(json.dumps({"before": before, "peak": status_megabytes("VmHWM")}))


def memory_rows():
    """A table row for each estimator and number of rows, each in a process of its own.

    Nothing where the system does not tell. The peak is Linux's VmHWM: that of getrusage starts,
    in a child, with the memory of the process that started it.
    """
    if not STATUS.exists():
        return []
    rows = []
    for n_rows in (30_000, 60_000):
        found = {}
        for name in memory_makers():
            command = [sys.executable, __file__, name, str(n_rows)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[name] = json.loads(done.stdout)
        added = {name: weights["peak"] - weights["before"] for name, weights in found.items()}
        for name, weights in found.items():
            rows.append(
                {
                    "rows": n_rows,
                    "model": name,
                    "X, MB": n_rows * 784 * 4 / 1e6,
                    "before, MB": weights["before"],
                    "peak, MB": weights["peak"],
                    "added by fit, MB": added[name],
                    "peak / MLP": weights["peak"] / found["MLP"]["peak"],
                    "added / MLP": added[name] / added["MLP"],
                }
            )
    return rows


# Growth -------------------------------------------------------------------------------------------


def growth_work():
    """For what grows: its unit, and for each size the units and the fit to time."""
    X, y = make_data(40_000, 784, 10, "float32")
    narrow, labels = make_data(5_000, 100, 10, "float32")
    return {
        "1,000 rows of 784, 100-100": {
            n // 1000: (ours((100, 100), 200), X[:n], y[:n])
            for n in (5_000, 10_000, 20_000, 40_000)
        },
        "100 units of one layer, 10,000 x 784": {
            n / 100: (ours((n,), 200), X[:10_000], y[:10_000]) for n in (50, 100, 200, 400)
        },
        "layers of 100 units, 5,000 x 100": {
            n: (ours((100,) * n, 200), narrow, labels) for n in (1, 2, 4, 8, 16)
        },
    }


def growth_rows(repeats=3):
    """A table row for each size: an epoch, and that for each unit of size, flat if linear."""
    rows = []
    for unit, sizes in growth_work().items():
        rounds = alternate(
            {size: functools.partial(epoch_seconds, *work) for size, work in sizes.items()}, repeats
        )
        last_size, last = 0, 0.0
        for size in sizes:
            epoch = 1e3 * statistics.median(rounds[size])
            rows.append(
                {
                    "unit": unit,
                    "units": size,
                    "epoch, ms": epoch,
                    "ms per unit": epoch / size,
                    "ms per unit added": (epoch - last) / (size - last_size),
                }
            )
            last_size, last = size, epoch
    return rows


# Grid search --------------------------------------------------------------------------------------


def grid_search_rows(repeats):
    """A table row for ours and for MLPClassifier: 24 fits in two processes against one.

    MLPClassifier's row tells what the machine has to give. Processes are started before.
    """
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype("float32")
    grid = {
        "hidden_layer_sizes": [(50,), (100,)],
        "learning_rate_init": [0.003, 0.01],
        "alpha": [0.0, 1e-4],
    }

    def search(make, jobs, epochs=30):
        # One job of the peer with two BLAS threads would be no measure of what a core can do; ours
        # has to limit its threads itself. No refit, which is one fit on one core in either case.
        threads = 1 if make is peer else None
        with threadpool_limits(threads, user_api="blas"):
            GridSearchCV(make(epochs), grid, cv=3, n_jobs=jobs, refit=False).fit(X, y)

    rows, peer = [], mlp((100,), 200)
    for name, make in {"ours": ours((100,), 200), "MLP": peer}.items():
        search(make, 2, epochs=1)
        rounds = alternate(
            {
                "one": lambda make=make: seconds(lambda: search(make, 1)),
                "two": lambda make=make: seconds(lambda: search(make, 2)),
            },
            repeats,
        )
        rows.append(
            {
                "model": name,
                "n_jobs=1, s": statistics.median(rounds["one"]),
                "n_jobs=2, s": statistics.median(rounds["two"]),
                "one / two": ratio(rounds, "one", "two"),
            }
        )
    return rows


if __name__ == "__main__":
    weigh_fit(sys.argv[1], int(sys.argv[2]))
