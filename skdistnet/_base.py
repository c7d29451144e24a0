"""What classifier and regressor share: from constructor to engine, fit, partial_fit."""

from abc import ABCMeta, abstractmethod
from dataclasses import fields, replace

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ._clustering import kmeans_labels
from ._fitted import FittedNetwork
from ._reporting import epoch_printer, warn_if_cut_short, warn_if_still_falling
from ._validation import check_parameters, check_sample_weight, is_plain
from .engine import LOSSES, SOLVERS, memory
from .engine.initializers import draw_start_rows, initialize
from .engine.inputs import InputMap
from .engine.layers import Distance
from .engine.losses import normalized_weights
from .engine.threads import blas_threads
from .engine.training import Plan, Rows, Run, train

__all__ = ["BaseDistanceNet"]

DTYPES = [np.float64, np.float32]


class BaseDistanceNet(FittedNetwork, BaseEstimator, metaclass=ABCMeta):
    """Fit and partial_fit of distance nets; a subclass says what targets mean.

    Everything is learned by a copy of the estimator, the draft, and taken over at the end, so that
    a call that fails leaves the estimator as it was.
    """

    # What a subclass says -------------------------------------------------------------------------

    _loss: str
    _rate: float

    @abstractmethod
    def _check_target(self, y):
        """The validated `y` in the shape that the other methods take, whatever its values."""

    @abstractmethod
    def _learn_target(self, y, weights, dtype, classes=None):
        """Set the fitted attributes that describe `y`."""

    @abstractmethod
    def _encode_target(self, y, dtype):
        """The target of the network, (n_rows, n_outputs), for a `y` of the kind learned."""

    @abstractmethod
    def _split(self, target, seed):
        """Indices of training and of validation rows."""

    @abstractmethod
    def _score_of(self, rows):
        """A function of the raw output on `rows` that the validation scores record."""

    def _output_layer(self):
        return "linear"

    def _soften(self, target):
        """What is trained towards, given the target."""
        return target

    # Fit ------------------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight):
        check_parameters(self)
        draft = self._draft(keep=self.warm_start)
        X, y, weights = draft._check_data(X, y, sample_weight, min_rows=2)
        rng, seed = draft._make_rng()
        goes_on = draft._is_started()
        target = draft._prepare_target(X, y, weights)
        rows, validation = draft._training_rows(X, target, weights, seed)
        run = draft._continue(rng) if goes_on else draft._start(rows, rng)
        outcome = draft._train(rows, validation, run, self.max_iter, self.learning_rate)
        draft._keep_progress(run if self.warm_start else None)
        warn_if_cut_short(draft, outcome)
        warn_if_still_falling(draft, outcome)
        return self._take_over(draft)

    def _partial_fit(self, X, y, sample_weight, classes=None):
        check_parameters(self)
        if self.early_stopping:
            raise ValueError(
                f"partial_fit of {type(self).__name__} does not support early_stopping=True: "
                "it is given no validation data."
            )
        draft = self._draft(keep=True)
        X, y, weights = draft._check_data(X, y, sample_weight, min_rows=1)
        rng, _ = draft._make_rng()
        goes_on = draft._is_started()
        target = draft._prepare_target(X, y, weights, classes)
        rows = Rows(X, target, weights)
        run = draft._continue(rng) if goes_on else draft._start(rows, rng)
        # There is no last step to plan a cosine for, nor a loss on the same data to adapt to.
        counted = self.learning_rate in ("invscaling", "inverse_time")
        schedule = self.learning_rate if counted else "constant"
        outcome = draft._train(rows, None, run, 1, schedule)
        draft._keep_progress(run)
        warn_if_cut_short(draft, outcome)
        return self._take_over(draft)

    def _make_rng(self):
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        return np.random.default_rng(seed), seed

    def _draft(self, keep):
        """A copy to work on; without what earlier fits learned unless `keep` is set."""
        draft = object.__new__(type(self))
        learned = [] if keep else [name for name in vars(self) if name.endswith("_")]
        draft.__dict__.update(
            {name: value for name, value in vars(self).items() if name not in learned}
        )
        return draft

    def _take_over(self, draft):
        self.__dict__ = draft.__dict__
        return self

    def _is_started(self):
        return "_theta_" in vars(self)

    # Data -----------------------------------------------------------------------------------------

    def _check_data(self, X, y, sample_weight, min_rows):
        """Validated X, y and weights, without the rows of weight zero."""
        X, y = validate_data(
            self,
            X,
            y,
            reset=not self._is_started(),
            dtype=DTYPES,
            multi_output=True,
            y_numeric=self._loss == "squared_error",
        )
        y = self._check_target(y)
        weights = check_sample_weight(sample_weight, len(X))
        if weights is not None and not weights.all():
            kept = weights > 0
            X, y, weights = X[kept], y[kept], weights[kept]
        if len(X) < min_rows:
            raise ValueError(
                f"{type(self).__name__} needs at least {min_rows} rows, of positive weight, to "
                f"fit; got n_samples = {len(X)}."
            )
        return X, y, weights

    def _prepare_target(self, X, y, weights, classes=None):
        """Learn what `y` means, unless an earlier fit has, and encode it for the network."""
        if self._is_started():
            self._check_same_network(X.shape[1])
        else:
            dtype = np.dtype(self.dtype or X.dtype)
            self._learn_target(y, weights, dtype, classes)
            return self._encode_target(y, dtype)
        return self._encode_target(y, self._network.dtype)

    def _training_rows(self, X, target, weights, seed):
        """Rows to train on and, under early stopping, rows to validate on."""
        if not self.early_stopping:
            return Rows(X, target, weights), None
        parts = self._split(target, seed)
        return tuple(
            Rows(X[part], target[part], None if weights is None else weights[part])
            for part in parts
        )

    def _predict_raw(self, X):
        check_is_fitted(self)
        # Full validation takes longer than to answer a row.
        if hasattr(self, "feature_names_in_") or not is_plain(X, self.n_features_in_, DTYPES):
            X = validate_data(self, X, reset=False, dtype=DTYPES)
        return self._raw_output(X)

    # Start and continue ---------------------------------------------------------------------------

    def _architecture(self, n_inputs, n_outputs):
        hidden = tuple(int(size) for size in np.atleast_1d(self.hidden_layer_sizes))
        names = (self.activation,) * len(hidden)
        if not isinstance(self.activation, str):
            names = tuple(self.activation)
        return (n_inputs, *hidden, n_outputs), names, self._output_layer(), self.radius_type

    def _check_same_network(self, n_inputs):
        if self._architecture(n_inputs, self.n_outputs_) != self._specification_[:4]:
            raise ValueError(
                "The layers differ from those of the fit to be continued, "
                f"{self._specification_[:4]}: they must stay the same under warm_start and "
                "partial_fit."
            )

    def _start(self, rows, rng):
        """Start a network for `rows`; sets what describes it and returns the run to train."""
        target, dtype = rows.target, rows.target.dtype
        self._specification_ = (
            *self._architecture(rows.X.shape[1], target.shape[1]),
            dtype.name,
        )
        with blas_threads(self._network, self._plan(len(rows), 1, "constant").batch_size):
            self._theta_ = self._start_parameters(rows, rng)
        self.n_iter_ = self.t_ = 0
        self.loss_curve_ = []
        if self.early_stopping:
            self.validation_loss_curve_, self.validation_scores_ = [], []
        return Run(self._theta_, self._make_solver().init(self._theta_), rng)

    def _start_parameters(self, rows, rng):
        """Learn the map of the inputs and start the network's parameters in its units."""
        target, dtype = rows.target, rows.target.dtype
        all_weights = normalized_weights(rows.weights, len(rows), np.float64)
        input_map = InputMap.fit(rows.X, all_weights, self.standardize, dtype)
        self._input_shift_, self._input_scale_ = input_map.shift, input_map.scale
        self._input_origin_ = input_map.origin
        drawn = draw_start_rows(target, rng)
        H = np.empty((len(drawn), rows.X.shape[1]), dtype=dtype)
        input_map.apply(rows.X[drawn], H)
        return initialize(
            self._network,
            H,
            target[drawn],
            all_weights[drawn] / all_weights[drawn].sum(),
            init=self._init_in_network_units(input_map),
            median_activation=self.init_median_activation,
            origin=input_map.origin.astype(dtype),
            rng=rng,
            kmeans=kmeans_labels,
        )

    def _init_in_network_units(self, input_map):
        if isinstance(self.init, str) or callable(self.init):
            return self.init
        centroids = np.asarray(self.init, dtype=np.float64)
        sizes, first_layer = self._network.sizes, self._network.layers[0]
        if not isinstance(first_layer, Distance) or len(sizes) < 3:
            raise ValueError(
                f"The 'init' parameter of {type(self).__name__}, as an array, places the units of "
                f"a hidden distance layer that comes first; got layers of {sizes} units with "
                f"activation {self.activation!r}."
            )
        if centroids.shape != (sizes[1], sizes[0]) or not np.all(np.isfinite(centroids)):
            raise ValueError(
                f"The 'init' parameter of {type(self).__name__}, as an array, must be finite with "
                f"shape (units of the first layer, features) = {(sizes[1], sizes[0])}; "
                f"got shape {centroids.shape}."
            )
        return (centroids - input_map.shift) / input_map.scale

    def _continue(self, rng):
        """The run that an earlier fit left, in copies, so that a failure changes nothing."""
        theta = memory.copy(self._theta_)
        state = self._make_solver().init(theta)
        if "_progress_" not in vars(self):
            return Run(theta, state, rng)
        progress = self._progress_
        rng.bit_generator.state = progress["rng_state"]
        if progress["solver"] == self.solver:
            state = {
                name: memory.copy(value) if isinstance(value, np.ndarray) else value
                for name, value in progress["solver_state"].items()
            }
        return Run(
            theta, state, rng, progress["n_steps"], progress["rate_factor"], progress["start"]
        )

    def _keep_progress(self, run):
        """Store what continuing needs, or nothing, so that a saved model stays small."""
        if run is None:
            self.__dict__.pop("_progress_", None)
        else:
            self._progress_ = {
                "solver": self.solver,
                "solver_state": run.solver_state,
                "rng_state": run.rng.bit_generator.state,
                "n_steps": run.n_steps,
                "rate_factor": run.rate_factor,
                "start": run.start,
            }

    # Training -------------------------------------------------------------------------------------

    def _make_solver(self):
        cls = SOLVERS[self.solver]
        return cls(**{field.name: getattr(self, field.name) for field in fields(cls)})

    def _first_rate(self):
        if self.learning_rate_init != "auto":
            return self.learning_rate_init
        # The steps of all layers add up.
        return self._rate / max(1, np.size(self.hidden_layer_sizes)) ** 0.5

    def _plan(self, n_rows, max_iter, schedule):
        batch_size = min(200, n_rows) if self.batch_size == "auto" else self.batch_size
        return Plan(
            loss=LOSSES[self._loss],
            solver=self._make_solver(),
            schedule=schedule,
            rate=self._first_rate(),
            batch_size=min(batch_size, n_rows),
            max_epochs=max_iter,
            alpha=self.alpha,
            decay=self.decay,
            dropout=self.dropout,
            power_t=self.power_t,
            decay_rate=self.decay_rate,
            shuffle=self.shuffle,
            tol=self.tol,
            patience=self.n_iter_no_change,
        )

    def _train(self, rows, validation, run, max_iter, schedule):
        """Train `run` and set the fitted attributes that tell how it went."""
        outcome = train(
            self._network,
            self._input_map,
            replace(rows, target=self._soften(rows.target)),
            self._plan(len(rows), max_iter, schedule),
            run,
            validation=validation,
            score=validation and self._score_of(validation),
            report=epoch_printer(max_iter) if self.verbose else None,
        )
        self._theta_ = run.theta = outcome.theta
        self.n_iter_ += len(outcome.loss_curve)
        self.t_ += len(outcome.loss_curve) * len(rows)
        self.loss_curve_ = self.loss_curve_ + outcome.loss_curve
        # A training may end before its first epoch does.
        known = self.loss_curve_ or [float("nan")]
        self.loss_, self.best_loss_ = known[-1], min(known)
        if validation is not None:
            for name in ("validation_loss_curve", "validation_scores"):
                setattr(self, f"{name}_", getattr(self, f"{name}_", []) + getattr(outcome, name))
            if outcome.best_epoch:
                best = outcome.validation_scores[outcome.best_epoch - 1]
                self.best_validation_score_ = best
        return outcome
