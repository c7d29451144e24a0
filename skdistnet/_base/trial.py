"""Trials: fits on some of the rows that find how many epochs to train on all of them.

A network that is validated on rows of its own shows after which epoch it overfits, but those rows
are lost to its training. So `fit` does both, one after the other: a trial trains on part of the
rows and is validated on the others after each epoch; then a new network is trained on all rows,
with a schedule that is as long in terms of learning rates as the trial up to its best epoch. With
few rows, a single trial's best epoch is chance, and there are several on different rows.
"""

import math
from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier

from ..engine.projection import MANY_COLUMNS
from . import start, training
from .checkpoints import checkpoints_of
from .stream import row_hashes

#: With fewer rows there is no trial: too few would be left to validate on.
FEWEST_ROWS = 60
#: A trial takes at most this many rows, drawn at random.
MOST_ROWS = 4_000
#: There are as many trials as validate about this number of rows together, but at most five.
VALIDATED_ROWS, MOST_TRIALS = 500, 5
#: and at most three if columns are many, of which every trial finds a projection.
MOST_WIDE_TRIALS = 3
#: A trial ends when the validation loss has not improved for this number of epochs,
PATIENCE = 25
#: or for `n_iter_no_change` if there are more outputs than this: epochs are then slow, and few.
MANY_OUTPUTS = 300
#: Smaller improvements do not count, so that an accuracy of 1 or a loss of 0 ends the trial.
SMALLEST_GAIN = 1e-9
#: Number of a trial's rows, and of combinations of many outputs, that weigh features; and the
#: smallest weight, so that no feature is without any effect.
WEIGHING_ROWS, MOST_COMBINATIONS, LEAST_WEIGHT = 400, 16, 0.05
#: Fewest epochs of the training that follows: with a rate that falls to zero within one or two
#: epochs, hardly any network gets anywhere.
FEWEST_EPOCHS = 5
#: Epochs that are not saved on large data, if the trial needed as many.
FEWEST_OF_MANY_ROWS = 20


@dataclass(frozen=True)
class Trial:
    """Indices of the rows that a trial trains on, and of those that it holds out.

    The latter are None if the user has given rows to validate on.
    """

    trained: np.ndarray
    held_out: np.ndarray | None

    def take(self, rows, y, validation):
        """Return the rows to train on and those to validate on."""
        if self.held_out is not None:
            held_out = rows.take(self.held_out)
            validation = training.ValidationRows(**vars(held_out), y=y[self.held_out])
        return rows.take(self.trained), validation


def draw_trials(candidate, rows, validation, seed):
    """Return the trials to make; none if there are too few rows.

    Rows that are equal, in X and y, are on the same side. Otherwise the trial of a bootstrap sample
    would be validated on rows that it was trained on.
    """
    if candidate.early_stopping != "auto" or candidate._is_started() or len(rows) < FEWEST_ROWS:
        return []
    drawn, codec, share = np.arange(len(rows)), candidate._codec, candidate.validation_fraction
    if len(rows) > MOST_ROWS:
        drawn = codec.split(rows.target, MOST_ROWS / len(rows), seed)[1]
    if validation is not None:
        return [Trial(drawn, None)]
    distinct, group = distinct_rows(rows.take(drawn))
    if len(distinct) < FEWEST_ROWS:
        return []
    target, trials, remaining = rows.target[drawn[distinct]], [], np.arange(len(distinct))
    n_trials = math.ceil(VALIDATED_ROWS / (share * len(distinct)))
    most = MOST_WIDE_TRIALS if rows.X.shape[1] > MANY_COLUMNS else MOST_TRIALS
    for _ in range(max(1, min(n_trials, most, int(1 / share)))):
        # No row is held out twice.
        share_of_remaining = min(1.0, share * len(distinct) / len(remaining))
        try:
            kept, chosen = codec.split(target[remaining], share_of_remaining, seed)
        except ValueError:  # one row of each class
            break
        is_held_out = np.zeros(len(distinct), dtype=bool)
        is_held_out[remaining[chosen]] = True
        remaining = remaining[kept]
        trials.append(Trial(drawn[~is_held_out[group]], drawn[is_held_out[group]]))
    return trials


def distinct_rows(rows):
    """Return the indices of rows that differ from all earlier ones, and each row's number there."""
    hashes = row_hashes(rows.X, rows.target)
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    # In the order of rows: that of hashes depends on the units of X.
    order = np.argsort(first)
    return first[order], np.argsort(order)[group]


def run_trials(candidate, trials, data, seed, task, n_rows=None):
    """Train a copy of the candidate for each trial, and give the candidate what they have found.

    Return for each trial its copy, its result and its checkpoint. If one was interrupted, the
    candidate stays as it was, and the list ends with it. There are `n_rows` rows to train on
    afterwards, by default those of the data.
    """
    if not trials:
        return []
    first, taken = candidate, [one.take(*data) for one in trials]
    if len(trials) > 1:
        # All trials begin with the same radii, and need not wait for the first to choose them.
        first = candidate._candidate(keep=True)
        start.choose_median_activation(first, taken[0][0], seed)
    parts = [task and task.part("trial") for _ in trials]
    # Workers get their own rows only, which are few.
    arguments = [(first, *rows, seed, part) for rows, part in zip(taken, parts)]
    tried = training.run_parts(train_trial, arguments, candidate.n_jobs)
    copies, results, _ = zip(*tried)
    reasons = [result.reason for result in results]
    if "interrupted" in reasons:
        return tried[: reasons.index("interrupted") + 1]
    if "init_median_activation_" in vars(copies[-1]):
        candidate.init_median_activation_ = copies[-1].init_median_activation_
    sizes = [tuple(map(len, rows)) for rows in taken]
    n_targets = candidate._codec.n_targets(taken[0][1].target)
    candidate.trial_ = findings(copies[0], sizes, n_targets, results, n_rows or len(data.rows))
    return tried


def train_trial(candidate, rows, validation, seed, task):
    """Train a copy of the candidate for a trial; return it, its result and its checkpoint."""
    (checkpoint,) = checkpoints_of(candidate, rows, validation, [seed])
    tried = candidate._candidate(keep=True)
    tried.warm_start, tried.tol, tried.trial_ = False, SMALLEST_GAIN, None
    if rows.target.shape[1] <= MANY_OUTPUTS:
        tried.n_iter_no_change = max(PATIENCE, candidate.n_iter_no_change)
    if candidate.verbose:
        print(f"Trial on {len(rows)} {candidate._rows_name}, validated on {len(validation)}")
    tried, result = training.train_task(tried, rows, validation, seed, task, checkpoint)
    return tried, result, checkpoint


def findings(candidate, sizes, n_targets, results, n_rows):
    """Return what trials have found, as the plain values of the attribute `trial_`.

    `sizes` has the numbers of rows that each has trained and validated on; the first has validated
    on `n_targets` targets.
    """
    n_trained = sizes[0][0]
    losses = mean_curve([result.validation_loss_curve for result in results])
    scores = mean_curve([result.validation_scores for result in results])
    measure = losses if candidate.scoring == "loss" else -scores
    if is_classifier(candidate) and candidate.scoring == "loss":
        # At high learning rates the log-loss of sure but wrong predictions hides progress.
        measure = losses * (1.0 - scores + 0.5 / n_targets)
    best_epoch, n_epochs = 0, candidate.max_iter
    if measure.size:
        best_epoch = 1 + int(np.argmin(np.nan_to_num(measure, nan=np.inf)))
    # If a trial has diverged, the training will diverge and be given up, too.
    if all(result.reason != "diverged" for result in results):
        n_epochs = epochs_for_all_rows(candidate, best_epoch, n_trained, n_rows)
    return {
        "n_trials": len(sizes),
        "n_samples": n_trained,
        "n_validation_samples": sum(validated for _, validated in sizes),
        "validation_loss_curve": losses.tolist(),
        "validation_scores": scores.tolist(),
        "median_activation_errors": getattr(candidate, "_median_errors_", []),
        "best_epoch": best_epoch,
        "n_epochs": n_epochs,
    }


def feature_weights(tried, data):
    """Return weights of features by their effect on the output of the nets of trials, or None.

    `tried` are pairs of a trial and its net. The weight of a feature is the root mean square
    gradient of the output by its inputs, over rows that were held out: the diagonal of the average
    gradient outer product (Radhakrishnan et al., Science, 2024; Beaglehole et al.,
    arXiv:2508.10053). The mean square of the weights of all inputs is 1. There are none without
    trials, for features that are projected, and for those that are not to be scaled.
    """
    squares, total = 0.0, 0.0
    for each, net in tried:
        if net._input_components_ is not None or not net.standardize:
            return None
        rows = each.take(*data)[1].X
        rows = rows[:: -(-rows.shape[0] // WEIGHING_ROWS)]
        inputs = np.empty((rows.shape[0], net._network.sizes[0]), dtype=net._network.dtype)
        net._input_map.apply(rows, inputs)
        for combination in output_combinations(net._network.sizes[-1], is_classifier(net)):
            gradient = net._network.output_gradient(net._theta_, inputs, combination)
            effects = np.mean(gradient.astype(np.float64) ** 2, axis=0)
            squares, total = squares + net._input_map.by_column(effects), total + effects.mean()
    if not (np.isfinite(total) and total > 0):
        return None
    return np.maximum(np.sqrt(squares / total), LEAST_WEIGHT)


def output_combinations(n_outputs, is_centered):
    """Return combinations of outputs, a row for each, whose squares add up to those of all outputs.

    If outputs are logits, only their differences count. Random signs stand for many outputs.
    """
    if n_outputs <= MOST_COMBINATIONS:
        combinations = np.eye(n_outputs)
    else:
        shape = MOST_COMBINATIONS, n_outputs
        combinations = np.random.default_rng(0).choice([-1.0, 1.0], shape)
    return combinations - combinations.mean(axis=1, keepdims=True) if is_centered else combinations


def mean_curve(curves):
    """Return the mean of curves, the shorter ones prolonged by their last value."""
    length = max(map(len, curves))
    prolonged = [np.pad(curve, (0, length - len(curve)), mode="edge") for curve in curves if curve]
    return np.mean(prolonged, axis=0) if prolonged else np.empty(0)


def epochs_for_all_rows(candidate, best_epoch, n_trained, n_rows):
    """Return the number of epochs over `n_rows` rows that does what the trial's best epochs did.

    The learning rates of the epochs have the same sum. That is up to twice as many epochs with a
    rate that falls to zero: the trial was still at high rates in its best epoch. On more rows, each
    epoch of which has more steps, there are fewer, by the root of the number of rows, but hardly
    less than `FEWEST_OF_MANY_ROWS`: more rows allow more training before a network overfits.
    """
    config = start.training_config(candidate, n_trained, candidate.max_iter)
    wanted = sum_of_rates(config, n_trained, candidate.max_iter, best_epoch)
    # Of usual schedules, none needs more than twice as many.
    low, high = 1, max(1, min(2 * best_epoch, candidate.max_iter))
    while low < high:
        middle = (low + high) // 2
        if sum_of_rates(config, n_trained, middle, middle) < wanted:
            low = middle + 1
        else:
            high = middle
    if n_rows > MOST_ROWS:
        low = max(round(low * math.sqrt(n_trained / n_rows)), min(low, FEWEST_OF_MANY_ROWS))
    return min(max(low, FEWEST_EPOCHS), candidate.max_iter)


def sum_of_rates(config, n_rows, max_iter, n_epochs):
    """Return the sum of the schedule's factors at the middle of each of the first epochs."""
    per_epoch = -(-n_rows // config.batch_size)
    steps = [per_epoch * epoch + per_epoch // 2 for epoch in range(n_epochs)]
    return sum(float(config.schedule(step, per_epoch, per_epoch * max_iter)) for step in steps)
