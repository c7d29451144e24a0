"""What is gained by not answering the tenth of the rows that a classifier is least sure of.

Error among the rows answered, at several shares of rows answered, over the error among all of them.
Shuffled, stratified 5-fold cross-validation at the defaults: on digits, and on tables of a folder,
all their rows unless told otherwise::

    python benchmarks/rejection.py --data FOLDER
    python benchmarks/rejection.py --data FOLDER --only letter --rows 3000
"""

import argparse

import numpy as np
from _harness import print_table, write_json, write_section
from _players import PEERS, our_player
from _rejection import COVERAGES, entropy, errors_by_coverage, margin, top_probability
from _tables import Table, read_folder, sample
from joblib import Parallel, delayed
from sklearn.datasets import load_digits

#: Error with a tenth of the rows rejected is to be at most this share of the error without.
BAR = 0.5
TABLES = ["letter", "satimage"]
OURS, PEER = "ours, top probability", "MLPClassifier, top probability"
OUR_SCORE = "ours, score_samples"
TELLERS = {
    "ours": {
        OURS: top_probability,
        "ours, margin to the next": margin,
        "ours, entropy": entropy,
        OUR_SCORE: lambda model, X: model.score_samples(X),
    },
    "MLP": {PEER: top_probability},
}


def read_tables(args):
    """Digits, whole, and the tables of the folder that are asked for."""
    X, y = load_digits(return_X_y=True)
    tables = [Table("digits", X, y, classes=True)]
    if args.data:
        tables += [sample(table, args.rows) for table in read_folder(args.data, args.only)]
    return tables


def play(player, table, seed):
    """Errors of one classifier on one table: see `errors_by_coverage`."""
    tellers = TELLERS[player.name]
    return errors_by_coverage(lambda seed: player.make(True, seed), table.X, table.y, tellers, seed)


def measure(tables, n_seeds, n_jobs):
    """Mean error over seeds by table, teller and coverage."""
    players = [our_player(), next(peer for peer in PEERS if peer.name == "MLP")]
    jobs = [
        (player, table, seed) for table in tables for player in players for seed in range(n_seeds)
    ]
    results = Parallel(n_jobs=n_jobs, verbose=1)(delayed(play)(*job) for job in jobs)
    found = {}
    for (_, table, _), result in zip(jobs, results):
        for teller, errors in result.items():
            found.setdefault((table.name, teller), []).append(list(errors.values()))
    return {key: dict(zip(COVERAGES, np.mean(runs, axis=0))) for key, runs in found.items()}


def rows_to_show(errors):
    """A row for each table and teller: errors, and what is left of them at a coverage of 90 %."""
    rows = []
    for (table, teller), by_coverage in errors.items():
        row = {"table": table, "certainty": teller}
        for coverage, error in by_coverage.items():
            row[f"error, {coverage:.0%} answered"] = f"{error:.4f}"
        row["90 % / all"] = f"{by_coverage[0.9] / by_coverage[1.0]:.3f}"
        rows.append(row)
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="a folder of .npz tables")
    add("--only", nargs="+", metavar="NAME", default=TABLES, help="tables; default: %(default)s")
    add("--rows", type=int, default=0, help="random rows at most, 0: all; default: %(default)s")
    add("--seeds", type=int, default=3, help="seeds; default: %(default)s")
    add("--jobs", type=int, default=1, help="processes; default: %(default)s")
    add("--markdown", metavar="FILE", help="write the table into this file too")
    add("--output", default="rejection.json", help="JSON to write; default: %(default)s")
    return parser.parse_args()


def main():
    args = parse_arguments()
    tables = read_tables(args)
    errors = measure(tables, args.seeds, args.jobs)
    title = f"Error of the rows answered, seeds: {args.seeds}"
    rows = rows_to_show(errors)
    print_table(title, rows)
    ratios = {table.name: errors[table.name, OURS] for table in tables}
    missed = [name for name, error in ratios.items() if error[0.9] > BAR * error[1.0]]
    print(
        f"error falls by at least half: {'on all' if not missed else 'NOT on ' + ', '.join(missed)}"
    )
    results = [
        {"table": table, "certainty": teller, "errors": by_coverage}
        for (table, teller), by_coverage in errors.items()
    ]
    write_json(args.output, {"seeds": args.seeds, "rows": args.rows, "results": results})
    if args.markdown:
        write_section(args.markdown, "rejection", {title: rows})


if __name__ == "__main__":
    main()
