"""Distance layers and dot-product layers in one net: which mixture is best for what.

Nets of two hidden layers of 100 units, alike but for the kind of each layer. On digits and on the
tables of a folder the protocol is that of accuracy.py: at most 3,000 rows, shuffled 3-fold
cross-validation, raw columns; MNIST has its own test rows::

    python benchmarks/hybrids.py --data FOLDER --jobs 2
    python benchmarks/hybrids.py --data FOLDER --mnist FOLDER/mnist.npz
"""

import argparse
import sys
import time

import numpy as np
from _depth_runs import read_images
from _harness import print_table, quiet, write_json, write_section
from _players import PEERS, Player, our_player
from _scores import calibration_error, play
from _tables import IMAGE_SETS, Table, read_folder, sample
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

HIDDEN = (100, 100)
#: Activations of the hidden layers, and the output layer; each net of our own estimator.
NETS = {
    "distances": ("gaussian", "distance"),
    "distances, linear output": ("gaussian", "linear"),
    "dot products": ("relu", "linear"),
    "dot products, distance output": ("relu", "distance"),
    "distances, dot products, distance output": (("gaussian", "relu"), "distance"),
    "dot products, distances, distance output": (("relu", "gaussian"), "distance"),
}
PEER = "MLPClassifier behind a scaler"
METRICS = {"accuracy": "accuracy", "loss": "log-loss", "ece": "ECE"}


def make_players(rate):
    """The nets as players of the accuracy benchmark, and MLPClassifier of the same layers."""
    given = {} if rate is None else {"learning_rate_init": rate}
    players = []
    for name, (activation, output_layer) in NETS.items():
        settings = {
            "hidden_layer_sizes": HIDDEN,
            "activation": activation,
            "output_layer": output_layer,
        }
        players.append(our_player(name, settings | given))
    peer = next(one for one in PEERS if one.name == "MLP")
    estimators = (peer.classifier, peer.regressor)
    return [*players, Player(PEER, PEER, *estimators, {"hidden_layer_sizes": HIDDEN})]


def read_tables(args):
    """Digits, and those tables of the folder that have classes."""
    X, y = load_digits(return_X_y=True)
    tables = [Table("digits", X, y, classes=True)]
    if args.data:
        known = read_folder(args.data, None, args.exclude)
        tables += [sample(table, args.rows) for table in known if table.classes]
    return tables


def cross_validated(players, tables, args):
    """Mean figures by table and player, over folds and seeds."""
    jobs = [(one, table, seed) for table in tables for one in players for seed in range(args.seeds)]
    played = Parallel(n_jobs=args.jobs, verbose=1)(
        delayed(play)(one, table, seed) for one, table, seed in jobs
    )
    found = {}
    for (one, table, _), result in zip(jobs, played):
        if "error" in result:
            raise SystemExit(f"hybrids.py: {one.name} on {table.name}: {result['error']}")
        found.setdefault((table.name, one.name), []).append(result)
    return {
        key: {
            "accuracy": float(np.mean([result["score"] for result in results])),
            "loss": float(np.mean([result["loss"] for result in results])),
            "ece": float(np.mean([result["ece"] for result in results])),
        }
        for key, results in found.items()
    }


def tables_by_metric(tables, players, figures):
    """For each metric a table: a row for each net, a column for each set of rows, the mean last.

    Digits are not in the mean: they are pixels, as MNIST.
    """
    others = [table.name for table in tables if table.name != "digits"]
    by_metric = {}
    for metric, title in METRICS.items():
        rows = by_metric[f"Hybrids: {title}"] = []
        for one in players:
            values = {table.name: figures[table.name, one.name][metric] for table in tables}
            row = {"net": one.name} | {name: f"{value:.4f}" for name, value in values.items()}
            if others:
                mean = np.mean([values[name] for name in others])
                row[f"mean of {len(others)} tables"] = f"{mean:.4f}"
            rows.append(row)
    return by_metric


def image_rows(players, images, epochs, n_seeds):
    """A table row for each net on images with test rows of their own, means over seeds."""
    labels, codes = np.unique(images.y, return_inverse=True)
    test_codes, rows = np.searchsorted(labels, images.y_test), []
    for one in players:
        scores = []
        for seed in range(n_seeds):
            model = one.make(True, seed)
            # The peer's model is the last step of a pipeline.
            prefix = "model__" if one.scaled else ""
            model.set_params(**{f"{prefix}max_iter": epochs})
            began = time.perf_counter()
            with quiet():
                model.fit(images.X, codes)
            fitted = time.perf_counter() - began
            probabilities = model.predict_proba(images.X_test).astype(np.float64)
            probabilities /= probabilities.sum(axis=1, keepdims=True)
            scores.append(
                (
                    np.mean(probabilities.argmax(axis=1) == test_codes),
                    log_loss(test_codes, probabilities, labels=np.arange(len(labels))),
                    calibration_error(test_codes, probabilities),
                    fitted,
                )
            )
            print(f"{one.name}: {scores[-1][0]:.4f}", file=sys.stderr, flush=True)
        accuracy, loss, ece, seconds = np.mean(scores, axis=0)
        rows.append(
            {
                "net": one.name,
                "accuracy": f"{accuracy:.4f}",
                "log-loss": f"{loss:.4f}",
                "ECE": f"{ece:.4f}",
                "fit, s": f"{seconds:.1f}",
            }
        )
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="tables, every .npz file of this folder with classes")
    add("--exclude", nargs="*", default=IMAGE_SETS, metavar="NAME", help="tables to leave out")
    add("--mnist", metavar="FILE", help="images with a test part, an .npz file")
    add("--epochs", type=int, default=10, help="epochs on images; default: %(default)s")
    add("--rows", type=int, default=3000, help="rows of a table, 0: all; default: %(default)s")
    add("--rate", type=float, help="learning_rate_init of all nets; default: the estimator's")
    add("--seeds", type=int, default=1, help="seeds; default: %(default)s")
    add("--jobs", type=int, default=1, help="processes for tables; default: %(default)s")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--output", default="hybrids.json", help="JSON to write; default: %(default)s")
    return parser.parse_args()


def main():
    args = parse_arguments()
    players, tables = make_players(args.rate), read_tables(args)
    print(f"hidden layers {HIDDEN}; {len(tables)} tables, {args.seeds} seeds")
    figures = cross_validated(players, tables, args)
    shown = tables_by_metric(tables, players, figures)
    if args.mnist:
        images = read_images(args.mnist)
        title = f"Hybrids on {images.name}, {args.epochs} epochs"
        with threadpool_limits(1, user_api="blas"):
            shown[title] = image_rows(players, images, args.epochs, args.seeds)
    for title, rows in shown.items():
        print_table(title, rows)
    write_json(args.output, {"seeds": args.seeds, "tables": shown})
    if args.markdown:
        write_section(args.markdown, "hybrids", shown)


if __name__ == "__main__":
    main()
