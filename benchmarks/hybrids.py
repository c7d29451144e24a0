"""Compare nets that mix distance layers and dot-product layers.

All have two hidden layers of 100 units and differ in the kind of each layer. On digits and on the
tables of a folder the protocol is that of accuracy.py: at most 3,000 rows, shuffled 3-fold
cross-validation, raw columns. MNIST has test rows of its own::

    python benchmarks/hybrids.py --data FOLDER --jobs 2
    python benchmarks/hybrids.py --data FOLDER --mnist FOLDER/mnist.npz
"""

import argparse
import sys
import time
from dataclasses import replace

import numpy as np
from _competitors import MLP, calibration_error, distance_net, evaluate_all
from _depth_runs import read_images
from _harness import add_output_options, publish, quiet
from _tables import Table, read_folder, sample
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

HIDDEN = (100, 100)
#: Activations of the hidden layers, and the output layer.
NETS = {
    "distances": ("gaussian", "distance"),
    "distances, linear output": ("gaussian", "linear"),
    "dot products": ("relu", "linear"),
    "dot products, distance output": ("relu", "distance"),
    "distances, dot products, distance output": (("gaussian", "relu"), "distance"),
    "dot products, distances, distance output": (("relu", "gaussian"), "distance"),
}
PEER = "MLPClassifier behind a scaler"
METRICS = {"score": "accuracy", "loss": "log-loss", "ece": "ECE"}


def make_competitors(rate):
    """The nets, and MLPClassifier with the same layers."""
    common = {"hidden_layer_sizes": HIDDEN}
    ours = common if rate is None else common | {"learning_rate_init": rate}
    nets = [
        distance_net(name, ours | {"activation": activation, "output_layer": output_layer})
        for name, (activation, output_layer) in NETS.items()
    ]
    return [*nets, replace(MLP, name=PEER, settings=common)]


def read_tables(args):
    """Digits, and the tables of the folder that have classes."""
    X, y = load_digits(return_X_y=True)
    tables = [Table("digits", X, y, classes=True)]
    if args.data:
        folder = read_folder(args.data, None, args.exclude)
        tables += [sample(table, args.rows) for table in folder if table.classes]
    return tables


def tables_by_metric(tables, competitors, results):
    """For each metric a table: a row for each net, a column for each set of rows, the mean last.

    The mean leaves out digits: they are pixels, as MNIST.
    """
    others = [table.name for table in tables if table.name != "digits"]
    by_metric = {}
    for metric, title in METRICS.items():
        rows = by_metric[f"Hybrids: {title}"] = []
        for one in competitors:
            values = {
                table.name: np.mean([result[metric] for result in results[one.name, table.name]])
                for table in tables
            }
            row = {"net": one.name} | {name: f"{value:.4f}" for name, value in values.items()}
            if others:
                mean = np.mean([values[name] for name in others])
                row[f"mean of {len(others)} tables"] = f"{mean:.4f}"
            rows.append(row)
    return by_metric


def image_rows(competitors, images, epochs, n_seeds):
    """A table row for each net on images with test rows of their own: means over seeds."""
    labels, codes = np.unique(images.y, return_inverse=True)
    test_codes, rows = np.searchsorted(labels, images.y_test), []
    for one in competitors:
        scores = []
        for seed in range(n_seeds):
            model = one.make(True, seed)
            # The peer's model is the last step of a pipeline.
            prefix = "model__" if one.scaled else ""
            model.set_params(**{f"{prefix}max_iter": epochs})
            start = time.perf_counter()
            with quiet():
                model.fit(images.X, codes)
            fit_seconds = time.perf_counter() - start
            probabilities = model.predict_proba(images.X_test).astype(np.float64)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            scores.append(
                (
                    np.mean(probabilities.argmax(axis=1) == test_codes),
                    log_loss(test_codes, probabilities, labels=np.arange(len(labels))),
                    calibration_error(test_codes, probabilities),
                    fit_seconds,
                )
            )
            print(f"{one.name}: {scores[-1][0]:.4f}", file=sys.stderr, flush=True)
        accuracy, loss, ece, seconds = np.mean(scores, axis=0)
        row = {"net": one.name, "accuracy": f"{accuracy:.4f}", "log-loss": f"{loss:.4f}"}
        rows.append(row | {"ECE": f"{ece:.4f}", "fit, s": f"{seconds:.1f}"})
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="tables, every .npz file of this folder with classes")
    add("--exclude", nargs="*", metavar="NAME", help="tables to leave out; default: images")
    add("--mnist", metavar="FILE", help="images with a test part, an .npz file")
    add("--epochs", type=int, default=10, help="epochs on images; default: %(default)s")
    add("--rows", type=int, default=3000, help="rows of a table, 0: all; default: %(default)s")
    add("--rate", type=float, help="learning_rate_init of all nets; default: the estimator's")
    add("--seeds", type=int, default=1, help="seeds; default: %(default)s")
    add("--jobs", type=int, default=1, help="processes for tables; default: %(default)s")
    add_output_options(parser, "hybrids.json")
    return parser.parse_args()


def main():
    args = parse_arguments()
    competitors, tables = make_competitors(args.rate), read_tables(args)
    print(f"hidden layers {HIDDEN}; {len(tables)} tables, {args.seeds} seeds")
    results = evaluate_all(competitors, tables, args.seeds, args.jobs)
    shown = tables_by_metric(tables, competitors, results)
    if args.mnist:
        images = read_images(args.mnist)
        title = f"Hybrids on {images.name}, {args.epochs} epochs"
        with threadpool_limits(1, user_api="blas"):
            shown[title] = image_rows(competitors, images, args.epochs, args.seeds)
    publish(shown, args, "hybrids", {"seeds": args.seeds, "tables": shown})


if __name__ == "__main__":
    main()
