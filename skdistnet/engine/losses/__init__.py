"""Losses as functions of the raw output of a network.

A loss works on `raw` and `target` of shape (n_rows, n_outputs) and on `weights` of shape (n_rows,),
which sum to 1. It has

``value(raw, target, weights)``
    The weighted mean over rows, a float.
``value_and_gradient(raw, target, weights, out)``
    The same; writes its gradient with respect to `raw` into `out`, which must be another array.
``inverse_link(raw)``
    The prediction: probabilities, or the location of the target that the loss estimates.
``in_y_true_range(target)``
    Whether the loss is defined for the target. `name` and `y_true_range`, a few words on what the
    target must be, are for the message of `check_target`.
``fit_intercept_only(target, weights)``
    The raw output (n_outputs,) of the best constant prediction, where a linear output starts.
``typical_value(raw, target, weights)``
    The value or, for losses of bounded slope, the median, which a few outliers do not dominate.

A loss for regression also has `out_activation`, the name of its inverse link, and

``units(columns, weights, statistics=None)``
    Shift and scale of each column of y: the target is ``(columns - shift) / scale``. The columns
    may be a sample of the rows that the `ColumnStatistics` are from.

`LOSSES` maps names to classes. Settings, such as the level of a quantile, are dataclass fields with
a default and with the name of the constructor's parameter. To add a loss, write such a class and
list it here, in `REGRESSION_LOSSES` if it is for regression. `GroupedLogLoss` is not listed: a name
does not determine its groups.
"""

from typing import Any

from ..numerics.statistics import normalized_weights
from .classification import GroupedLogLoss, LogLoss
from .regression import AbsoluteError, Huber, Poisson, Quantile, SquaredError
from .steps import MeanOverSteps, is_counted

__all__ = [
    "LOSSES",
    "REGRESSION_LOSSES",
    "GroupedLogLoss",
    "MeanOverSteps",
    "check_target",
    "is_counted",
    "normalized_weights",
]

REGRESSION_LOSSES: dict[str, Any] = {
    loss.name: loss for loss in (SquaredError, AbsoluteError, Huber, Poisson, Quantile)
}
LOSSES: dict[str, Any] = {LogLoss.name: LogLoss, **REGRESSION_LOSSES}


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
