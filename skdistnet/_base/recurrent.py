"""The base of nets for sequences: their input, their network and its start."""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from ..engine.init.recurrent import STATE_INITIALIZERS, initialize_recurrent, set_readout
from ..engine.input_scaling import InputMap
from ..engine.layers import KERNELS
from ..engine.losses import is_counted, normalized_weights
from ..engine.recurrent_network import RecurrentNetwork
from ..engine.training.sequences import BatchedSequences
from . import start, training, trial
from .constraints import NETWORK_CONSTRAINTS, NONE, UNITS, Number, OneOf, Rule, is_sequence_of
from .estimator import BaseNet
from .sequences import check_sequences, check_targets, given_one_by_one
from .trained import narrow, read_only
from .validation import check_sample_weight

#: Steps of a window if `truncation` is "auto", for targets of each step.
USUAL_WINDOW = 64
#: Windows in a batch if `batch_size` is "auto".
USUAL_WINDOW_BATCH = 16
#: Sequences that the readout's features are standardised on, and steps that units start from.
START_SEQUENCES, START_STEPS = 500, 4_000
#: Leaking rates stay below 1, where their logit would be infinite.
LARGEST_RATE = 1 - 1e-6
#: With fewer targets of steps there is no trial on a few sequences.
FEWEST_TARGETS = 60
#: Parameters that only nets for tables have; all others have the same rules here.
NOT_SHARED = ("hidden_layer_sizes", "categorical_features", "linear_part", "dropout")
RATE = Number(0, 1, "(]")

RECURRENT_CONSTRAINTS: dict[str, list[Any]] = {
    **{name: rules for name, rules in NETWORK_CONSTRAINTS.items() if name not in NOT_SHARED},
    "n_units": [UNITS],
    "activation": [OneOf(KERNELS)],
    "init": [OneOf(("auto", *STATE_INITIALIZERS))],
    "init_median_activation": [Number(0, 1, "()")],
    "leaking_rate": [
        OneOf(("auto",)),
        RATE,
        Rule("a sequence of them (one for each unit)", partial(is_sequence_of, RATE)),
    ],
    "truncation": [OneOf(("auto",)), UNITS, NONE],
}


@lru_cache(maxsize=32)
def recurrent_network_for(sizes, activation, radius_type, dtype, by_step, trains_leaks):
    """Return the network of a fitted estimator's specification; networks keep no state."""
    dtype = np.dtype(dtype)
    return RecurrentNetwork(sizes, activation, radius_type, dtype, by_step, trains_leaks)


def unit_property(name, doc):
    """Return the property for one kind of parameter of the units, in the units of X."""
    return property(lambda self: self._unit_parameters(name), doc=doc)


class BaseRecurrentNet(BaseNet):
    """Base of both nets for sequences, which differ in their codec."""

    _parameter_constraints = RECURRENT_CONSTRAINTS
    _make_network = staticmethod(recurrent_network_for)
    _learning_rate_of_one_layer = 0.02
    _usual_batch, _rows_name = 50, "sequences"
    _by_step_: bool
    #: Settings of the shared steps that are no parameters here.
    dropout: ClassVar = 0.0
    linear_part: ClassVar = False

    # Public methods -------------------------------------------------------------------------------

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the network or, with `warm_start`, continue the previous fit.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences; a list has arrays of shape (n_timesteps, n_features), whose lengths may
            differ. NaN is a missing value.
        y : array-like of shape (n_sequences,) or (n_sequences, n_timesteps), or list of arrays
            A label or target for each sequence or for each step; for steps of sequences in a list,
            a list of arrays (n_timesteps,). A step whose target is NaN, or masked, is not trained
            on.
        sample_weight : array-like of shape (n_sequences,), default=None
            Non-negative weights of sequences; only their ratios matter.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation sequences, shaped as `X`, `y` and `sample_weight`. The net keeps the
            parameters of the epoch that is best on them, even without `early_stopping`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For a parameter out of its range or unsuitable data. The estimator is left unchanged.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def predict(self, X):
        """Return the most probable class, or the predicted target, of each sequence or step.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_timesteps)
            Labels of the dtype of ``classes_``, or numbers in the units of the `y` given to fit,
            with another axis for the levels where `quantile` is a list of them. With a target for
            each step a list of arrays if X is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._by_sequence(X, self._codec.decode(raw))

    def hidden_states(self, X):
        """Return the states of the units after each step.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_timesteps, n_units)
            After the end of a shorter sequence, its last state.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences that do not suit it.
        """
        X = self._check_rows(X)
        return self._network.states(self._theta_, self._input_map, X)

    # Data -----------------------------------------------------------------------------------------

    def _check_data(self, X, y, sample_weight, learn=False):
        passed, is_new = X, not self._is_started()
        X = check_sequences(self, X, reset=is_new and learn)
        lengths = [len(sequence) for sequence in passed] if given_one_by_one(passed) else None
        y = check_targets(y, X, lengths, self._check_target)
        by_step = isinstance(y, np.ma.MaskedArray)
        if is_new and learn:
            self._by_step_ = by_step
        elif by_step != self._by_step_:
            kinds = {True: "(n_sequences, n_timesteps)", False: "(n_sequences,)"}
            raise ValueError(
                f"'y' must have shape {kinds[self._by_step_]}, as before; got shape {y.shape}."
            )
        if learn:
            self._check_settings()
        return X, y, check_sample_weight(sample_weight, len(y))

    def _check_settings(self):
        """Raise a ValueError for parameters that do not suit the data."""
        rates, name = self.leaking_rate, type(self).__name__
        if isinstance(rates, list) and len(rates) != self.n_units:
            raise ValueError(
                f"The 'leaking_rate' parameter of {name} must have an entry for each of the "
                f"{self.n_units} units; got {len(rates)}."
            )
        if self._by_step_ and self.scoring != "loss":
            raise ValueError(
                f"The 'scoring' parameter of {name} must be 'loss' for a target for each step; "
                f"got {self.scoring!r}."
            )

    @property
    def _fewest_rows(self):
        return 1 if self._by_step_ else 2

    def _check_rows(self, X):
        """Return validated sequences for a fitted net."""
        check_is_fitted(self)
        return check_sequences(self, X)

    def _compared(self, X, y, sample_weight):
        """Return targets, predictions and weights of the sequences, or of the steps, to score."""
        check_is_fitted(self)
        X, y, weights = self._check_data(X, y, sample_weight)
        predicted = self._codec.decode(self._raw_output(X))
        if not self._by_step_:
            return y, predicted, weights
        weights = None if weights is None else weights.repeat(y.count(axis=1))
        return y.compressed(), predicted[~np.ma.getmaskarray(y)], weights

    def _by_sequence(self, X, values):
        """Return values of steps as a list without padding if X is given one by one."""
        if not (self._by_step_ and given_one_by_one(X)):
            return values
        return [own[: len(sequence)] for sequence, own in zip(X, values)]

    def _truncation(self):
        """Return the number of steps over which gradients flow back; None for all."""
        if self.truncation != "auto":
            return self.truncation
        return USUAL_WINDOW if self._by_step_ else None

    def _batched_rows(self):
        window_batch = USUAL_WINDOW_BATCH if self.batch_size == "auto" else self.batch_size
        options = {"truncation": self._truncation(), "window_batch": window_batch}
        return partial(BatchedSequences, **options)

    def _draw_trials(self, rows, validation, seed):
        """Return trials on parts of the sequences, or one on the first steps of a few."""
        is_auto = self.early_stopping == "auto" and not self._is_started()
        if is_auto and validation is None and self._by_step_ and len(rows) < trial.FEWEST_ROWS:
            enough = self._codec.n_targets(rows.target) >= FEWEST_TARGETS
            return [StepTrial(self.validation_fraction, self._codec)] if enough else []
        return trial.draw_trials(self, rows, validation, seed)

    # Start ----------------------------------------------------------------------------------------

    def _architecture(self, n_inputs, n_outputs):
        sizes = n_inputs, self.n_units, n_outputs
        return sizes, self.activation, self.radius_type

    def _initialize(self, rows, rng):
        n_steps, codec = rows.X.shape[1], self._codec
        architecture = self._architecture(rows.X.shape[2], codec.n_columns)
        trains_leaks = self.leaking_rate == "auto"
        dtype = rows.target.dtype.name
        self._specification_ = (*architecture, dtype, self._by_step_, trains_leaks)
        weights = normalized_weights(rows.weights, len(rows), np.float64)
        steps, step_weights = observed_steps(rows.X, weights)
        options = self.standardize, rows.target.dtype
        input_map = InputMap.fit(steps, step_weights, *options)
        start.set_input_map(self, input_map)
        network = self._network
        drawn = rng.permutation(len(steps))[:START_STEPS]
        H = np.empty((len(drawn), steps.shape[1]), network.dtype)
        input_map.apply(steps[drawn], H)
        theta = initialize_recurrent(
            network,
            np.nan_to_num(H),
            step_weights[drawn] / step_weights[drawn].sum(),
            init=self._chosen_init(),
            median_activation=self.init_median_activation,
            rates=self._initial_rates(min(n_steps, self._truncation() or n_steps), rng),
            rng=rng,
        )
        drawn = np.sort(rng.permutation(len(rows))[:START_SEQUENCES])
        sample = rows.X[drawn], weights[drawn] / weights[drawn].sum()
        intercepts = codec.initial_intercepts(rows.target, weights)
        set_readout(network, theta, input_map, *sample, intercepts, rng)
        self._theta_ = theta
        self.__dict__ = {"n_iter_": 0, "t_": 0, "loss_curve_": []} | vars(self)
        return start.fresh_state(self, theta, rng)

    def _chosen_init(self):
        """Return how units read the states at first."""
        if self.init != "auto":
            return self.init
        # A forecast needs the recent past of the series more than single events of long ago.
        return "integrator" if is_regressor(self) and self._by_step_ else "mixed"

    def _initial_rates(self, n_steps, rng):
        """Return leaking rates: those given, or time scales from one step up to `n_steps`."""
        if self.leaking_rate == "auto":
            shares = (np.arange(self.n_units) + 0.5) / self.n_units
            rates = rng.permutation(float(n_steps) ** -shares)
        else:
            rates = np.broadcast_to(np.asarray(self.leaking_rate, dtype=np.float64), self.n_units)
        return np.minimum(rates, LARGEST_RATE)

    def _check_same_network(self):
        """Raise a ValueError if parameters or data ask for another network than the fit's."""
        sizes, *before = self._specification_
        trains_leaks = self.leaking_rate == "auto"
        dtype = self.dtype or self._network.dtype.name
        requested = *self._architecture(sizes[0], sizes[-1]), dtype, self._by_step_, trains_leaks
        if requested != (sizes, *before):
            raise ValueError(
                "The fit to be continued has (sizes, activation, radius_type, dtype, target for "
                f"each step, trained leaking rates) = {(sizes, *before)}, which must stay the same "
                f"under warm_start; got {requested}."
            )
        self._check_same_target()

    # Fitted parameters ----------------------------------------------------------------------------

    def _unit_parameters(self, name):
        """Return parameters of the units; those of the inputs in the units of X."""
        check_is_fitted(self)
        values = np.array(self._network.views(self._theta_)[0][name])
        with np.errstate(over="ignore"):
            if name == "centroids":
                values = self._input_map.unscale_points(values)
            elif name == "inverse_radii":
                values = np.abs(self._input_map.unscale_inverse_radii(values))
            elif name == "state_inverse_radii":
                values = np.abs(values)
        return read_only(narrow(values, self._network.dtype))

    centroids_ = unit_property("centroids", "Centroids of the units among inputs.")
    inverse_radii_ = unit_property("inverse_radii", "Inverse radii of the inputs.")
    state_centroids_ = unit_property("state_centroids", "Centroids of the units among states.")
    state_inverse_radii_ = unit_property("state_inverse_radii", "Inverse radii of the states.")
    initial_state_ = unit_property("initial_state", "The state before the first step.")

    @property
    def leaking_rates_(self):
        """Leaking rate of each unit."""
        return read_only(expit(self._unit_parameters("leak_logits")))

    @property
    def n_outputs_(self):
        """Number of outputs of the network."""
        check_is_fitted(self)
        return self._network.sizes[-1]

    @property
    def out_activation_(self):
        """Name of the function from raw output to prediction."""
        check_is_fitted(self)
        return self._codec.out_activation

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags


def observed_steps(X, weights):
    """Return the steps of sequences that have a value, and weights for them that sum to 1."""
    is_observed = ~np.isnan(X).all(axis=2)
    weights = np.repeat(weights, is_observed.sum(axis=1))
    return X[is_observed], weights / weights.sum()


@dataclass(frozen=True)
class StepTrial:
    """A trial that trains on the first targets of each sequence and holds the last ones out."""

    fraction: float
    codec: Any

    def take(self, rows, y, validation):
        """Return sequences to train on and those to validate on."""
        counted = is_counted(rows.target, self.codec.n_columns)
        n_counted = counted.sum(axis=1, keepdims=True)
        number = counted.cumsum(axis=1)
        n_first = np.minimum(np.round((1 - self.fraction) * n_counted), n_counted - 1)
        is_first = number <= np.maximum(1, n_first)
        trained, held_out = (self._with_targets(rows, counted & m) for m in (is_first, ~is_first))
        n_steps = 1 + np.flatnonzero((counted & is_first).any(axis=0))[-1]
        width = n_steps * self.codec.n_columns
        trained = replace(trained, X=trained.X[:, :n_steps], target=trained.target[:, :width])
        return trained, training.ValidationRows(**vars(held_out))

    def _with_targets(self, rows, counted):
        """Return the rows with the targets of some steps only, weighted by their number."""
        columns = np.repeat(counted, self.codec.n_columns, axis=1)
        n_before = is_counted(rows.target, self.codec.n_columns).sum(axis=1)
        weights = np.ones(len(rows)) if rows.weights is None else rows.weights
        weights = weights / n_before * counted.sum(axis=1)
        target = np.where(columns, rows.target, rows.target.dtype.type(np.nan))
        return replace(rows, target=target, weights=weights).take(weights > 0)
