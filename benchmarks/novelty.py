"""Measure how well distance nets and peers detect rows that are unlike the training data.

Ours is `DistanceNetClassifier(random_state=seed)`, or the regressor for a numeric target, at its
defaults. The figures are areas under the ROC curve: held-out rows of the same kind as the training
rows against novel rows::

    python benchmarks/novelty.py
    python benchmarks/novelty.py --data FOLDER --markdown docs/benchmarks.md
    python benchmarks/novelty.py --data FOLDER --quick

Without --data there are only digits. Pixels of image sets are float32, so that nets compute in
single precision; known and novel rows are the official test rows of the two sets. Tables are split
into two thirds to train on and a third of known rows.

The script prints tables and writes JSON after every result, so that a second run continues an
interrupted one.
"""

import argparse
import sys

import numpy as np
from _harness import add_output_options, print_table, read_results, write_json, write_section
from _novelty_methods import METHODS, OURS
from _novelty_tasks import KINDS, far_directions, find_tasks
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

DISTANCES = (1e3, 1e6)


def evaluate(method, task, seed):
    """Figures of one method on one task; None if the method needs classes and there are none."""
    if method.needs_classes and not task.classes:
        return None
    model, seconds = method.fit(task.X, task.y, task.classes, seed)
    known, novel = method.score(model, task.known), method.score(model, task.novel)
    truth = np.repeat([1, 0], [len(known), len(novel)])
    figures = {"auroc": float(roc_auc_score(truth, np.concatenate([known, novel])))}
    figures |= {"fit": seconds, "far": {}}
    if method.name == OURS:
        figures["known flagged"] = float(np.mean(known < model.novelty_threshold_))
        figures["novel flagged"] = float(np.mean(novel < model.novelty_threshold_))
    if method.name in (OURS, "MLP"):
        for distance in DISTANCES:
            rows = far_directions(task.X, distance, seed)
            figures["far"][f"{distance:g}"] = far_figures(method, model, rows, task.classes)
    return figures


def far_figures(method, model, rows, classes):
    """Mean probability of the top class and, of ours, the share of rows flagged as novel."""
    figures = {"top": float(model.predict_proba(rows).max(axis=1).mean()) if classes else None}
    if method.name == OURS:
        figures["flagged"] = float(np.mean(model.score_samples(rows) < model.novelty_threshold_))
    return figures


def evaluate_all(tasks, args):
    """Figures by task, name of the method and seed; the file's are not computed again."""
    kept = read_results(args.output, {"results": {}}, "results")["results"]
    kept = {} if args.fresh else kept
    sizes = {"images": f"{args.image_rows}, {args.test_rows}", "mnist": args.left_out_rows}
    results = {}
    for (kind, group, name), make in tasks.items():
        size = sizes.get(kind, args.rows)
        for seed in range(args.seeds):
            task = None
            for method in METHODS:
                key = f"{name}; {method.name}, {method.description}; seed {seed}; rows {size}"
                if key not in kept:
                    task = task or make(seed)
                    kept[key] = evaluate(method, task, seed)
                    write_json(args.output, {"results": kept}, announce=False)
                    text = kept[key] and f"{kept[key]['auroc']:.4f} in {kept[key]['fit']:.1f} s"
                    print(f"{name}, {method.name}: {text}", file=sys.stderr, flush=True)
                results[kind, group, name, method.name, seed] = kept[key]
    return results


# Tables -------------------------------------------------------------------------------------------


class Figures:
    """Tables of the results, as means over seeds."""

    def __init__(self, results, tasks, n_seeds):
        self.results, self.tasks, self.n_seeds = results, list(tasks), n_seeds

    def mean(self, task, method, *path):
        """Mean over seeds of the figure at a path of keys; None without it."""
        numbers = []
        for seed in range(self.n_seeds):
            value = self.results[*task, method, seed]
            for name in path:
                value = value and value.get(name)
            numbers.append(value)
        return None if None in numbers else float(np.mean(numbers))

    def row(self, name, tasks):
        """A row of a table: mean areas over tasks, and our shares below the threshold."""
        row = {"task": name}
        for method in METHODS:
            areas = [self.mean(task, method.name, "auroc") for task in tasks]
            row[method.name] = "-" if None in areas else f"{np.mean(areas):.4f}"
        for title in ("known flagged", "novel flagged"):
            row[title] = f"{np.mean([self.mean(task, OURS, title) for task in tasks]):.3f}"
        return row

    def tables(self):
        """Rows of each table by its title."""
        shown = {}
        for kind, title in KINDS.items():
            tasks = [task for task in self.tasks if task[0] == kind]
            if not tasks:
                continue
            rows = [self.row(task[2], [task]) for task in tasks]
            for group in dict.fromkeys(task[1] for task in tasks):
                rows += self.means([task for task in tasks if task[1] == group], group)
            shown[f"{title}: area under the ROC curve"] = rows
        shown["Rows far away, in every direction"] = self.far_rows()
        return shown

    def means(self, tasks, group):
        """Rows of means over a group: of all tasks, and of those with classes."""
        if len(tasks) < 2:
            return []
        with_classes = [task for task in tasks if self.mean(task, "MLP", "auroc") is not None]
        rows = [self.row(f"mean of {len(tasks)}, {group}", tasks)]
        if 0 < len(with_classes) < len(tasks):
            rows.append(self.row(f"mean of the {len(with_classes)} with classes", with_classes))
        return rows

    def far_rows(self):
        """A row for each data set and distance; tasks with a class left out share one."""
        sets = {}
        for task in self.tasks:
            kind, group, name = task
            name = f"{group}, a class left out" if kind in ("digits", "mnist") else name
            sets.setdefault(name.partition(", novel")[0], []).append(task)
        return [
            {"trained on": name, "deviations": f"{distance:g}", **self.far_cells(tasks, distance)}
            for name, tasks in sets.items()
            for distance in DISTANCES
        ]

    def far_cells(self, tasks, distance):
        cells = {}
        for title, method, key in (
            ("flagged", OURS, "flagged"),
            ("top probability", OURS, "top"),
            ("MLP's", "MLP", "top"),
        ):
            values = [self.mean(task, method, "far", f"{distance:g}", key) for task in tasks]
            cells[title] = "-" if None in values else f"{np.mean(values):.3f}"
            if key == "flagged" and min(values) == 1.0:
                cells[title] = "all"
        return cells


# Command line -------------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", metavar="FOLDER", help="tables, mnist and fashion_mnist, as .npz files")
    add("--only", choices=sorted(KINDS), nargs="+", help="kinds of tasks; default: all")
    add("--rows", type=int, default=3000, help="rows of a table, 0: all; default: %(default)s")
    add("--image-rows", type=int, default=60_000, help="of images; default: %(default)s")
    add(
        "--left-out-rows",
        type=int,
        default=10_000,
        help="of MNIST, before a class is left out; default: %(default)s",
    )
    add("--seeds", type=int, default=1, help="seeds; default: %(default)s")
    add("--quick", action="store_true", help="few tasks and rows, to see whether it runs")
    add("--fresh", action="store_true", help="compute all again")
    add_output_options(parser, "novelty.json")
    args = parser.parse_args()
    args.test_rows = 10_000
    if args.quick:
        args.rows, args.image_rows, args.test_rows = 500, 1000, 1000
    return args


def main():
    args = parse_arguments()
    tasks = {
        task: make for task, make in find_tasks(args).items() if task[0] in (args.only or KINDS)
    }
    print_table("Methods", [{"name": one.name, "score": one.description} for one in METHODS])
    with threadpool_limits(1):
        results = evaluate_all(tasks, args)
    shown = Figures(results, tasks, args.seeds).tables()
    for title, rows in shown.items():
        print_table(title, rows)
    if args.markdown:
        write_section(args.markdown, "novelty", shown)


if __name__ == "__main__":
    main()
