"""Measure what each default is worth, by changing one argument at a time.

The protocol is that of accuracy.py, over fewer seeds, on the tables of a folder. A figure is the
mean over tables; a gain is the default's figure minus that of the change, positive where the
default is better::

    python benchmarks/levers.py --data FOLDER --jobs 2
"""

import argparse

import numpy as np
from _competitors import distance_net, evaluate_all
from _harness import add_output_options, publish
from _tables import read_folder, sample

#: One change each; an estimator without the argument stays at its defaults.
CHANGES = {
    "default": {},
    "early_stopping=False": {"early_stopping": False},
    "linear_part=False": {"linear_part": False},
    "init_median_activation=0.5": {"init_median_activation": 0.5},
    'dtype="float32"': {"dtype": "float32"},
    "label_smoothing=0.02": {"label_smoothing": 0.02},
    "dropout=0": {"dropout": 0.0},
    'alpha=0.03, "decoupled"': {"alpha": 0.03, "penalty": "decoupled"},
    'alpha=0.001, "coupled"': {"alpha": 0.001, "penalty": "coupled"},
    "learning_rate_init=0.01": {"learning_rate_init": 0.01},
    'learning_rate="constant"': {"learning_rate": "constant", "n_iter_no_change": 10_000},
    "max_iter=50": {"max_iter": 50},
    "max_iter=200": {"max_iter": 200},
    "batch_size=50": {"batch_size": 50},
    "one layer of 100": {"hidden_layer_sizes": (100,)},
    "one layer of 200": {"hidden_layer_sizes": (200,)},
    "100-100": {"hidden_layer_sizes": (100, 100)},
    "200-100": {"hidden_layer_sizes": (200, 100)},
    'init="kmeans"': {"init": "kmeans"},
    'init="uniform"': {"init": "uniform"},
    "init_median_activation=0.1": {"init_median_activation": 0.1},
    "init_median_activation=0.3": {"init_median_activation": 0.3},
    "init_median_activation=0.8": {"init_median_activation": 0.8},
    "init_median_activation=None": {"init_median_activation": None},
    'radius_type="spherical"': {"radius_type": "spherical"},
    'radius_type="tied"': {"radius_type": "tied"},
    'activation="cauchy"': {"activation": "cauchy"},
    'output_layer="linear"': {"output_layer": "linear"},
    'solver="adam"': {"solver": "adam", "learning_rate_init": 0.01},
    "standardize=False": {"standardize": False},
    "early_stopping=True": {"early_stopping": True},
}


def mean_figures(name, tables, results, classes):
    """Means over the tables of a kind: score, loss, calibration error; and seconds to fit."""
    chosen = [table for table in tables if table.classes == classes]
    flat = [result for table in chosen for result in results[name, table.name]]
    score = float(np.mean([np.mean(result["score"]) for result in flat]))
    loss = float(np.mean([np.mean(result["loss"]) for result in flat]))
    ece = float(np.mean([result["ece"] for result in flat])) if classes else None
    return score, loss, ece, sum(result["fit"] for result in flat)


def lever_rows(tables, results):
    """A row for each change, with its figures and the default's gain over it."""
    figures = {
        name: [mean_figures(name, tables, results, classes) for classes in (True, False)]
        for name in CHANGES
    }
    default_accuracy, default_r2 = (kind[0] for kind in figures["default"])
    return [
        {
            "changed": name,
            "accuracy": f"{accuracy:.4f}",
            "gain, accuracy": f"{default_accuracy - accuracy:+.4f}",
            "log-loss": f"{loss:.3f}",
            "ECE": f"{ece:.3f}",
            "R^2": f"{r2:.4f}",
            "gain, R^2": f"{default_r2 - r2:+.4f}",
            "fit, s": f"{fit + regressor_fit:.0f}",
        }
        for name, ((accuracy, loss, ece, fit), (r2, _, _, regressor_fit)) in figures.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", required=True, help="every .npz file of this folder")
    add("--exclude", nargs="*", metavar="NAME", help="tables to leave out; default: images")
    add("--rows", type=int, default=3000, help="rows of each, 0: all; default: %(default)s")
    add("--seeds", type=int, default=1, help="seeds; default: %(default)s")
    add("--jobs", type=int, default=1, help="processes; default: %(default)s")
    add_output_options(parser, "levers.json")
    args = parser.parse_args()
    tables = [sample(table, args.rows) for table in read_folder(args.data, None, args.exclude)]
    competitors = [distance_net(name, settings) for name, settings in CHANGES.items()]
    rows = lever_rows(tables, evaluate_all(competitors, tables, args.seeds, args.jobs))
    title = f"One argument changed: means over {len(tables)} tables"
    publish({title: rows}, args, "levers", {"levers": rows})


if __name__ == "__main__":
    main()
