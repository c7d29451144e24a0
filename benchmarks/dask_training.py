"""Score, time, bytes and memory of training on Dask clusters, beside a local fit.

Clusters are local ones, of processes with one thread. Scores are those of nets that were trained on
three quarters of the rows of each table, from one or more folders::

    python benchmarks/dask_training.py                   # all but the scores
    python benchmarks/dask_training.py --data FOLDER ANOTHER --markdown docs/benchmarks.md
    python benchmarks/dask_training.py --only speed --rows 200000

On busy cores two workers are not faster than one by the clock. So the table of speed also has the
processor time of the busiest worker, which is the time that idle cores would take.
"""

import argparse
from itertools import product
from statistics import mean

import dask.array
import distributed
import numpy as np
from _cluster import Bytes, PeakMemory, cluster_of, generated, worker_seconds
from _harness import add_output_options, fail, publish, quiet, seconds
from _tables import read_folders
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet.dask import DaskDistanceNetClassifier, DaskDistanceNetRegressor

#: Tables that no choice about rounds was made on.
TABLES = ["heloc", "naval", "quake", "spambase", "telco_churn", "waveform"]
#: Numbers of shards of the fits whose scores are compared; steps in a round, and shards for them.
SHARDS, STEPS, STEPS_SHARDS = (1, 2, 4, 8), ("auto", 1, 8, 50), 4
#: Inputs and hidden layers of the nets whose time is measured.
NETS = {"20-200": (20, (200,)), "784-100-100": (784, (100, 100))}
PARTITIONS, TEST_ROWS = 16, 20_000
#: Another net, and numbers of rounds, for the measurement of bytes.
LARGE_NET, ROUNDS = {"784-500-500": (784, (500, 500))}, (20, 220)
#: Rows, inputs and partitions of the measurement of memory.
LARGE = 2_000_000, 50, 40
PARTS = ["scores", "speed", "bytes", "memory"]


# Scores -------------------------------------------------------------------------------------------


def evaluate(net, X, y):
    """The score of a net, and its log-loss if it has one."""
    net = getattr(net, "to_local", lambda: net)()
    loss = float("nan")
    if hasattr(net, "predict_proba"):
        loss = log_loss(y, net.predict_proba(X), labels=net.classes_)
    return {"score": net.score(X, y), "log-loss": loss}


def compare_scores(table, seed, settings):
    """The figures of the local fit, under None, and of fits with some shards and steps."""
    labels = table.y if table.classes else None
    split = train_test_split(table.X, table.y, stratify=labels, random_state=seed)
    X_train, X_test, y_train, y_test = split
    kinds = DistanceNetRegressor, DaskDistanceNetRegressor
    if table.classes:
        kinds = DistanceNetClassifier, DaskDistanceNetClassifier
    options = {"random_state": seed, "categorical_features": table.categorical}
    figures = {None: evaluate(kinds[0](**options).fit(X_train, y_train), X_test, y_test)}
    # Partitions are not shards.
    size = -(-len(y_train) // PARTITIONS)
    X, y = dask.array.from_array(X_train, (size, -1)), dask.array.from_array(y_train, size)
    for n_shards, steps in settings:
        net = kinds[1](**options, n_shards=n_shards, local_steps=steps).fit(X, y)
        figures[n_shards, steps] = evaluate(net, X_test, y_test)
        print(table.name, seed, n_shards, steps, figures[n_shards, steps], flush=True)
    return figures


def score_tables(args):
    """Tables of the differences to the local fit: by number of shards, by steps, by table."""
    if not args.data:
        fail("--data is needed for scores")
    shards = [(number, "auto") for number in SHARDS]
    steps = [(STEPS_SHARDS, number) for number in STEPS]
    runs = {}
    with cluster_of(1, processes=False):
        for table in read_folders(args.data, TABLES):
            # A round of one step takes as long as one of many: a single seed has to do.
            runs[table.name] = [
                compare_scores(table, seed, shards if seed else dict.fromkeys(shards + steps))
                for seed in range(args.seeds)
            ]
    first = {name: of_seeds[:1] for name, of_seeds in runs.items()}
    return {
        f"Dask, number of shards, {args.seeds} seeds": difference_rows(runs, shards),
        "Dask, steps in a round, 1 seed": difference_rows(first, steps),
        f"Dask, score minus that of the local fit, {args.seeds} seeds": table_rows(runs, shards),
    }


def differences(of_seeds, setting, figure):
    """The mean difference of a figure to the local fit's."""
    return mean(run[setting][figure] - run[None][figure] for run in of_seeds)


def difference_rows(runs, settings):
    """A row for each setting: means over tables, and the worst of these."""
    rows = []
    for setting in settings:
        row = dict(zip(("shards", "steps in a round"), setting))
        for figure, worst in (("score", min), ("log-loss", max)):
            found = [differences(of_seeds, setting, figure) for of_seeds in runs.values()]
            found = [one for one in found if one == one]  # regression has no log-loss
            row[f"{figure} - local"] = f"{mean(found):+.4f}" if found else ""
            row[f"worst {figure} - local"] = f"{worst(found):+.4f}" if found else ""
        rows.append(row)
    return rows


def table_rows(runs, settings):
    """A row for each setting: the difference of the score on each table."""
    return [
        {"shards": setting[0]}
        | {
            name: f"{differences(of_seeds, setting, 'score'):+.4f}"
            for name, of_seeds in runs.items()
        }
        for setting in settings
    ]


# Speed --------------------------------------------------------------------------------------------


def time_fit(n_workers, hidden, n_features, n_rows, options):
    """The score of a fit on a cluster, its seconds, and those of the busiest worker."""
    with cluster_of(n_workers) as client:
        X, y = (part.persist() for part in generated(n_rows, n_features, PARTITIONS))
        X_test, y_test = generated(TEST_ROWS, n_features, 1, first=PARTITIONS)
        distributed.wait([X, y])
        net = DaskDistanceNetClassifier(hidden, random_state=0, **options)
        before = worker_seconds(client)
        wall = seconds(lambda: net.fit(X, y))
        busiest = (worker_seconds(client) - before).max()
        return net.score(X_test, y_test), wall, busiest, net


def speed_tables(args):
    """A table of one and two workers, each with a shard, for each net and some steps."""
    rows = []
    for (name, (n_features, hidden)), steps in product(NETS.items(), args.steps):
        of_one = None
        for n_workers in (1, 2):
            options = {"n_shards": n_workers, "local_steps": steps}
            score, wall, busiest, net = time_fit(n_workers, hidden, n_features, args.rows, options)
            of_one = of_one or (wall, busiest)
            rows.append(
                {
                    "net": name,
                    "workers": n_workers,
                    "steps in a round": net.local_steps_,
                    "epochs": net.n_iter_,
                    "score": f"{score:.4f}",
                    "seconds": f"{wall:.1f}",
                    "of the busiest worker": f"{busiest:.1f}",
                    "speed by the clock": f"{of_one[0] / wall:.2f}",
                    "speed by the busiest": f"{of_one[1] / busiest:.2f}",
                }
            )
            print(rows[-1], flush=True)
    return {f"Dask, two workers, {args.rows:,} rows": rows}


# Bytes and memory ---------------------------------------------------------------------------------


def fit_rounds(n_features, hidden, n_shards, n_rounds):
    """Bytes and seconds of a fit of an epoch with this number of rounds, of two small steps."""
    X, y = (part.persist() for part in generated(40 * n_shards * n_rounds, n_features, 4))
    net = DaskDistanceNetClassifier(
        hidden, batch_size=20, max_iter=1, early_stopping=False, n_shards=n_shards, local_steps=2
    )
    with Bytes() as counted, quiet():
        elapsed = seconds(lambda: net.fit(X, y))
    return counted.count, elapsed


def byte_tables(args):
    """What a round costs, from fits that differ in their number of rounds only."""
    rows, (few, many) = [], ROUNDS
    settings = [(name, sizes, 2) for name, sizes in (NETS | LARGE_NET).items()]
    settings += [("20-200", NETS["20-200"], n_shards) for n_shards in (4, 8)]
    for name, sizes, n_shards in settings:
        with cluster_of(2):
            fit_rounds(*sizes, n_shards, few)
            found = [fit_rounds(*sizes, n_shards, number) for number in ROUNDS]
        n_bytes, elapsed = np.subtract(found[1], found[0]) / (many - few)
        row = {"net": name, "shards": n_shards}
        row["kB through client and scheduler"] = f"{n_bytes / 1e3:.1f}"
        rows.append(row | {"milliseconds": f"{elapsed * 1e3:.1f}"})
    return {"Dask, a round on two workers": rows}


def memory_tables(args):
    """The memory of client and scheduler in a fit on many rows."""
    n_rows, n_features, n_partitions = LARGE
    with cluster_of(2):
        X, y = generated(n_rows, n_features, n_partitions)
        net = DaskDistanceNetClassifier(random_state=0, max_iter=3, early_stopping=False)
        with PeakMemory() as peak, quiet():
            elapsed = seconds(lambda: net.fit(X, y))
    row = {"rows": f"{n_rows:,} x {n_features}", "partitions": n_partitions}
    row |= {"MB above idle": f"{peak.megabytes:.0f}", "seconds": f"{elapsed:.0f}"}
    return {"Dask, memory of client and scheduler": [row]}


def steps_of(text):
    return text if text == "auto" else int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", help="folders of tables, for the scores")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="default: all that can be done")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200_000, help="for the speed")
    parser.add_argument("--steps", nargs="+", type=steps_of, default=["auto"], help="for the speed")
    add_output_options(parser, "dask_training.json")
    args = parser.parse_args()
    makers = dict(zip(PARTS, [score_tables, speed_tables, byte_tables, memory_tables]))
    tables, possible = {}, PARTS if args.data else PARTS[1:]
    with threadpool_limits(1), quiet():
        for part in args.only or possible:
            tables |= makers[part](args)
    publish(tables, args, "Dask")


if __name__ == "__main__":
    main()
