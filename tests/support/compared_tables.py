"""Small tables to compare models on."""

import numpy as np
import pandas as pd

from skdistnet.compare import Column, Table
from skdistnet.compare.evaluation import metric_names
from skdistnet.compare.results import Comparison, SplitResult


def make_table(n_rows=60, task="classification", **changes):
    """Return a table of two numbers with gaps, a column of words, and a target of three classes."""
    rng = np.random.default_rng(0)
    size, weight = rng.normal(size=(2, n_rows))
    word = np.array(["red", "green", "blue"])[rng.integers(3, size=n_rows)]
    target = size + (word == "red") + 0.1 * rng.normal(size=n_rows)
    if task == "classification":
        target = np.array(["low", "medium", "high"])[np.digitize(target, [-0.3, 0.7])]
    size[::7], word[::9] = np.nan, None
    frame = pd.DataFrame({"size": size, "weight": weight, "colour": word})
    frame["colour"] = frame["colour"].astype("category")
    columns = tuple(Column(name, "number", 0, n_rows, (name,)) for name in frame)
    rows = np.arange(1, n_rows + 1)
    table = {"name": "small.csv", "target": "y", "task": task, "X": frame, "y": target}
    return Table(**table | {"rows": rows, "columns": columns} | changes)


def make_comparison(table, splits, scores):
    """Return a comparison with results of the given scores: by model, one for each split."""
    score_name, loss_name = metric_names(table, splits)
    comparison = Comparison(
        table=table,
        ours=next(iter(scores)),
        models=list(scores),
        descriptions=dict.fromkeys(scores, ""),
        splits=splits,
        split_description="",
        score_name=score_name,
        loss_name=loss_name,
        calibration_name="calibration error",
        settings={"random state": "0"},
    )
    for model, values in scores.items():
        for split, score in enumerate(values):
            if score is not None:
                comparison.results.append(make_result(table, splits, model, split, score))
    return comparison


def make_result(table, splits, model, split, score):
    """Return a result whose predictions are even probabilities, or the mean target."""
    n_held_out = len(splits[split][1])
    if table.is_classification:
        n_classes = len(table.classes)
        prediction = np.full((n_held_out, n_classes), 1 / n_classes)
    else:
        prediction = np.full(n_held_out, np.mean(table.y))
    costs = {"fit_seconds": 1.0, "predict_ms": 2.0, "n_bytes": 3000}
    return SplitResult(model, split, score, 0.5, **costs, setting={}, prediction=prediction)
