"""Compare recurrent distance nets with other models on sequences, with one thread. The parts:

- "forecasts": four series, one step and a longer horizon ahead; beside the recurrent net windows of
  the last values for a distance net of equal size and other models, and echo state nets;
- "classification": the sets that aeon ships, with their splits;
- "memory": the adding problem, and whether the last value is below the first; beside the recurrent
  net a GRU of equal size, where PyTorch is installed;
- "time": passes through a recurrent layer, beside the same arithmetic by a feed-forward layer.

A JSON file keeps the result of each run, so that an interrupted benchmark continues. The extra
`sequences` installs the peers except for PyTorch::

    python benchmarks/sequences.py --markdown docs/benchmarks.md
    python benchmarks/sequences.py --parts classification --only GunPoint --seeds 1
"""

import argparse
from importlib.util import find_spec

from _depth_runs import Ledger
from _harness import fail, print_table, quiet, write_section
from _sequence_memory import TASKS, memory_jobs
from _sequence_runs import collect, run_jobs
from _sequence_series import SERIES, forecast_jobs, read_forecasts
from _sequence_sets import NEIGHBOR, OURS, SETS, classification_jobs, read_sets
from _sequence_tables import (
    forecast_lines,
    memory_lines,
    rank_lines,
    rank_row,
    rows_of,
    time_rows,
)
from _sequence_time import arithmetic_rows
from threadpoolctl import threadpool_limits

from skdistnet import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor

#: The recurrent nets by series, by set and by task of the memory; their seeds are set by the runs.
NOISY = {"max_iter": 200, "n_iter_no_change": 50, "dtype": "float32"}
FORECASTERS = {
    # Without noise, longer training is better.
    "Mackey-Glass": RecurrentDistanceNetRegressor(
        64, max_iter=500, early_stopping=False, dtype="float32"
    ),
    "sine": RecurrentDistanceNetRegressor(64, **NOISY),
    "sunspots": RecurrentDistanceNetRegressor(64, **NOISY),
    "laser": RecurrentDistanceNetRegressor(64, dtype="float32"),
}
CLASSIFIERS = {name: RecurrentDistanceNetClassifier(64) for name in SETS}
EPOCHS = {"max_iter": 40, "batch_size": 50, "early_stopping": False}
MEMORIES = {
    "adding, 50 steps": RecurrentDistanceNetRegressor(64, **EPOCHS),
    "adding, 100 steps": RecurrentDistanceNetRegressor(64, **EPOCHS),
    "adding, 200 steps": RecurrentDistanceNetRegressor(64, **EPOCHS),
    "last below first, 50 steps": RecurrentDistanceNetClassifier(64, **EPOCHS),
}


def prepare_forecasts(args):
    """Tasks by name, each with what its row says, and the runs."""
    forecasts = read_forecasts(args.only)
    jobs = forecast_jobs(forecasts, FORECASTERS, args.seeds)
    tasks = {task.name: {"training values": str(task.n_train)} for task in forecasts}
    return tasks, jobs


def prepare_classification(args):
    sets = read_sets(args.only)
    jobs = classification_jobs(sets, CLASSIFIERS, args.seeds)
    return {sequences.name: sequences.about for sequences in sets}, jobs


def prepare_memory(args):
    tasks = [task for task in TASKS if task.name in (args.only or MEMORIES)]
    jobs = memory_jobs(tasks, MEMORIES, args.seeds)
    return {task.name: task.about for task in tasks}, jobs


#: For each part the function that prepares its runs, the names that --only takes, and its title.
PARTS = {
    "forecasts": (prepare_forecasts, tuple(SERIES), "Forecasts: error / standard deviation"),
    "classification": (prepare_classification, SETS, "Classification: accuracy"),
    "memory": (prepare_memory, tuple(MEMORIES), "Memory: score on new sequences"),
}
TIME = "time"


def run_part(part, args, ledger):
    """Run what the ledger does not hold; return the part's tables."""
    prepare, _, title = PARTS[part]
    tasks, jobs = prepare(args)
    if not tasks:
        return {}
    jobs = list(jobs)
    run_jobs([job for job in jobs if job.model in (args.models or [job.model])], ledger)
    results = collect(jobs, ledger)
    if not results:
        return {}
    tables = {
        f"{title}, mean of {args.seeds} seeds (smallest to largest)": rows_of(tasks, results),
        f"{part.capitalize()}: seconds of fit and predictions": time_rows(tasks, results),
    }
    if part == "classification":
        next(iter(tables.values())).append(rank_row(tasks, results))
    lines = {
        "forecasts": lambda: forecast_lines(tasks, results, OURS),
        "classification": lambda: rank_lines(tasks, results, OURS, NEIGHBOR),
        "memory": lambda: memory_lines(tasks, results),
    }[part]()
    for title, rows in tables.items():
        print_table(title, rows)
    print("", *lines, sep="\n")
    return tables


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    names = [name for _, only, _ in PARTS.values() for name in only]
    add("--parts", nargs="+", choices=[*PARTS, TIME], default=[*PARTS, TIME], help="default: all")
    add("--only", nargs="+", choices=names, metavar="NAME", help=f"from: {', '.join(names)}")
    add("--models", nargs="+", metavar="MODEL", help="models to run, as the tables name them")
    add("--seeds", type=int, default=5, help="default: %(default)s")
    add("--fresh", action="store_true", help="repeat our runs of another state of the source")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--output", default="sequences.json", help="JSON to write; default: %(default)s")
    args = parser.parse_args()
    if args.markdown and (args.only or len(args.parts) <= len(PARTS)):
        parser.error("--markdown writes the tables of all parts; omit --parts and --only")
    return args


def drop_stale(ledger, models):
    """Remove our runs of another state of the source, so that they are repeated."""
    runs = ledger.content["runs"]
    for key, result in list(runs.items()):
        selected = models is None or key.split(" | ")[1] in models
        if selected and result.get("source", ledger.source) != ledger.source:
            del runs[key]


def main():
    args = parse_arguments()
    missing = [name for name in ("aeon", "reservoirpy", "statsmodels") if not find_spec(name)]
    if missing:
        fail(f"{', '.join(missing)} must be installed; the extra `sequences` has them")
    ledger = Ledger(args.output, "sequences")
    if args.fresh:
        drop_stale(ledger, args.models)
    tables = {}
    with quiet(), threadpool_limits(1):
        for part in PARTS:
            if part in args.parts:
                tables |= run_part(part, args, ledger)
        if TIME in args.parts:
            title = "Forward and backward passes of a recurrent layer and of a feed-forward layer"
            tables[title] = arithmetic_rows()
            print_table(title, tables[title])
    ledger.content["tables"] = tables
    if ledger.n_stale:
        print(f"NOTE: {ledger.n_stale} results come from another state of the source; see --fresh")
    ledger.write()
    if args.markdown:
        write_section(args.markdown, "sequences", tables)


if __name__ == "__main__":
    main()
