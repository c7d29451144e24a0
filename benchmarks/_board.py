"""Tables of the accuracy benchmark: a figure of all models on all tables."""

import numpy as np
from _harness import print_table

__all__ = ["KINDS", "Board", "cell"]

KINDS = {True: "accuracy", False: "R^2"}


class Board:
    """Results of all models on some tables, over seeds.

    Parameters
    ----------
    tables : list of Table
    models : list of Competitor
        The others are compared with the first.
    n_seeds : int
    results : dict
        Results of `evaluate` by names of table and model and by seed. A model lacks those of tables
        that are too large for it.
    shown : dict, optional
        Where tables are kept, by title, for the documentation.
    """

    def __init__(self, tables, models, n_seeds, results, shown=None):
        self.tables, self.models, self.n_seeds = tables, models, n_seeds
        self.results, self.shown = results, {} if shown is None else shown
        self.ranked = [model for model in models if model.ranked]

    def of_half(self, half):
        """The board of the tables of a half."""
        tables = [table for table in self.tables if table.half == half]
        return Board(tables, self.models, self.n_seeds, self.results, self.shown)

    def of_kind(self, classes=None):
        return [table for table in self.tables if classes is None or table.classes == classes]

    # Figures of one model -------------------------------------------------------------------------

    def seeds_of(self, table, model):
        """The results of all seeds; an empty list if the table is too large for the model."""
        keys = ((table.name, model.name, seed) for seed in range(self.n_seeds))
        return [self.results[key] for key in keys if key in self.results]

    def mean(self, table, model, figure):
        """Mean over seeds and folds; None without results, NaN if a seed failed."""
        results = self.seeds_of(table, model)
        if any("error" in result for result in results):
            return np.nan
        if not results or results[0][figure] is None:
            return None
        return float(np.mean([result[figure] for result in results]))

    def means(self, models, figure, classes=None):
        """Means of shape (tables, models); NaN for a failure and where there is none."""
        rows = [
            [self.mean(table, one, figure) for one in models] for table in self.of_kind(classes)
        ]
        return np.array(rows, dtype=float).reshape(-1, len(models))

    def folds(self, table, model):
        """The score of each fold of each seed; None if a seed failed."""
        results = self.seeds_of(table, model)
        if not results or any("error" in result for result in results):
            return None
        return np.concatenate([result["score"] for result in results])

    def spread(self, table, model):
        """Standard deviation over seeds of the score, a mean over folds."""
        folds = self.folds(table, model)
        if folds is None or self.n_seeds < 2:
            return None
        return float(np.std(folds.reshape(self.n_seeds, -1).mean(axis=1), ddof=1))

    # Tables to print ------------------------------------------------------------------------------

    def figure_rows(self, classes, measure, digits=4, total="mean"):
        """A row for each table, a column for each model, and a last row of means or sums.

        A model without a figure on every table has no mean: it would be over other tables.
        """
        rows, columns = [], {model.name: [] for model in self.models}
        for table in self.of_kind(classes):
            row = {"table": table.name}
            for model in self.models:
                value = measure(table, model)
                columns[model.name].append(value)
                row[model.name] = cell(value, digits)
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
            return lambda table, model: self.mean(table, model, figure)

        def relative_error(table, model):
            error = self.mean(table, model, "loss")
            return None if error is None else error / float(np.std(table.y))

        rows = self.figure_rows
        self.show("Accuracy", rows(True, of("score")))
        self.show("Log-loss", rows(True, of("loss")))
        self.show(
            "Calibration error: 15 bins of equal mass of the top probability, out-of-fold "
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


def cell(value, digits):
    if value is None:
        return "-"
    return "failed" if np.isnan(value) else f"{value:.{digits}f}"
