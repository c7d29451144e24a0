"""What a start needs of all rows, from one pass over the partitions.

Each partition is summarised where it lies, and summaries are merged, a few at a time. They hold
sums and ranges, the classes and levels, and a random sample of the rows, so that their size does
not depend on the number of rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_regressor

from .._base.categories import key_of, level_of, sorted_levels
from .._base.locations import columns_of
from ..engine.categories import column_of, level_masses
from ..engine.losses import normalized_weights
from ..engine.numerics.statistics import ColumnStatistics
from .partitions import check_lengths, checked_rows, concatenated, row_keys, take_rows

#: Number of rows in the sample, and the numbers in it if columns are many, but at least
#: `FEWEST_SAMPLED` rows.
SAMPLED_ROWS, SAMPLED_NUMBERS, FEWEST_SAMPLED = 10_000, 5_000_000, 4_000


@dataclass(frozen=True)
class Sample:
    """Rows with the smallest random numbers, and the first row of each class.

    X is as in the partitions, y is validated, and weights are positive.
    """

    X: Any
    y: np.ndarray
    weights: np.ndarray
    keys: np.ndarray

    def __len__(self):
        return len(self.keys)

    @classmethod
    def merged(cls, samples, of_classes):
        """Return the sample of all rows of several samples; `of_classes` keeps each class."""
        parts = zip(*(vars(one).values() for one in samples if len(one)))
        X, y, weights, keys = map(concatenated, parts)
        order = np.argsort(keys, kind="stable")
        chosen = order[: max(FEWEST_SAMPLED, min(SAMPLED_ROWS, SAMPLED_NUMBERS // X.shape[1]))]
        if of_classes:
            firsts = [
                order[np.unique(column[order], return_index=True)[1]]
                for column in y.reshape(len(y), -1).T
            ]
            others = np.setdiff1d(np.concatenate(firsts), chosen)
            chosen = np.concatenate([chosen, others[np.argsort(keys[others])]])
        return cls(take_rows(X, chosen), y[chosen], weights[chosen], keys[chosen])


@dataclass(frozen=True)
class Summary:
    """What is known of the rows of one or several partitions."""

    n_features: int
    feature_names: Any
    n_rows: dict
    """Number of rows of each partition, of any weight, by its number."""
    weight: float
    columns: ColumnStatistics
    """Of X, meaningless in columns of categories."""
    levels: list | None
    level_masses: list | None
    """For each column of categories the weight of the rows of each level."""
    classes: list | None
    """For each column of labels the sorted classes and the weight of their rows."""
    target: ColumnStatistics | None
    """Of y, if it is numeric."""
    sample: Sample


def summarize(estimator, seed, number, X, y, sample_weight):
    """Return the summary of a partition; None if it has no rows."""
    check_lengths(number, X, y, sample_weight)
    if not len(y):
        return None
    own = estimator._candidate(keep=False)
    numbers, y, weights = checked_rows(own, number, X, y, sample_weight)
    weights = np.ones(len(y)) if weights is None else weights
    kept = np.flatnonzero(weights > 0)
    counted, total = weights[kept], float(weights.sum())
    shares = normalized_weights(counted, len(kept), np.float64) if len(kept) else counted
    sample = Sample(X, y, weights, row_keys(seed, number, len(y)))
    sample = Sample(*(take_rows(part, kept) for part in vars(sample).values()))
    of_classes = not is_regressor(estimator)
    return Summary(
        n_features=own.n_features_in_,
        feature_names=getattr(own, "feature_names_in_", None),
        n_rows={number: len(y)},
        weight=total,
        columns=statistics_of(numbers[kept], shares, total),
        levels=own._levels_,
        level_masses=masses_of_levels(numbers[kept], own._levels_, counted),
        classes=[class_masses(each, weights) for each in y.reshape(len(y), -1).T]
        if of_classes
        else None,
        target=None if of_classes else statistics_of(y[kept].reshape(len(kept), -1), shares, total),
        sample=Sample.merged([sample], of_classes) if len(kept) else sample,
    )


def statistics_of(columns, shares, total):
    """Return the statistics of rows with these shares of the total weight."""
    if not len(shares):
        nan, zero = np.full(columns.shape[1], np.nan), np.zeros(columns.shape[1])
        return ColumnStatistics(nan, zero, nan, nan, zero)
    found = ColumnStatistics.of(columns, shares)
    return ColumnStatistics(found.mean, found.std, found.low, found.high, found.mass * total)


def masses_of_levels(X, levels, weights):
    """Return for each column of categories the weight of the rows of each level, or None."""
    if levels is None:
        return None
    columns = columns_of(levels)
    return [level_masses(column_of(X, at), len(levels[at]), weights) for at in columns]


def class_masses(labels, weights):
    """Return the sorted distinct labels, and the weight of the rows of each."""
    classes, codes = np.unique(labels, return_inverse=True)
    return classes, np.bincount(codes, weights, minlength=len(classes))


def merge(summaries):
    """Return the summary of all partitions of several summaries; None if they have no rows."""
    summaries = [one for one in summaries if one is not None]
    if len(summaries) < 2:
        return summaries[0] if summaries else None
    first = summaries[0]
    check_same_columns(summaries)
    levels, masses = merge_levels(summaries)
    return Summary(
        n_features=first.n_features,
        feature_names=first.feature_names,
        n_rows={number: n for one in summaries for number, n in one.n_rows.items()},
        weight=sum(one.weight for one in summaries),
        columns=ColumnStatistics.merged([one.columns for one in summaries]),
        levels=levels,
        level_masses=masses,
        classes=first.classes and merge_classes([one.classes for one in summaries]),
        target=first.target and ColumnStatistics.merged([one.target for one in summaries]),
        sample=merge_samples([one.sample for one in summaries], first.classes is not None),
    )


def merge_samples(samples, of_classes):
    filled = [one for one in samples if len(one)]
    return Sample.merged(filled, of_classes) if filled else samples[0]


def check_same_columns(summaries):
    """Raise a ValueError unless all partitions have the same columns of X and y."""

    def form(one):
        names = None if one.feature_names is None else one.feature_names.tolist()
        return one.n_features, names, one.sample.y.shape[1:]

    for one in summaries[1:]:
        if form(one) != form(summaries[0]):
            numbers = min(summaries[0].n_rows), min(one.n_rows)
            raise ValueError(
                "All partitions must have the same columns of 'X' and of 'y'; partitions "
                f"{numbers[0]} and {numbers[1]} differ: {form(summaries[0])} and {form(one)}."
            )


def merge_classes(of_parts):
    """Return for each column of labels its classes in all parts, and the weight of their rows."""
    merged = []
    for found in zip(*of_parts, strict=True):
        labels, masses = (np.concatenate(each) for each in zip(*found))
        classes, codes = np.unique(labels, return_inverse=True)
        merged.append((classes, np.bincount(codes, masses, minlength=len(classes))))
    return merged


def merge_levels(summaries):
    """Return the levels of all parts, and the weights of their rows."""
    known = [one.levels for one in summaries]
    if all(levels is None for levels in known):
        return None, None
    n_features = summaries[0].n_features
    # A column of objects without a value in some partition counts as one of categories there.
    merged: list = [None] * n_features
    masses = []
    for at in range(n_features):
        own = [levels and levels[at] for levels in known]
        if all(levels is None for levels in own):
            continue
        for one, levels in zip(summaries, own):
            if levels is None and one.columns.mass[at] > 0:
                raise ValueError(
                    f"Column {at} of 'X' holds categories in some partitions and numbers in "
                    f"partition {min(one.n_rows)}: give it one dtype, or list it in "
                    "'categorical_features'."
                )
        found = [level for levels in own if levels for level in levels]
        merged[at] = sorted_levels(np.array([*found, None], dtype=object)[:-1])
        position = {key_of(level): code for code, level in enumerate(merged[at])}
        total = np.zeros(len(merged[at]))
        for one, levels in zip(summaries, own):
            if levels:
                codes = [position[key_of(level_of(level))] for level in levels]
                column = columns_of(one.levels).index(at)
                np.add.at(total, codes, one.level_masses[column])
        masses.append(total)
    return merged, masses
