"""Fit time and score at the defaults on tables of many rows."""

import sys
import time

import numpy as np
from _competitors import MLP, distance_net
from _peers import BOARD
from _tables import IMAGE_SETS, Table, read_folders
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

__all__ = ["large_rows"]

FEWEST_ROWS = 20_000
#: Rows of the generated tables: the second one shows how times grow.
GENERATED_ROWS = (50_000, 500_000)
#: Models for all tables; CatBoost takes tens of minutes on pixels of ten classes.
NAMES = ("HGB", "LightGBM", "CatBoost")


def generated(n_rows):
    """A table of two classes, ten of whose twenty columns matter."""
    options = {"n_features": 20, "n_informative": 10, "n_clusters_per_class": 4, "flip_y": 0.02}
    X, y = make_classification(n_rows, **options, random_state=0)
    return Table(f"generated, {n_rows:,}", X, y, True)


def large_rows(folders, only=None):
    """A table row for each large table and model: CPU seconds of fit, and their ratio to MLP's."""
    tables = [table for table in read_folders(folders, only, ()) if len(table.y) >= FEWEST_ROWS]
    tables += [generated(n_rows) for n_rows in GENERATED_ROWS]
    models = [distance_net(), MLP, *(peer for peer in BOARD if peer.name in NAMES)]
    rows = []
    for table in tables:
        parts = train_test_split(table.X, table.y, random_state=0)
        measured = {}
        for model in models:
            if not (model.name == "CatBoost" and table.name in IMAGE_SETS):
                measured[model.name] = fit_and_score(model, table.classes, *parts)
                print(f"fitted {model.name} to {table.name}", file=sys.stderr, flush=True)
        for name, (seconds, score) in measured.items():
            row = {"table": table.name, "training rows": len(parts[0]), "model": name}
            row |= {"score": f"{score:.4f}", "fit, CPU s": f"{seconds:.1f}"}
            rows.append(row | {"fit / MLP": f"{seconds / measured['MLP'][0]:.2f}"})
    return rows


def fit_and_score(model, classes, X, X_test, y, y_test):
    began = time.process_time()
    fitted = model.make(classes, 0).fit(X, y)
    seconds = time.process_time() - began
    return seconds, float(np.mean(fitted.score(X_test, y_test)))
