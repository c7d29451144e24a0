"""Summaries of the accuracy benchmark: a table for each figure, ranks, headlines."""

import numpy as np
from _harness import print_table
from scipy.stats import rankdata

__all__ = ["Board"]

#: Smaller differences are ties.
TIE = 0.002
KINDS = {True: "accuracy", False: "R^2"}


class Board:
    """Results of all competitors on all tables, over seeds.

    Parameters
    ----------
    tables : list of Table
    competitors : list of Competitor
        The others are compared with the first.
    n_seeds : int
    results : dict
        Results of `evaluate` by names of table and competitor and by seed. A competitor lacks those
        of tables that are too large for it.
    """

    def __init__(self, tables, competitors, n_seeds, results):
        self.tables, self.competitors, self.n_seeds = tables, competitors, n_seeds
        self.results, self.shown = results, {}
        self.subject = competitors[0]
        self.ranked = [competitor for competitor in competitors if competitor.ranked]
        self.scores = {
            (table.name, competitor.name): rounded(self.mean(table, competitor, "score"))
            for table in tables
            for competitor in competitors
        }

    # Figures of one competitor --------------------------------------------------------------------

    def seeds_of(self, table, competitor):
        """The results of all seeds; an empty list if the table is too large for the competitor."""
        keys = ((table.name, competitor.name, seed) for seed in range(self.n_seeds))
        return [self.results[key] for key in keys if key in self.results]

    def mean(self, table, competitor, figure):
        """Mean over seeds and folds; None without results, NaN if a seed failed."""
        results = self.seeds_of(table, competitor)
        if any("error" in result for result in results):
            return np.nan
        if not results or results[0][figure] is None:
            return None
        return float(np.mean([result[figure] for result in results]))

    def spread(self, table, competitor):
        """Standard deviation over seeds of the score, a mean over folds."""
        results = self.seeds_of(table, competitor)
        if len(results) < 2 or any("error" in result for result in results):
            return None
        return float(np.std([np.mean(result["score"]) for result in results], ddof=1))

    def of_kind(self, classes=None):
        return [table for table in self.tables if classes is None or table.classes == classes]

    def ranks(self, classes=None):
        """Ranks by mean score, an array (tables, ranked competitors): 1 is best, failures last."""
        scores = np.array(
            [
                [self.scores[table.name, competitor.name] for competitor in self.ranked]
                for table in self.of_kind(classes)
            ],
            dtype=float,
        )
        return rankdata(-np.where(np.isnan(scores), -np.inf, scores), axis=1)

    def largest_deficit(self, competitor, classes):
        """The largest difference in score to the best of the others, and on which table to whom.

        It is negative for a competitor ahead of all others on every table, and None without others.
        """
        deficits = []
        for table in self.of_kind(classes):
            own = self.scores[table.name, competitor.name]
            others = [
                (self.scores[table.name, other.name], other.name)
                for other in self.ranked
                if other is not competitor and not np.isnan(self.scores[table.name, other.name])
            ]
            if own is not None and others:
                best, name = max(others)
                deficits.append((np.inf if np.isnan(own) else best - own, f"{table.name}, {name}"))
        return max(deficits, default=(None, ""))

    # Tables to print ------------------------------------------------------------------------------

    def figure_rows(self, classes, measure, digits=4, total="mean"):
        """A row for each table, a column for each competitor, and a last row of means or sums.

        A competitor without a figure on every table has no mean: it would be over other tables.
        """
        rows, columns = [], {competitor.name: [] for competitor in self.competitors}
        for table in self.of_kind(classes):
            row = {"table": table.name}
            for competitor in self.competitors:
                value = measure(table, competitor)
                columns[competitor.name].append(value)
                row[competitor.name] = cell(value, digits)
            rows.append(row)
        if not rows:
            return []
        combine = np.sum if total == "sum" else np.mean
        last = {"table": total}
        for name, values in columns.items():
            complete = None not in values and not np.isnan(values).any()
            last[name] = cell(float(combine(values)) if complete else None, digits)
        return [*rows, last]

    def show(self, title, rows):
        """Print a table, and keep it for the documentation."""
        if rows:
            self.shown[title] = rows
        print_table(title, rows)

    def print_figures(self):
        """Print scores, losses, calibration errors and times by table."""

        def of(figure):
            return lambda table, competitor: self.mean(table, competitor, figure)

        def relative_error(table, competitor):
            error = self.mean(table, competitor, "loss")
            return None if error is None else error / float(np.std(table.y))

        rows = self.figure_rows
        self.show("Accuracy", rows(True, of("score")))
        self.show("Log-loss", rows(True, of("loss")))
        self.show(
            "Calibration error: 15 equal-width bins of the top probability, out-of-fold "
            "probabilities of all folds pooled",
            rows(True, of("ece")),
        )
        self.show("R^2", rows(False, of("score")))
        self.show("RMSE divided by the target's standard deviation", rows(False, relative_error))
        self.show("RMSE, in the units of each target", rows(False, of("loss")))
        if self.n_seeds > 1:
            title = f"Spread: standard deviation over {self.n_seeds} seeds of the mean over folds, "
            self.show(title + "accuracy", rows(True, self.spread))
            self.show(title + "R^2", rows(False, self.spread))
        for figure, what in (("fit", "Fit"), ("predict", "Predict")):
            title = f"{what} time in seconds, summed over folds, mean over seeds"
            self.show(title, rows(None, of(figure), 3, "sum"))

    def comparison_rows(self):
        """Wins, ties and losses of the first competitor against each of the others."""
        rows = []
        for other in self.competitors[1:]:
            row = {"against": other.name}
            for classes, what in ((None, "all tables"), *KINDS.items()):
                counts = [0, 0, 0]
                for table in self.of_kind(classes):
                    own, its = (self.scores[table.name, p.name] for p in (self.subject, other))
                    if own is not None and its is not None:
                        counts[outcome(own, its)] += 1
                row[f"{what}: win-tie-loss"] = "-".join(map(str, counts))
            rows.append(row)
        return rows

    def headline_rows(self):
        """A row for each competitor: its ranks, deficits, spreads and relative times."""
        rows = []
        for competitor in self.competitors:
            row = {"model": competitor.name, "tables": f"{len(self.finished(competitor))}"}
            for classes, what in ((None, "all"), *KINDS.items()):
                row[f"rank, {what}"] = cell(self.mean_rank(competitor, classes), 2)
            for classes, what in KINDS.items():
                row[f"largest deficit, {what}"] = cell(
                    self.largest_deficit(competitor, classes)[0], 4
                )
            if self.n_seeds > 1:
                for classes, what in KINDS.items():
                    spreads = [self.spread(table, competitor) for table in self.of_kind(classes)]
                    row[f"spread, {what}"] = cell(mean_of(spreads), 4)
            eces = [
                self.mean(table, competitor, "ece") for table in self.finished(competitor, True)
            ]
            row["ECE"] = cell(mean_of(eces), 4)
            row["log-loss < MLP"] = self.below_mlp(competitor)
            row["fit / MLP"] = cell(self.time_ratio(competitor, "fit"), 2)
            row["predict / MLP"] = cell(self.time_ratio(competitor, "predict"), 2)
            rows.append(row)
        return rows

    def finished(self, competitor, classes=None):
        """Tables that a competitor has a score on."""
        tables = self.of_kind(classes)
        scores = [self.scores[table.name, competitor.name] for table in tables]
        return [
            table
            for table, score in zip(tables, scores)
            if score is not None and not np.isnan(score)
        ]

    def mean_rank(self, competitor, classes):
        if competitor not in self.ranked or not self.of_kind(classes):
            return None
        return float(self.ranks(classes)[:, self.ranked.index(competitor)].mean())

    def both(self, competitor, figure, classes=None):
        """Pairs of a competitor's figure and MLP's, on tables where both have one."""
        mlp = next((peer for peer in self.competitors if peer.name == "MLP"), None)
        if mlp is None:
            return []
        pairs = [
            (self.mean(table, competitor, figure), self.mean(table, mlp, figure))
            for table in self.of_kind(classes)
        ]
        return [pair for pair in pairs if None not in pair and not np.isnan(pair).any()]

    def time_ratio(self, competitor, figure):
        """Time on all tables that both finished, divided by MLP's."""
        pairs = self.both(competitor, figure)
        return float(np.divide(*np.sum(pairs, axis=0))) if pairs else None

    def below_mlp(self, competitor):
        pairs = self.both(competitor, "loss", True)
        if competitor.name == "MLP" or not pairs:
            return "-"
        return f"{sum(own < its for own, its in pairs)} of {len(pairs)}"

    def print_headlines(self):
        """Print wins, ties, losses and headlines, and return them for the JSON file."""
        comparisons, headlines = self.comparison_rows(), self.headline_rows()
        title = f"Wins, ties and losses of {self.subject.name}; differences below {TIE} are ties"
        self.show(title, comparisons)
        self.show("Summary", headlines)
        deficits = {}
        for classes, what in KINDS.items():
            deficit, where = self.largest_deficit(self.subject, classes)
            if deficit is not None:
                deficits[what] = {"deficit": cell(deficit, 4), "where": where}
                print(f"largest deficit of {self.subject.name}, {what}: {deficit:.4f} ({where})")
        errors = [
            (*key, result["error"]) for key, result in self.results.items() if "error" in result
        ]
        for table, competitor, seed, error in errors:
            print(f"FAILED, ranked last: {competitor} on {table}, seed {seed}: {error}")
        return {"headlines": headlines, "comparisons": comparisons, "largest deficit": deficits}


def outcome(own, its):
    """0 for a win, 1 for a tie, 2 for a loss; a failure loses."""
    if np.isnan(own) or np.isnan(its):
        return 1 + int(np.isnan(own)) - int(np.isnan(its))
    return 1 if abs(own - its) < TIE else (0 if own > its else 2)


def rounded(score):
    """Remove the rounding error of a mean, which must not decide a rank."""
    return None if score is None else round(score, 9)


def mean_of(values):
    """Mean of the values that are not None; None without any."""
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def cell(value, digits):
    if value is None:
        return "-"
    return "failed" if np.isnan(value) else f"{value:.{digits}f}"
