"""The start of a fit, each function being the work of a task.

A candidate is an estimator of this process's own kind, which travels between tasks; it has no
reference to the cluster.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import is_regressor

from .._base import locations, start, trial
from .._base.hashing import digest
from .._base.training import FitData, ValidationRows
from .._base.validation import naming_validation_set
from ..engine.losses import normalized_weights
from ..engine.numerics.statistics import ColumnStatistics
from ..engine.numerics.threads import single_blas_thread
from ..engine.training import Rows
from ..engine.training.shards import Shard
from .partitions import check_lengths, checked_rows, concatenated, row_keys, take_rows
from .summary import masses_of_levels, statistics_of

#: At most this many rows validate the net after each epoch; of more, random ones.
MOST_VALIDATED = 100_000


@dataclass(frozen=True)
class Encoder:
    """What leads from the rows of a partition to those that a network is trained on."""

    candidate: Any
    """With the columns, levels, classes and units of all rows."""
    dtype: np.dtype
    masses: Any
    """For the codec's weights of classes."""
    directions: Any
    """For levels that lie by target."""

    @classmethod
    def fit(cls, estimator, summary):
        """Learn from the summary of all rows."""
        candidate = estimator._candidate(keep=False)
        candidate.n_jobs, candidate.verbose, candidate.checkpoint = None, False, None
        candidate.n_features_in_, candidate._levels_ = summary.n_features, summary.levels
        if summary.feature_names is not None:
            candidate.feature_names_in_ = summary.feature_names
        candidate.trial_ = None
        X, y, _ = candidate._check_data(summary.sample.X, summary.sample.y, None)
        weights, dtype = summary.sample.weights, np.dtype(candidate.dtype or X.dtype)
        classes = None if is_regressor(candidate) else classes_of(summary, y)
        codec = candidate._new_codec(y, weights, dtype, classes, summary.target)
        target = codec.fit_encode(y, weights, dtype, more_to_come=False)
        candidate._target_state_ = codec.state()
        if classes_are_learned := hasattr(codec, "classes"):
            candidate.classes_ = codec.classes
        masses = class_masses(codec, summary) if classes_are_learned else None
        directions = None
        if summary.levels is not None and locations.columns_by_target(summary.levels):
            shares = normalized_weights(weights, len(y), np.float64)
            directions = locations.TargetDirections.of(target, shares)
        return cls(candidate, dtype, masses, directions)

    def encode(self, X, y, weights):
        """Return validated data as rows to train on or to validate on, and their `y`."""
        if weights is not None and not weights.all():
            kept = weights > 0
            X, y, weights = X[kept], y[kept], weights[kept]
        codec = self.candidate._codec
        target = codec.encode(y, self.dtype)
        return Rows(X, target, codec.weighter(self.masses)(target, weights)), y

    def encode_parts(self, parts):
        """Return rows of several partitions, and their `y`; None if there are none of any weight.

        The parts are what `select_rows` returns.
        """
        found = [checked_rows(self.candidate, *one) for one in parts if one is not None]
        if not found:
            return None
        X, y = (concatenated([one[part] for one in found]) for part in (0, 1))
        weights = None if found[0][2] is None else concatenated([one[2] for one in found])
        if weights is not None and not weights.any():
            return None
        return self.encode(X, y, weights)

    def encode_sample(self, summary):
        """Return the rows of the sample, and their `y`."""
        X, y, _ = self.candidate._check_data(summary.sample.X, summary.sample.y, None)
        weights = summary.sample.weights
        return self.encode(X, y, None if np.all(weights == 1.0) else weights)


def classes_of(summary, y):
    """Return the classes of all rows in the form of `classes_`, None for an indicator matrix."""
    classes = [labels for labels, _ in summary.classes]
    if y.ndim == 1:
        return classes[0]
    if y.dtype.kind in "biuf" and all(np.isin(labels, (0, 1)).all() for labels in classes):
        return None
    return [labels.astype(np.result_type(*classes)) for labels in classes]


def class_masses(codec, summary):
    """Return the weight of the rows of each column of the target."""
    masses = []
    for classes, (labels, weights) in zip(codec.columns, summary.classes, strict=True):
        of_classes = np.zeros(len(classes))
        of_classes[np.searchsorted(classes, labels)] = weights
        masses.append(of_classes)
    return np.concatenate(masses)


def select_rows(seed, number, rows, part, selected):
    """Return a partition's number, and its X, y and weights in some rows; None if there are none.

    They are those of a slice whose random numbers are `selected`, a range without its upper end.
    """
    keys = row_keys(seed, number, len(part[1]))[rows]
    chosen = np.flatnonzero((selected[0] <= keys) & (keys < selected[1])) + rows.start
    if not len(chosen):
        return None
    return number, *(None if one is None else take_rows(one, chosen) for one in part)


# Tasks --------------------------------------------------------------------------------------------


def fit_encoder(estimator, summary):
    """Return the encoder, the number of rows of each partition, and a digest of the data."""
    if summary is None or not len(summary.sample):
        raise ValueError("'X' must have rows of positive weight; it has none.")
    encoder = Encoder.fit(estimator, summary)
    rows, _ = encoder.encode_sample(summary)
    target = summary.classes or vars(summary.target)
    data = [vars(rows), vars(summary.columns), target, sorted(summary.n_rows.items())]
    return encoder, summary.n_rows, digest(data)


def digest_rows(rows):
    return digest(vars(rows))


def encode_shard(encoder, seed, pieces, parts, selected):
    """Return the rows of a shard, the selected ones of its pieces; None if there are none.

    Pieces are the number of a partition and a slice of its rows, parts its data.
    """
    encoded = encoder.encode_parts(
        select_rows(seed, number, rows, part, selected)
        for (number, rows), part in zip(pieces, parts, strict=True)
    )
    return encoded and encoded[0]


def encode_held_out(encoder, parts):
    """Return the held-out rows of partitions, to validate on."""
    return rows_to_validate(encoder, parts, "early_stopping=True has held out none")


def encode_validation(encoder, parts):
    """Return the rows that the user has passed to validate on."""
    with naming_validation_set():
        return rows_to_validate(encoder, parts, "'X_val' has none")


def count_validation(number, X, y, sample_weight):
    """Return the number of rows of a partition of the validation set."""
    with naming_validation_set():
        check_lengths(number, X, y, sample_weight)
    return len(y)


def rows_to_validate(encoder, parts, shortage):
    encoded = encoder.encode_parts(parts)
    if encoded is None:
        raise ValueError(f"To validate, rows of positive weight are needed; {shortage}.")
    return ValidationRows(**vars(encoded[0]), y=encoded[1])


def measure_shard(rows, encoder):
    """Return the number of rows, their weight, and their `RowStatistics` with these weights.

    Statistics that the summary has too are None, unless classes have weights.
    """
    if rows is None:
        return 0, 0.0, None
    weights = np.ones(len(rows)) if rows.weights is None else rows.weights
    weight, levels = float(weights.sum()), encoder.candidate._levels_
    columns = masses = sums = None
    if getattr(encoder.candidate, "class_weight", None) is not None:
        shares = normalized_weights(weights, len(rows), np.float64)
        columns = statistics_of(rows.X, shares, weight)
        masses = masses_of_levels(rows.X, levels, weights)
    if encoder.directions is not None:
        sums = locations.level_sums(rows, weights, levels, encoder.directions)
    return len(rows), weight, locations.RowStatistics(columns, masses, sums)


def merge_measures(measures):
    """Return the statistics of all shards."""
    parts, weights = [one for *_, one in measures], [weight for _, weight, _ in measures]
    columns = masses = sums = None
    if parts[0].columns is not None:
        columns = ColumnStatistics.merged([one.columns for one in parts])
        columns = replace(columns, mass=columns.mass / sum(weights))
    if parts[0].level_masses is not None:
        masses = [sum(each) for each in zip(*(one.level_masses for one in parts))]
    if parts[0].level_sums is not None:
        # Weights of rows are 1 on average.
        factor = sum(n for n, *_ in measures) / sum(weights)
        of_columns = zip(*(one.level_sums for one in parts))
        sums = [sum(own[1:], own[0]).scaled(factor) for own in of_columns]
    return locations.RowStatistics(columns, masses, sums)


def run_trials(encoder, summary, validation, seed, n_rows, held_from):
    """Return a candidate with the number of epochs to train for, and its trials with their nets.

    The rows from the random number `held_from` on are validated on later.
    """
    candidate = encoder.candidate._candidate(keep=True)
    rows, y = encoder.encode_sample(summary)
    if held_from < 1.0:
        trained = np.flatnonzero(summary.sample.keys < held_from)
        rows, y = rows.take(trained), y[trained]
    with single_blas_thread():
        trials = trial.draw_trials(candidate, rows, validation, seed)
        data = FitData(rows, y, validation)
        tried = trial.run_trials(candidate, trials, data, seed, None, n_rows)
    return candidate, [(net, each) for each, (net, *_) in zip(trials, tried)]


def initialize(encoder, summary, tried, measured, seed):
    """Return a candidate with an initial network, whose start and scale are those of all rows."""
    candidate = tried[0]._candidate(keep=True)
    rows, _ = encoder.encode_sample(summary)
    statistics = measured
    if measured.columns is None:
        columns = replace(summary.columns, mass=summary.columns.mass / summary.weight)
        statistics = replace(measured, columns=columns, level_masses=summary.level_masses)
    with single_blas_thread():
        rng = np.random.default_rng(seed)
        start.initialize_network(candidate, rows, rng, statistics=statistics)
    return candidate


def prepare_shard(number, rows, candidate, batch_size, mean_weight):
    """Return a shard of rows that is ready for training."""
    input_map, codec = candidate._input_map, candidate._codec
    rows = locations.rows_to_train(input_map, rows)
    rows = replace(rows, target=codec.smoothed(rows.target))
    return Shard(number, candidate._network, input_map, rows, batch_size, mean_weight)


def calibrate_novelty(candidate, encoder, summary, tried, validation, seed):
    """Return the state of the novelty scorer, None for a net without one."""
    candidate = candidate._candidate(keep=True)
    rows, y = encoder.encode_sample(summary)
    nets = [(net, each.take(rows, y, validation)) for net, each in tried[1]]
    limits = summary.columns.low, summary.columns.high
    with single_blas_thread():
        candidate._fit_novelty(rows, validation, seed, nets, limits)
    return vars(candidate).get("_novelty_")
