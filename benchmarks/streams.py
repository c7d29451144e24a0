"""`partial_fit` on streams, and heavy rows, beside MLPClassifier and MLPRegressor::

    python benchmarks/streams.py --data FOLDER --markdown docs/benchmarks.md

The length of a step with few new rows was chosen on the tables of `CHOSEN_ON`; the others of the
folder report what it is worth.
"""

import argparse

import numpy as np
from _harness import print_table, quiet, write_json, write_section
from _tables import IMAGE_SETS, read_folder, sample
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

#: Tables that the length of a step was chosen on, beside digits and Friedman's first function.
CHOSEN_ON = ("kin8nm", "vehicle")
#: Rows of a table, at most, that a stream goes through.
N_ROWS = 1500
BATCH_SIZES = (1, 5, 20, 200, 1000, 4000)
#: Epochs for a batch size: small batches make many steps in each.
MAX_ITER = {1: 3, 5: 5, 20: 10}


def blocks(start, stop, size):
    """Slices of `size` rows."""
    return [slice(first, min(first + size, stop)) for first in range(start, stop, size)]


def streams(n_rows):
    """For each stream the slices of rows that it brings, call by call."""
    return {
        "one by one": blocks(0, n_rows, 1),
        "300 twenty times, then one by one": [slice(0, 300)] * 20 + blocks(300, n_rows, 1),
        "1 row, then blocks of 100, five passes": [slice(0, 1), *blocks(1, n_rows, 100)] * 5,
        "blocks of 20, three passes": blocks(0, n_rows, 20) * 3,
        "sorted, one by one": blocks(0, n_rows, 1),
    }


def make_pair(classes):
    """Ours and the multi-layer perceptron, at their defaults."""
    if classes:
        return DistanceNetClassifier(random_state=0), MLPClassifier(random_state=0)
    return DistanceNetRegressor(random_state=0), MLPRegressor(random_state=0)


def score_stream(model, slices, X, y, X_test, y_test, options):
    """Score on held-out rows after the last call."""
    for part in slices:
        model.partial_fit(X[part], y[part], **options)
    return model.score(X_test, y_test)


def stream_rows(table):
    """A row for each stream: the scores of both models."""
    X, y = table.X.astype(float), table.y
    if not table.classes:
        y = (y - y.mean()) / y.std()
    X, X_test, y, y_test = train_test_split(X, y, train_size=0.7, random_state=0)
    scaler = StandardScaler().fit(X)
    X, X_test = scaler.transform(X)[:N_ROWS], scaler.transform(X_test)
    y = y[:N_ROWS]
    options = {"classes": np.unique(table.y)} if table.classes else {}
    rows = []
    for name, slices in streams(len(y)).items():
        order = np.argsort(y, kind="stable") if name.startswith("sorted") else np.arange(len(y))
        ours, peer = (
            score_stream(model, slices, X[order], y[order], X_test, y_test, options)
            for model in make_pair(table.classes)
        )
        rows.append(
            {"table": table.name, "stream": name, "net": f"{ours:.3f}", "MLP": f"{peer:.3f}"}
        )
    return rows


def weight_rows():
    """What nets predict on noise in which a few rows have half of the weight."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 5)), np.zeros(4000, dtype=int)
    y[rng.choice(4000, 8, replace=False)] = 1
    weights = np.where(y == 1, 499.0, 1.0)
    rows = []
    for batch_size in BATCH_SIZES:
        row = {"batch_size": batch_size}
        for solver, rate in {"rmsprop": "auto", "adam": 0.003, "sgd": 0.03}.items():
            options = {
                "solver": solver,
                "learning_rate_init": rate,
                "batch_size": batch_size,
                "max_iter": MAX_ITER.get(batch_size, 30),
                "random_state": 0,
            }
            net = DistanceNetClassifier(20, class_weight="balanced", **options).fit(X, y)
            share = np.average(net.predict_proba(X)[:, 1], weights=weights)
            mean = DistanceNetRegressor(20, **options).fit(X, y, weights).predict(X)
            row[f"{solver}: P(rare)"] = f"{share:.3f}"
            row[f"{solver}: mean"] = f"{np.average(mean, weights=weights):.3f}"
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", required=True, help="every .npz file of this folder")
    add("--exclude", nargs="*", default=IMAGE_SETS, metavar="NAME", help="tables to leave out")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--output", default="streams.json", help="JSON to write; default: %(default)s")
    args = parser.parse_args()
    tables = [sample(table, 2500) for table in read_folder(args.data, None, args.exclude)]
    titles = {True: "Streams, tables that the rule was chosen on", False: "Streams, other tables"}
    sections = {title: [] for title in titles.values()}
    with quiet():
        sections["Half of the weight on 8 of 4,000 rows of noise: 0.5 is right"] = weight_rows()
        for table in tables:
            sections[titles[table.name in CHOSEN_ON]] += stream_rows(table)
            print(f"{table.name} done", flush=True)
    sections = {title: rows for title, rows in sections.items() if rows}
    for title, rows in sections.items():
        print_table(title, rows)
    write_json(args.output, sections)
    if args.markdown:
        write_section(args.markdown, "streams", sections)


if __name__ == "__main__":
    main()
