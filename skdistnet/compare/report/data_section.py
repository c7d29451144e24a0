"""The data at a glance: what the report shows of each column and of the target."""

import numpy as np
import pandas as pd

from ..formats import percent, plain

__all__ = ["data_section"]

#: Columns shown at first, in full on request, and by name only.
N_COLUMNS, N_MORE, N_NAMES = 12, 28, 1000
N_LEVELS, N_CLASSES = 3, 12
BINS = 20
SKEWED = 0.02  # share of the range below the median, from which on a histogram needs logarithms
KINDS = {"number": "of numbers", "category": "of categories", "date": "of dates"}
KINDS |= {"left out": "left out"}


def data_section(table):
    """Return the columns, the target and notes."""
    described = [describe(column, table) for column in table.columns[: N_COLUMNS + N_MORE]]
    others = table.columns[N_COLUMNS + N_MORE :]
    return {
        "columns": described[:N_COLUMNS],
        "more": described[N_COLUMNS:],
        "others": others[:N_NAMES],
        "n_more": len(table.columns) - N_COLUMNS,
        "n_unnamed": len(others[N_NAMES:]),
        "kinds": in_words([column.kind for column in table.columns]),
        "target": describe_target(table),
        "notes": table.notes,
    }


def in_words(kinds):
    """Return how many columns of each kind there are."""
    counts = {kind: f"{kinds.count(kind):,}" for kind in KINDS if kind in kinds}
    return ", ".join(f"{count} {KINDS[kind]}" for kind, count in counts.items()) or "none"


def describe(column, table):
    """Return a column with the share of gaps, and a histogram or its most frequent levels."""
    described = {"column": column, "missing": column.missing / max(len(table.y), 1)}
    described |= dict.fromkeys(("bars", "log", "range", "levels"))
    if not column.features:
        return described
    values = table.X[column.features[0]]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return described | {"levels": most_frequent(values)}
    if column.kind == "date":  # as numbers, dates have no range that a reader knows
        return described | {"bars": histogram(values)}
    return described | distribution(values)


def observed(values):
    values = np.asarray(values, dtype=np.float64)
    return values[np.isfinite(values)]


def histogram(values):
    """Return the heights of the bars of a histogram, the highest of which is 1."""
    values = observed(values)
    if not len(values):
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = (values - values.min()) / (np.ptp(values) or 1.0)
    counts = np.histogram(np.nan_to_num(scaled), BINS, (0.0, 1.0))[0]
    return (counts / counts.max()).round(3).tolist()


def distribution(values):
    """Return a histogram with the smallest value, the median and the largest value."""
    values = observed(values)
    if not len(values):
        return {"bars": [], "log": False, "range": None}
    low, median, high = values.min(), np.median(values), values.max()
    log = bool(low > 0 and median / 2 - low / 2 < SKEWED * (high / 2 - low / 2))
    ends = {"low": low, "median": median, "high": high}
    return {
        "bars": histogram(np.log(values) if log else values),
        "log": log,
        "range": {name: plain(float(f"{value:.2e}")) for name, value in ends.items()},
    }


def most_frequent(values, n_levels=N_LEVELS):
    """Return the most frequent levels with their shares, and the share of all others."""
    shares = pd.Series(values).value_counts(normalize=True, dropna=True)
    shares = shares[shares > 0]
    first = [(str(level), float(share)) for level, share in shares.iloc[:n_levels].items()]
    n_others = len(shares) - len(first)
    rest = max(1.0 - sum(share for _, share in first), 0.0) if n_others else 0.0
    return {"first": first, "n_others": n_others, "rest": rest}


def describe_target(table):
    """Return the counts of classes, or a histogram of values."""
    if not table.is_classification:
        return distribution(table.y)
    classes, counts = np.unique(table.y, return_counts=True)
    by_count = np.argsort(-counts, kind="stable")
    first = by_count[:N_CLASSES]
    bars = [
        {
            "name": str(classes[one]),
            "count": int(counts[one]),
            "share": counts[one] / counts.max(),
            "percent": percent(counts[one] / counts.sum()),
        }
        for one in first
    ]
    rest = by_count[N_CLASSES:]
    return {"classes": bars, "n_others": len(rest), "rest": int(counts[rest].sum())}
