"""Who tells novel rows from known ones: ours at its defaults, beside peers.

Ours is `DistanceNetClassifier(random_state=seed)`, or the regressor where the target is of numbers,
and nothing else is set. Figures are areas under the ROC curve, of rows like those trained on, held
out, against novel ones::

    python benchmarks/novelty.py
    python benchmarks/novelty.py --data FOLDER --markdown docs/benchmarks.md
    python benchmarks/novelty.py --data FOLDER --quick

Without --data it is digits alone. Pixels of image sets are float32, and so nets compute in single
precision; known and novel rows are the official test rows of the two sets. Tables are split into
two thirds to train on and a third of known rows.

It prints tables and writes JSON after every result: a second run goes on where the first stopped.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from _harness import print_table, write_json, write_section
from _novelty_players import OURS, PLAYERS
from _novelty_works import KINDS, far_directions, find_works
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

DISTANCES = (1e3, 1e6)


def play(player, work, seed):
    """Figures of one player on one work; None where it does not play."""
    if player.needs_classes and not work.classes:
        return None
    model, seconds = player.fit(work.X, work.y, work.classes, seed)
    known, novel = player.tell(model, work.known), player.tell(model, work.novel)
    truth = np.repeat([1, 0], [len(known), len(novel)])
    figures = {"auroc": float(roc_auc_score(truth, np.concatenate([known, novel])))}
    figures["fit"] = seconds
    if player.name == OURS:
        figures["alarms"] = float(np.mean(known < model.novelty_threshold_))
        figures["found"] = float(np.mean(novel < model.novelty_threshold_))
        prior = None
        if work.classes:
            prior = clone(model).set_params(handle_novelty="prior").fit(work.X, work.y)
        figures["far"] = {f"{d:g}": far_away(model, prior, work, d, seed) for d in DISTANCES}
    elif player.name == "MLP":
        figures["far"] = {
            f"{d:g}": {"top": float(player.tell(model, far_directions(work.X, d, seed)).mean())}
            for d in DISTANCES
        }
    return figures


def far_away(model, prior, work, distance, seed):
    """Share of rows flagged, and mean probability of the top class, as it is and with the prior.

    `prior` is the same net, fitted with ``handle_novelty="prior"``.
    """
    rows = far_directions(work.X, distance, seed)
    figures = {"flagged": float(np.mean(model.score_samples(rows) < model.novelty_threshold_))}
    if work.classes:
        figures["top"] = float(model.predict_proba(rows).max(axis=1).mean())
        answers = prior.predict_proba(rows)
        share = np.unique(work.y, return_counts=True)[1] / len(work.y)
        figures["top, prior"] = float(answers.max(axis=1).mean())
        figures["share"] = float(share.max())
        figures["farthest from shares"] = float(np.abs(answers - share).max())
    return figures


def play_all(works, args):
    """Figures by work, player and seed; those in the file are not computed again."""
    path = Path(args.output)
    kept = json.loads(path.read_text())["results"] if path.exists() and not args.fresh else {}
    sizes = {"images": f"{args.image_rows}, {args.test_rows}", "mnist": args.left_out_rows}
    results = {}
    for (kind, group, name), make in works.items():
        size = sizes.get(kind, args.rows)
        for seed in range(args.seeds):
            work = None
            for player in PLAYERS:
                key = f"{name}; {player.name}, {player.describe}; seed {seed}; rows {size}"
                if key not in kept:
                    work = work or make(seed)
                    kept[key] = play(player, work, seed)
                    write_json(path, {"results": kept}, announce=False)
                    says = kept[key] and f"{kept[key]['auroc']:.4f} in {kept[key]['fit']:.1f} s"
                    print(f"{name}, {player.name}: {says}", file=sys.stderr, flush=True)
                results[kind, group, name, player.name, seed] = kept[key]
    return results


# Tables -------------------------------------------------------------------------------------------


class Figures:
    """Results, looked up as means over seeds."""

    def __init__(self, results, works, n_seeds):
        self.results, self.works, self.n_seeds = results, list(works), n_seeds

    def mean(self, work, player, *path):
        """Mean over seeds of what stands at the end of the path; None where nothing does."""
        numbers = []
        for seed in range(self.n_seeds):
            value = self.results[*work, player, seed]
            for name in path:
                value = value and value.get(name)
            numbers.append(value)
        return None if None in numbers else float(np.mean(numbers))

    def row(self, name, works):
        """A row of a table: mean areas over works, and our shares below the threshold."""
        row = {"work": name}
        for player in PLAYERS:
            areas = [self.mean(work, player.name, "auroc") for work in works]
            row[player.name] = "-" if None in areas else f"{np.mean(areas):.4f}"
        for title, key in (("known flagged", "alarms"), ("novel flagged", "found")):
            row[title] = f"{np.mean([self.mean(work, OURS, key) for work in works]):.3f}"
        return row

    def tables(self):
        """Rows of each table by its title."""
        shown = {}
        for kind, title in KINDS.items():
            works = [work for work in self.works if work[0] == kind]
            if not works:
                continue
            rows = [self.row(work[2], [work]) for work in works]
            for group in dict.fromkeys(work[1] for work in works):
                rows += self.means([work for work in works if work[1] == group], group)
            shown[f"{title}: area under the ROC curve"] = rows
        shown["Far away, in every direction"] = self.far_rows()
        return shown

    def means(self, works, group):
        """Rows of means over a group: of all works, and of those that every player plays."""
        if len(works) < 2:
            return []
        everyone = [work for work in works if self.mean(work, "MLP", "auroc") is not None]
        rows = [self.row(f"mean of {len(works)}, {group}", works)]
        if 0 < len(everyone) < len(works):
            rows.append(self.row(f"mean of the {len(everyone)} with classes", everyone))
        return rows

    def far_rows(self):
        """A row for each set and distance; classes left out are taken together."""
        sets = {}
        for work in self.works:
            kind, group, name = work
            name = f"{group}, a class left out" if kind in ("digits", "mnist") else name
            sets.setdefault(name.partition(", novel")[0], []).append(work)
        return [
            {"trained on": name, "deviations": f"{distance:g}", **self.far_cells(works, distance)}
            for name, works in sets.items()
            for distance in DISTANCES
        ]

    def far_cells(self, works, distance):
        cells = {}
        for title, player, key in (
            ("flagged", OURS, "flagged"),
            ("top probability", OURS, "top"),
            ("MLP's", "MLP", "top"),
            ("with handle_novelty='prior'", OURS, "top, prior"),
            ("largest class", OURS, "share"),
        ):
            values = [self.mean(work, player, "far", f"{distance:g}", key) for work in works]
            cells[title] = "-" if None in values else f"{np.mean(values):.3f}"
            if key == "flagged" and min(values) == 1.0:
                cells[title] = "all"
        return cells


# Command line -------------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="tables, and mnist and fashion_mnist, as .npz files")
    add("--only", choices=sorted(KINDS), nargs="+", help="kinds of work; default: all")
    add("--rows", type=int, default=3000, help="rows of a table, 0: all; default: %(default)s")
    add("--image-rows", type=int, default=60_000, help="of images; default: %(default)s")
    add(
        "--left-out-rows",
        type=int,
        default=10_000,
        help="of MNIST, before a class is left out; default: %(default)s",
    )
    add("--seeds", type=int, default=1, help="seeds; default: %(default)s")
    add("--quick", action="store_true", help="few works and few rows: whether it runs")
    add("--fresh", action="store_true", help="compute all again")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--output", default="novelty.json", help="JSON to write; default: %(default)s")
    args = parser.parse_args()
    args.test_rows = 10_000
    if args.quick:
        args.rows, args.image_rows, args.test_rows = 500, 1000, 1000
    return args


def main():
    args = parse_arguments()
    works = {
        work: make for work, make in find_works(args).items() if work[0] in (args.only or KINDS)
    }
    print_table("Players", [{"name": one.name, "tells by": one.describe} for one in PLAYERS])
    with threadpool_limits(1):
        results = play_all(works, args)
    shown = Figures(results, works, args.seeds).tables()
    for title, rows in shown.items():
        print_table(title, rows)
    if args.markdown:
        write_section(args.markdown, "novelty", shown)


if __name__ == "__main__":
    main()
