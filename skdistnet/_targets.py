"""What a regressor's targets are inside the network: the loss, its units, and the way back."""

from dataclasses import asdict, fields

import numpy as np
from scipy.sparse import issparse

from ._regression_scores import SCORES
from .engine.losses import REGRESSION_LOSSES, normalized_weights

__all__ = ["RegressionTargets", "check_dense"]


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
    `_target_ndim_`; and shift and scale of the targets, `_target_mean_` and `_target_scale_`.
    """

    loss: str
    _loss_settings_: tuple
    _target_ndim_: int
    _target_mean_: np.ndarray
    _target_scale_: np.ndarray

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

    def _to_target_units(self, raw):
        raw = self._make_loss().inverse_link(raw)
        scale, mean = self._target_scale_.astype(raw.dtype), self._target_mean_.astype(raw.dtype)
        with np.errstate(over="ignore"):
            prediction = raw * scale + mean
        # Inputs far off may lead a linear net beyond the largest number there is.
        largest = np.finfo(raw.dtype).max
        return np.clip(prediction, -largest, largest, out=prediction)

    def _to_output_units(self, name, values):
        if self._predicts_levels():
            return
        if name == "coefs":
            values[-1] = values[-1] * self._target_scale_
        elif name == "intercepts":
            values[-1] = values[-1] * self._target_scale_ + self._target_mean_

    def _check_target(self, y):
        check_dense(y)
        # In one order, as sums over another may differ in the last bit.
        return np.ascontiguousarray(y, dtype=np.float64)

    def _learn_target(self, y, weights, dtype, classes=None):
        check_reach(y, dtype)
        columns = y.reshape(len(y), -1)
        loss = self._chosen_loss()
        shift, scale = loss.units(columns, normalized_weights(weights, len(y), np.float64))
        self._loss_settings_ = (self.loss, asdict(loss))
        self._target_ndim_ = y.ndim
        self._target_mean_ = shift
        self._target_scale_ = np.where(scale > np.finfo(dtype).tiny, scale, 1.0)

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
        loss.check_target(target, target.shape[1])
        return target
