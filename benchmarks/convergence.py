"""How fast the training loss falls beside MLPClassifier's and MLPRegressor's.

Equal for all: standardised rows and targets, hidden layers of 100 and 100 units, batches of 200, the
same epochs, one BLAS thread, no penalty, no smoothed labels, no dropout. So both kinds descend the
same loss, log-loss or squared error, and `loss_curve_` of both is the same thing: an epoch's mean over
rows of the loss of each batch before its step. Ours is otherwise at its defaults, with its cosine and
once more at a constant rate; the MLP is at its own rate and at the best of four, chosen by the loss
it ends with. How well anything predicts is not the subject; see accuracy.py::

    python benchmarks/convergence.py --data FOLDER --figure convergence.png
    python benchmarks/convergence.py --quick

Seconds are the processor's time for the whole fit, divided evenly over the epochs. Ratios are of what
a player and the best MLP take until they first reach the loss that this MLP ends with (mean of the
last epochs): medians over seeds, below 1 where the player is faster, above 1 where the MLP is.
"""

import argparse
import math
import sys
import time
from dataclasses import replace

import numpy as np
from _harness import print_table, quiet, write_json, write_section
from _tables import Table, read_folder, sample
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

TABLES = ("letter", "satimage", "kin8nm")
MLP_RATES = (0.001, 0.003, 0.01, 0.03)
OURS = {"ours": {}, "ours, constant rate": {"learning_rate": "constant"}}
MLPS = {f"MLP, rate {rate}": {"learning_rate_init": rate} for rate in MLP_RATES}
#: Mini-batches make a loss jump from epoch to epoch: where it ends is a mean over so many.
LAST_EPOCHS = 5


# Data ---------------------------------------------------------------------------------------------


def spirals(n_rows):
    """Two intertwined spirals of three turns each, as in the old benchmark, slightly blurred."""
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 2
    # The root spreads the rows evenly along the spirals.
    turns = 3 * np.sqrt(rng.random(n_rows))
    angle = 2 * np.pi * turns + np.pi * y
    X = turns[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    return Table("spirals", X + 0.05 * rng.standard_normal(X.shape), y, classes=True)


def mixture(n_rows, n_features=10, n_classes=4, n_components=6):
    """Classes of several Gaussian components each, which lie among those of the others."""
    rng = np.random.default_rng(0)
    centers = 1.5 * rng.standard_normal((n_classes * n_components, n_features))
    component = rng.integers(len(centers), size=n_rows)
    X = centers[component] + rng.standard_normal((n_rows, n_features))
    return Table("mixture", X, component % n_classes, classes=True)


def standardized(table):
    """The table with columns, and a target of numbers, of mean 0 and deviation 1."""
    return replace(table, X=scale(table.X), y=table.y if table.classes else scale(table.y))


# Training -----------------------------------------------------------------------------------------


def make(name, classes, epochs, seed):
    """The unfitted player: none stops before all its epochs are over."""
    common = {
        "hidden_layer_sizes": (100, 100),
        "batch_size": 200,
        "max_iter": epochs,
        "tol": 0,
        "n_iter_no_change": epochs + 1,
        "alpha": 0.0,
        "random_state": seed,
    }
    if name in MLPS:
        return (MLPClassifier if classes else MLPRegressor)(**common, **MLPS[name])
    if classes:
        return DistanceNetClassifier(label_smoothing=0.0, dropout=0.0, **common, **OURS[name])
    return DistanceNetRegressor(dropout=0.0, **common, **OURS[name])


def train(name, table, epochs, seed):
    """Loss after loss, and the seconds of an epoch."""
    model = make(name, table.classes, epochs, seed)
    # Other processes of a shared machine do not count into the processor's time.
    began = time.process_time()
    model.fit(table.X, table.y)
    spent = time.process_time() - began
    # Both regressors halve the squared error.
    curve = np.array(model.loss_curve_) * (1 if table.classes else 2)
    return curve, spent / epochs


def train_all(table, epochs, n_seeds):
    """Of each player, the curves, a row for each seed, and the seconds of an epoch."""
    runs = {name: [] for name in (*OURS, *MLPS)}
    for seed in range(n_seeds):
        for name, done in runs.items():
            done.append(train(name, table, epochs, seed))
    print(f"trained on {table.name}", file=sys.stderr, flush=True)
    return {name: tuple(map(np.array, zip(*done))) for name, done in runs.items()}


# Results ------------------------------------------------------------------------------------------


def final_losses(curves):
    return curves[:, -LAST_EPOCHS:].mean(axis=1)


def settle(runs):
    """The players of the tables: of the MLPs, the one at its default and the best."""
    best = min(MLPS, key=lambda name: float(np.median(final_losses(runs[name][0]))))
    kept = {name: runs[name] for name in OURS}
    kept["MLP, default rate"] = runs[next(iter(MLPS))]
    kept["MLP, best rate"] = runs[best]
    return kept, MLPS[best]["learning_rate_init"]


def epochs_to(curves, targets):
    """Epochs until each curve first is at its target, infinite where it never is."""
    there = curves <= targets[:, np.newaxis]
    return np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, np.inf)


def figure_or_never(value):
    return f"{value:.3g}" if math.isfinite(value) else "never"


def player_rows(players):
    """A table row for each player."""
    best_curves, best_seconds = players["MLP, best rate"]
    targets = final_losses(best_curves)
    best_epochs = epochs_to(best_curves, targets)
    rows = []
    for name, (curves, seconds) in players.items():
        epochs = epochs_to(curves, targets)
        by_epochs = epochs / best_epochs
        rows.append(
            {
                "player": name,
                "final loss": float(np.median(final_losses(curves))),
                "epochs to the best MLP's": figure_or_never(np.median(epochs)),
                "ratio of epochs": figure_or_never(np.median(by_epochs)),
                "ms per epoch": float(1e3 * np.median(seconds)),
                "seconds to it": figure_or_never(np.median(epochs * seconds)),
                "ratio of seconds": figure_or_never(np.median(by_epochs * seconds / best_seconds)),
            }
        )
    return rows


def title_of(table, rate):
    kind = "log-loss" if table.classes else "squared error"
    n_rows, n_features = table.X.shape
    return f"{table.name}, {n_rows} x {n_features}: {kind}; the MLP's best rate is {rate}"


def median_curves(players):
    """What the figure draws: for each player, the median loss of each epoch, and its seconds."""
    return {
        name: {
            "loss": np.median(curves, axis=0).tolist(),
            "epoch_seconds": float(np.median(seconds)),
        }
        for name, (curves, seconds) in players.items()
    }


def draw(path, tables, curves):
    """Loss against epochs, and below against seconds; a column for each table."""
    from matplotlib.figure import Figure

    styles = {
        "ours": {"color": "#0072B2"},
        "ours, constant rate": {"color": "#0072B2", "ls": "--"},
        "MLP, default rate": {"color": "#D55E00", "ls": "--"},
        "MLP, best rate": {"color": "#D55E00"},
    }
    figure = Figure(figsize=(2.7 * len(tables) + 0.6, 5.2), layout="constrained")
    grid = figure.subplots(2, len(tables), sharey="col", squeeze=False)
    for table, (by_epochs, by_seconds) in zip(tables, grid.T):
        for name, one in curves[table.name].items():
            epochs = np.arange(1, len(one["loss"]) + 1)
            by_epochs.plot(epochs, one["loss"], lw=1.4, label=name, **styles[name])
            by_seconds.plot(epochs * one["epoch_seconds"], one["loss"], lw=1.4, **styles[name])
        by_epochs.set(title=table.name, xlabel="epochs", yscale="log")
        by_seconds.set(xlabel="seconds of training")
        for axes in (by_epochs, by_seconds):
            axes.set_ylabel("training " + ("log-loss" if table.classes else "squared error"))
            axes.set_xlim(left=0)
            axes.grid(axis="y", alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


# Command line -------------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", help=f"with {', '.join(TABLES)} as .npz; without: drawn sets")
    add("--rows", type=int, help="rows of each set at most; default: 3000, --quick 600")
    add("--epochs", type=int, help="default: 200, --quick 30")
    add("--seeds", type=int, help="default: 3, --quick 1")
    add("--quick", action="store_true", help="a look at a few seconds")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--figure", metavar="FILE", help="picture to draw; needs matplotlib")
    add("--output", default="convergence.json", help="JSON to write; default: %(default)s")
    args = parser.parse_args()
    for name, full, quick in (("rows", 3000, 600), ("epochs", 200, 30), ("seeds", 3, 1)):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else full)
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be 1 or more")
    return args


def main():
    args = parse_arguments()
    found = read_folder(args.data, TABLES) if args.data else []
    # A folder gives its tables by name, these shall come in the order of their kinds.
    found.sort(key=lambda table: TABLES.index(table.name))
    drawn = [spirals(args.rows), mixture(args.rows)]
    tables = [standardized(table) for table in (*drawn, *(sample(t, args.rows) for t in found))]
    results, curves = {}, {}
    for table in tables:
        with quiet(), threadpool_limits(1, user_api="blas"):
            players, rate = settle(train_all(table, args.epochs, args.seeds))
        title = title_of(table, rate)
        results[title] = player_rows(players)
        curves[table.name] = median_curves(players)
        print_table(title, results[title])
    write_json(args.output, {"epochs": args.epochs, "tables": results, "curves": curves})
    if args.markdown:
        write_section(args.markdown, "convergence", results)
    if args.figure:
        draw(args.figure, tables, curves)


if __name__ == "__main__":
    main()
