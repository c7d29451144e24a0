"""What a regressor's targets are inside the network: the loss, its units, and the way back."""

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..engine.input_scaling import VARIED
from ..engine.losses import REGRESSION_LOSSES, check_target, normalized_weights
from ..engine.network import Network
from ..engine.training.batches import mean_weight
from .regression_scores import SCORES

__all__ = ["RegressionTargets", "check_dense"]

#: Largest rounding error, in spreads of the target, at which predictions stay float32.
ROUNDING = 1e-4


def check_dense(y):
    """Raise a TypeError, as scikit-learn does, for a sparse `y`."""
    if issparse(y):
        raise TypeError("'y' must be dense; got sparse data: pass y.toarray().")


def check_reach(y, dtype, when=""):
    """Raise a ValueError where numbers of `y` leave the dtype no room to compute with them."""
    largest = np.abs(y).max()
    if not largest < np.finfo(dtype).max / 1e3:
        raise ValueError(
            f"'y' reaches {largest:.3g}{when}, which is too large for {np.dtype(dtype).name}: "
            "rescale it" + ("." if dtype == np.float64 else ", or set dtype='float64'.")
        )


class RegressionTargets:
    """Mixin: targets into the units and the columns of the chosen loss, and predictions back.

    What is stored is plain: `_loss_settings_`, the name of the loss and its parameters;
    `_target_ndim_`; shift and scale of the targets, `_target_mean_` and `_target_scale_`; the
    value of each column in the first row, `_target_constant_`; and the number of rows in which it
    has had another, `_target_varied_`, up to `VARIED`.
    """

    loss: str
    _loss_settings_: tuple
    _target_ndim_: int
    _target_mean_: np.ndarray
    _target_scale_: np.ndarray
    _target_constant_: Any = np.float64("nan")
    _target_varied_: Any = np.int64(VARIED)  # of nets that an older version saved, too
    _network: Network
    _is_started: Callable[[], bool]

    def _chosen_loss(self):
        """The loss that the constructor's parameters choose."""
        kind = REGRESSION_LOSSES[self.loss]
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})

    def _make_loss(self):
        """The loss of the fit, whatever the parameters have been set to since."""
        name, settings = self._loss_settings_
        return REGRESSION_LOSSES[name](**settings)

    def _check_same_loss(self):
        """Raise a ValueError where the fit to be continued has another loss."""
        loss = self._chosen_loss()
        if loss != self._make_loss():
            raise ValueError(
                f"The loss, {self.loss!r} with {asdict(loss)}, differs from that of the fit to be "
                f"continued, {self._loss_settings_[0]!r} with {self._loss_settings_[1]}: it must "
                "stay the same under warm_start and partial_fit."
            )

    def _predicts_levels(self):
        name, settings = self._loss_settings_
        return name == "quantile" and np.ndim(settings["quantile"]) > 0

    def _score(self, y, prediction, weights):
        name, settings = self._loss_settings_
        return float(SCORES[name](y, prediction, weights, settings.get("quantile")))

    def _inverse_link(self, raw):
        """Predictions in the units of the network, in float64."""
        prediction = self._make_loss().inverse_link(raw).astype(np.float64)
        # Encode constants as `_encode_target` does, so that their error is exactly zero.
        constants = (self._target_constant_ - self._target_mean_) / self._target_scale_
        return self._with_constants(prediction, constants.astype(raw.dtype))

    def _with_constants(self, prediction, constants):
        """The prediction, but `constants` where a column of the target has not varied."""
        known = self._target_varied_ == 0
        return np.where(known, constants, prediction) if known.any() else prediction

    def _to_target_units(self, raw):
        """Predictions in the units of y, computed in float64."""
        with np.errstate(over="ignore"):
            prediction = self._inverse_link(raw) * self._target_scale_ + self._target_mean_
        prediction = self._with_constants(prediction, self._target_constant_)
        dtype = self._prediction_dtype(raw.dtype)
        # Inputs far off may lead a linear net beyond the largest number there is.
        largest = np.finfo(dtype).max
        return np.clip(prediction, -largest, largest, out=prediction).astype(dtype, copy=False)

    def _prediction_dtype(self, dtype):
        """Return the dtype of the network, or float64 if rounding would hide differences of y."""
        rounding = np.finfo(dtype).eps * np.abs(self._target_mean_)
        exact = (self._target_varied_ > 0) & (rounding <= ROUNDING * self._target_scale_)
        constants = self._target_constant_
        exact |= (self._target_varied_ == 0) & (constants == constants.astype(dtype))
        return dtype if exact.all() else np.dtype(np.float64)

    def _to_output_units(self, name, values):
        if self._predicts_levels():
            return
        varies = self._target_varied_ > 0
        if name == "coefs":
            values[-1] = values[-1] * np.where(varies, self._target_scale_, 0.0)
        elif name == "intercepts":
            values[-1] = values[-1] * self._target_scale_ + self._target_mean_
            values[-1] = np.where(varies, values[-1], self._raw_constants())

    def _raw_constants(self):
        """Return the raw output for the columns that have not varied."""
        if self._make_loss().out_activation != "exp":
            return self._target_constant_
        with np.errstate(divide="ignore"):
            return np.log(self._target_constant_)

    def _check_target(self, y):
        check_dense(y)
        # In one order, as sums over another may differ in the last bit.
        return np.ascontiguousarray(y, dtype=np.float64)

    def _learn_target(self, y, weights, dtype, classes):
        check_reach(y, dtype)
        loss = self._chosen_loss()
        self._loss_settings_ = (self.loss, asdict(loss))
        self._target_ndim_ = y.ndim
        columns = y.reshape(len(y), -1)
        self._target_mean_ = np.zeros(columns.shape[1])
        self._target_scale_ = np.ones(columns.shape[1])
        self._target_constant_ = columns[0].copy()
        n_varied = (columns != columns[0]).sum(axis=0)
        self._target_varied_ = np.where(n_varied, VARIED, 0)
        self._learn_units(columns, weights, dtype, np.arange(columns.shape[1]))

    def _extend_target(self, y, weights, dtype):
        if y.ndim != self._target_ndim_ or y[:1].size != self._target_mean_.size:
            return  # which encoding refuses
        columns = y.reshape(len(y), -1)
        weights = np.ones(len(y)) if weights is None else weights
        for number in np.flatnonzero(self._target_varied_ < VARIED):
            varied = columns[:, number] != self._target_constant_[number]
            if varied.any():
                # The value so far counts as a row: a single other row has no spread.
                sample = np.zeros((varied.sum() + 1, columns.shape[1]))
                sample[:-1], sample[-1] = columns[varied], self._target_constant_
                own = weights[varied]
                self._learn_units(sample, np.append(own, mean_weight(own)), dtype, [number])
                self._target_varied_ = self._target_varied_.copy()
                self._target_varied_[number] += min(varied.sum(), VARIED)

    def _learn_units(self, columns, weights, dtype, which):
        """Learn shift and scale of the columns `which` of the target."""
        weights = normalized_weights(weights, len(columns), np.float64)
        shift, scale = self._make_loss().units(columns[:, which], weights)
        mean, scales = self._target_mean_.copy(), self._target_scale_.copy()
        mean[which] = shift
        scales[which] = np.where(scale > np.finfo(dtype).tiny, scale, 1.0)
        self._target_mean_, self._target_scale_ = mean, scales

    def _encode_target(self, y, dtype):
        if y.ndim != self._target_ndim_ or y[:1].size != self._target_mean_.size:
            raise ValueError(
                f"'y' must have as many dimensions ({self._target_ndim_}) and targets "
                f"({self._target_mean_.size}) as before; got shape {y.shape}."
            )
        loss = self._make_loss()
        columns = y.reshape(len(y), -1)
        with np.errstate(over="ignore"):
            target = (columns - self._target_mean_) / self._target_scale_
        # What follows the fit may reach farther than what it was scaled by.
        check_reach(target, dtype, " once scaled as in the first call")
        target = target.astype(dtype)
        if self._predicts_levels():
            if y.ndim != 1:
                raise ValueError(
                    f"'y' must be 1-D where 'quantile' is a list of levels; got shape {y.shape}."
                )
            target = np.repeat(target, len(loss.quantile), axis=1)
        check_target(loss, target, target.shape[1])
        return target
