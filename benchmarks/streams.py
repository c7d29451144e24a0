"""Measure `partial_fit` on streams, beside MLPClassifier and MLPRegressor, and heavy weights.

The rule for the step length when a batch has few new rows was chosen on the tables of `CHOSEN_ON`.
The other tables of the folder show how well it generalises::

    python benchmarks/streams.py --data FOLDER --markdown docs/benchmarks.md
"""

import argparse

import numpy as np
from _harness import add_output_options, publish, quiet
from _tables import read_folder, sample
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

#: Tables that the rule was chosen on, beside digits and Friedman's first function.
CHOSEN_ON = ("kin8nm", "vehicle")
#: Largest number of rows in a stream.
N_ROWS = 1500
BATCH_SIZES = (1, 5, 20, 200, 1000, 4000)
#: Epochs by batch size: epochs of small batches have many steps.
MAX_ITER = {1: 3, 5: 5, 20: 10}


def blocks(start, stop, size):
    """Slices of `size` rows."""
    return [slice(first, min(first + size, stop)) for first in range(start, stop, size)]


def streams(n_rows):
    """For each stream the slices of rows that its calls bring."""
    return {
        "one by one": blocks(0, n_rows, 1),
        "300 twenty times, then one by one": [slice(0, 300)] * 20 + blocks(300, n_rows, 1),
        "1 row, then blocks of 100, five passes": [slice(0, 1), *blocks(1, n_rows, 100)] * 5,
        "blocks of 20, three passes": blocks(0, n_rows, 20) * 3,
        "sorted, one by one": blocks(0, n_rows, 1),
    }


def make_pair(classes):
    """Ours and scikit-learn's multi-layer perceptron, at their defaults."""
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
    """Predictions on noise where a few rows have half of the weight, by batch size."""
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
    add("--exclude", nargs="*", metavar="NAME", help="tables to leave out; default: images")
    add_output_options(parser, "streams.json")
    args = parser.parse_args()
    tables = [sample(table, 2500) for table in read_folder(args.data, None, args.exclude)]
    titles = {True: "Streams: tables on which the rule was chosen", False: "Streams: other tables"}
    sections = {title: [] for title in titles.values()}
    with quiet():
        title = "Noise with half of the weight on 8 of 4,000 rows: probabilities should be 0.5"
        sections[title] = weight_rows()
        for table in tables:
            sections[titles[table.name in CHOSEN_ON]] += stream_rows(table)
            print(f"{table.name} done", flush=True)
    sections = {title: rows for title, rows in sections.items() if rows}
    publish(sections, args, "streams", sections)


if __name__ == "__main__":
    main()
