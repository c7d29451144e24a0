"""What each part of the defaults is worth: ours with one argument changed, on a folder's tables.

The protocol is that of accuracy.py, over fewer seeds. A figure is the mean over tables; a gain is
that of the default over the change, positive where the default is better::

    python benchmarks/levers.py --data FOLDER --jobs 2
"""

import argparse

import numpy as np
from _harness import print_table, write_json, write_section
from _players import our_player
from _scores import play
from _tables import IMAGE_SETS, read_folder, sample
from joblib import Parallel, delayed

#: One change each; those that only one estimator has leave the other as it is.
CHANGES = {
    "default": {},
    "label_smoothing=0": {"label_smoothing": 0.0},
    "dropout=0": {"dropout": 0.0},
    "alpha=0": {"alpha": 0.0},
    "alpha=3, of a prior": {"alpha": 3.0},
    'alpha=0.1, "decoupled"': {"alpha": 0.1, "decay": "decoupled"},
    'alpha=0.001, "coupled"': {"alpha": 0.001, "decay": "coupled"},
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


def figures(tables, results, classes):
    """Means over the tables of a kind: score, log-loss and calibration error, seconds to fit."""
    found = [results[table.name] for table in tables if table.classes == classes]
    flat = [result for seeds in found for result in seeds]
    score = float(np.mean([np.mean(result["score"]) for result in flat]))
    loss = float(np.mean([np.mean(result["loss"]) for result in flat]))
    ece = float(np.mean([result["ece"] for result in flat])) if classes else None
    return score, loss, ece, sum(result["fit"] for result in flat)


def lever_rows(tables, results):
    """A row for each change, with its figures and what the default gains over it."""
    rows = []
    known = {name: [figures(tables, of, kind) for kind in (True, False)] for name, of in results}
    for name, (by_class, by_number) in known.items():
        rows.append(
            {
                "changed": name,
                "accuracy": f"{by_class[0]:.4f}",
                "gain, accuracy": f"{known['default'][0][0] - by_class[0]:+.4f}",
                "log-loss": f"{by_class[1]:.3f}",
                "ECE": f"{by_class[2]:.3f}",
                "R^2": f"{by_number[0]:.4f}",
                "gain, R^2": f"{known['default'][1][0] - by_number[0]:+.4f}",
                "fit, s": f"{by_class[3] + by_number[3]:.0f}",
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", required=True, help="every .npz file of this folder")
    add("--exclude", nargs="*", default=IMAGE_SETS, metavar="NAME", help="tables to leave out")
    add("--rows", type=int, default=3000, help="rows of each, 0: all; default: %(default)s")
    add("--seeds", type=int, default=1, help="seeds; default: %(default)s")
    add("--jobs", type=int, default=1, help="processes; default: %(default)s")
    add("--markdown", metavar="FILE", help="write the table into this file too")
    add("--output", default="levers.json", help="JSON to write; default: %(default)s")
    args = parser.parse_args()
    tables = [sample(one, args.rows) for one in read_folder(args.data, None, args.exclude)]
    jobs = [
        (name, table, seed) for name in CHANGES for table in tables for seed in range(args.seeds)
    ]
    played = Parallel(n_jobs=args.jobs, verbose=1)(
        delayed(play)(our_player("ours", CHANGES[name]), table, seed) for name, table, seed in jobs
    )
    results = {name: {table.name: [] for table in tables} for name in CHANGES}
    for (name, table, _), result in zip(jobs, played):
        if "error" in result:
            raise SystemExit(f"levers.py: {name} on {table.name}: {result['error']}")
        results[name][table.name].append(result)
    rows = lever_rows(tables, results.items())
    title = f"One argument changed: means over {len(tables)} tables"
    print_table(title, rows)
    write_json(args.output, {"levers": rows})
    if args.markdown:
        write_section(args.markdown, "levers", {title: rows})


if __name__ == "__main__":
    main()
