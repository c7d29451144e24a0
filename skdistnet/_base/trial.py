"""Trials: fits on some of the rows that find how many epochs to train on all of them.

A network that is validated on rows of its own shows after which epoch it overfits, but those rows
are lost to its training. So `fit` does both, one after the other: a trial trains on part of the
rows and is validated on the others after each epoch; then a new network is trained on all rows,
with a schedule that is as long in terms of learning rates as the trial up to its best epoch. With
few rows, a single trial's best epoch is chance, and there are several on different rows.
"""

import math

import numpy as np
from sklearn.base import is_classifier

from . import training
from .checkpoints import checkpoints_of
from .stream import row_hashes

#: With fewer rows there is no trial: too few would be left to validate on.
FEWEST_ROWS = 60
#: A trial takes at most this many rows, drawn at random.
MOST_ROWS = 4_000
#: There are as many trials as validate about this number of rows together, but at most five.
VALIDATED_ROWS, MOST_TRIALS = 500, 5
#: A trial ends when the validation loss has not improved for this number of epochs.
PATIENCE = 25
#: Smaller improvements do not count, so that an accuracy of 1 or a loss of 0 ends the trial.
SMALLEST_GAIN = 1e-9
#: Fewest epochs of the training that follows: with a rate that falls to zero within one or two
#: epochs, hardly any network gets anywhere.
FEWEST_EPOCHS = 5


def draw_trials(candidate, rows, y, validation, seed):
    """Return for each trial the rows to train and those to validate on; none if they are too few.

    Rows that are equal, in X and y, are on the same side. Otherwise the trial of a bootstrap sample
    would be validated on rows that it was trained on.
    """
    if candidate.early_stopping != "auto" or candidate._is_started() or len(rows) < FEWEST_ROWS:
        return []
    drawn, codec, share = np.arange(len(rows)), candidate._codec, candidate.validation_fraction
    if len(rows) > MOST_ROWS:
        drawn = codec.split(rows.target, MOST_ROWS / len(rows), seed)[1]
    if validation is not None:
        return [(rows.take(drawn), validation)]
    distinct, group = distinct_rows(rows.take(drawn))
    if len(distinct) < FEWEST_ROWS:
        return []
    target, trials, remaining = rows.target[drawn[distinct]], [], np.arange(len(distinct))
    n_trials = math.ceil(VALIDATED_ROWS / (share * len(distinct)))
    for _ in range(max(1, min(n_trials, MOST_TRIALS, int(1 / share)))):
        # No row is held out twice.
        share_of_remaining = min(1.0, share * len(distinct) / len(remaining))
        try:
            kept, chosen = codec.split(target[remaining], share_of_remaining, seed)
        except ValueError:  # one row of each class
            break
        is_held_out = np.zeros(len(distinct), dtype=bool)
        is_held_out[remaining[chosen]] = True
        remaining = remaining[kept]
        trained, held_out = drawn[~is_held_out[group]], drawn[is_held_out[group]]
        validation = training.ValidationRows(**vars(rows.take(held_out)), y=y[held_out])
        trials.append((rows.take(trained), validation))
    return trials


def distinct_rows(rows):
    """Return the indices of rows that differ from all earlier ones, and each row's number there."""
    hashes = row_hashes(rows.X, rows.target)
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    # In the order of rows: that of hashes depends on the units of X.
    order = np.argsort(first)
    return first[order], np.argsort(order)[group]


def run_trials(candidate, trials, n_rows, seed, task):
    """Train a copy of the candidate for each trial, and give the candidate what they have found.

    The findings are for training on `n_rows` rows. Return the copies, their results and their
    checkpoints. A trial that is interrupted is the last one, and leaves the candidate as it was.
    """
    copies, results, checkpoints = [], [], []
    for rows, validation in trials:
        checkpoints += checkpoints_of(candidate, rows, validation, [seed])
        tried = candidate._candidate(keep=True)
        tried.warm_start, tried.tol, tried.trial_ = False, SMALLEST_GAIN, None
        tried.n_iter_no_change = max(PATIENCE, candidate.n_iter_no_change)
        if candidate.verbose:
            print(f"Trial on {len(rows)} rows, validated on {len(validation)}")
        part = task and task.part("trial")
        if part is not None:
            part.begin()
        tried, result = training.train_start(tried, rows, validation, seed, part, checkpoints[-1])
        if part is not None:
            part.end(tried)
        copies.append(tried)
        results.append(result)
        if result.reason == "interrupted":
            break
        if "init_median_activation_" in vars(tried):
            candidate.init_median_activation_ = tried.init_median_activation_
    if trials and results[-1].reason != "interrupted":
        candidate.trial_ = findings(copies[0], trials, results, n_rows)
    return copies, results, checkpoints


def findings(candidate, trials, results, n_rows):
    """Return what trials have found, as the plain values of the attribute `trial_`."""
    n_trained, n_validated = map(len, trials[0])
    losses = mean_curve([result.validation_loss_curve for result in results])
    scores = mean_curve([result.validation_scores for result in results])
    measure = losses if candidate.scoring == "loss" else -scores
    if is_classifier(candidate) and candidate.scoring == "loss":
        # At high learning rates the log-loss of sure but wrong predictions hides progress.
        measure = losses * (1.0 - scores + 0.5 / n_validated)
    best_epoch, n_epochs = 0, candidate.max_iter
    if measure.size:
        best_epoch = 1 + int(np.argmin(np.nan_to_num(measure, nan=np.inf)))
    # If a trial has diverged, the training will diverge and be given up, too.
    if all(result.reason != "diverged" for result in results):
        n_epochs = epochs_for_all_rows(candidate, best_epoch, n_trained, n_rows)
    return {
        "n_trials": len(trials),
        "n_samples": n_trained,
        "n_validation_samples": sum(len(validation) for _, validation in trials),
        "validation_loss_curve": losses.tolist(),
        "validation_scores": scores.tolist(),
        "median_activation_errors": getattr(candidate, "_median_errors_", []),
        "best_epoch": best_epoch,
        "n_epochs": n_epochs,
    }


def mean_curve(curves):
    """Return the mean of curves, the shorter ones prolonged by their last value."""
    length = max(map(len, curves))
    prolonged = [np.pad(curve, (0, length - len(curve)), mode="edge") for curve in curves if curve]
    return np.mean(prolonged, axis=0) if prolonged else np.empty(0)


def epochs_for_all_rows(candidate, best_epoch, n_trained, n_rows):
    """Return the number of epochs over `n_rows` rows that does what the trial's best epochs did.

    The learning rates of the epochs have the same sum. That is up to twice as many epochs with a
    rate that falls to zero: the trial was still at high rates in its best epoch. On more rows, each
    epoch of which has more steps, there are fewer, by the root of the number of rows.
    """
    config = training.training_config(candidate, n_trained, candidate.max_iter)
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
        low = round(low * math.sqrt(n_trained / n_rows))
    return min(max(low, FEWEST_EPOCHS), candidate.max_iter)


def sum_of_rates(config, n_rows, max_iter, n_epochs):
    """Return the sum of the schedule's factors at the middle of each of the first epochs."""
    per_epoch = -(-n_rows // config.batch_size)
    steps = [per_epoch * epoch + per_epoch // 2 for epoch in range(n_epochs)]
    return sum(float(config.schedule(step, per_epoch, per_epoch * max_iter)) for step in steps)
