"""What classifier and regressor share: fit, partial_fit, from data to validated data."""

from abc import abstractmethod

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._novelty.handling import check_handling
from .._novelty.mixin import ScoringNetwork
from ..engine.training.config import Rows
from .callbacks import fit_task, learned
from .checkpoints import check_checkpointing, checkpoints_of
from .compat import CallbackSupportMixin, with_callbacks
from .constraints import check_parameters, check_sample_weight
from .docstrings import LinkedDocs
from .features import HiddenFeatures
from .fitted import LEARNED
from .messages import ENOUGH_EPOCHS, warn_if_more_is_possible, warn_if_not_smooth
from .multi_start import best_restart
from .stream import Stream
from .training import Validation
from .validation import is_plain, takes_missing, validate_rows

__all__ = ["BaseDistanceNet"]


class BaseDistanceNet(CallbackSupportMixin, LinkedDocs, HiddenFeatures, ScoringNetwork):
    """Fit and partial_fit of distance nets; a subclass says what targets mean.

    Everything is learned by a copy of the estimator, the draft, and taken over at the end, so that
    a call that fails leaves the estimator as it was.
    """

    # What a subclass says -------------------------------------------------------------------------

    @abstractmethod
    def _check_target(self, y):
        """The validated `y` in the shape that the other methods take, whatever its values."""

    def _find_classes(self, y):
        """The classes of `y`, rows of weight zero included; None for a regressor."""
        return None

    @abstractmethod
    def _learn_target(self, y, weights, dtype, classes):
        """Set the fitted attributes that describe `y`."""

    def _extend_target(self, y, weights, dtype):
        """Update the description of the target with further rows."""

    @abstractmethod
    def _encode_target(self, y, dtype):
        """The target of the network, (n_rows, n_outputs), for a `y` of the kind learned."""

    @abstractmethod
    def _split(self, target, seed):
        """Indices of training and of validation rows."""

    def _weigher(self, target, weights):
        """A function of target and weights of rows, or None: the weights to train and validate by.

        It learns what it needs from the rows trained on, and must do for validation rows, too.
        """
        return lambda target, weights: weights

    # Fit ------------------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight, *given):
        """Fit; `given` are rows, target and weights to validate on, or None for each."""
        check_parameters(self)
        check_checkpointing(self)
        draft, outcome, constant_loss = self._learn(X, y, sample_weight, given)
        warn_if_not_smooth(draft, outcome)
        warn_if_more_is_possible(draft, outcome, constant_loss)
        return self._take_over(draft)

    @with_callbacks
    def _learn(self, X, y, sample_weight, given):
        """Return a draft trained on the data, its outcome, and its `_constant_loss` or None."""
        draft, data = self._draft(keep=self.warm_start), (X, y, sample_weight)
        check_handling(draft)
        draft._forget_novelty()
        X, y, weights = draft._check_data(X, y, sample_weight)
        classes = draft._find_classes(y)
        X, y, weights = draft._drop_weightless(X, y, weights, min_rows=2)
        if "_stream_" in vars(draft):
            # Its rows are no longer needed, but partial_fit, if it follows, needs their number.
            n_before = max(draft._resume_stream().n_rows, len(y))
            draft._stream_ = Stream(n_before=float(n_before)).state()
        seeds = draft._draw_seeds(1 if draft._is_started() else self.n_init)
        target = draft._prepare_target(X, y, weights, classes, more_to_come=False)
        weigh = draft._weigher(target, weights)
        validation = draft._check_validation(*given, weigh=weigh, dtype=target.dtype)
        rows = Rows(X, target, weigh(target, weights))
        if validation is None and self.early_stopping:
            rows, validation = draft._set_aside(rows, y, seeds[0])
        checkpoints = checkpoints_of(draft, rows, validation, seeds)
        task = fit_task(self, len(seeds), *data)
        if task is not None:
            task.begin()
        draft, outcome = best_restart(draft, rows, validation, seeds, task, checkpoints)
        draft._learn_novelty(rows, validation, seeds[0])
        if task is not None:
            task.end(draft)
        if outcome.reason != "interrupted":
            for checkpoint in filter(None, checkpoints):
                checkpoint.remove()
        if outcome.reason in ("budget", "plateau") and len(outcome.loss_curve) >= ENOUGH_EPOCHS:
            return draft, outcome, draft._constant_loss(rows, outcome)
        return draft, outcome, None

    def _partial_fit(self, X, y, sample_weight, *given, classes=None):
        check_parameters(self)
        if self.early_stopping and given[0] is None:
            raise ValueError(
                f"partial_fit of {type(self).__name__} does not support early_stopping=True "
                "without validation data, 'X_val' and 'y_val': it sets no rows aside."
            )
        draft = self._draft(keep=True)
        X, y, weights = draft._check_data(X, y, sample_weight)
        X, y, weights = draft._drop_weightless(X, y, weights, min_rows=1)
        # A stream has its own generator, so that a failed call draws from no other.
        seed = 0 if "_progress_" in vars(draft) else draft._draw_seeds(1)[0]
        rng = np.random.default_rng(seed)
        if draft._is_started():
            # Raises an error for rows that do not match those of earlier calls.
            draft._check_same_network(X.shape[1])
            draft._encode_target(y, draft._network.dtype)
        stream, n_given = draft._resume_stream(), len(y)
        most_rows = draft._most_rows()
        X, y, weights = stream.add(X, y, weights, most_rows)
        if draft._is_started() and draft._start_depends_on_data() and stream.is_due:
            if n_given < len(stream.rows[1]):  # else the call has more rows than are kept
                X, y, weights = stream.rows
            draft._forget_start(rng)
        goes_on = draft._is_started()
        target = draft._prepare_target(X, y, weights, classes, more_to_come=True)
        weigh = draft._weigher(target, weights)
        validation = draft._check_validation(*given, weigh=weigh, dtype=target.dtype)
        rows = Rows(X, target, weigh(target, weights))
        if goes_on:
            n_new, n_epochs = n_given, 1
            stream.weigh(rows.weights if rows.weights is None else rows.weights[:n_new], n_new)
            run = draft._continue(rows, rng)
        else:
            # The new start makes as many steps as have been made so far.
            n_new, n_epochs = len(y), max(1, round(stream.n_steps / -(-len(y) // most_rows)))
            stream.weigh(rows.weights, stream.n_given)
            run = draft._start(rows, rng)
            stream.start()
        outcome = draft._train_block(rows, validation, run, stream, n_new, n_epochs)
        warn_if_not_smooth(draft, outcome)
        if outcome.reason == "interrupted":
            return self  # as it was: half an epoch is no call, and may be made again
        draft._record(outcome.last_epoch(), n_given, validation)
        draft._keep_progress(run)
        draft._stream_ = stream.state()
        draft._forget_novelty()
        return self._take_over(draft)

    def _resume_stream(self):
        """Return a copy of the stream of earlier calls."""
        if "_stream_" in vars(self):
            return Stream.from_state(self._stream_)
        return Stream(n_before=self.t_ / max(self.n_iter_, 1) if self._is_started() else 0.0)

    def _forget_start(self, rng):
        """Let the net start anew; curves, counts and the generator `rng` continue."""
        rng.bit_generator.state = self._progress_["rng_state"]
        for name in ("_theta_", "_progress_"):
            del self.__dict__[name]

    def _draw_seeds(self, n_seeds):
        """A seed for each restart, the first of them the same however many there are."""
        random_state = check_random_state(self.random_state)
        return [int(random_state.randint(np.iinfo(np.int32).max)) for _ in range(n_seeds)]

    def _take_over(self, draft):
        """Take the fitted attributes of the draft; all other attributes stay the same objects."""
        own = {name: value for name, value in vars(self).items() if name not in LEARNED}
        self.__dict__ = own | learned(draft)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = takes_missing(self)
        tags.input_tags.sparse = True
        return tags

    # Data -----------------------------------------------------------------------------------------

    def _check_data(self, X, y, sample_weight, reset=None):
        """Validated X, y and weights."""
        X, y = validate_rows(
            self,
            X,
            y,
            reset=not self._is_started() if reset is None else reset,
            multi_output=True,
            y_numeric=is_regressor(self),
        )
        y = self._check_target(y)
        return X, y, check_sample_weight(sample_weight, len(y))

    def _drop_weightless(self, X, y, weights, min_rows):
        """The validated data without the rows of weight zero, at least `min_rows` of them."""
        if weights is not None and not weights.all():
            kept = weights > 0
            X, y, weights = X[kept], y[kept], weights[kept]
        if len(y) < min_rows:
            raise ValueError(
                f"{type(self).__name__} needs at least {min_rows} rows, of positive weight, to "
                f"fit; got n_samples = {len(y)}."
            )
        return X, y, weights

    def _prepare_target(self, X, y, weights, classes, more_to_come):
        """Learn what `y` means, unless an earlier fit has, and encode it for the network.

        `more_to_come` is True in `partial_fit`, where later calls may bring other classes.
        """
        if self._is_started():
            self._check_same_network(X.shape[1])
            self._extend_target(y, weights, self._network.dtype)
        else:
            # A stream that is started anew keeps the dtype of its first call.
            is_new = "_specification_" not in vars(self)
            dtype = np.dtype(self.dtype or X.dtype) if is_new else self._network.dtype
            self._learn_target(y, weights, dtype, classes)
            return self._encode_target(y, dtype)
        return self._encode_target(y, self._network.dtype)

    def _check_validation(self, X, y, sample_weight, weigh, dtype):
        """The validation rows given, with a target of this dtype; None if there are none."""
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"'X_val' and 'y_val' must be given together; {missing!r} is None.")
        try:
            X, y, weights = self._check_data(X, y, sample_weight, reset=False)
            X, y, weights = self._drop_weightless(X, y, weights, min_rows=1)
            target = self._encode_target(y, dtype)
            return Validation(X, target, weigh(target, weights), y)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(
                f"In the validation set (X_val, y_val, sample_weight_val): {error}"
            ) from error

    def _set_aside(self, rows, y, seed):
        """Rows to train on and rows to validate on."""
        training, held = self._split(rows.target, seed)
        weights = (None, None)
        if rows.weights is not None:
            weights = rows.weights[training], rows.weights[held]
        return (
            Rows(rows.X[training], rows.target[training], weights[0]),
            Validation(rows.X[held], rows.target[held], weights[1], y[held]),
        )

    def _check_rows(self, X):
        """Validated X for a fitted net."""
        check_is_fitted(self)
        # Full validation takes longer than to answer a row.
        if hasattr(self, "feature_names_in_") or not is_plain(X, self.n_features_in_):
            X = validate_rows(self, X, reset=False)
        return X

    def _predict_raw(self, X):
        return self._raw_output(self._check_rows(X))
