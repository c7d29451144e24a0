"""Losses as functions of the raw output of a network.

Shapes, for all of them: `raw` and `target` are (n_rows, n_outputs), `weights` is (n_rows,) and sums
to 1. A loss has

``value(raw, target, weights)``
    The weighted mean over rows, a float.
``value_and_gradient(raw, target, weights, out)``
    The same, with its gradient by `raw` written into `out`, which may not be `raw` itself.
``inverse_link(raw)``
    What is predicted: probabilities, or the mean of the target.
``in_y_true_range(target)``
    Whether the loss is defined for the target; `y_true_range` says in words where it is, and
    `name` is the name of the loss, both for messages (see `check_target`).
``dispersion(value, raw, target, weights)``
    A float that stands for the variance of the errors in `decay="prior"`, given the loss `value`;
    for most the value itself (see regularization.py).

`LOSSES` maps names to classes; calling one makes the loss. What can be set, such as a quantile's
level, is a dataclass field that has the name of the constructor's parameter, and a default.

``fit_intercept_only(target, weights)``
    The raw output (n_outputs,) of the best constant prediction; training of numbers begins there.

A loss for numbers has, moreover, `out_activation`, the name of its inverse link, and

``units(columns, weights)``
    Shift and scale of each column of a target in its own units: the loss is of
    ``(columns - shift) / scale``.

To add a loss, write such a class and list it here, in `REGRESSION_LOSSES` if it is for numbers.
`GroupedLogLoss` is not listed, because a name does not say what its groups are.
"""

from typing import Any

from .classification import GroupedLogLoss, LogLoss
from .quantile import Quantile
from .regression import AbsoluteError, Huber, Poisson, SquaredError
from .weighted_statistics import normalized_weights

__all__ = ["LOSSES", "REGRESSION_LOSSES", "GroupedLogLoss", "check_target", "normalized_weights"]

#: What a regressor may choose by name.
REGRESSION_LOSSES: dict[str, Any] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "poisson": Poisson,
    "quantile": Quantile,
}

LOSSES: dict[str, Any] = {"log_loss": LogLoss, **REGRESSION_LOSSES}


def check_target(loss, target, n_outputs):
    """Raise a ValueError unless `loss` is defined for a target of this shape and these values."""
    if target.ndim != 2 or target.shape[1] != n_outputs:
        raise ValueError(
            f"The target must have shape (n_rows, {n_outputs}), a column for each output; "
            f"got {target.shape}."
        )
    if not loss.in_y_true_range(target):
        raise ValueError(
            f"The target of {loss.name!r} must be {loss.y_true_range}; got shape {target.shape} "
            f"with numbers from {target.min()} to {target.max()}."
        )
