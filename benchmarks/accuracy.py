"""How well ours predicts beside scikit-learn's own, on every table of a folder.

Shuffled 3-fold cross-validation, stratified for classes, of at most 3,000 random rows. Ours gets
nothing but a random_state; the peers, at their defaults, stand behind a StandardScaler, and their
targets are scaled, too::

    python benchmarks/accuracy.py --data FOLDER
    python benchmarks/accuracy.py --data FOLDER --seeds 5 --jobs 2
    python benchmarks/accuracy.py --data FOLDER --label kmeans --set init=kmeans max_iter=50
    python benchmarks/accuracy.py --data FOLDER --tuned
    python benchmarks/accuracy.py --openml credit-g@1 vehicle

A .npz file holds X and y; y of integers means classification. Where there is an official split,
its test part (X_test, y_test) is not looked at. A seed goes to the shuffle of the folds and to the
players' random_state. Scores are means over folds and seeds; the calibration error pools the
out-of-fold probabilities of a seed's folds. Mean ranks take scores as they are.

It prints tables and writes JSON, after every result: a second run goes on where the first stopped,
and computes again only what failed. For times that compare, use --jobs 1.
"""

import argparse
import ast
import hashlib
import json
import os
import signal
import sys
from pathlib import Path

from _board import Board
from _harness import print_table, write_json, write_section
from _players import OURS, PEERS, our_player
from _scores import play
from _tables import IMAGE_SETS, fail, read_folder, read_openml, sample
from joblib import Parallel, delayed

import skdistnet

NAMES = [OURS, *(peer.name for peer in PEERS)]

# Results on disk ----------------------------------------------------------------------------------


def source_digest():
    """A few characters that change with the source of skdistnet."""
    content = hashlib.sha256()
    for path in sorted(Path(skdistnet.__file__).parent.rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


class Cache:
    """Results in a JSON file, by table, player and settings, seed and rows.

    Parameters
    ----------
    path : str
    n_rows : int
    tuned : bool
    """

    def __init__(self, path, n_rows, tuned):
        self.path, self.n_rows, self.tuned = Path(path), n_rows, tuned
        self.content = {"results": {}}
        if self.path.exists():
            try:
                self.content = json.loads(self.path.read_text())
                self.content["results"].items()
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                fail(f"{path} is no file of results; remove it or give another --output")
        elif not self.path.parent.is_dir():
            fail(f"--output: there is no folder {self.path.parent}")
        # That of the machine that writes it.
        self.content.pop("machine", None)
        self.results = self.content["results"]
        self.source = source_digest()

    def key(self, table, player, seed):
        settings = json.dumps(player.identity(table.classes, self.tuned), sort_keys=True)
        return f"{table.name} | {player.name} | {settings} | seed {seed} | rows {self.n_rows}"

    def get(self, table, digest, player, seed):
        """The result, unless it failed or the table of that name was another."""
        result = self.results.get(self.key(table, player, seed))
        if result is None or "error" in result or result["data"] != digest:
            return None
        return result

    def put(self, table, digest, player, seed, result):
        stamp = {"data": digest, **({"source": self.source} if not player.scaled else {})}
        self.results[self.key(table, player, seed)] = {**result, **stamp}
        write_json(self.path, self.content, announce=False)

    def is_stale(self, result):
        """Whether it is ours, of another state of the source."""
        return result.get("source", self.source) != self.source


# Playing ------------------------------------------------------------------------------------------


class Stopped(BaseException):
    """Ctrl-C. A KeyboardInterrupt would end a net's training, and be counted as its result."""


def stop(*_):
    raise Stopped


def play_job(player, table, seed, tuned, main_process):
    """Play, and say who did: results come back in the order they are ready."""
    if os.getpid() != main_process:
        # Ctrl-C reaches every process: the main one stops the others.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return player.name, table.name, seed, play(player, table, seed, tuned)


def guess_cost(player, table):
    """What to begin with: the longest, so that no process waits for it in the end."""
    outputs = len(set(table.y)) if table.classes and player.name in ("HGB", "GP") else 1
    return player.cost * len(table.y) * table.X.shape[1] ** 0.5 * outputs


def play_all(tables, players, args, cache):
    """Results by table, player and seed: from the file, or played now."""
    results, jobs, stale = {}, [], 0
    digests = {table.name: table.digest for table in tables}
    for table in tables:
        for player in players:
            for seed in range(args.seeds if player.plays(table) else 0):
                again = args.fresh is not None and player.name in (args.fresh or player.name)
                known = None if again else cache.get(table, digests[table.name], player, seed)
                if known is None:
                    jobs.append((player, table, seed))
                else:
                    results[table.name, player.name, seed] = known
                    stale += cache.is_stale(known)
    if results:
        print(f"{len(results)} results are there already", file=sys.stderr)
    if stale:
        name = players[0].name
        print(
            f"NOTE: {stale} results of {name} come from another state of the source; "
            f"--fresh {name} computes them again"
        )
    jobs.sort(key=lambda job: -guess_cost(job[0], job[1]))
    by_name = {(player.name, table.name): (player, table) for player, table, _ in jobs}
    parallel = Parallel(n_jobs=args.jobs, return_as="generator_unordered")
    played = parallel(delayed(play_job)(*job, args.tuned, os.getpid()) for job in jobs)
    for i, (player_name, table_name, seed, result) in enumerate(played, 1):
        player, table = by_name[player_name, table_name]
        cache.put(table, digests[table_name], player, seed, result)
        results[table_name, player_name, seed] = result
        if "error" in result:
            says = result["error"]
        else:
            says = f"{sum(result['score']) / len(result['score']):.4f} in {result['fit']:.1f} s"
        print(
            f"[{i}/{len(jobs)}] {table_name}, {player_name}, seed {seed}: {says}",
            file=sys.stderr,
            flush=True,
        )
    return results


# Command line -------------------------------------------------------------------------------------


def parse_settings(pairs):
    """Constructor arguments from key=value: a Python literal, else a string."""
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


def choose_players(args):
    """Ours first, then the peers asked for."""
    if args.label != OURS and args.label in NAMES:
        fail(f"--label {args.label}: a peer is called so")
    everyone = {OURS: our_player(args.label, parse_settings(args.set))}
    everyone |= {peer.name: peer for peer in PEERS}
    if args.tuned:
        everyone = {name: player for name, player in everyone.items() if player.grid}
    by_lower = {name.lower(): name for name in everyone}
    by_lower[args.label.lower()] = OURS
    asked = args.players or list(everyone)
    unknown = [name for name in asked if name.lower() not in by_lower]
    if unknown:
        when = " --tuned" if args.tuned else ""
        fail(f"--players: no player {', '.join(unknown)}{when}; there are: {', '.join(everyone)}")
    chosen = {by_lower[name.lower()] for name in asked}
    players = [player for name, player in everyone.items() if name in chosen]
    names = [player.name for player in players]
    if args.fresh:
        args.fresh = [args.label if name == OURS else name for name in args.fresh]
        if not set(args.fresh) <= set(names):
            fail(f"--fresh: no such player; there are: {', '.join(names)}")
    return players


def count(least):
    """A type for argparse: a whole number, not too small."""

    def whole(text):
        if not text.lstrip("-").isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text}")
        return int(text)

    return whole


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
    add("--players", nargs="+", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    add("--set", nargs="+", metavar="KEY=VALUE", default=[], help="arguments of ours")
    add("--label", default=OURS, help="name of ours in results; default: %(default)s")
    add("--tuned", action="store_true", help="choose from 12 settings each, by inner 3-fold")
    add("--jobs", type=int, default=1, help="processes, -1: all cores; default: %(default)s")
    add("--fresh", nargs="*", metavar="NAME", help="compute again: these players, or all")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--output", default="accuracy.json", help="JSON to write; default: %(default)s")
    args = parser.parse_args()
    if not args.data and not args.openml:
        parser.error("give --data FOLDER or --openml NAME")
    if args.jobs == 0:
        parser.error("--jobs: 1 or more, or -1")
    return args


def main():
    args = parse_arguments()
    players = choose_players(args)
    cache = Cache(args.output, args.rows, args.tuned)
    tables = read_folder(args.data, args.only, args.exclude) if args.data else []
    tables = [sample(table, args.rows) for table in (*tables, *read_openml(args.openml))]
    if len({table.name for table in tables}) < len(tables):
        fail("two tables are of the same name")
    if args.tuned:
        print("tuned: each of the players chosen from 12 settings by an inner 3-fold grid search")
    print_table("Players", [{"name": one.name, "is": one.describe} for one in players])
    shapes = []
    for table in tables:
        kind = f"{len(set(table.y))} classes" if table.classes else "numbers"
        shape = {"rows": len(table.y), "features": table.X.shape[1], "target": kind}
        shapes.append({"table": table.name, **shape, "note": table.notes})
    print_table("Tables", shapes)
    signal.signal(signal.SIGINT, stop)
    try:
        results = play_all(tables, players, args, cache)
    except Stopped:
        raise SystemExit(f"stopped; what is finished is in {args.output}") from None
    board = Board(tables, players, args.seeds, results)
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
