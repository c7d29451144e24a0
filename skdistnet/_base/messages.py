"""Messages of a fit: a line for each epoch, and warnings about its result."""

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..engine.layers import Distance
from ..engine.losses import normalized_weights
from ..engine.numerics.statistics import column_range
from ..engine.training.rollback import MAX_HALVINGS

#: Fewest epochs after which a net that predicts hardly better than a constant gets a warning.
ENOUGH_EPOCHS = 50
#: A net predicts hardly better than a constant below this share of the possible loss decrease.
LITTLE = 0.05
#: Below this possible loss decrease there is nothing to learn: nearly all weight is on one class.
TINY = 1e-3


def print_epoch(result, rate, max_iter, seconds):
    """Print a line about the last epoch, its learning rate and the time so far."""
    epoch, loss = len(result.loss_curve), result.loss_curve[-1]
    line = f"Epoch {epoch:{len(str(max_iter))}}/{max_iter}  loss {loss:.5f}"
    if result.validation_loss_curve:
        line += (
            f"  validation loss {result.validation_loss_curve[-1]:.5f}"
            f"  score {result.validation_scores[-1]:.4f}"
        )
    print(f"{line}  learning rate {rate:.2g}  {seconds:.1f} s")


def warn(message, category=UserWarning):
    """Warn at the line that called fit: the first one outside this package."""
    level, frame = 1, sys._getframe()
    inside = ("skdistnet.", "sklearn.callb")
    # Code that `exec` runs may have no module name.
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(inside):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def warn_if_diverged_or_interrupted(estimator, result):
    """Warn if training was interrupted, or diverged."""
    rate = f"'learning_rate_init' (now {estimator.learning_rate_init})"
    if result.reason == "interrupted":
        warn(
            f"Training was interrupted after {estimator.n_iter_} epochs; "
            "the estimator keeps the parameters of the best epoch so far."
        )
    elif result.reason == "diverged":
        warn(
            f"Training diverged after epoch {estimator.n_iter_}, and again after {MAX_HALVINGS} "
            "halvings of the learning rate; the estimator keeps the best parameters from before. "
            f"Lower {rate}, or set standardize=True.",
            ConvergenceWarning,
        )
    elif result.n_halvings:
        warn(
            "Training diverged and was resumed from its best epoch with half the learning rate, "
            f"{result.n_halvings} of at most {MAX_HALVINGS} times. A lower {rate} or "
            "standardize=True may give a better model.",
            ConvergenceWarning,
        )


def warn_about_fit(estimator, result, find_constant_loss):
    """Warn of interruption, divergence, too few epochs, or predictions that are near constant.

    `find_constant_loss(estimator, result)` returns what `constant_loss` does.
    """
    warn_if_diverged_or_interrupted(estimator, result)
    if result.n_halvings or result.reason not in ("budget", "plateau"):
        return
    in_full = estimator._planned_epochs() == estimator.max_iter
    if result.reason == "budget" and in_full and result.still_falling(estimator.tol):
        warn(
            f"The loss was still falling after 'max_iter' ({estimator.max_iter}) epochs: "
            "a larger 'max_iter' may give a better model.",
            ConvergenceWarning,
        )
        return
    constant = find_constant_loss(estimator, result)
    if constant is not None:
        loss, change = result.loss_curve[-1], " and ".join(advice(estimator))
        warn(
            f"The loss after training, {loss:.4g}, is {'hardly' if loss < constant else 'not'} "
            f"lower than that of a constant prediction, {constant:.4g}. If y depends on X, "
            f"try {change}.",
            ConvergenceWarning,
        )


def constant_loss(rows, estimator, result):
    """Return the loss of the best constant prediction if the net's is hardly lower, else None."""
    if len(result.loss_curve) < ENOUGH_EPOCHS and not trial_ended_early(estimator):
        return None
    codec = estimator._codec
    loss, target = codec.loss, codec.smoothed(rows.target)
    weights = normalized_weights(rows.weights, len(rows), target.dtype)
    raw = np.tile(loss.fit_intercept_only(target, weights), (len(rows), 1)).astype(target.dtype)
    value = loss.value(raw, target, weights)
    learnable = value - codec.least_loss(target, weights)
    if learnable < TINY or value - result.loss_curve[-1] > LITTLE * learnable:
        return None
    varied = estimator._input_varied_
    if varied is None:
        low, high = column_range(rows.X)
        varied = low < high
    if not varied.any():
        return None  # no function of X does better
    # A few outliers, which no net should predict, may dominate the mean loss.
    own = estimator._raw_output(rows.X)
    before, after = (loss.typical_value(each, target, weights) for each in (raw, own))
    return value if before - after < LITTLE * learnable * before / value else None


def trial_ended_early(estimator):
    """Return whether a trial has shown that further epochs of `max_iter` would not help."""
    trial = getattr(estimator, "trial_", None)
    return trial is not None and len(trial["validation_loss_curve"]) < estimator.max_iter


def advice(estimator):
    """Return changes of parameters for a net that predicts hardly better than a constant."""
    network = estimator._network
    kernels = [layer.kernel for layer in network.layers if isinstance(layer, Distance)]
    rate, usual = estimator._learning_rates()
    median = getattr(estimator, "init_median_activation_", estimator.init_median_activation)
    changes = []
    if estimator.alpha:
        changes.append(f"alpha=0 (now {estimator.alpha})")
    if rate < usual or (rate == usual and estimator.solver == "sgd"):
        changes.append(f"a larger 'learning_rate_init' (now {rate:.2g})")
    elif rate > usual and estimator.solver != "sgd":
        changes.append(f"a smaller 'learning_rate_init' (now {rate:.2g})")
    elif any(kernels) and median is not None:
        changes.append(f"a smaller 'init_median_activation' (now {median})")
    if not network.sizes[1:-1]:
        changes.append("hidden layers")
    return changes or [f"a larger 'max_iter' (now {estimator.max_iter})"]
