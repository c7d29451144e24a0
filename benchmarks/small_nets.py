"""Measure how far nets and ensembles shrink by pruning and half precision, and what it costs.

Half of the rows of each table are for the fit, a quarter for pruning at its default tolerance, and
a quarter for the scores that are reported. The tables are in a folder::

    python benchmarks/small_nets.py --data FOLDER --markdown docs/benchmarks.md
"""

import argparse
import pickle
from functools import partial
from statistics import geometric_mean, mean

import numpy as np
from _harness import add_output_options, alternate, publish, quiet, ratio, seconds
from _tables import read_folder, sample
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skdistnet import (
    DistanceNetClassifier,
    DistanceNetEnsembleClassifier,
    DistanceNetEnsembleRegressor,
    DistanceNetRegressor,
)
from skdistnet.export import to_half_precision
from skdistnet.inspection import prune

#: Numbers of rows to predict, and of calls that are timed together.
PREDICTIONS = {10_000: 1, 1: 200}
DEFAULT = "net"
#: Tables on which no choice about pruning or rounding was made.
TABLES = ["airfoil", "california_housing", "magic", "pendigits", "spambase", "wine_white"]


def split(table, seed):
    """X and y of the rows to fit on, of those to prune on, and of those to test on."""
    labels = table.y if table.classes else None
    options = {"test_size": 0.5, "random_state": seed}
    X, X_rest, y, y_rest = train_test_split(table.X, table.y, stratify=labels, **options)
    labels = y_rest if table.classes else None
    X_held, X_test, y_held, y_test = train_test_split(X_rest, y_rest, stratify=labels, **options)
    return (X, y), (X_held, y_held), (X_test, y_test)


def make_models(table, seed, fit_rows, held_out):
    """The nets and ensembles to compare, by name."""
    kinds = DistanceNetRegressor, DistanceNetEnsembleRegressor
    if table.classes:
        kinds = DistanceNetClassifier, DistanceNetEnsembleClassifier
    models = {}
    for name, kind in zip((DEFAULT, "ensemble"), kinds):
        model = kind(random_state=seed).fit(*fit_rows)
        pruned, _ = prune(model, *held_out, X_train=fit_rows[0])
        models |= {
            name: model,
            f"{name}, half": to_half_precision(model),
            f"{name}, pruned": pruned,
            f"{name}, pruned, half": to_half_precision(pruned),
        }
    exact, _ = prune(models["ensemble"], *held_out, 0.0, X_train=fit_rows[0])
    return models | {"ensemble, pruned at tolerance 0": exact}


def members(model):
    return getattr(model, "estimators_", [model])


def predict_often(model, X, n_calls):
    for _ in range(n_calls):
        model.predict(X)


def time_ratios(models, X, seed, repeats):
    """Times to predict, divided by the default net's: a list over `PREDICTIONS`, by name."""
    ratios = {name: [] for name in models}
    for n_rows, n_calls in PREDICTIONS.items():
        rows = X[np.random.default_rng(seed).integers(len(X), size=n_rows)]
        calls = {
            name: partial(seconds, partial(predict_often, model, rows, n_calls))
            for name, model in models.items()
        }
        rounds = alternate(calls, repeats)
        for name in models:
            ratios[name].append(ratio(rounds, name, DEFAULT))
    return ratios


def measure(table, seed, repeats):
    """Figures of each model on one split, by name."""
    fit_rows, held_out, (X_test, y_test) = split(table, seed)
    models = make_models(table, seed, fit_rows, held_out)
    times = time_ratios(models, X_test, seed, repeats)
    return {
        name: {
            "score": float(model.score(X_test, y_test)),
            "bytes": len(pickle.dumps(model)),
            "parameters": sum(net._network.n_parameters for net in members(model)),
            "members": len(members(model)),
            "units": sum(sum(net._network.sizes[1:-1]) for net in members(model)),
            "times": times[name],
        }
        for name, model in models.items()
    }


# Tables -------------------------------------------------------------------------------------------


def summary_rows(runs):
    """A row for each model: its size and time beside the net's, and the score that it lost."""
    rows = []
    for name in runs[0]:
        large = "ensemble" if name.startswith("ensemble") else DEFAULT
        row = {"model": name}
        for figure in ("parameters", "bytes"):
            shares = [run[name][figure] / run[DEFAULT][figure] for run in runs]
            row[f"{figure} / net's"] = f"{geometric_mean(shares):.3f}"
        for number, n_rows in enumerate(PREDICTIONS):
            title = f"time / net's, {n_rows:,} row{'s' if n_rows > 1 else ''}"
            row[title] = f"{geometric_mean(run[name]['times'][number] for run in runs):.2f}"
        for title, peer in (("score - net's", DEFAULT), ("score - unpruned", large)):
            gains = [run[name]["score"] - run[peer]["score"] for run in runs]
            row[title] = f"{mean(gains):+.4f}"
        rows.append(row)
    return rows


def figure_rows(results, figure, form):
    """A row for each model: the mean of a figure over seeds, for each table."""
    names = next(iter(results.values()))[0]
    return [
        {"model": name}
        | {
            table: form.format(mean(run[name][figure] for run in runs))
            for table, runs in results.items()
        }
        for name in names
    ]


def make_tables(results):
    runs = [run for runs in results.values() for run in runs]
    seeds = f"mean over {len(next(iter(results.values())))} seeds"
    return {
        f"Small nets: means over {len(results)} tables": summary_rows(runs),
        f"Small nets: accuracy or R^2, {seeds}": figure_rows(results, "score", "{:.4f}"),
        f"Small nets: bytes of the pickle, {seeds}": figure_rows(results, "bytes", "{:,.0f}"),
        f"Small nets: parameters, {seeds}": figure_rows(results, "parameters", "{:,.0f}"),
        f"Small nets: hidden units, {seeds}": figure_rows(results, "units", "{:.0f}"),
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", required=True, help="a folder of .npz tables")
    add("--only", nargs="+", metavar="NAME", default=TABLES, help="tables; default: %(default)s")
    add("--rows", type=int, default=8000, help="random rows at most; default: %(default)s")
    add("--seeds", type=int, default=3, help="splits and seeds; default: %(default)s")
    add("--repeats", type=int, default=7, help="rounds of timing; default: %(default)s")
    add_output_options(parser, "small_nets.json")
    return parser.parse_args()


def main():
    args = parse_arguments()
    results = {}
    with quiet(), threadpool_limits(1):
        for table in read_folder(args.data, args.only):
            drawn = sample(table, args.rows)
            results[table.name] = [measure(drawn, seed, args.repeats) for seed in range(args.seeds)]
            print(f"{table.name} done", flush=True)
    publish(make_tables(results), args, "small nets", {"rows": args.rows, "results": results})


if __name__ == "__main__":
    main()
