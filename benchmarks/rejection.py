"""Measure how rejecting the least confident rows lowers the error of a classifier.

For several shares of accepted rows (coverages) the script prints the error among them. It uses
shuffled, stratified 5-fold cross-validation at the defaults: on digits, and on tables of a folder,
with all their rows unless --rows limits them::

    python benchmarks/rejection.py --data FOLDER
    python benchmarks/rejection.py --data FOLDER --only letter --rows 3000
"""

import argparse

import numpy as np
from _competitors import MLP, distance_net
from _harness import add_output_options, publish, quiet
from _tables import Table, read_folder, sample
from joblib import Parallel, delayed
from scipy.special import xlogy
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

#: Shares of accepted rows.
COVERAGES = (1.0, 0.95, 0.9, 0.8)
N_FOLDS = 5
#: With a tenth of the rows rejected, at most this share of the error is to remain.
TARGET_RATIO = 0.5
TABLES = ["letter", "satimage"]


def top_probability(model, X):
    return model.predict_proba(X).max(axis=1)


def margin(model, X):
    """Probability of the most probable class minus that of the next."""
    *_, second, first = np.sort(model.predict_proba(X), axis=1).T
    return first - second


def entropy(model, X):
    """Minus the entropy of the probabilities: high where one class has nearly all of them."""
    probabilities = model.predict_proba(X)
    return xlogy(probabilities, probabilities).sum(axis=1)


OURS = "ours, top probability"
#: By name of the competitor: functions of model and rows that return the confidence of each row.
CONFIDENCES = {
    "ours": {
        OURS: top_probability,
        "ours, margin to the next": margin,
        "ours, entropy": entropy,
        "ours, score_samples": lambda model, X: model.score_samples(X),
    },
    "MLP": {"MLPClassifier, top probability": top_probability},
}


def read_tables(args):
    """Digits, whole, and the chosen tables of the folder."""
    X, y = load_digits(return_X_y=True)
    tables = [Table("digits", X, y, classes=True)]
    if args.data:
        tables += [sample(table, args.rows) for table in read_folder(args.data, args.only)]
    return tables


def errors_by_coverage(competitor, table, seed):
    """Error among the accepted rows, a list over coverages, by name of the confidence.

    Each fold rejects its least confident rows, as many as the coverage leaves out; the accepted
    rows of all folds are counted together.
    """
    X, y, confidences = table.X, table.y, CONFIDENCES[competitor.name]
    n_wrong = {name: np.zeros(len(COVERAGES)) for name in confidences}
    n_accepted = np.zeros(len(COVERAGES))
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    for train, test in splitter.split(X, y):
        with quiet(), threadpool_limits(1):
            model = competitor.make(True, seed).fit(X[train], y[train])
        is_wrong = model.predict(X[test]) != y[test]
        accepted = np.round(np.multiply(COVERAGES, len(test))).astype(int)
        n_accepted += accepted
        for name, confidence in confidences.items():
            most_confident_first = np.argsort(-confidence(model, X[test]), kind="stable")
            n_wrong[name] += np.cumsum(is_wrong[most_confident_first])[accepted - 1]
    return {name: counts / n_accepted for name, counts in n_wrong.items()}


def measure(tables, n_seeds, n_jobs):
    """Mean error over seeds, a dict over coverages, by names of table and confidence."""
    competitors = [distance_net(), MLP]
    jobs = [
        (one, table, seed) for table in tables for one in competitors for seed in range(n_seeds)
    ]
    results = Parallel(n_jobs=n_jobs, verbose=1)(delayed(errors_by_coverage)(*job) for job in jobs)
    by_seed = {}
    for (_, table, _), result in zip(jobs, results):
        for name, errors in result.items():
            by_seed.setdefault((table.name, name), []).append(errors)
    return {key: dict(zip(COVERAGES, np.mean(runs, axis=0))) for key, runs in by_seed.items()}


def table_rows(errors):
    """A row for each table and confidence: errors, and the share that remains at 90 %."""
    rows = []
    for (table, name), by_coverage in errors.items():
        row = {"table": table, "confidence": name}
        for coverage, error in by_coverage.items():
            row[f"error, {coverage:.0%} accepted"] = f"{error:.4f}"
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
    add_output_options(parser, "rejection.json")
    return parser.parse_args()


def main():
    args = parse_arguments()
    tables = read_tables(args)
    errors = measure(tables, args.seeds, args.jobs)
    results = [
        {"table": table, "confidence": name, "errors": by_coverage}
        for (table, name), by_coverage in errors.items()
    ]
    shown = {f"Error among the accepted rows, {args.seeds} seeds": table_rows(errors)}
    publish(shown, args, "rejection", {"seeds": args.seeds, "rows": args.rows, "results": results})
    ours = {table.name: errors[table.name, OURS] for table in tables}
    missed = [name for name, error in ours.items() if error[0.9] > TARGET_RATIO * error[1.0]]
    where = "on all tables" if not missed else "NOT on " + ", ".join(missed)
    print(f"error falls by at least half: {where}")


if __name__ == "__main__":
    main()
