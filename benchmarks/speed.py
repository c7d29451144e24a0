"""Time epochs, predictions and grid searches beside MLPClassifier and PyTorch.

Machines are shared and noisy, so ratios are of times taken next to each other, and medians over
several rounds. The time of an epoch is the difference between fits of two lengths divided by the
difference in epochs: it leaves out validation of the input and initialisation::

    python benchmarks/speed.py                       # all tables, one BLAS thread
    python benchmarks/speed.py --only epochs --repeats 9
    python benchmarks/speed.py --only large --data FOLDER ANOTHER
    python benchmarks/speed.py --rows 5000 --features 50 --hidden 200 --dtype float64

The table "large" has fit times and scores at the defaults on the tables of folders that have at
least 20,000 rows, and on generated ones; for it, LightGBM and CatBoost need the extra `benchmarks`.

The script prints tables and writes JSON. Where PyTorch is installed, it fills two columns of it: at
its defaults, and with subnormal numbers flushed to zero as in ours.
"""

import argparse
import functools
import sys

import numpy as np
from _epochs import bare_products, epoch_seconds, has_torch, make_data, mlp, ours, torch_epoch
from _harness import (
    add_output_options,
    alternate,
    print_table,
    quiet,
    ratio,
    seconds,
    write_json,
    write_section,
)
from _large import large_rows
from _resources import grid_search_rows, growth_rows, memory_rows, parallel_rows, thread_rows
from threadpoolctl import threadpool_limits

#: Rows, features, classes, hidden layers, batch, dtype of X, further arguments of ours.
TASKS = {
    "20,000 x 784, float32": (20_000, 784, 10, (100, 100), 200, "float32", {}),
    "the same, spherical": (
        *(20_000, 784, 10, (100, 100), 200, "float32"),
        {"radius_type": "spherical"},
    ),
    "20,000 x 784, float64": (20_000, 784, 10, (100, 100), 200, "float64", {}),
    "the same, dtype='float32'": (
        *(20_000, 784, 10, (100, 100), 200, "float64"),
        {"dtype": "float32"},
    ),
    "1,797 x 64, 100 units": (1_797, 64, 10, (100,), 200, "float32", {}),
    "8,192 x 8, 100-100": (8_192, 8, 10, (100, 100), 200, "float32", {}),
}


def epoch_rows(tasks, repeats):
    """A table row for each task: an epoch of ours, of MLPClassifier, of the products."""
    rows = []
    for name, (n_rows, n_features, n_classes, hidden, batch, dtype, options) in tasks.items():
        X, y = make_data(n_rows, n_features, n_classes, dtype)
        sizes = (n_features, *hidden, n_classes)
        compute = options.get("dtype", dtype)
        measures = {
            "ours": functools.partial(epoch_seconds, ours(hidden, batch, **options), X, y),
            "MLP": functools.partial(epoch_seconds, mlp(hidden, batch), X, y),
            "products": functools.partial(
                bare_products, sizes, n_rows, batch, compute, options.get("radius_type", "diag")
            ),
        }
        if has_torch() and n_features > 500 and "radius_type" not in options:
            in_torch = functools.partial(torch_epoch, sizes, X, y, batch, compute)
            measures["PyTorch"] = in_torch
            measures["PyTorch, flushed"] = functools.partial(in_torch, flush=True)
        rounds = alternate(measures, repeats)
        row = {
            "task": name,
            "ours, ms": 1e3 * float(np.median(rounds["ours"])),
            "MLP, ms": 1e3 * float(np.median(rounds["MLP"])),
            "ours / MLP": ratio(rounds, "ours", "MLP"),
            "ours / products": ratio(rounds, "ours", "products"),
        }
        for peer in ("PyTorch", "PyTorch, flushed"):
            row[f"{peer} / ours"] = ratio(rounds, peer, "ours") if peer in measures else "-"
        rows.append(row)
        print(f"measured an epoch of {name}", file=sys.stderr, flush=True)
    return rows


def prediction_rows(repeats):
    """Table rows for predict_proba of one row and of 10,000 rows."""
    X, y = make_data(10_000, 784, 10, "float32")
    net, peer = ours((100, 100), 200)(1).fit(X, y), mlp((100, 100), 200)(1).fit(X, y)
    rows = []
    for n_rows, calls in ((1, 300), (10_000, 3)):

        def predict(model, part, calls):
            return seconds(lambda: [model.predict_proba(part) for _ in range(calls)]) / calls

        part = X[:n_rows]
        rounds = alternate(
            {
                "ours": functools.partial(predict, net, part, calls),
                "MLP": functools.partial(predict, peer, part, calls),
            },
            max(repeats, 9),
        )
        rows.append(
            {
                "predict_proba of rows": n_rows,
                "ours, ms": 1e3 * float(np.median(rounds["ours"])),
                "MLP, ms": 1e3 * float(np.median(rounds["MLP"])),
                "ours / MLP": ratio(rounds, "ours", "MLP"),
            }
        )
    return rows


def choose_tasks(args):
    """The task that the command line describes, or the standard ones."""
    if args.rows is None:
        return TASKS
    name = f"{args.rows:,} x {args.features}, {args.dtype}"
    hidden = tuple(args.hidden)
    return {name: (args.rows, args.features, 10, hidden, args.batch, args.dtype, {})}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    tables = ["epochs", "predict", "threads", "memory", "growth", "grid", "parallel"]
    everything = [*tables, "large"]
    shown = "tables to make; default: all but large"
    add("--only", nargs="+", choices=everything, default=tables, help=shown)
    add("--data", nargs="+", metavar="FOLDER", help="folders of .npz files for the table large")
    add("--repeats", type=int, default=5, help="rounds; default: %(default)s")
    add("--threads", type=int, default=1, help="BLAS threads; default: %(default)s")
    add("--rows", type=int, help="time an epoch of this many rows instead")
    add("--features", type=int, default=784)
    add("--hidden", type=int, nargs="*", default=[100, 100])
    add("--batch", type=int, default=200)
    add("--dtype", choices=["float32", "float64"], default="float32")
    add_output_options(parser, "speed.json")
    args = parser.parse_args()
    if "large" in args.only and not args.data:
        parser.error("--only large needs --data FOLDER")
    return args


def main():
    args = parse_arguments()
    makers = {
        "epochs": ("Epochs", lambda: epoch_rows(choose_tasks(args), args.repeats)),
        "predict": ("Predictions", lambda: prediction_rows(args.repeats)),
        "growth": ("How an epoch grows", growth_rows),
        "memory": ("Memory of fit, 784-100-100-10, float32", memory_rows),
        "large": ("Fit at the defaults on many rows", lambda: large_rows(args.data)),
    }
    results, tables = {}, {}

    def show(name, title, rows):
        results[name] = rows
        if rows:
            tables[title] = rows
        print_table(title, rows)

    with quiet():
        with threadpool_limits(args.threads, user_api="blas"):
            for name, (title, make) in makers.items():
                if name in args.only:
                    show(name, title, make())
        # These two limit threads themselves.
        if "threads" in args.only:
            title = "An epoch with one and two BLAS threads"
            show("threads", title, thread_rows(args.repeats))
        if "grid" in args.only:
            show("grid", "GridSearchCV, 24 fits on digits", grid_search_rows(args.repeats))
        if "parallel" in args.only:
            with threadpool_limits(args.threads, user_api="blas"):
                show("parallel", "Fits in one and two processes", parallel_rows(args.repeats))
    write_json(args.output, results)
    if args.markdown:
        # A table that is made alone has a section of its own.
        section = "speed" if len(args.only) > 1 else f"speed, {args.only[0]}"
        write_section(args.markdown, section, tables)


if __name__ == "__main__":
    main()
