"""Headlines of the accuracy benchmark: ranks, comparisons of ours with each peer, clear losses."""

import numpy as np
from _board import KINDS, cell
from _peers import ONE_HOT, SMOOTH
from _ranks import TIE, bootstrap_interval, count_outcomes, paired_difference, rank_models

__all__ = ["print_categories", "print_headlines"]

#: Ranks are shown without this model too, whose fits take longer than those of all others.
SLOWEST = "CatBoost"
#: The model that times and log-losses are compared with.
REFERENCE = "MLP"
#: A loss is clear if it is larger than this, by the kind, and than two standard errors.
CLEAR = {True: 0.02, False: 0.04}
N_ERRORS = 2


def print_headlines(board, what):
    """Print the headlines of a board of the tables `what`, and return them for the JSON file."""
    subject = board.models[0].name
    parts = compared(board, what) | {
        f"Summary, {what}": summary_rows(board),
        f"Clear losses of {subject}, {what}, to the best of {', '.join(SMOOTH)}": loss_rows(board),
    }
    for title, rows in parts.items():
        board.show(title, rows)
    return dict(zip(("ranks", "comparisons", "summary", "clear losses"), parts.values()))


def print_categories(board, what):
    """As :func:`print_headlines`, with scores and fit times, for tables with categories."""
    for title, classes in (("Accuracy", True), ("R^2", False)):
        board.show(title, board.figure_rows(classes, lambda *pair: board.mean(*pair, "score")))
    title = f"Fit time in seconds, summed over folds, mean over seeds, and its ratio to {ONE_HOT}"
    parts = compared(board, what) | {title: fit_rows(board)}
    for title, rows in parts.items():
        board.show(title, rows)
    return dict(zip(("ranks", "comparisons", "fit"), parts.values()))


def compared(board, what):
    """Ranks of all models, and outcomes of the first against each of the others, by title."""
    subject = board.models[0].name
    return {
        f"Mean ranks, {what}; in brackets 90 % bootstrap intervals over tables": rank_rows(board),
        f"Wins, ties and losses of {subject}, {what}; ties differ by at most {TIE}": (
            comparison_rows(board)
        ),
    }


# Ranks --------------------------------------------------------------------------------------------


def rank_rows(board):
    """A row for each ranked model, with its mean ranks by score and by log-loss."""
    columns = {}
    for what, figure, classes, sign, models in (
        ("score", "score", None, 1, board.ranked),
        ("log-loss", "loss", True, -1, with_losses(board)),
    ):
        for title, field in fields(models).items():
            scores = sign * board.means(field, figure, classes)
            columns[f"{what}, {title}"] = mean_ranks(scores, field)
    return [
        {"model": one.name} | {title: ranks.get(one.name, "-") for title, ranks in columns.items()}
        for one in board.ranked
    ]


def with_losses(board):
    """The ranked models that have probabilities, of which a failure counts as one."""
    tables = board.of_kind(True)
    return [
        model
        for model in board.ranked
        if tables and all(board.mean(table, model, "loss") is not None for table in tables)
    ]


def fields(models):
    """The models to rank against each other, by a title."""
    fewer = [model for model in models if model.name != SLOWEST]
    if len(fewer) in (0, len(models)):
        return {f"{len(models)} models": models} if models else {}
    return {f"{len(fewer)} without {SLOWEST}": fewer, f"{len(models)} with {SLOWEST}": models}


def mean_ranks(scores, models):
    """The mean rank of each model and its interval, as text by the model's name."""
    ranks = rank_models(scores)
    return {
        model.name: f"{mean:.2f} ({low:.2f} to {high:.2f})"
        for model, mean, low, high in zip(models, ranks.mean(axis=0), *bootstrap_interval(ranks))
    }


# Ours against the others --------------------------------------------------------------------------


def comparison_rows(board):
    """Wins, ties and losses of the first model against each of the others."""
    subject, rows = board.models[0], []
    measures = [
        ("score", "score", None, 1),
        *((what, "score", classes, 1) for classes, what in KINDS.items()),
        ("log-loss", "loss", True, -1),
    ]
    for other in board.models[1:]:
        row = {"against": other.name}
        for what, figure, classes, sign in measures:
            both = [
                (board.mean(table, subject, figure), board.mean(table, other, figure))
                for table in board.of_kind(classes)
            ]
            own, its = np.array([pair for pair in both if None not in pair]).reshape(-1, 2).T * sign
            counts = "-".join(map(str, count_outcomes(own, its))) if len(own) else "-"
            row[f"{what}: win-tie-loss"] = counts
        rows.append(row)
    return rows


def loss_rows(board):
    """Tables on which the first model loses clearly to the best of the peers that are smooth."""
    subject, rows = board.models[0], []
    peers = [model for model in board.models[1:] if model.name in SMOOTH]
    for table in board.tables:
        own = board.folds(table, subject)
        folds = {peer.name: board.folds(table, peer) for peer in peers}
        folds = {name: scores for name, scores in folds.items() if scores is not None}
        if own is None or not folds:
            continue
        best = max(folds, key=lambda name: folds[name].mean())
        deficit, error = paired_difference(own, folds[best])
        if deficit > max(CLEAR[table.classes], N_ERRORS * error):
            row = {"table": table.name, "half": table.half, "score": KINDS[table.classes]}
            row |= {subject.name: cell(own.mean(), 4), "best": best}
            row |= {"its score": cell(folds[best].mean(), 4), "deficit": cell(deficit, 4)}
            rows.append(row | {"standard error": cell(error, 4)})
    return rows


def fit_rows(board):
    """Fit times of the first model and of ours behind a OneHotEncoder; empty without one."""
    subject = board.models[0]
    others = [model for model in board.models[1:] if model.name == ONE_HOT]
    if not others:
        return []
    times = board.means([subject, *others], "fit")
    names = [*(table.name for table in board.tables), "sum"]
    rows = []
    for name, (own, other) in zip(names, [*times, times.sum(axis=0)]):
        row = {"table": name, subject.name: cell(own, 2), ONE_HOT: cell(other, 2)}
        rows.append(row | {"ratio": cell(own / other, 2)})
    return rows


# Summary ------------------------------------------------------------------------------------------


def summary_rows(board):
    """A row for each model: its deficits, calibration, log-losses and times."""
    rows = []
    for model in board.models:
        finished = np.isfinite(board.means([model], "score")).sum()
        row = {"model": model.name, "tables": str(finished)}
        for classes, what in KINDS.items():
            row[f"largest deficit, {what}"] = cell(largest_deficit(board, model, classes), 4)
        eces = board.means([model], "ece", True)
        row["ECE"] = cell(float(np.nanmean(eces)) if np.isfinite(eces).any() else None, 4)
        row["log-loss above the shares'"] = above_shares(board, model)
        row[f"log-loss < {REFERENCE}"] = below_reference(board, model)
        times = board.means([model], "fit")
        row["fit, s"] = cell(float(np.nansum(times)), 1)
        for figure in ("fit", "predict"):
            row[f"{figure} / {REFERENCE}"] = cell(time_ratio(board, model, figure), 2)
        rows.append(row)
    return rows


def largest_deficit(board, model, classes):
    """The largest difference in score to the best other ranked model on any table.

    It is negative for a model ahead of all others on every table, and None without others.
    """
    others = [other for other in board.ranked if other is not model]
    own = board.means([model], "score", classes)[:, 0]
    best = np.fmax.reduce(board.means(others, "score", classes), axis=1) if others else own * np.nan
    deficits = (best - own)[~np.isnan(best - own)]
    return float(deficits.max()) if len(deficits) else None


def above_shares(board, model):
    """On how many tables the log-loss exceeds that of predicting the shares of the classes."""
    tables = board.of_kind(True)
    losses = board.means([model], "loss", True)[:, 0]
    shares = np.array([table.shares_loss for table in tables], dtype=float)
    finished = np.isfinite(losses)
    return f"{(losses > shares)[finished].sum()} of {finished.sum()}" if finished.any() else "-"


def with_reference(board, model, figure, classes=None):
    """A model's figure and the reference's, where both have one; None without the reference."""
    reference = next((one for one in board.models if one.name == REFERENCE), None)
    if reference is None:
        return None
    pairs = board.means([model, reference], figure, classes)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    return pairs if len(pairs) else None


def below_reference(board, model):
    pairs = with_reference(board, model, "loss", True)
    if model.name == REFERENCE or pairs is None:
        return "-"
    return f"{(pairs[:, 0] < pairs[:, 1]).sum()} of {len(pairs)}"


def time_ratio(board, model, figure):
    """Time on all tables that both finished, divided by the reference's."""
    pairs = with_reference(board, model, figure)
    return None if pairs is None else float(np.divide(*pairs.sum(axis=0)))
