"""Compare how well distance nets and estimators of scikit-learn predict, on tables of a folder.

The protocol is shuffled 3-fold cross-validation, stratified for classes, of at most 3,000 random
rows. Ours gets raw columns and only `random_state` is set. The peers are at their defaults, with a
StandardScaler for their features and their numeric targets::

    python benchmarks/accuracy.py --data FOLDER
    python benchmarks/accuracy.py --data FOLDER --seeds 5 --jobs 2
    python benchmarks/accuracy.py --data FOLDER --label kmeans --set init=kmeans max_iter=50
    python benchmarks/accuracy.py --data FOLDER --tuned
    python benchmarks/accuracy.py --openml credit-g@1 vehicle

A .npz file holds X and y; y of integers means classification. The test part of an official split
(X_test, y_test) is ignored. A seed determines the shuffle of the folds and the models'
random_state. Scores are means over folds and seeds; the calibration error pools the out-of-fold
probabilities of a seed's folds.

The script prints tables and writes JSON after every result, so that a second run continues an
interrupted one and repeats only what failed. For times that compare, use --jobs 1.
"""

import argparse
import ast
import json
import os
import signal
import sys

from _board import Board
from _competitors import OURS, PEERS, distance_net, evaluate
from _harness import (
    add_output_options,
    fail,
    print_table,
    read_results,
    source_digest,
    write_json,
    write_section,
)
from _tables import IMAGE_SETS, read_folder, read_openml, sample
from joblib import Parallel, delayed

NAMES = [OURS, *(peer.name for peer in PEERS)]


class Cache:
    """Results in a JSON file, by table, competitor and settings, seed and rows."""

    def __init__(self, path, n_rows, tuned):
        self.path, self.n_rows, self.tuned = path, n_rows, tuned
        self.content = read_results(path, {"results": {}}, "results")
        self.results, self.source = self.content["results"], source_digest()

    def key(self, table, competitor, seed):
        settings = json.dumps(competitor.identity(table.classes, self.tuned), sort_keys=True)
        return f"{table.name} | {competitor.name} | {settings} | seed {seed} | rows {self.n_rows}"

    def get(self, table, digest, competitor, seed):
        """The result, or None if it failed or belongs to other data of the same name."""
        result = self.results.get(self.key(table, competitor, seed))
        if result is None or "error" in result or result["data"] != digest:
            return None
        return result

    def put(self, table, digest, competitor, seed, result):
        stamp = {"data": digest} if competitor.scaled else {"data": digest, "source": self.source}
        self.results[self.key(table, competitor, seed)] = {**result, **stamp}
        write_json(self.path, self.content, announce=False)

    def is_stale(self, result):
        """Whether it is a result of ours with another state of the source."""
        return result.get("source", self.source) != self.source


# Evaluation ---------------------------------------------------------------------------------------


class Stopped(BaseException):
    """Ctrl-C. A net would take a KeyboardInterrupt as the end of its training and return."""


def stop(*_):
    raise Stopped


def evaluate_job(model, table, seed, tuned, main_process):
    """Evaluate, and return names with the result: results arrive in any order."""
    if os.getpid() != main_process:
        # Ctrl-C reaches every process, and the main one stops the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return model.name, table.name, seed, evaluate(model, table, seed, tuned)


def guess_cost(model, table):
    """Estimated time: the longest jobs start first, so that no process waits at the end."""
    outputs = len(set(table.y)) if table.classes and model.name in ("HGB", "GP") else 1
    return model.cost * len(table.y) * table.X.shape[1] ** 0.5 * outputs


def evaluate_all(tables, models, args, cache):
    """Results by names of table and competitor and by seed: from the file, or computed now."""
    results, jobs, stale = {}, [], 0
    digests = {table.name: table.digest for table in tables}
    for table in tables:
        for model in models:
            for seed in range(args.seeds if model.accepts(table) else 0):
                again = args.fresh is not None and model.name in (args.fresh or model.name)
                known = None if again else cache.get(table, digests[table.name], model, seed)
                if known is None:
                    jobs.append((model, table, seed))
                else:
                    results[table.name, model.name, seed] = known
                    stale += cache.is_stale(known)
    if results:
        print(f"{len(results)} results are in the file already", file=sys.stderr)
    if stale:
        name = models[0].name
        print(
            f"NOTE: {stale} results of {name} come from another state of the source; "
            f"--fresh {name} computes them again"
        )
    jobs.sort(key=lambda job: -guess_cost(job[0], job[1]))
    by_name = {(model.name, table.name): (model, table) for model, table, _ in jobs}
    parallel = Parallel(n_jobs=args.jobs, return_as="generator_unordered")
    evaluated = parallel(delayed(evaluate_job)(*job, args.tuned, os.getpid()) for job in jobs)
    for i, (model_name, table_name, seed, result) in enumerate(evaluated, 1):
        model, table = by_name[model_name, table_name]
        cache.put(table, digests[table_name], model, seed, result)
        results[table_name, model_name, seed] = result
        if "error" in result:
            text = result["error"]
        else:
            text = f"{sum(result['score']) / len(result['score']):.4f} in {result['fit']:.1f} s"
        print(
            f"[{i}/{len(jobs)}] {table_name}, {model_name}, seed {seed}: {text}",
            file=sys.stderr,
            flush=True,
        )
    return results


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
    """Ours first, then the peers that the command line names."""
    if args.label != OURS and args.label in NAMES:
        fail(f"--label {args.label} is the name of a peer")
    everyone = {OURS: distance_net(args.label, parse_settings(args.set))}
    everyone |= {peer.name: peer for peer in PEERS}
    if args.tuned:
        everyone = {name: model for name, model in everyone.items() if model.grid}
    by_lower = {name.lower(): name for name in everyone}
    by_lower[args.label.lower()] = OURS
    requested = args.models or list(everyone)
    unknown = [name for name in requested if name.lower() not in by_lower]
    if unknown:
        when = " --tuned" if args.tuned else ""
        fail(f"--models: no model {', '.join(unknown)}{when}; there are: {', '.join(everyone)}")
    chosen = {by_lower[name.lower()] for name in requested}
    models = [model for name, model in everyone.items() if name in chosen]
    names = [model.name for model in models]
    if args.fresh:
        args.fresh = [args.label if name == OURS else name for name in args.fresh]
        if not set(args.fresh) <= set(names):
            fail(f"--fresh: no such model; there are: {', '.join(names)}")
    return models


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
    add("--data", metavar="FOLDER", help="every .npz file of this folder")
    add("--openml", nargs="+", metavar="NAME[@VERSION]", default=[], help="sets of OpenML")
    add("--only", nargs="+", metavar="NAME", help="tables of the folder to take; default: all")
    left_out = " ".join(IMAGE_SETS)
    add("--exclude", nargs="*", metavar="NAME", help=f"tables to leave out; default: {left_out}")
    add("--rows", type=count(0), default=3000, help="rows of each, 0: all; default: %(default)s")
    add("--seeds", type=count(1), default=1, help="seeds; default: %(default)s")
    add("--models", nargs="+", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    add("--set", nargs="+", metavar="KEY=VALUE", default=[], help="arguments of ours")
    add("--label", default=OURS, help="name of ours in results; default: %(default)s")
    add("--tuned", action="store_true", help="tune over 12 settings each, by inner 3-fold")
    add("--jobs", type=int, default=1, help="processes, -1: all cores; default: %(default)s")
    add("--fresh", nargs="*", metavar="NAME", help="compute again: these models, or all")
    add_output_options(parser, "accuracy.json")
    args = parser.parse_args()
    if not args.data and not args.openml:
        parser.error("give --data FOLDER or --openml NAME")
    if args.jobs == 0:
        parser.error("--jobs: 1 or more, or -1")
    return args


def main():
    args = parse_arguments()
    models = choose_models(args)
    cache = Cache(args.output, args.rows, args.tuned)
    tables = read_folder(args.data, args.only, args.exclude) if args.data else []
    tables = [sample(table, args.rows) for table in (*tables, *read_openml(args.openml))]
    if len({table.name for table in tables}) < len(tables):
        fail("two tables have the same name")
    if args.tuned:
        print("tuned: each model chosen from 12 settings by an inner 3-fold grid search")
    print_table("Models", [{"name": one.name, "model": one.description} for one in models])
    shapes = []
    for table in tables:
        kind = f"{len(set(table.y))} classes" if table.classes else "numbers"
        shape = {"rows": len(table.y), "features": table.X.shape[1], "target": kind}
        shapes.append({"table": table.name, **shape, "note": table.notes})
    print_table("Tables", shapes)
    signal.signal(signal.SIGINT, stop)
    try:
        results = evaluate_all(tables, models, args, cache)
    except Stopped:
        raise SystemExit(f"stopped; finished results are in {args.output}") from None
    board = Board(tables, models, args.seeds, results)
    board.print_figures()
    summary = {"tables": shapes, "seeds": args.seeds, **board.print_headlines()}
    cache.content.setdefault("summaries", {})[
        f"{args.label}, {'tuned' if args.tuned else 'defaults'}, rows {args.rows}"
    ] = summary
    write_json(args.output, cache.content)
    if args.markdown:
        section = "accuracy, tuned" if args.tuned else "accuracy"
        write_section(args.markdown, section, board.shown)


if __name__ == "__main__":
    main()
