"""Compare how well distance nets and other models predict, on the tables of folders.

The protocol is shuffled 3-fold cross-validation, stratified for classes, of at most 3,000 random
rows. Only `random_state` of ours is set. The peers are at their defaults, except SVC with C=10 and
one thread for each; nets, SVC and linear models are behind mean imputation and a StandardScaler,
also for numeric targets. LightGBM and CatBoost need the extra `benchmarks`::

    python benchmarks/accuracy.py --data FOLDER ANOTHER --seeds 2
    python benchmarks/accuracy.py --data FOLDER --models ours
    python benchmarks/accuracy.py --data FOLDER --models ensemble
    python benchmarks/accuracy.py --data FOLDER --models ours --label k --set init=kmeans --half A
    python benchmarks/accuracy.py --openml credit-g@1 vehicle
    python benchmarks/accuracy.py --data FOLDER --categories --seeds 2

A .npz file holds X and y; y of integers means classification. NaN in X is a missing value. The
array `categorical`, if any, has True for columns of codes, which are one-hot encoded for all models
if a column has at most 20 levels. The test part of an official split (X_test, y_test) is ignored.

With --categories, tables without such columns are left out, and models get a data frame with
columns of category dtype. Boosted trees and ours take them as they are, but columns of more than
255 levels stay numbers for HistGradientBoosting. MLP and "ours one-hot" are behind OneHotEncoder.

A seed determines the shuffle of the folds and the models' random_state. Scores are means over folds
and seeds; the calibration error pools the out-of-fold probabilities of a seed's folds. Half A has
the first, third, ... table of each folder and kind (classes, numbers) in the order of their names,
half B the others: choose settings with --half A, and report them on half B.

The script prints tables and writes JSON after every result, so that a second run continues an
interrupted one and repeats only what failed. Results of peers stay valid when the source of ours
changes: a run with --models ours shows those that the file has for all tables and seeds. It also
compares with ours under other labels. For times that compare, use --jobs 1.
"""

import argparse
import ast
import os
import signal
import sys

from _board import Board
from _cache import Cache
from _competitors import ENSEMBLE, OURS, distance_net, evaluate
from _harness import add_output_options, fail, print_table, write_json, write_section
from _headlines import print_categories, print_headlines
from _peers import BOARD, CATEGORIES, EXTRA, MISSING
from _tables import HALVES, IMAGE_SETS, read_folders, read_openml, sample
from joblib import Parallel, delayed

ONE_MODEL_PER_CLASS = ("HGB", "LightGBM", "CatBoost", "GP")
DEFAULT_NAMES = [OURS, *(peer.name for peer in BOARD)]


# Evaluation ---------------------------------------------------------------------------------------


class Stopped(BaseException):
    """Ctrl-C. A net would take a KeyboardInterrupt as the end of its training and return."""


def stop(*_):
    raise Stopped


def evaluate_job(model, table, seed, main_process):
    """Evaluate, and return names with the result: results arrive in any order."""
    if os.getpid() != main_process:
        # Ctrl-C reaches every process, and the main one stops the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return model.name, table.name, seed, evaluate(model, table, seed)


def guess_cost(model, table):
    """Estimated time: the longest jobs start first, so that no process waits at the end."""
    outputs = len(set(table.y)) if table.classes and model.name in ONE_MODEL_PER_CLASS else 1
    return model.cost * len(table.y) * table.X.shape[1] ** 0.5 * outputs


def evaluate_all(tables, models, args, cache):
    """Results by names of table and model and by seed: from the file, or computed now."""
    results, jobs, stale = {}, [], 0
    for table in tables:
        for model in models:
            for seed in range(args.seeds if model.accepts(table) else 0):
                again = args.fresh is not None and model.name in (args.fresh or model.name)
                known = None if again else cache.get(table, model, seed)
                if known is None:
                    jobs.append((model, table, seed))
                else:
                    results[table.name, model.name, seed] = known
                    stale += cache.is_stale(known)
    if results:
        print(f"{len(results)} results are in the file already", file=sys.stderr)
    if stale:
        print(
            f"NOTE: {stale} results of {args.label} come from another state of the source; "
            f"--fresh {args.label} computes them again"
        )
    jobs.sort(key=lambda job: -guess_cost(job[0], job[1]))
    return results | run(jobs, args.jobs, cache)


def run(jobs, n_jobs, cache):
    """Evaluate models on tables, and write each result to the file as it arrives."""
    results, by_name = {}, {(model.name, table.name): (model, table) for model, table, _ in jobs}
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    evaluated = parallel(delayed(evaluate_job)(*job, os.getpid()) for job in jobs)
    for i, (model_name, table_name, seed, result) in enumerate(evaluated, 1):
        model, table = by_name[model_name, table_name]
        cache.put(table, model, seed, result)
        results[table_name, model_name, seed] = result
        if "error" in result:
            text = result["error"]
        else:
            text = f"{sum(result['score']) / len(result['score']):.4f} in {result['fit']:.1f} s"
        line = f"[{i}/{len(jobs)}] {table_name}, {model_name}, seed {seed}: {text}"
        print(line, file=sys.stderr, flush=True)
    return results


def add_cached(tables, models, args, cache, results):
    """The models and results with those that the file has for all tables and seeds.

    These are peers of the board, and ours under other labels, which follow the first model.
    """
    missing = [peer for peer in args.board if peer not in models]
    peers = list(cache.complete(tables, missing, args.seeds))
    variants = cache.variants(tables, args.seeds, models[0]) if models[0].is_ours else []
    for _, cached in (*variants, *peers):
        results = results | cached
    everyone = [*models[1:], *(peer for peer, _ in peers)]
    order = [peer.name for peer in (*args.board, *args.extra)]
    everyone.sort(key=lambda peer: order.index(peer.name))
    return [models[0], *(variant for variant, _ in variants), *everyone], results


# Command line -------------------------------------------------------------------------------------


def parse_settings(pairs):
    """Constructor arguments from key=value, where value is a Python literal or else a string."""
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            fail(f"--set {pair}: write key=value")
        try:
            settings[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[key] = value
    return settings


def choose_models(args):
    """The models that the command line names, ours first."""
    args.board, args.extra = (CATEGORIES, []) if args.categories else (BOARD, EXTRA)
    peers = {peer.name: peer for peer in (*args.board, *args.extra)}
    requested = args.models or [OURS, *(peer.name for peer in args.board)]
    subjects = {name.lower() for name in requested} & {OURS, ENSEMBLE}
    if len(subjects) > 1:
        fail(f"{OURS} and {ENSEMBLE}: one after the other; tables show both if the file has both")
    subject = subjects.pop() if subjects else OURS
    args.label = args.label or subject
    args.section = "ensembles" if subject == ENSEMBLE else "accuracy"
    args.section = "categories" if args.categories else args.section
    if args.label in {*peers, *MISSING}:
        fail(f"--label {args.label} is the name of a peer")
    form = "native" if args.categories else None
    ours = distance_net(args.label, parse_settings(args.set), subject == ENSEMBLE, form)
    everyone = {args.label: ours, **peers}
    by_lower = {name.lower(): name for name in everyone} | {subject: args.label}
    for name, library in MISSING.items():
        print(f"{name} is left out: {library} is not installed (pip install skdistnet[benchmarks])")
    unknown = [name for name in (*requested, *(args.fresh or ())) if name.lower() not in by_lower]
    if unknown:
        fail(f"no model {', '.join(unknown)}; there are: {', '.join(everyone)}")
    chosen = {by_lower[name.lower()] for name in requested}
    args.fresh = args.fresh and [by_lower[name.lower()] for name in args.fresh]
    if not set(args.fresh or ()) <= chosen:
        fail("--fresh names a model that --models leaves out")
    return [model for name, model in everyone.items() if name in chosen]


def count(least):
    """A type for argparse: a whole number from `least`."""

    def parse(text):
        if not text.lstrip("-").isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text}")
        return int(text)

    return parse


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", nargs="+", metavar="FOLDER", default=[], help="every .npz file of these folders")
    add("--openml", nargs="+", metavar="NAME[@VERSION]", default=[], help="sets of OpenML")
    add("--only", nargs="+", metavar="NAME", help="tables of the folders to take; default: all")
    left_out = " ".join(IMAGE_SETS)
    add("--exclude", nargs="*", metavar="NAME", help=f"tables to leave out; default: {left_out}")
    names = ", ".join([OURS, *(peer.name for peer in CATEGORIES)])
    only = f"tables with categories, as data frames; models: {names}"
    add("--categories", action="store_true", help=only)
    add("--half", choices=HALVES, help="only the tables of this half; default: both")
    add("--rows", type=count(0), default=3000, help="rows of each, 0: all; default: %(default)s")
    add("--seeds", type=count(1), default=1, help="seeds; default: %(default)s")
    names = ", ".join([*DEFAULT_NAMES, ENSEMBLE, *(peer.name for peer in EXTRA)])
    default = f"the first {len(DEFAULT_NAMES)}"
    add("--models", nargs="+", metavar="NAME", help=f"of {names}; default: {default}")
    add("--set", nargs="+", metavar="KEY=VALUE", default=[], help="arguments of ours")
    add("--label", help="name of ours in results; default: that of the model")
    add("--jobs", type=int, default=1, help="processes, -1: all cores; default: %(default)s")
    add("--fresh", nargs="*", metavar="NAME", help="compute again: these models, or all")
    add_output_options(parser, "accuracy.json")
    args = parser.parse_args()
    if not args.data and not args.openml:
        parser.error("give --data FOLDER or --openml NAME")
    if args.jobs == 0:
        parser.error("--jobs: 1 or more, or -1")
    return args


def read_tables(args):
    tables = read_folders(args.data, args.only, args.exclude) if args.data else []
    tables += read_openml(args.openml)
    if len({table.name for table in tables}) < len(tables):
        fail("two tables have the same name")
    tables = [sample(table, args.rows) for table in tables if args.half in (None, table.half)]
    if not tables:
        fail(f"--half {args.half}: no table belongs to it")
    if args.categories:
        tables = [table for table in tables if table.has_categories]
    return tables or fail("--categories: no table has any")


def print_board(board, args):
    """Print the figures and headlines, and return the headlines for the JSON file."""
    what = f"half {args.half}" if args.half else "all tables"
    if args.categories:
        return {what: print_categories(board, what)}
    board.print_figures()
    boards = {what: board}
    if not args.half:
        halves = {f"half {half}": board.of_half(half) for half in HALVES}
        boards |= {what: part for what, part in halves.items() if part.tables}
    return {what: print_headlines(part, what) for what, part in boards.items()}


def main():
    args = parse_arguments()
    models = choose_models(args)
    cache = Cache(args.output, args.rows)
    tables = read_tables(args)
    print_table("Models", [{"name": one.name, "model": one.description} for one in models])
    shapes = []
    for table in tables:
        kind = f"{len(set(table.y))} classes" if table.classes else "numbers"
        shape = {"rows": len(table.y), "features": table.X.shape[1], "target": kind}
        shapes.append({"table": table.name, **shape, "half": table.half, "note": table.notes})
    print_table("Tables", shapes)
    signal.signal(signal.SIGINT, stop)
    try:
        results = evaluate_all(tables, models, args, cache)
    except Stopped:
        raise SystemExit(f"stopped; finished results are in {args.output}") from None
    models, results = add_cached(tables, models, args, cache, results)
    board = Board(tables, models, args.seeds, results)
    summary = print_board(board, args)
    for (table, model, seed), result in results.items():
        if "error" in result:
            print(f"FAILED, ranked last: {model} on {table}, seed {seed}: {result['error']}")
    about = {"tables": shapes, "seeds": args.seeds}
    name = f"{args.label}, rows {args.rows}, {args.half or 'both halves'}"
    if args.categories:
        name += ", categories"
    cache.content.setdefault("summaries", {})[name] = about | summary
    write_json(args.output, cache.content)
    if args.markdown:
        write_section(args.markdown, args.section, board.shown)


if __name__ == "__main__":
    main()
