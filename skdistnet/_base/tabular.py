"""The base of the nets for tables: streams, categories and novelty scores."""

import numpy as np
from sklearn.base import is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._novelty.score import NoveltyScorer
from ..engine.layers import KERNELS, Distance
from . import start, training
from .constraints import NETWORK_CONSTRAINTS, WITHIN, check_parameter, check_parameters, to_builtin
from .estimator import BaseNet
from .fitted import FittedNetwork
from .messages import warn_if_diverged_or_interrupted
from .stream import Stream
from .validation import accepts_missing, check_sample_weight, validate_rows


def check_first_layer_is_distance(estimator):
    """Raise an AttributeError unless the first layer of the network is a distance layer."""
    if accepts_missing(estimator):
        return True
    sizes, activations, _ = estimator._layers()
    advice = f"set 'activation', or its first entry, to one of {sorted(KERNELS)}"
    if not sizes:
        advice = "give 'hidden_layer_sizes' a layer"
        if hasattr(estimator, "output_layer"):
            advice += " or set 'output_layer' to 'distance'"
    if estimator._is_started():
        advice += " and call 'fit' again"
    raise AttributeError(
        f"score_samples of {type(estimator).__name__} needs a distance layer at the input: "
        f"{advice}; got hidden layers of {sizes} units with activations {activations}."
    )


class BaseDistanceNet(FittedNetwork, BaseNet):
    """Base of both nets for tables, which differ in their codec (`_targets/`); it has the loss."""

    _parameter_constraints = NETWORK_CONSTRAINTS

    # Data and start -------------------------------------------------------------------------------

    def _check_data(self, X, y, sample_weight, learn=False):
        """Return validated X, y and weights; `learn` is True for rows to train on."""
        options = {"multi_output": True, "y_numeric": is_regressor(self)}
        is_new = not hasattr(self, "n_features_in_")
        X, y = validate_rows(self, X, y, reset=is_new, learn=learn, **options)
        y = self._check_target(y)
        return X, y, check_sample_weight(sample_weight, len(y))

    def _initialize(self, rows, rng):
        return start.initialize_network(self, rows, rng)

    def _extend_input_map(self, rows, state):
        start.extend_input_map(self, rows, state)

    # Partial fit ----------------------------------------------------------------------------------

    def _partial_fit(self, X, y, sample_weight, validation_set, classes=None):
        """Train on a block of a stream; `classes` are all that the stream may hold."""
        check_parameters(self)
        if to_builtin(self.early_stopping) is True and validation_set[0] is None:
            raise ValueError(
                f"partial_fit of {type(self).__name__} does not support early_stopping=True "
                "without validation data, 'X_val' and 'y_val': it sets no rows aside."
            )
        candidate = self._candidate(keep=True)
        X, y, weights = candidate._check_data(X, y, sample_weight, learn=True)
        X, y, weights = candidate._drop_weightless(X, y, weights, min_rows=1)
        # A stream has its own generator, so that a failed call draws from no other.
        seed = 0 if "_progress_" in vars(candidate) else candidate._draw_seeds(1)[0]
        rng = np.random.default_rng(seed)
        stream, n_given = candidate._resume_stream(), len(y)
        X, y, weights = candidate._extend_block(stream, X, y, weights, rng)
        rows, weigh = candidate._fit_codec(X, y, weights, classes, more_to_come=True)
        validation = candidate._validation_rows(*validation_set, weigh, rows.target.dtype)
        if not candidate._is_started():
            stream.update_mean_weight(rows.weights, stream.n_given)
            # The new start trains for as many steps as have been made so far.
            n_new, n_batches = len(y), -(-len(y) // start.largest_batch(candidate))
            n_epochs = max(1, round(stream.n_steps / n_batches))
            state = start.initialize_network(candidate, rows, rng, is_stream=True)
            stream.n_started = stream.n_different
        else:
            n_new, n_epochs = n_given, 1
            new_weights = None if rows.weights is None else rows.weights[:n_new]
            stream.update_mean_weight(new_weights, n_new)
            state = start.resume_training(candidate, rows, rng)
        result = training.train_block(candidate, rows, validation, state, stream, n_new, n_epochs)
        warn_if_diverged_or_interrupted(candidate, result)
        if result.reason == "interrupted":
            return self  # unchanged, so that the call can be repeated
        training.record(candidate, result.last_epoch(), n_given, validation)
        start.save_progress(candidate, state)
        candidate._stream_ = stream.state()
        return self._commit(candidate)

    def _extend_block(self, stream, X, y, weights, rng):
        """Add rows to the stream; return them with earlier ones, or all if the net starts anew."""
        if not self._is_started():
            return stream.add(X, y, weights, start.largest_batch(self))
        # Raises an error for rows that do not match those of earlier calls.
        self._check_same_network()
        self._codec.encode(y, self._network.dtype)
        block = stream.add(X, y, weights, start.largest_batch(self))
        if self._start_depends_on_data() and stream.is_due:
            # Curves, counts and the generator continue.
            rng.bit_generator.state = self._progress_["rng_state"]
            del self._theta_, self._progress_
            self.__dict__.pop("init_median_activation_", None)
            if len(y) < len(stream.rows[1]):  # else the call has more rows than the stream keeps
                return stream.rows
        return block

    def _resume_stream(self):
        """Return a copy of the stream of earlier calls."""
        if "_stream_" in vars(self):
            return Stream.from_state(self._stream_)
        return Stream(follows_fit=self._is_started())

    def _start_depends_on_data(self):
        """Return whether the initial parameters depend on the rows, or on the target's units."""
        by_name = isinstance(self.init, str) and self.init == "uniform"
        fixed = by_name and not self.standardize and self.init_median_activation is None
        return is_regressor(self) or not fixed

    # Novelty --------------------------------------------------------------------------------------

    def _fit_novelty(self, rows, validation, seed, trials=(), limits=None):
        """Calibrate novelty scores on training rows, and thresholds also on held-out ones.

        Held-out rows are the validation rows or else those that `trials`, pairs of a net and the
        rows that it was trained and validated on, have held out. `limits` are the range of each
        column, if the rows are a sample.
        """
        if not isinstance(self._network.layers[0], Distance):
            return
        network, theta = self._distance_part
        input_map, groups = self._input_map, self._codec.novelty_groups
        known, scores = groups(rows.target), []
        scorer = NoveltyScorer.fit(network, theta, input_map, rows.X, known, seed, limits)
        if validation is not None:
            scores.append(scorer.score(network, theta, input_map, validation.X))
        else:
            for tried, (trained, held_out) in trials:
                network, theta = tried._distance_part
                own_map, known = tried._input_map, groups(trained.target)
                own = network, theta, own_map
                # Directions and locations that were found without the rows are as for new ones.
                is_learned = self._input_components_ is not None or self._levels_ is not None
                units = own_map if is_learned else input_map
                of_trial = scorer.of_trial(*own, units, trained.X, known, seed=seed)
                scores.append(of_trial.score(*own, held_out.X, units))
        if scores:
            scorer = scorer.with_held_out(np.concatenate(scores))
        self._novelty_ = scorer.state

    def _novelty_scorer(self, name):
        check_is_fitted(self)
        if "_novelty_" not in vars(self):
            raise NotFittedError(
                f"{name} of {type(self).__name__} is calibrated by fit, on the training data; the "
                "last call was one of partial_fit, which sees only some of them."
            )
        return NoveltyScorer(self._novelty_)

    @available_if(check_first_layer_is_distance)
    def score_samples(self, X):
        """Return the novelty score of each row; lower is less like the training data.

        The score combines four statistics: how far the row lies outside the box of the training
        data, and how far its input, its activations in the last hidden layer and its raw output are
        from those of the nearest class. It is the sum of the logarithms of the shares of training
        rows with a larger statistic (Fisher's method), the last two averaged. With categories, a
        level that was not in the training data adds the logarithm of the share of rows that are
        expected to have one. Rows below `novelty_threshold_` are unlike the training data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            At most 0; higher is more like the training data.

        Raises
        ------
        AttributeError, sklearn.exceptions.NotFittedError
            If the first layer is not a distance layer (the net then lacks this method); before
            :meth:`fit`, and after :meth:`partial_fit`, which does not see all data.
        """
        X, scorer = self._check_rows(X), self._novelty_scorer("score_samples")
        return scorer.score(*self._distance_part, self._input_map, X)

    @available_if(check_first_layer_is_distance)
    def novelty_threshold(self, false_alarm_rate):
        """Return the score below which a given share of new rows like the training data fall.

        It is a quantile of the scores of rows that were held out: the validation rows of the fit,
        or those of its trial, scored by the net of the trial. The k-th lowest of n scores has the
        rate k / (n + 1); below the lowest, scores of training rows give the shape of the tail.
        Without held-out rows it is a quantile of the scores of up to 4000 training rows, each
        compared with the others. The network was trained on these, so new rows may raise more
        false alarms, above all if training rows are few.

        Parameters
        ----------
        false_alarm_rate : float in (0, 1)
            Share of known rows to score below the threshold.

        Returns
        -------
        threshold : float
            A threshold of :meth:`score_samples`.

        Raises
        ------
        AttributeError, sklearn.exceptions.NotFittedError, ValueError
            As :meth:`score_samples`; ValueError for a rate out of its range.
        """
        scorer = self._novelty_scorer("novelty_threshold")
        check_parameter("novelty_threshold", "false_alarm_rate", false_alarm_rate, [WITHIN])
        return scorer.threshold(false_alarm_rate)

    @property
    def novelty_threshold_(self):
        """The score below which 5 % of known rows fall."""
        check_first_layer_is_distance(self)
        return self._novelty_scorer("novelty_threshold_").threshold(0.05)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = accepts_missing(self)
        tags.input_tags.sparse = True
        dtypes = ["float64", "float32"] if self.dtype is None else [self.dtype]
        if self._is_started():
            dtypes = [self._network.dtype.name]
        tags.transformer_tags.preserves_dtype = dtypes
        return tags
