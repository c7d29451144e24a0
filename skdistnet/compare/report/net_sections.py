"""Sections of the report about our net: what it uses, its learning, where it is unsure."""

from collections import Counter

import numpy as np

from ... import metrics
from ..formats import decimal, measure, percent, plain, shorten, significant
from .held_out import HeldOut
from .model_sections import held_out
from .pictures import (
    accuracy_over_coverage,
    confusions,
    learning_curves,
    novelty,
    residuals,
    training_curve,
)

__all__ = ["doubt_section", "feature_section", "hardest_section", "learning_section"]
__all__ += ["novelty_section"]

N_FEATURES, N_VALUES, N_CONFUSIONS, N_HARDEST = 15, 4, 5, 10
MAX_CLASSES = 10  # of a confusion matrix that can be read
COVERAGE = 0.8
SHARES = 0.5, 0.8, 0.9, 0.95, 1.0  # of rows, of which the largest error is shown
FIFTHS = ["most familiar fifth", "second", "third", "fourth", "most novel fifth"]
FLAT = 0.005  # smaller changes of a score by more rows are no reason to collect them


def by_relevance(inspection):
    """Return indices of features, the most relevant first."""
    return np.argsort(-inspection.relevances, kind="stable")


def feature_section(inspection):
    """Return the relevances beside the permutation importances, in one order."""
    order = by_relevance(inspection)
    shown = order[:N_FEATURES]
    rows = [{"name": inspection.features[index]} for index in shown]
    for kind in ("relevances", "importances"):
        values = getattr(inspection, kind)[shown]
        largest = np.nanmax(values, initial=0.0) or 1.0
        for row, value in zip(rows, values):
            share = float(np.clip(np.nan_to_num(value / largest), 0.0, 1.0))
            row[kind] = {"value": float(value), "share": share}
    for row, deviation in zip(rows, inspection.importances_std[shown]):
        row["importances"]["std"] = float(deviation)
    covered = float(np.sum(inspection.relevances[shown]))
    return {"rows": rows, "n_others": len(order) - len(shown), "covered": covered}


def learning_section(comparison):
    """Return the learning curves, the curve of the net's training and a sentence about both."""
    inspection, ours = comparison.inspection, comparison.ours
    figures, sentence, score_name = [], None, measure(comparison.score_name)
    sizes, curves = inspection.train_sizes, inspection.learning_curves
    has_curves = len(sizes) > 1 and len(curves) > 0
    if has_curves:
        description = f"{score_name} of {', '.join(curves)} over the training rows."
        ordered = {name: curves[name] for name in sorted(curves, key=lambda name: name != ours)}
        picture = learning_curves("learning", description, sizes, ordered, score_name)
        figures.append({"picture": picture, "kind": "rows"})
        sentence = would_more_rows_help(sizes, curves.get(ours), score_name)
    description = "Loss of the net over the epochs of its training."
    picture = training_curve("training", description, inspection.net)
    figures.append({"picture": picture, "kind": "epochs"})
    is_ensemble = hasattr(inspection.net, "estimators_")
    about = {"is_ensemble": is_ensemble, "has_trial": inspection.net.trial_ is not None}
    return {"figures": figures, "sentence": sentence, "has_curves": has_curves} | about


def would_more_rows_help(sizes, scores, score_name):
    """Return a sentence about the learning curve, None without a complete one."""
    if scores is None or len(scores) < 2 or not np.all(np.isfinite(scores)):
        return None
    gains = np.diff(scores)
    change = "fell" if gains[-1] < 0 else "rose"
    seen = (
        f"From {sizes[-2]:,} to {sizes[-1]:,} training rows, {score_name} {change} from "
        f"{decimal(scores[-2])} to {decimal(scores[-1])}"
    )
    if gains.min() < -FLAT:
        return f"{seen}. The curve goes up and down, so it does not show whether more rows help."
    if gains[-1] > FLAT:
        return f"{seen}: it is still rising, so more rows would probably help."
    return f"{seen}: there is no sign that more rows would help."


def doubt_section(comparison):
    """Return where predictions of our net for held-out rows are wrong."""
    rows = held_out(comparison, comparison.ours)
    if rows is None:
        return None
    if not comparison.table.is_classification:
        description = "Residuals of the net over its predictions."
        picture = residuals("residuals", description, rows.truth, rows.predicted)
        errors = np.quantile(rows.error, SHARES)
        largest = errors[-1] or 1.0
        quantiles = [
            {"share_of_rows": share, "value": significant(error, 3), "share": error / largest}
            for share, error in zip(SHARES, errors)
        ]
        return {"residuals": picture, "quantiles": quantiles}
    coverages, accuracies, thresholds = metrics.accuracy_coverage_curve(
        rows.truth, rows.predicted, rows.confidence
    )
    # Of equally confident rows, all are taken or none.
    taken = max(np.searchsorted(coverages, COVERAGE + 1e-9, side="right") - 1, 0)
    sure = {
        "coverage": percent(coverages[taken]),
        "accuracy": percent(accuracies[taken]),
        "threshold": percent(thresholds[taken]),
        "all": percent(accuracies[-1]),
    }
    description = "Accuracy of the surest predictions over the share of rows that they are."
    names = rows.truth, rows.predicted, rows.confidence, comparison.ours
    picture = accuracy_over_coverage("coverage", description, *names)
    section = {"sure": sure, "coverage": picture, "matrix": None}
    classes = comparison.table.classes
    if len(classes) <= MAX_CLASSES:
        description = "Confusion matrix: numbers of rows by true and predicted class."
        section["matrix"] = confusions(
            "confusions", description, rows.truth, rows.predicted, classes
        )
    return section | {"confusions": frequent_confusions(rows), "n_wrong": int(rows.error.sum())}


def frequent_confusions(rows):
    """Return the most frequent pairs of true and predicted class with their numbers of rows."""
    wrong = rows.error > 0
    counts = Counter(zip(rows.truth[wrong].tolist(), rows.predicted[wrong].tolist()))
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:N_CONFUSIONS]
    return [
        {"truth": truth, "predicted": predicted, "count": count}
        | {"share": percent(count / np.sum(rows.truth == truth))}
        for (truth, predicted), count in most
    ]


def novelty_section(comparison):
    """Return what the net finds novel among held-out rows, and whether it errs more there."""
    inspection = comparison.inspection
    scores, threshold = inspection.novelty_scores, inspection.novelty_threshold
    prediction = next(one for one in comparison.of(comparison.ours) if one.split == 0).prediction
    error = HeldOut.of(comparison.table, inspection.held_out, prediction).error
    flagged = scores < threshold
    description = "Histogram of the novelty scores of held-out rows, with the threshold."
    fifths = np.array_split(np.argsort(-scores, kind="stable"), len(FIFTHS))
    means = [float(error[fifth].mean()) if len(fifth) else 0.0 for fifth in fifths]
    largest = max(means) or 1.0
    show = error_format(comparison)
    return {
        "picture": novelty("novelty", description, scores, threshold),
        "n_rows": len(scores),
        "n_flagged": int(flagged.sum()),
        "share": percent(flagged.mean()),
        "error_flagged": show(error[flagged].mean()) if flagged.any() else None,
        "error_others": show(error[~flagged].mean()) if not flagged.all() else None,
        "fifths": [
            {"name": name, "value": show(mean), "share": mean / largest}
            for name, mean in zip(FIFTHS, means)
        ],
    }


def error_format(comparison):
    """Return the function that shows a mean error: a share of wrong labels, or an absolute one."""
    return percent if comparison.table.is_classification else lambda value: significant(value, 3)


def hardest_section(comparison):
    """Return the held-out rows with the largest loss, with values of the features that matter."""
    rows, table = held_out(comparison, comparison.ours), comparison.table
    if rows is None:
        return None
    features = list(table.X.columns)
    if comparison.inspection is not None:
        ranked = by_relevance(comparison.inspection)
        features = [comparison.inspection.features[index] for index in ranked]
    features = features[:N_VALUES]
    shown = []
    for index in rows.hardest(N_HARDEST):
        position = rows.positions[index]
        values = [in_cell(table.X[feature].iloc[position]) for feature in features]
        row = {"number": int(table.rows[position]), "truth": in_cell(rows.truth[index])}
        row |= {"predicted": in_cell(rows.predicted[index]), "values": values}
        if not table.is_classification:
            row["error"] = significant(rows.error[index], 3)
        else:
            row["of_truth"] = decimal(np.exp(-rows.loss[index]), 2)
            row["confidence"] = decimal(rows.probabilities[index].max(), 2)
        shown.append(row)
    return {"features": features, "rows": shown}


def in_cell(value):
    """Return a value of the table as text."""
    if isinstance(value, (float, np.floating)):
        return "missing" if np.isnan(value) else plain(value)
    return "missing" if value is None or value != value else shorten(value, 200)
