"""Codec of regression targets: their units inside the network, and predictions."""

from dataclasses import asdict, dataclass
from math import ceil

import numpy as np
from sklearn.model_selection import train_test_split

from ..engine.input_scaling import VARIED
from ..engine.losses import REGRESSION_LOSSES, check_target, normalized_weights
from ..engine.training.batches import mean_weight
from .codec import Codec
from .scores import SCORES

#: Largest rounding error, in standard deviations of the target, at which predictions stay float32.
LARGEST_ROUNDING = 1e-4


def check_magnitude(y, dtype, when=""):
    """Raise a ValueError if numbers of `y` are too large for the dtype to compute with."""
    largest = np.abs(y).max()
    if not largest < np.finfo(dtype).max / 1e3:
        raise ValueError(
            f"'y' reaches {largest:.3g}{when}, which is too large for {np.dtype(dtype).name}: "
            "rescale it" + ("." if dtype == np.float64 else ", or set dtype='float64'.")
        )


@dataclass
class RegressionCodec(Codec):
    """Targets in the units and columns of a loss, and predictions in the units of `y`."""

    loss_name: str
    loss_settings: dict
    n_dims: int
    """Dimensions of `y`."""
    shift: np.ndarray
    scale: np.ndarray
    constant: np.ndarray
    """The value of each column in the first row."""
    n_varied: np.ndarray
    """Number of rows in which each column has had another value, up to `VARIED`."""

    @classmethod
    def for_targets(cls, y, weights, dtype, loss, statistics=None):
        """Return the codec for targets like `y`, perhaps a sample of what `statistics` are from."""
        columns = y.reshape(len(y), -1)
        varies, n_columns = (columns != columns[0]).any(axis=0), columns.shape[1]
        check_magnitude(y, dtype)
        if statistics is not None:
            check_magnitude(np.stack([statistics.low, statistics.high]), dtype)
            varies = statistics.low < statistics.high
        codec = cls(
            loss.name,
            asdict(loss),
            n_dims=y.ndim,
            shift=np.zeros(n_columns),
            scale=np.ones(n_columns),
            constant=columns[0].copy(),
            n_varied=np.where(varies, VARIED, 0),
        )
        codec._fit_units(columns, weights, dtype, np.arange(n_columns), statistics)
        return codec

    def state(self):
        return asdict(self)

    @property
    def loss(self):
        return REGRESSION_LOSSES[self.loss_name](**self.loss_settings)

    @property
    def out_activation(self):
        return self.loss.out_activation

    @property
    def predicts_levels(self):
        """Whether there is a column of predictions for each of several quantile levels."""
        return self.loss_name == "quantile" and np.ndim(self.loss_settings["quantile"]) > 0

    @property
    def n_columns(self):
        """Number of columns of the target."""
        return len(self.loss.quantile) if self.predicts_levels else self.shift.size

    def check_shape(self, y):
        """Raise a ValueError for a `y` of another shape."""
        if y.ndim != self.n_dims or y[:1].size != self.shift.size:
            raise ValueError(
                f"'y' must have as many dimensions ({self.n_dims}) and targets "
                f"({self.shift.size}) as before; got shape {y.shape}."
            )

    def check_same_loss(self, loss):
        """Raise a ValueError for another loss than that of the fit."""
        if loss != self.loss:
            raise ValueError(
                f"The loss, {loss.name!r} with {asdict(loss)}, differs from that of the fit to be "
                f"continued, {self.loss_name!r} with {self.loss_settings}: it must stay the same "
                "under warm_start and partial_fit."
            )

    def _fit_units(self, columns, weights, dtype, which, statistics=None):
        """Learn shift and scale of the columns `which` of the target."""
        weights = normalized_weights(weights, len(columns), np.float64)
        shift, scale = self.loss.units(columns[:, which], weights, statistics)
        # New arrays: the estimator's own must not change if the fit fails.
        self.shift, self.scale = self.shift.copy(), self.scale.copy()
        self.shift[which] = shift
        self.scale[which] = np.where(scale > np.finfo(dtype).tiny, scale, 1.0)

    def fit_encode(self, y, weights, dtype, more_to_come):
        """Learn the units of columns that have hardly varied before, and return the target."""
        self.check_shape(y)
        columns = y.reshape(len(y), -1)
        weights = np.ones(len(y)) if weights is None else weights
        for number in np.flatnonzero(self.n_varied < VARIED):
            varied = columns[:, number] != self.constant[number]
            if varied.any():
                # The value so far counts as a row: a single other row has no spread.
                sample = np.zeros((varied.sum() + 1, columns.shape[1]))
                sample[:-1], sample[-1] = columns[varied], self.constant
                own = weights[varied]
                self._fit_units(sample, np.append(own, mean_weight(own)), dtype, [number])
                self.n_varied = self.n_varied.copy()
                self.n_varied[number] += min(varied.sum(), VARIED)
        return self.encode(y, dtype)

    def encode(self, y, dtype):
        """Return the target: `y` in standardised units, repeated for each quantile level."""
        self.check_shape(y)
        with np.errstate(over="ignore"):
            target = (y.reshape(len(y), -1) - self.shift) / self.scale
        # Rows after the first call may lie far outside the range that the scale was learned from.
        check_magnitude(target, dtype, " once scaled as in the first call")
        target = target.astype(dtype)
        if self.predicts_levels:
            if y.ndim != 1:
                raise ValueError(
                    f"'y' must be 1-D where 'quantile' is a list of levels; got shape {y.shape}."
                )
            target = np.repeat(target, len(self.loss.quantile), axis=1)
        check_target(self.loss, target, target.shape[1])
        return target

    def initial_intercepts(self, target, weights):
        """Return the best constant prediction."""
        return self.loss.fit_intercept_only(target, weights)

    def split(self, target, fraction, seed):
        # A row is trained on, however large the fraction.
        size = min(ceil(fraction * len(target)), len(target) - 1)
        return train_test_split(np.arange(len(target)), test_size=size, random_state=seed)

    def decode(self, raw):
        with np.errstate(over="ignore"):
            prediction = self.loss.inverse_link(raw).astype(np.float64) * self.scale + self.shift
        prediction = np.where(self.n_varied > 0, prediction, self.constant)
        dtype = self.prediction_dtype(raw.dtype)
        # For inputs far off, a linear net may predict more than the dtype can hold.
        largest = np.finfo(dtype).max
        np.clip(prediction, -largest, largest, out=prediction)
        prediction = prediction.astype(dtype, copy=False)
        return prediction[:, 0] if self.n_dims == 1 and not self.predicts_levels else prediction

    def prediction_dtype(self, dtype):
        """Return the dtype of the network, or float64 if rounding would hide differences of y."""
        rounding = np.finfo(dtype).eps * np.abs(self.shift)
        exact = (self.n_varied > 0) & (rounding <= LARGEST_ROUNDING * self.scale)
        exact |= (self.n_varied == 0) & (self.constant == self.constant.astype(dtype))
        return dtype if exact.all() else np.dtype(np.float64)

    def score(self, y, prediction, weights):
        """Return R^2, or D^2 of the loss, of predictions for targets in the same units."""
        score = SCORES[self.loss_name]
        return float(score(y, prediction, weights, self.loss_settings.get("quantile")))

    def score_of(self, rows):
        if len(rows) < 2:  # neither R^2 nor D^2 is defined
            return lambda raw: float("nan")
        quantile = self.loss_settings.get("quantile")
        score_of_prediction = SCORES[self.loss_name].of_rows(rows.target, rows.weights, quantile)
        # Constants as `encode` gives them, so that their error is exactly zero.
        constants = ((self.constant - self.shift) / self.scale).astype(rows.target.dtype)

        def score(raw):
            prediction = self.loss.inverse_link(raw).astype(np.float64)
            return score_of_prediction(np.where(self.n_varied > 0, prediction, constants))

        return score

    def to_target_units(self, name, values):
        if self.predicts_levels:
            return
        varies = self.n_varied > 0
        if name == "coefs":
            values[-1] = values[-1] * np.where(varies, self.scale, 0.0)
        elif name == "intercepts":
            with np.errstate(divide="ignore"):
                constants = np.log(self.constant) if self.out_activation == "exp" else self.constant
            values[-1] = np.where(varies, values[-1] * self.scale + self.shift, constants)
