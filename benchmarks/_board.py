"""What the results of the accuracy benchmark come to: a table per figure, ranks, headlines."""

import numpy as np
from _harness import print_table
from scipy.stats import rankdata

__all__ = ["Board"]

#: A smaller difference is a tie.
TIE = 0.002
KINDS = {True: "accuracy", False: "R^2"}


class Board:
    """Results of all players on all tables, over seeds.

    Parameters
    ----------
    tables : list of Table
    players : list of Player
        The one that others are compared with first.
    n_seeds : int
    results : dict
        From (table, player, seed) to the result of `play`; what is not there was not to be played.
    """

    def __init__(self, tables, players, n_seeds, results):
        self.tables, self.players, self.n_seeds = tables, players, n_seeds
        self.results, self.shown = results, {}
        self.subject = players[0]
        self.ranked = [player for player in players if player.ranked]
        self.scores = {
            (table.name, player.name): rounded(self.mean(table, player, "score"))
            for table in tables
            for player in players
        }

    # Figures of a table and a player --------------------------------------------------------------

    def seeds_of(self, table, player):
        """The results of all seeds: an empty list where the player did not play."""
        keys = ((table.name, player.name, seed) for seed in range(self.n_seeds))
        return [self.results[key] for key in keys if key in self.results]

    def mean(self, table, player, figure):
        """Mean over seeds and folds: None without one, NaN if a seed failed."""
        results = self.seeds_of(table, player)
        if any("error" in result for result in results):
            return np.nan
        if not results or results[0][figure] is None:
            return None
        return float(np.mean([result[figure] for result in results]))

    def spread(self, table, player, figure="score"):
        """Standard deviation over seeds of the mean over folds."""
        results = self.seeds_of(table, player)
        if len(results) < 2 or any("error" in result for result in results):
            return None
        return float(np.std([np.mean(result[figure]) for result in results], ddof=1))

    def of_kind(self, classes=None):
        return [table for table in self.tables if classes is None or table.classes == classes]

    def ranks(self, classes=None):
        """Ranks (tables, ranked players) by mean score, the best is 1; who fails is last."""
        scores = np.array(
            [
                [self.scores[table.name, player.name] for player in self.ranked]
                for table in self.of_kind(classes)
            ],
            dtype=float,
        )
        return rankdata(-np.where(np.isnan(scores), -np.inf, scores), axis=1)

    def worst_loss(self, player, classes):
        """How far a player is behind the best of the other ranked ones, where that is most.

        Returns
        -------
        loss : float or None
            Negative if it is ahead of all others on every table.
        where : str
        """
        losses = []
        for table in self.of_kind(classes):
            own = self.scores[table.name, player.name]
            others = [
                (self.scores[table.name, other.name], other.name)
                for other in self.ranked
                if other is not player and not np.isnan(self.scores[table.name, other.name])
            ]
            if own is not None and others:
                best, name = max(others)
                losses.append((np.inf if np.isnan(own) else best - own, f"{table.name}, {name}"))
        return max(losses, default=(None, ""))

    # Tables to print ------------------------------------------------------------------------------

    def figure_rows(self, classes, measure, digits=4, total="mean"):
        """A row for each table, a column for each player; below, the mean or sum of each column.

        A player that is not in every row has no mean: it would be over other tables.
        """
        rows, columns = [], {player.name: [] for player in self.players}
        for table in self.of_kind(classes):
            row = {"table": table.name}
            for player in self.players:
                value = measure(table, player)
                columns[player.name].append(value)
                row[player.name] = cell(value, digits)
            rows.append(row)
        if not rows:
            return []
        combine = np.sum if total == "sum" else np.mean
        last = {"table": total}
        for name, values in columns.items():
            whole = None not in values and not np.isnan(values).any()
            last[name] = cell(float(combine(values)) if whole else None, digits)
        return [*rows, last]

    def show(self, title, rows):
        """Print a table, and keep it for the documentation."""
        if rows:
            self.shown[title] = rows
        print_table(title, rows)

    def print_figures(self):
        """Scores, losses, calibration and times by table."""

        def of(figure):
            return lambda table, player: self.mean(table, player, figure)

        def relative_error(table, player):
            error = self.mean(table, player, "loss")
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
        self.show("RMSE divided by the target's deviation", rows(False, relative_error))
        self.show("RMSE (its mean says little, units differ)", rows(False, of("loss")))
        if self.n_seeds > 1:
            title = f"Spread: standard deviation over {self.n_seeds} seeds of the mean over folds, "
            self.show(title + "accuracy", rows(True, self.spread))
            self.show(title + "R^2", rows(False, self.spread))
        for figure, what in (("fit", "Fit"), ("predict", "Predict")):
            title = f"{what} time, seconds in sum over folds, mean over seeds"
            self.show(title, rows(None, of(figure), 3, "sum"))

    def duel_rows(self):
        """Wins, ties and losses of the subject against each of the others."""
        rows = []
        for other in self.players[1:]:
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
        """A row for each player: the figures that sum up."""
        rows = []
        for player in self.players:
            row = {"player": player.name, "tables": f"{len(self.played(player))}"}
            for classes, what in ((None, "all"), *KINDS.items()):
                row[f"rank, {what}"] = cell(self.mean_rank(player, classes), 2)
            for classes, what in KINDS.items():
                row[f"worst loss, {what}"] = cell(self.worst_loss(player, classes)[0], 4)
            if self.n_seeds > 1:
                for classes, what in KINDS.items():
                    spreads = [self.spread(table, player) for table in self.of_kind(classes)]
                    row[f"spread, {what}"] = cell(mean_of(spreads), 4)
            eces = [self.mean(table, player, "ece") for table in self.played(player, True)]
            row["ECE"] = cell(mean_of(eces), 4)
            row["log-loss < MLP"] = self.below_mlp(player)
            row["fit / MLP"] = cell(self.time_ratio(player, "fit"), 2)
            row["predict / MLP"] = cell(self.time_ratio(player, "predict"), 2)
            rows.append(row)
        return rows

    def played(self, player, classes=None):
        """Tables that a player played and finished."""
        tables = self.of_kind(classes)
        scores = [self.scores[table.name, player.name] for table in tables]
        return [
            table
            for table, score in zip(tables, scores)
            if score is not None and not np.isnan(score)
        ]

    def mean_rank(self, player, classes):
        if player not in self.ranked or not self.of_kind(classes):
            return None
        return float(self.ranks(classes)[:, self.ranked.index(player)].mean())

    def both(self, player, figure, classes=None):
        """Pairs of a player's figure and MLP's, on tables where both have one."""
        mlp = next((peer for peer in self.players if peer.name == "MLP"), None)
        if mlp is None:
            return []
        pairs = [
            (self.mean(table, player, figure), self.mean(table, mlp, figure))
            for table in self.of_kind(classes)
        ]
        return [pair for pair in pairs if None not in pair and not np.isnan(pair).any()]

    def time_ratio(self, player, figure):
        """Time on all tables that both played, divided by MLP's on the same."""
        pairs = self.both(player, figure)
        return float(np.divide(*np.sum(pairs, axis=0))) if pairs else None

    def below_mlp(self, player):
        pairs = self.both(player, "loss", True)
        if player.name == "MLP" or not pairs:
            return "-"
        return f"{sum(own < its for own, its in pairs)} of {len(pairs)}"

    def print_headlines(self):
        """Ranks, duels and the figures that sum up; returns them for the JSON."""
        duels, headlines = self.duel_rows(), self.headline_rows()
        self.show(f"{self.subject.name} against others, a tie is below {TIE}", duels)
        self.show("Headlines", headlines)
        worst = {}
        for classes, what in KINDS.items():
            loss, where = self.worst_loss(self.subject, classes)
            if loss is not None:
                worst[what] = {"loss": cell(loss, 4), "where": where}
                print(f"worst loss of {self.subject.name}, {what}: {loss:.4f} ({where})")
        errors = [
            (*key, result["error"]) for key, result in self.results.items() if "error" in result
        ]
        for table, player, seed, error in errors:
            print(f"FAILED, ranked last: {player} on {table}, seed {seed}: {error}")
        return {"headlines": headlines, "duels": duels, "worst loss": worst}


def outcome(own, its):
    """0 for a win, 1 for a tie, 2 for a loss; who fails loses."""
    if np.isnan(own) or np.isnan(its):
        return 1 + int(np.isnan(own)) - int(np.isnan(its))
    return 1 if abs(own - its) < TIE else (0 if own > its else 2)


def rounded(score):
    """Without the rounding error of a mean, which is not to decide who is ahead."""
    return None if score is None else round(score, 9)


def mean_of(values):
    """Mean of those that are there, None if none is."""
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def cell(value, digits):
    if value is None:
        return "-"
    return "failed" if np.isnan(value) else f"{value:.{digits}f}"
