"""From rows to a trained network: how a draft starts, continues and is trained."""

from abc import ABCMeta, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..engine import LOSSES, SCHEDULES, SOLVERS
from ..engine.init.initializers import draw_start_rows, initialize
from ..engine.input_scaling import InputMap
from ..engine.layers import Distance
from ..engine.losses import normalized_weights
from ..engine.numerics import memory
from ..engine.numerics.statistics import column_range
from ..engine.numerics.threads import blas_threads
from ..engine.training.config import Rows, TrainingConfig, TrainingState
from ..engine.training.loop import train
from .clustering import kmeans_labels
from .fitted import LEARNED, FittedNetwork
from .messages import epoch_printer
from .parameters import plain
from .saving import Saveable
from .scoring import check_scorer
from .stream import step_length

__all__ = ["TrainableNetwork", "Validation"]

#: A net predicts hardly better than a constant below this share of the possible loss decrease.
LITTLE = 0.05
#: Below this possible loss decrease there is nothing to learn: nearly all weight is on one class.
TINY = 1e-3


@dataclass(frozen=True)
class Validation(Rows):
    """Rows to validate on, with `y` as a scorer takes it."""

    y: Any = None


class TrainableNetwork(Saveable, FittedNetwork, BaseEstimator, metaclass=ABCMeta):
    """From rows in input units to fitted attributes, by the constructor's parameters.

    A subclass says which loss is trained, at which rate, and what its target means.
    """

    _loss: str
    _rate: float
    _score_name: str
    loss_curve_: list

    def _output_layer(self):
        return "linear"

    def _make_loss(self):
        """The loss to train with."""
        return LOSSES[self._loss]()

    def _groups_with_absent_classes(self):
        """The columns of each softmax if no rows are expected of some classes, else nothing."""
        return []

    def _soften(self, target):
        """What is trained towards, given the target."""
        return target

    @abstractmethod
    def _score_of(self, rows):
        """A function of the raw output on `rows` that the validation scores record."""

    # The draft ------------------------------------------------------------------------------------

    def _draft(self, keep):
        """A copy to work on, its parameters in Python's own types.

        Without what earlier fits learned unless `keep` is set.
        """
        draft = object.__new__(type(self))
        draft.__dict__.update(
            {
                name: plain(value) if name in self._own_defaults else value
                for name, value in vars(self).items()
                if keep or name not in LEARNED
            }
        )
        return draft

    def _is_started(self):
        return "_theta_" in vars(self)

    def __sklearn_is_fitted__(self):
        return self._is_started()

    def _start_depends_on_data(self):
        """Whether the start depends on the rows."""
        by_name = isinstance(self.init, str) and self.init == "uniform"
        return not by_name or self.standardize or self.init_median_activation is not None

    # Start and continue ---------------------------------------------------------------------------

    def _chosen_layers(self):
        """Sizes and activations of hidden layers, and output layer, as parameters set them."""
        sizes, names = plain(self.hidden_layer_sizes), plain(self.activation)
        sizes = tuple(sizes) if isinstance(sizes, list) else (sizes,)
        names = tuple(names) if isinstance(names, list) else (names,) * len(sizes)
        return sizes, names, self._output_layer()

    def _layers(self):
        """Sizes, activations and output layer: of the fit, or before it as parameters set them."""
        if not self._is_started():
            return self._chosen_layers()
        (_, *sizes, _), names, output_layer, *_ = self._specification_
        return tuple(sizes), names, output_layer

    def _architecture(self, n_inputs, n_outputs):
        sizes, names, output_layer = self._chosen_layers()
        return (n_inputs, *sizes, n_outputs), names, output_layer, self.radius_type

    def _check_same_network(self, n_inputs):
        if self._architecture(n_inputs, self.n_outputs_) != self._specification_[:4]:
            raise ValueError(
                "The layers differ from those of the fit to be continued, "
                f"{self._specification_[:4]}: they must stay the same under warm_start and "
                "partial_fit."
            )
        if self.dtype is not None and self._network.dtype != self.dtype:
            raise ValueError(
                f"The fit to be continued computes in {self._network.dtype}, which must stay the "
                f"same under warm_start and partial_fit; got dtype={self.dtype!r}."
            )

    def _start(self, rows, rng):
        """Start a network for `rows`; sets what describes it and returns the run to train."""
        target, dtype = rows.target, rows.target.dtype
        self._specification_ = (
            *self._architecture(rows.X.shape[1], target.shape[1]),
            dtype.name,
        )
        with blas_threads(self._network, self._config(len(rows), 1).batch_size):
            self._theta_ = self._start_parameters(rows, rng)
        self.n_iter_, self.t_ = getattr(self, "n_iter_", 0), getattr(self, "t_", 0)
        self.loss_curve_: list = getattr(self, "loss_curve_", [])
        return TrainingState(self._theta_, self._make_solver().init(self._theta_), rng)

    def _start_parameters(self, rows, rng):
        """Learn the map of the inputs and start the network's parameters in its units."""
        target, dtype = rows.target, rows.target.dtype
        all_weights = normalized_weights(rows.weights, len(rows), np.float64)
        input_map = InputMap.fit(rows.X, all_weights, self.standardize, dtype)
        self._set_input_map(input_map)
        drawn = draw_start_rows(self._network, target, rng)
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
            groups=self._groups_with_absent_classes(),
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
        return input_map.place(centroids)

    def _continue(self, rows, rng):
        """The run that an earlier fit left, in copies, so that a failure changes nothing."""
        theta = memory.copy(self._theta_)
        run = TrainingState(theta, self._make_solver().init(theta), rng)
        if "_progress_" in vars(self):
            progress = dict(self._progress_)
            if progress["solver"] != self.solver:
                progress["solver_state"] = run.solver_state
            run.restore(progress)
            usual = self.solver, self._first_rate()
            if (progress["solver"], progress.get("rate", usual[1])) != usual:
                run.rate_factor = 1.0  # the halvings were for another rate
        self._scale_new_columns(rows, run)
        return run

    def _scale_new_columns(self, rows, run):
        """Learn the scale of columns that have hardly varied before."""
        before, first = self._input_map, self._network.layers[0]
        input_map, columns = before.extended(rows.X)
        if input_map is before:
            return
        self._set_input_map(input_map)
        known = np.flatnonzero(before.n_varied)
        if isinstance(first, Distance) and first.radii_shape[1] > 1 and known.size:
            if run.initial_theta is not None:
                run.initial_theta = run.initial_theta.copy()
            for theta in (run.theta, run.initial_theta):
                if theta is not None:
                    radii = self._network.views(theta)[0]["inverse_radii"]
                    radii[:, columns] = np.median(np.abs(radii[:, known]), axis=1, keepdims=True)

    def _set_input_map(self, input_map):
        self._input_shift_, self._input_scale_ = input_map.shift, input_map.scale
        self._input_origin_, self._input_varied_ = input_map.origin, input_map.n_varied

    def _keep_progress(self, run):
        """Store what continuing needs, or nothing, so that a saved model stays small."""
        if run is None:
            self.__dict__.pop("_progress_", None)
        else:
            self._progress_ = {"solver": self.solver, "rate": self._first_rate(), **run.to_dict()}

    # Training -------------------------------------------------------------------------------------

    def _make_solver(self):
        cls = SOLVERS[self.solver]
        return cls(**{field.name: getattr(self, field.name) for field in fields(cls)})

    def _make_schedule(self):
        if callable(self.learning_rate):
            return self.learning_rate
        cls = SCHEDULES[self.learning_rate]
        return cls(**{field.name: getattr(self, field.name) for field in fields(cls)})

    def _first_rate(self):
        if self.learning_rate_init != "auto":
            return self.learning_rate_init
        return self._usual_rate()

    def _usual_rate(self):
        """The rate that "auto" stands for."""
        # The steps of all layers add up.
        return self._rate / max(1, len(self._network.layers) - 1) ** 0.5

    def _most_rows(self):
        """Return the largest number of rows in a batch."""
        return 200 if self.batch_size == "auto" else self.batch_size

    def _config(self, n_rows, max_iter):
        return TrainingConfig(
            loss=self._make_loss(),
            solver=self._make_solver(),
            schedule=self._make_schedule(),
            learning_rate_init=self._first_rate(),
            batch_size=min(self._most_rows(), n_rows),
            max_iter=max_iter,
            alpha=self.alpha,
            penalty=self.decay,
            dropout=self.dropout,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            maximize_score=self.scoring != "loss",
        )

    def _train_copy(self, rows, validation, seed, task, checkpoint):
        """Train a copy of this draft, from a start or on from where it is, as fit does."""
        draft, rng = self._draft(keep=True), np.random.default_rng(seed)
        run = draft._continue(rows, rng) if draft._is_started() else draft._start(rows, rng)
        config = draft._config(len(rows), self.max_iter)
        outcome = draft._train(rows, validation, run, config, task, checkpoint)
        draft._record(outcome, len(rows), validation)
        draft._keep_progress(run if self.warm_start else None)
        return draft, outcome

    def _train_block(self, rows, validation, run, stream, n_new, n_epochs):
        """Train `run` for a call of partial_fit, in which the first `n_new` rows are new."""
        config = self._config(len(rows), n_epochs)
        config = replace(
            config,
            learning_rate_init=config.learning_rate_init * step_length(n_new, len(rows)),
            n_rows=stream.n_rows,
            mean_weight=stream.mean_weight,
        )
        n_halvings = 0
        if n_epochs > 1:
            # A new start trains for all its epochs. Only the last one is validated, because the
            # call is one entry of the curves and its result is the latest net.
            most = replace(config, max_iter=n_epochs - 1, n_iter_no_change=n_epochs)
            outcome = self._train(rows, None, run, most)
            if outcome.reason == "interrupted":
                return outcome
            n_halvings = outcome.n_halvings
        outcome = self._train(rows, validation, run, replace(config, max_iter=1))
        outcome.n_halvings += n_halvings
        return outcome

    def _train(self, rows, validation, run, config, task=None, checkpoint=None):
        """Train `run` on the rows as planned."""
        outcome = train(
            self._network,
            self._input_map,
            replace(rows, target=self._soften(rows.target)),
            config,
            run,
            validation=validation,
            score=validation and self._validation_score(validation, run),
            begin=task and task.begin_epoch,
            report=self._reporter(config.max_iter, run, task),
            checkpoint=checkpoint,
        )
        self._theta_ = run.theta = outcome.theta
        return outcome

    def _constant_loss(self, rows, outcome):
        """Return the loss of the best constant if the net is hardly better, else None."""
        loss, target = self._make_loss(), self._soften(rows.target)
        weights = normalized_weights(rows.weights, len(rows), target.dtype)
        raw = np.tile(loss.fit_intercept_only(target, weights), (len(rows), 1)).astype(target.dtype)
        value = loss.value(raw, target, weights)
        learnable = value - self._least_loss(target, weights)
        if learnable < TINY or value - outcome.loss_curve[-1] > LITTLE * learnable:
            return None
        if self._is_constant(rows.X):
            return None  # nothing in X could do better
        # A few outliers, which no net should predict, may dominate the mean loss.
        own = self._raw_output(rows.X)
        before, after = (
            loss.dispersion(loss.value(each, target, weights), each, target, weights)
            for each in (raw, own)
        )
        return value if before - after < LITTLE * learnable * before / value else None

    def _is_constant(self, X):
        """Whether all rows are alike, but for rounding where features are standardised."""
        if self._input_varied_ is not None:
            return not self._input_varied_.any()
        low, high = column_range(X)
        return not (low < high).any()

    def _least_loss(self, target, weights):
        """Return the training loss of perfect predictions."""
        return 0.0

    def _record(self, outcome, n_rows, validation):
        """Set the fitted attributes that describe a training run over `n_rows` rows."""
        self._extend_validation_curves(outcome, validated=validation is not None)
        self.best_epoch_ = self.n_iter_ + outcome.best_epoch
        self.n_iter_ += len(outcome.loss_curve)
        self.t_ += len(outcome.loss_curve) * n_rows
        self.loss_curve_ = self.loss_curve_ + outcome.loss_curve
        # A training may end before its first epoch does.
        known = self.loss_curve_ or [float("nan")]
        self.loss_, self.best_loss_ = known[-1], min(known)

    def _reporter(self, max_iter, run, task):
        """What the engine calls after each epoch: a line for a person, an epoch for callbacks."""
        show = epoch_printer(max_iter) if self.verbose else None
        if task is None:
            return show

        def report(outcome, rate):
            if show is not None:
                show(outcome, rate)
            return task.end_epoch(self, run.theta)

        return report

    def _validation_score(self, validation, run):
        """A function of the raw output on the validation rows; a scorer looks for itself."""
        if self.scoring == "loss":
            return self._score_of(validation)
        scorer, weights = check_scorer(self, validation.weights)

        def score(raw):
            snapshot = self._draft(keep=True)
            snapshot._theta_ = run.theta.copy()
            # Rows have been validated, and their names are no longer there to be compared.
            snapshot.__dict__.pop("feature_names_in_", None)
            return float(scorer(snapshot, validation.X, validation.y, **weights))

        return score

    def _extend_validation_curves(self, outcome, validated):
        """Take over curves and score; an epoch without validation has a NaN in its place."""
        if not validated and not hasattr(self, "validation_loss_curve_"):
            return
        nothing = float("nan")
        for name in ("validation_loss_curve", "validation_scores"):
            before = getattr(self, f"{name}_", [nothing] * self.n_iter_)
            new = getattr(outcome, name) if validated else [nothing] * len(outcome.loss_curve)
            setattr(self, f"{name}_", before + new)
        if validated and outcome.best_epoch:
            self.best_validation_score_ = outcome.validation_scores[outcome.best_epoch - 1]
        elif validated:
            # No epoch was best: the start is kept, or the result of an earlier call.
            self.__dict__.setdefault("best_validation_score_", nothing)
