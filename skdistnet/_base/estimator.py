"""The base of all nets: the order of steps in fit."""

from abc import ABCMeta, abstractmethod
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_random_state

from ..engine.training import Rows
from ..engine.training.mapped_rows import BatchedRows
from . import training, trial
from .callbacks import CallbackSupportMixin, fit_task, fitted_attributes, with_callbacks
from .categories import without_unused_levels
from .checkpoints import check_checkpoint_folder, checkpoints_of
from .constraints import check_parameters, to_builtin
from .docstrings import LinkedDocs
from .messages import constant_loss, warn_about_fit
from .trained import LEARNED, TrainedNetwork
from .validation import naming_validation_set


class BaseNet(CallbackSupportMixin, LinkedDocs, TrainedNetwork, metaclass=ABCMeta):
    """Base of nets for tables and for sequences, which differ in their networks and their input.

    `fit` trains a candidate, a copy of the estimator, and commits its fitted attributes at the end,
    so that a call that fails leaves the estimator as it was.
    """

    _parameter_constraints: dict[str, list[Any]]
    #: The largest batch if `batch_size` is "auto", and what messages call the rows.
    _usual_batch, _rows_name = 200, "rows"

    # What a subclass provides ---------------------------------------------------------------------

    @abstractmethod
    def _check_target(self, y):
        """Return `y` in the form that codecs take."""

    @abstractmethod
    def _new_codec(self, y, weights, dtype, classes, statistics=None):
        """Return the codec for a validated `y`, perhaps a sample of what `statistics` are from."""

    @property
    @abstractmethod
    def _codec(self):
        """The codec of the fit, from the stored state."""

    @abstractmethod
    def _check_data(self, X, y, sample_weight, learn=False):
        """Return validated X, y and weights; `learn` is True for rows to train on."""

    @abstractmethod
    def _check_same_network(self):
        """Raise a ValueError if parameters or data ask for another network than the fit's."""

    @abstractmethod
    def _initialize(self, rows, rng):
        """Initialise the network, its input map and its counters; return the state to train."""

    @property
    def _fewest_rows(self):
        """Number of rows that a fit needs."""
        return 2

    def _extend_input_map(self, rows, state):
        """Adapt the map of inputs, in a fit that continues, to columns that have not varied."""

    def _draw_trials(self, rows, validation, seed):
        """Return the trials to make before the fit."""
        return trial.draw_trials(self, rows, validation, seed)

    def _batched_rows(self):
        """Return the class of what divides rows into batches."""
        return BatchedRows

    def _fit_novelty(self, rows, validation, seed, trials=()):
        """Calibrate novelty scores, if there are any, on the rows of the fit."""

    # Fit ------------------------------------------------------------------------------------------

    @with_callbacks
    def _fit(self, X, y, sample_weight, validation_set):
        """Fit the estimator; `validation_set` is X, y and weights to validate on, each or None."""
        candidate, data, trials, seeds = self._prepare_fit(X, y, sample_weight, validation_set)
        task = fit_task(self, self.max_iter, len(trials) + len(seeds), X, y, sample_weight)
        if task is not None:
            task.begin()
        tried = trial.run_trials(candidate, trials, data, seeds[0], task)
        checkpoints = [checkpoint for *_, checkpoint in tried]
        if tried and tried[-1][1].reason == "interrupted":
            candidate, result, _ = tried[-1]
            rows, validation = trials[len(tried) - 1].take(*data)
            candidate._fit_novelty(rows, validation, seeds[0])
        else:
            of_starts = checkpoints_of(candidate, data.rows, data.validation, seeds)
            arguments = data, seeds, task, of_starts, not trials
            candidate, result = training.train_starts(candidate, *arguments)
            nets = [(net, each.take(*data)) for each, (net, *_) in zip(trials, tried)]
            candidate._fit_novelty(data.rows, data.validation, seeds[0], nets)
            checkpoints += of_starts
        if task is not None:
            task.end(candidate)
        if result.reason != "interrupted":
            for checkpoint in filter(None, checkpoints):
                checkpoint.remove()
        warn_about_fit(candidate, result, partial(constant_loss, data.rows))
        return self._commit(candidate)

    def _prepare_fit(self, X, y, sample_weight, validation_set):
        """Check everything; return a candidate, its data, its trials and the seeds of starts."""
        check_parameters(self)
        check_checkpoint_folder(self)
        candidate = self._candidate(keep=self.warm_start)
        rows, y, weigh = candidate._training_rows(X, y, sample_weight)
        seeds = candidate._draw_seeds(1 if candidate._is_started() else self.n_init)
        validation = candidate._validation_rows(*validation_set, weigh, rows.target.dtype)
        if validation is None and candidate.early_stopping is True:
            share = self.validation_fraction
            trained, held_out = candidate._codec.split(rows.target, share, seeds[0])
            validation = rows.take(held_out)
            validation = training.ValidationRows(**vars(validation), y=y[held_out])
            rows, y = rows.take(trained), y[trained]
        if not candidate._is_started():
            candidate.trial_ = None
        trials = candidate._draw_trials(rows, validation, seeds[0])
        return candidate, training.FitData(rows, y, validation), trials, seeds

    def _training_rows(self, X, y, sample_weight):
        """Return the rows to train on, their `y`, and the function that weighs rows."""
        X, y, weights = self._check_data(X, y, sample_weight, learn=True)
        # A class counts even if all of its rows have weight zero.
        classes = None if is_regressor(self) else self._new_codec(y, None, X.dtype, None).classes
        n_given = len(y)
        X, y, weights = self._drop_weightless(X, y, weights, self._fewest_rows)
        if self._levels_ is not None and len(y) < n_given and not self._is_started():
            X, self._levels_ = without_unused_levels(X, self._levels_)
        self.__dict__.pop("_stream_", None)
        rows, weigh = self._fit_codec(X, y, weights, classes, more_to_come=False)
        return rows, y, weigh

    # The candidate --------------------------------------------------------------------------------

    def _candidate(self, keep):
        """Return a copy with parameters of built-in types; `keep` keeps fitted attributes."""
        candidate = object.__new__(type(self))
        for name, value in vars(self).items():
            # Novelty scores would be those of other parameters.
            if name not in LEARNED or (keep and name != "_novelty_"):
                is_parameter = name in self._parameter_constraints
                candidate.__dict__[name] = to_builtin(value) if is_parameter else value
        return candidate

    def _commit(self, candidate):
        """Adopt the fitted attributes of the candidate; all other attributes stay the same."""
        own = {name: value for name, value in vars(self).items() if name not in LEARNED}
        self.__dict__ = own | fitted_attributes(candidate)
        return self

    def _draw_seeds(self, n_seeds):
        """Return a seed for each start; the first is the same however many there are."""
        draw = check_random_state(self.random_state).randint
        return [int(draw(np.iinfo(np.int32).max)) for _ in range(n_seeds)]

    # Rows -----------------------------------------------------------------------------------------

    def _drop_weightless(self, X, y, weights, min_rows):
        """Return the validated data without rows of weight zero, at least `min_rows` of them."""
        if weights is not None and not weights.all():
            kept = weights > 0
            X, y, weights = X[kept], y[kept], weights[kept]
        if len(y) < min_rows:
            raise ValueError(
                f"{type(self).__name__} needs at least {min_rows} {self._rows_name}, of positive "
                f"weight, to fit; got n_samples = {len(y)}."
            )
        return X, y, weights

    def _fit_codec(self, X, y, weights, classes, more_to_come):
        """Fit the codec, or extend it; return the rows to train on and a function that weighs rows.

        `more_to_come` is True in `partial_fit`, where later calls may bring other classes.
        """
        # A stream that is restarted keeps the dtype of its first call.
        is_new = "_specification_" not in vars(self)
        dtype = np.dtype(self.dtype or X.dtype) if is_new else self._network.dtype
        if self._is_started():
            self._check_same_network()
            codec = self._codec
        else:
            codec = self._new_codec(y, weights, dtype, classes)
        target = codec.fit_encode(y, weights, dtype, more_to_come)
        self._target_state_ = codec.state()
        if hasattr(codec, "classes"):
            self.classes_ = codec.classes
        codec = self._codec
        weigh = codec.weighter(codec.masses(target, weights))
        return Rows(X, target, weigh(target, weights)), weigh

    def _validation_rows(self, X, y, sample_weight, weigh, dtype):
        """Return the given validation rows, with a target of this dtype; None if there are none."""
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"'X_val' and 'y_val' must be given together; {missing!r} is None.")
        with naming_validation_set():
            X, y, weights = self._check_data(X, y, sample_weight)
            X, y, weights = self._drop_weightless(X, y, weights, min_rows=1)
            target = self._codec.encode(y, dtype)
            return training.ValidationRows(X, target, weigh(target, weights), y)
