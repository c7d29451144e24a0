"""Parts of the speed benchmark: threads, memory, growth with size, and a parallel grid search."""

import functools
import json
import statistics
import subprocess
import sys
from pathlib import Path

from _epochs import epoch_seconds, make_data, mlp, ours
from _harness import alternate, quiet, ratio, seconds
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetEnsembleClassifier

__all__ = ["grid_search_rows", "growth_rows", "memory_rows", "parallel_rows", "thread_rows"]

#: Rows, features, hidden layers, batch. Threads should speed up the first and slow down none.
THREAD_TASKS = [
    (4_000, 784, (1000,), 500),
    (4_000, 784, (200,), 200),
    (4_000, 784, (100, 100), 200),
    (1_797, 64, (100,), 200),
    (8_192, 8, (100, 100), 200),
    (1_000, 10, (10,), 50),
]
PARALLEL_ROWS = (300, 1_000, 2_000, 4_000, 10_000)
#: Here Linux reports the memory of a process.
STATUS = Path("/proc/self/status")


def epoch_seconds_with(threads, make, X, y):
    """Time of an epoch with a number of BLAS threads; None leaves the default."""
    with threadpool_limits(threads, user_api="blas"):
        return epoch_seconds(make, X, y)


def thread_rows(repeats):
    """A table row for each net: with one BLAS thread, with two, and with the default number."""
    rows = []
    for n_rows, n_features, hidden, batch in THREAD_TASKS:
        task = (ours(hidden, batch), *make_data(n_rows, n_features, 10, "float32"))
        measures = {
            "one": functools.partial(epoch_seconds_with, 1, *task),
            "two": functools.partial(epoch_seconds_with, 2, *task),
            "default": functools.partial(epoch_seconds_with, None, *task),
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


def parallel_rows(repeats):
    """A table row for each kind of fit whose parts joblib trains: in one process, and in two."""
    makers = {
        "an ensemble": lambda n_jobs: DistanceNetEnsembleClassifier(random_state=0, n_jobs=n_jobs),
        "n_init=4": lambda n_jobs: DistanceNetClassifier(n_init=4, random_state=0, n_jobs=n_jobs),
    }
    rows = []
    for n_rows in PARALLEL_ROWS:
        X, y = make_data(n_rows, 20, 5, "float64")
        for name, make in makers.items():
            make(2).fit(X[:300], y[:300])  # starts the processes
            fits = {number: make(jobs).fit for number, jobs in (("one", None), ("two", 2))}
            measures = {
                number: functools.partial(seconds, functools.partial(fit, X, y))
                for number, fit in fits.items()
            }
            rounds = alternate(measures, repeats)
            row = {"fit": name, "rows": n_rows, "one / two": ratio(rounds, "one", "two")}
            rows.append(row | {f"{k}, s": statistics.median(rounds[k]) for k in ("one", "two")})
    return rows


# Memory -------------------------------------------------------------------------------------------


def memory_makers():
    """Functions that make the estimators whose memory is compared."""
    return {
        "ours": ours((100, 100), 200),
        "ours, standardize=False": ours((100, 100), 200, standardize=False),
        "MLP": mlp((100, 100), 200),
    }


def status_megabytes(key):
    """A line of the process's status in MB: VmRSS is its memory now, VmHWM the peak."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(key + ":"))
    return int(line.split()[1]) * 1024 / 1e6


def print_fit_memory(name, n_rows):
    """Fit for one epoch, and print memory before the fit and at its peak for `memory_rows`."""
    with quiet(), threadpool_limits(1, user_api="blas"):
        make = memory_makers()[name]
        # A first fit loads what stays in memory for good.
        make(1).fit(*make_data(500, 784, 10, "float32"))
        X, y = make_data(n_rows, 784, 10, "float32")
        before = status_megabytes("VmRSS")
        make(1).fit(X, y)
    print(json.dumps({"before": before, "peak": status_megabytes("VmHWM")}))


def memory_rows():
    """A table row for each estimator and number of rows, each in its own process; Linux only.

    The peak is VmHWM: the one of getrusage includes the memory of the parent process.
    """
    if not STATUS.exists():
        return []
    rows = []
    for n_rows in (30_000, 60_000):
        measured = {}
        for name in memory_makers():
            command = [sys.executable, __file__, name, str(n_rows)]
            run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            measured[name] = json.loads(run.stdout)
        added = {name: memory["peak"] - memory["before"] for name, memory in measured.items()}
        for name, memory in measured.items():
            rows.append(
                {
                    "rows": n_rows,
                    "model": name,
                    "X, MB": n_rows * 784 * 4 / 1e6,
                    "before, MB": memory["before"],
                    "peak, MB": memory["peak"],
                    "added by fit, MB": added[name],
                    "peak / MLP": memory["peak"] / measured["MLP"]["peak"],
                    "added / MLP": added[name] / added["MLP"],
                }
            )
    return rows


# Growth -------------------------------------------------------------------------------------------


def growth_tasks():
    """For each unit of size the tasks to time, by number of units."""
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
    """A table row for each size: the time of an epoch, in total and per unit of size."""
    rows = []
    for unit, sizes in growth_tasks().items():
        rounds = alternate(
            {size: functools.partial(epoch_seconds, *task) for size, task in sizes.items()}, repeats
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
    """Table rows for ours and MLPClassifier: 24 fits in two processes and in one.

    The row of MLPClassifier shows what the machine allows. The processes are started beforehand.
    """
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype("float32")
    grid = {
        "hidden_layer_sizes": [(50,), (100,)],
        "learning_rate_init": [0.003, 0.01],
        "alpha": [0.0, 1e-4],
    }

    def search(make, jobs, epochs=30):
        # One BLAS thread per job of the peer, so that a job measures one core; ours has to limit
        # its threads itself. A refit would use one core in either case.
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
    print_fit_memory(sys.argv[1], int(sys.argv[2]))
