"""What a training tells a person: a line for each epoch, and a warning at the end."""

import warnings
from time import perf_counter

from sklearn.exceptions import ConvergenceWarning

from ..engine.layers import Distance
from ..engine.training.rollback import MAX_HALVINGS

__all__ = ["epoch_printer", "warn_if_more_is_possible", "warn_if_not_smooth"]

#: From here past `fit` to the line of the user.
CALLER = 4
#: Fewest epochs after which a net that predicts hardly better than a constant gets a warning.
ENOUGH_EPOCHS = 50


def epoch_printer(max_iter):
    """Make a function of the outcome so far and the learning rate that prints a line."""
    width = len(str(max_iter))
    began = perf_counter()

    def report(outcome, rate):
        line = (
            f"Epoch {len(outcome.loss_curve):{width}}/{max_iter}  loss {outcome.loss_curve[-1]:.5f}"
        )
        if outcome.validation_loss_curve:
            line += (
                f"  validation loss {outcome.validation_loss_curve[-1]:.5f}"
                f"  score {outcome.validation_scores[-1]:.4f}"
            )
        print(f"{line}  learning rate {rate:.2g}  {perf_counter() - began:.1f} s")

    return report


def warn_if_not_smooth(estimator, outcome):
    """Say what ended a training, or sent it back, other than its own config; and what to change."""
    if outcome.reason == "interrupted":
        warnings.warn(
            f"Training was interrupted after {estimator.n_iter_} epochs; "
            "the model keeps what it had learned.",
            stacklevel=CALLER,
        )
    elif outcome.reason == "diverged":
        warnings.warn(
            f"The loss grew beyond all reason after epoch {estimator.n_iter_}, and did so when "
            f"training had gone back and halved its rate {MAX_HALVINGS} times; the model keeps "
            "the best parameters from before. A smaller 'learning_rate_init' (now "
            f"{estimator.learning_rate_init}) may help, or standardize=True.",
            ConvergenceWarning,
            stacklevel=CALLER,
        )
    elif outcome.n_halvings:
        warnings.warn(
            "The loss or the parameters grew beyond all reason, so that training went back to its "
            f"best epoch and halved its rate: {outcome.n_halvings} of at most {MAX_HALVINGS} "
            f"times. A smaller 'learning_rate_init' (now {estimator.learning_rate_init}) may give "
            "a better model, or standardize=True.",
            ConvergenceWarning,
            stacklevel=CALLER,
        )


def warn_if_more_is_possible(estimator, outcome, constant_loss):
    """Warn of too few epochs, or of a net that predicts hardly better than a constant.

    `constant_loss` is None, or the loss of the best constant where the net is hardly better.
    """
    if outcome.n_halvings:
        return
    if outcome.reason == "budget" and outcome.still_falling(estimator.tol):
        warnings.warn(
            f"The loss was still falling when 'max_iter' ({estimator.max_iter}) epochs were over: "
            "more of them may give a better model.",
            ConvergenceWarning,
            stacklevel=CALLER,
        )
    elif constant_loss is not None:
        loss, change = outcome.loss_curve[-1], " and ".join(advice(estimator))
        warnings.warn(
            f"The loss after training, {loss:.4g}, is {'hardly' if loss < constant_loss else 'not'}"
            f" lower than that of a constant prediction, {constant_loss:.4g}. If y depends on X, "
            f"try {change}.",
            ConvergenceWarning,
            stacklevel=CALLER,
        )


def advice(estimator):
    """Return changes of parameters for a net that predicts hardly better than a constant."""
    distances = [layer.kernel for layer in estimator._network.layers if isinstance(layer, Distance)]
    rate, usual = estimator._first_rate(), estimator._usual_rate()
    median, changes = estimator.init_median_activation, []
    if estimator.alpha:
        changes.append(f"alpha=0 (now {estimator.alpha})")
    if rate < usual or (rate == usual and estimator.solver == "sgd"):
        changes.append(f"a larger 'learning_rate_init' (now {rate:.2g})")
    elif rate > usual and estimator.solver != "sgd":
        changes.append(f"a smaller 'learning_rate_init' (now {rate:.2g})")
    elif any(distances) and median is not None:
        changes.append(f"a smaller 'init_median_activation' (now {median})")
    if not estimator._network.sizes[1:-1]:
        changes.append("hidden layers")
    return changes or [f"a larger 'max_iter' (now {estimator.max_iter})"]
