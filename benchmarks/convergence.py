"""Compare how fast the training loss of distance nets and of scikit-learn's MLPs falls.

Equal for all: standardised rows and targets, hidden layers of 100 and 100 units, batches of 200,
the same epochs, one BLAS thread, no penalty, no label smoothing, no dropout. So both kinds minimise
the same loss, log-loss or squared error, and `loss_curve_` of both is the mean over an epoch of the
loss of each batch before its step. Ours runs with its cosine schedule, at a constant rate, since
the MLP's is constant, and at the best of four constant rates; the MLP at its default rate and at
the best of the same four. The best rate is the one with the lowest final loss. For the quality of
predictions see accuracy.py::

    python benchmarks/convergence.py --data FOLDER --figure convergence.png
    python benchmarks/convergence.py --quick

There are two target losses: the final losses of the MLP at its default rate and at its best rate. A
final loss is the mean over the last epochs, and a target is reached in the first epoch at or below
it. A ratio divides the epochs or seconds that a model needs by those of that MLP: below 1 the model
is faster. Seconds are processor time of the whole fit, divided evenly over the epochs. All figures
are medians over seeds.
"""

import argparse
import math
import sys
import time
from dataclasses import replace

import numpy as np
from _harness import add_output_options, print_table, quiet, write_json, write_section
from _tables import Table, read_folder, sample
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier, DistanceNetRegressor

TABLES = ("letter", "satimage", "kin8nm")
RATES = (0.001, 0.003, 0.01, 0.03)
#: Settings by model; tables show the best of those that are named after a rate.
CONSTANT = {"learning_rate": "constant"}
OURS = {"ours": {}, "ours, constant rate": CONSTANT}
OURS_BY_RATE = {f"ours {rate}": {"learning_rate_init": rate, **CONSTANT} for rate in RATES}
MLP_BY_RATE = {f"MLP {rate}": {"learning_rate_init": rate} for rate in RATES}
MODELS = {**OURS, **OURS_BY_RATE, **MLP_BY_RATE}
MLP_DEFAULT, MLP_BEST = "MLP, default rate", "MLP, best rate"
#: With mini-batches the loss jumps between epochs, so the final loss is a mean over several.
LAST_EPOCHS = 5


# Data ---------------------------------------------------------------------------------------------


def spirals(n_rows):
    """Two intertwined, slightly blurred spirals of three turns each, a classic benchmark."""
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 2
    # The root spreads the rows evenly along the spirals.
    turns = 3 * np.sqrt(rng.random(n_rows))
    angle = 2 * np.pi * turns + np.pi * y
    X = turns[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    return Table("spirals", X + 0.05 * rng.standard_normal(X.shape), y, classes=True)


def mixture(n_rows, n_features=10, n_classes=4, n_components=6):
    """Classes of several Gaussian components each, which overlap those of other classes."""
    rng = np.random.default_rng(0)
    centers = 1.5 * rng.standard_normal((n_classes * n_components, n_features))
    component = rng.integers(len(centers), size=n_rows)
    X = centers[component] + rng.standard_normal((n_rows, n_features))
    return Table("mixture", X, component % n_classes, classes=True)


def standardized(table):
    """The table with its columns, and a numeric target, scaled to mean 0 and deviation 1."""
    return replace(table, X=scale(table.X), y=table.y if table.classes else scale(table.y))


# Training -----------------------------------------------------------------------------------------


def make(name, classes, epochs, seed):
    """An unfitted model, which trains for all of its epochs."""
    common = {
        "hidden_layer_sizes": (100, 100),
        "batch_size": 200,
        "max_iter": epochs,
        "tol": 0,
        "n_iter_no_change": epochs + 1,
        "alpha": 0.0,
        "random_state": seed,
    }
    if name in MLP_BY_RATE:
        return (MLPClassifier if classes else MLPRegressor)(**common, **MODELS[name])
    common["dropout"] = 0.0
    if classes:
        return DistanceNetClassifier(label_smoothing=0.0, **common, **MODELS[name])
    return DistanceNetRegressor(**common, **MODELS[name])


def train(name, table, epochs, seed):
    """Fit a model; its loss after each epoch, and the seconds of an epoch."""
    model = make(name, table.classes, epochs, seed)
    # Processor time does not count other processes of a shared machine.
    start = time.process_time()
    model.fit(table.X, table.y)
    duration = time.process_time() - start
    # Both regressors halve the squared error.
    curve = np.array(model.loss_curve_) * (1 if table.classes else 2)
    return curve, duration / epochs


def train_all(table, epochs, n_seeds):
    """For each model an array of curves, a row for each seed, and one of seconds per epoch."""
    runs = {name: [] for name in MODELS}
    for seed in range(n_seeds):
        for name, of_seeds in runs.items():
            of_seeds.append(train(name, table, epochs, seed))
    print(f"trained on {table.name}", file=sys.stderr, flush=True)
    return {name: tuple(map(np.array, zip(*of_seeds))) for name, of_seeds in runs.items()}


# Results ------------------------------------------------------------------------------------------


def final_losses(curves):
    return curves[:, -LAST_EPOCHS:].mean(axis=1)


def best_of(names, runs):
    """The name of the model with the lowest final loss."""
    return min(names, key=lambda name: float(np.median(final_losses(runs[name][0]))))


def choose_rates(runs):
    """The runs that tables show, and the best rates of ours and of the MLP."""
    ours, mlp = best_of(OURS_BY_RATE, runs), best_of(MLP_BY_RATE, runs)
    chosen = {name: runs[name] for name in OURS}
    chosen["ours, best constant rate"] = runs[ours]
    chosen[MLP_DEFAULT] = runs[f"MLP {MLPClassifier().learning_rate_init}"]
    chosen[MLP_BEST] = runs[mlp]
    return chosen, [MODELS[name]["learning_rate_init"] for name in (ours, mlp)]


def epochs_to(curves, targets):
    """Epochs until each curve reaches its target, infinite if it never does."""
    reached = curves <= targets[:, np.newaxis]
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)


def cell(values):
    """The median as text."""
    value = np.median(values)
    return f"{value:.3g}" if math.isfinite(value) else "never"


def model_rows(chosen):
    """A table row for each model."""
    rows = []
    for name, (curves, seconds) in chosen.items():
        row = {
            "model": name,
            "final loss": float(np.median(final_losses(curves))),
            "ms per epoch": float(1e3 * np.median(seconds)),
        }
        for peer, short in ((MLP_DEFAULT, "default MLP"), (MLP_BEST, "best MLP")):
            peer_curves, peer_seconds = chosen[peer]
            targets = final_losses(peer_curves)
            epochs = epochs_to(curves, targets)
            ratios = epochs / epochs_to(peer_curves, targets)
            row[f"epochs to the {short}'s loss"] = cell(epochs)
            row["epochs / " + short] = cell(ratios)
            row["seconds / " + short] = cell(ratios * seconds / peer_seconds)
        rows.append(row)
    return rows


def title_of(table, rates):
    kind = "log-loss" if table.classes else "squared error"
    size = " x ".join(map(str, table.X.shape))
    return f"{table.name}, {size}: {kind}; best constant rate {rates[0]}, MLP's {rates[1]}"


def median_curves(chosen):
    """For the figure, the median loss of each epoch of each model, and its seconds."""
    return {
        name: {
            "loss": np.median(curves, axis=0).tolist(),
            "epoch_seconds": float(np.median(seconds)),
        }
        for name, (curves, seconds) in chosen.items()
    }


def draw(path, tables, curves):
    """Draw losses over epochs above and over seconds below, with a column for each table."""
    from matplotlib.figure import Figure

    styles = {
        "ours": {"color": "#0072B2"},
        "ours, constant rate": {"color": "#0072B2", "ls": ":"},
        "ours, best constant rate": {"color": "#0072B2", "ls": "--"},
        MLP_DEFAULT: {"color": "#D55E00"},
        MLP_BEST: {"color": "#D55E00", "ls": "--"},
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
    add(
        "--data",
        metavar="FOLDER",
        help=f"with {', '.join(TABLES)} as .npz; without it: synthetic tables",
    )
    add("--rows", type=int, help="rows of each table at most; default: 3000, --quick 600")
    add("--epochs", type=int, help="default: 200, --quick 30")
    add("--seeds", type=int, help="default: 3, --quick 1")
    add("--quick", action="store_true", help="small, done in seconds")
    add("--figure", metavar="FILE", help="picture to draw; needs matplotlib")
    add_output_options(parser, "convergence.json")
    args = parser.parse_args()
    for name, full, quick in (("rows", 3000, 600), ("epochs", 200, 30), ("seeds", 3, 1)):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else full)
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be 1 or more")
    return args


def main():
    args = parse_arguments()
    tables = [spirals(args.rows), mixture(args.rows)]
    if args.data:
        by_name = {table.name: table for table in read_folder(args.data, TABLES)}
        tables += [sample(by_name[name], args.rows) for name in TABLES]
    tables = [standardized(table) for table in tables]
    results, curves = {}, {}
    for table in tables:
        with quiet(), threadpool_limits(1, user_api="blas"):
            chosen, rates = choose_rates(train_all(table, args.epochs, args.seeds))
        title = title_of(table, rates)
        results[title] = model_rows(chosen)
        curves[table.name] = median_curves(chosen)
        print_table(title, results[title])
    write_json(args.output, {"epochs": args.epochs, "tables": results, "curves": curves})
    if args.markdown:
        write_section(args.markdown, "convergence", results)
    if args.figure:
        draw(args.figure, tables, curves)


if __name__ == "__main__":
    main()
