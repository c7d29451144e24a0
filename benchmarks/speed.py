"""How long an epoch, a prediction and a grid search take, beside MLPClassifier and PyTorch.

Every figure is a ratio of times taken next to each other, and the median over several rounds,
since machines are shared and noisy. An epoch is the difference between fits of two lengths, divided
by the difference in epochs, so that checks of the input and the start do not count::

    python benchmarks/speed.py                       all tables, one BLAS thread
    python benchmarks/speed.py --only epochs --repeats 9
    python benchmarks/speed.py --rows 5000 --features 50 --hidden 200 --dtype float64

It prints tables and writes JSON. Columns of PyTorch are filled where it is installed:
as it comes, and with subnormal numbers flushed to zero, as ours does.
"""

import argparse
import functools
import sys

import numpy as np
from _harness import alternate, print_table, quiet, ratio, seconds, write_json, write_section
from _nets import epoch_seconds, make_data, mlp, ours
from _peers import bare_products, has_torch, torch_epoch
from _resources import grid_search_rows, growth_rows, memory_rows, thread_rows
from threadpoolctl import threadpool_limits

#: Rows, features, classes, hidden layers, batch, dtype of X, further arguments of ours.
WORK = {
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


def epoch_rows(work, repeats):
    """A table row for each piece of work: an epoch of ours, of MLPClassifier's, of products."""
    rows = []
    for name, (n_rows, n_features, n_classes, hidden, batch, dtype, options) in work.items():
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
            "work": name,
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
    """A table row for one row and for 10,000 rows: predict_proba of ours and of MLPClassifier."""
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


def own_work(args):
    """The piece of work that the command line describes, or the standard ones."""
    if args.rows is None:
        return WORK
    name = f"{args.rows:,} x {args.features}, {args.dtype}"
    hidden = tuple(args.hidden)
    return {name: (args.rows, args.features, 10, hidden, args.batch, args.dtype, {})}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    tables = ["epochs", "predict", "threads", "memory", "growth", "grid"]
    add("--only", nargs="+", choices=tables, default=tables, help="tables to make; default: all")
    add("--repeats", type=int, default=5, help="rounds; default: %(default)s")
    add("--threads", type=int, default=1, help="BLAS threads; default: %(default)s")
    add("--rows", type=int, help="an epoch of a size of your own")
    add("--features", type=int, default=784)
    add("--hidden", type=int, nargs="*", default=[100, 100])
    add("--batch", type=int, default=200)
    add("--dtype", choices=["float32", "float64"], default="float32")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--output", default="speed.json", help="JSON to write; default: %(default)s")
    return parser.parse_args()


def main():
    args = parse_arguments()
    makers = {
        "epochs": ("Epochs", lambda: epoch_rows(own_work(args), args.repeats)),
        "predict": ("Predictions", lambda: prediction_rows(args.repeats)),
        "growth": ("How an epoch grows", growth_rows),
        "memory": ("Memory of fit, 784-100-100-10, float32", memory_rows),
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
        # These two set threads themselves.
        if "threads" in args.only:
            title = "BLAS threads: one epoch with two against one"
            show("threads", title, thread_rows(args.repeats))
        if "grid" in args.only:
            show("grid", "GridSearchCV, 24 fits on digits", grid_search_rows(args.repeats))
    write_json(args.output, results)
    if args.markdown:
        write_section(args.markdown, "speed", tables)


if __name__ == "__main__":
    main()
