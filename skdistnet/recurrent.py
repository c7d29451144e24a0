"""Nets for sequences. `_base/recurrent.py` has what both share."""

from functools import partial

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets

from ._base.constraints import (
    FRACTION,
    NONE,
    POSITIVE,
    WITHIN,
    OneOf,
    Rule,
    is_class_weights,
    is_increasing,
)
from ._base.docstrings import describe_recurrent
from ._base.recurrent import RECURRENT_CONSTRAINTS, BaseRecurrentNet
from ._base.start import from_parameters
from ._targets.labels import SingleLabelCodec, codec_for
from ._targets.regression import RegressionCodec
from ._targets.steps import StepCodec
from .engine.losses import LOSSES, REGRESSION_LOSSES

__all__ = ["RecurrentDistanceNetClassifier", "RecurrentDistanceNetRegressor"]


@describe_recurrent
class RecurrentDistanceNetClassifier(ClassifierMixin, BaseRecurrentNet):
    """Recurrent neural network classifier of sequences whose units measure distances.

    A unit j has a state h_j and, among the inputs x_t of a step and the states h_(t-1) of all
    units, a centroid and inverse radii. With d the distance that these scale, the state follows
    ``exp(-1/2 d^2)``: ``h_j <- (1 - a_j) h_j + a_j exp(-1/2 d^2)``, at the unit's leaking rate a_j.
    Logits are an affine function of the states. The units are those of Kurbiel & Khaleghian [1]_,
    the states those of leaky-integrator networks [2]_; all is trained by backpropagation through
    time.

    There is one label for each sequence, read from its last state, its mean state and its mean
    input, or one for each step, read from its state and its input.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,)
        Labels.

    See Also
    --------
    RecurrentDistanceNetRegressor : The same for numbers, such as forecasts.
    DistanceNetClassifier : For tables; for sequences of equal length flattened to rows.

    References
    ----------
    .. [1] T. Kurbiel, S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures
       using RMSProp", arXiv:1708.01911, 2017.
    .. [2] H. Jaeger et al., "Optimization and applications of echo state networks with
       leaky-integrator neurons", Neural Networks 20(3), 2007.

    Examples
    --------
    Which of two bumps comes first?

    >>> import numpy as np
    >>> from skdistnet import RecurrentDistanceNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = 0.1 * rng.normal(size=(200, 30, 1)), rng.integers(2, size=200)
    >>> X[:, 5, 0] += np.where(y == 0, 1, 2)
    >>> X[:, 20, 0] += np.where(y == 0, 2, 1)
    >>> net = RecurrentDistanceNetClassifier(random_state=0).fit(X[:150], y[:150])
    >>> bool(net.score(X[150:], y[150:]) > 0.9)
    True
    """

    _score_name = "accuracy"
    _parameter_constraints = RECURRENT_CONSTRAINTS | {
        "label_smoothing": [FRACTION],
        "class_weight": [
            OneOf(("balanced",)),
            Rule("a dict of positive floats by label", is_class_weights),
            NONE,
        ],
    }

    def __init__(
        self,
        n_units=64,
        activation="gaussian",
        *,
        radius_type="diag",
        init="auto",
        init_median_activation=0.5,
        leaking_rate="auto",
        truncation="auto",
        n_init=1,
        n_jobs=None,
        standardize=True,
        solver="rmsprop",
        learning_rate="cosine",
        learning_rate_init="auto",
        rho=0.9,
        momentum=0.9,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-9,
        alpha=0.0,
        penalty="decoupled",
        label_smoothing=0.001,
        class_weight=None,
        dtype=None,
        batch_size="auto",
        max_iter=100,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping="auto",
        validation_fraction=0.2,
        scoring="loss",
        warm_start=False,
        checkpoint=None,
        verbose=False,
    ):
        self.n_units = n_units
        self.activation = activation
        self.radius_type = radius_type
        self.init = init
        self.init_median_activation = init_median_activation
        self.leaking_rate = leaking_rate
        self.truncation = truncation
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.standardize = standardize
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.rho = rho
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.alpha = alpha
        self.penalty = penalty
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.dtype = dtype
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.verbose = verbose

    def decision_function(self, X):
        """Return the raw output, logits.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.

        Returns
        -------
        decision : ndarray of shape (n_sequences, n_classes), or (n_sequences,) for two classes
            Logits; for two classes the second minus the first. With labels for each step, of shape
            (n_sequences, n_timesteps, n_classes) or (n_sequences, n_timesteps), or a list of arrays
            if X is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._by_sequence(X, self._codec.decisions(raw))

    def predict_proba(self, X):
        """Return the probabilities of the classes, a softmax of the raw output.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.

        Returns
        -------
        probabilities : ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``. With labels for each step, of shape (n_sequences,
            n_timesteps, n_classes), or a list of arrays if X is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences that do not suit it.
        """
        return self._probabilities(X, LOSSES["log_loss"]().inverse_link)

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, even where these round to 0 or 1.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.

        Returns
        -------
        log_probabilities : ndarray of shape (n_sequences, n_classes)
            In the form of :meth:`predict_proba`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences that do not suit it.
        """
        return self._probabilities(X, partial(log_softmax, axis=1))

    def _probabilities(self, X, link):
        raw = self._raw_output(self._check_rows(X))
        return self._by_sequence(X, self._codec.probabilities(raw, link))

    def score(self, X, y, sample_weight=None):
        """Return the accuracy, over sequences or over steps.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.
        y : array-like of shape (n_sequences,) or (n_sequences, n_timesteps), or list of arrays
            True labels.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of sequences; `class_weight` is not applied.

        Returns
        -------
        score : float

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences or labels that do not suit it.
        """
        y, predicted, weights = self._compared(X, y, sample_weight)
        return float(accuracy_score(y, predicted, sample_weight=weights))

    def _check_target(self, y):
        check_classification_targets(y)
        return y

    def _check_settings(self):
        super()._check_settings()
        if self._by_step_ and self.class_weight is not None:
            raise ValueError(
                "The 'class_weight' parameter of RecurrentDistanceNetClassifier must be None for a "
                f"label for each step; got {self.class_weight!r}."
            )

    def _new_codec(self, y, weights, dtype, classes, statistics=None):
        labels = y.compressed() if self._by_step_ else y
        codec = codec_for(labels, classes, self.label_smoothing, self.class_weight)
        return StepCodec(codec) if self._by_step_ else codec

    @property
    def _codec(self):
        settings = self.label_smoothing, self.class_weight, self._target_state_["expected"]
        codec = SingleLabelCodec(self.classes_, *settings)
        return StepCodec(codec) if self._by_step_ else codec


@describe_recurrent
class RecurrentDistanceNetRegressor(RegressorMixin, BaseRecurrentNet):
    """Recurrent neural network regressor of sequences whose units measure distances.

    The network is that of :class:`RecurrentDistanceNetClassifier`, with an affine output. There is
    one target for each sequence, or one for each step, such as the value that the series has some
    steps later.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    RecurrentDistanceNetClassifier : The same for labels.
    DistanceNetRegressor : For tables, such as windows of past values.

    References
    ----------
    .. [1] T. Kurbiel, S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures
       using RMSProp", arXiv:1708.01911, 2017.
    .. [2] H. Jaeger et al., "Optimization and applications of echo state networks with
       leaky-integrator neurons", Neural Networks 20(3), 2007.

    Examples
    --------
    Forecast a series: one sequence, the target of each step being the next value.

    >>> import numpy as np
    >>> from skdistnet import RecurrentDistanceNetRegressor
    >>> t = np.arange(400)
    >>> series = np.sin(t / 5) * np.sin(t / 7)
    >>> net = RecurrentDistanceNetRegressor(n_units=20, max_iter=30, random_state=0)
    >>> net = net.fit(series[None, :300, None], series[None, 1:301])
    >>> errors = net.predict(series[None, :-1, None])[0, 300:] - series[301:]
    >>> bool(np.sqrt(np.mean(errors**2)) < 0.1)
    True
    """

    _score_name = "R^2 or D^2"
    _parameter_constraints = RECURRENT_CONSTRAINTS | {
        "loss": [OneOf(REGRESSION_LOSSES)],
        "huber_delta": [POSITIVE],
        "quantile": [WITHIN, Rule("an increasing sequence of them", is_increasing)],
    }

    def __init__(
        self,
        n_units=64,
        activation="gaussian",
        *,
        loss="squared_error",
        huber_delta=1.35,
        quantile=0.5,
        radius_type="diag",
        init="auto",
        init_median_activation=0.5,
        leaking_rate="auto",
        truncation="auto",
        n_init=1,
        n_jobs=None,
        standardize=True,
        solver="rmsprop",
        learning_rate="cosine",
        learning_rate_init="auto",
        rho=0.9,
        momentum=0.9,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-9,
        alpha=0.0,
        penalty="decoupled",
        dtype=None,
        batch_size="auto",
        max_iter=100,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping="auto",
        validation_fraction=0.2,
        scoring="loss",
        warm_start=False,
        checkpoint=None,
        verbose=False,
    ):
        self.n_units = n_units
        self.activation = activation
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.radius_type = radius_type
        self.init = init
        self.init_median_activation = init_median_activation
        self.leaking_rate = leaking_rate
        self.truncation = truncation
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.standardize = standardize
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.rho = rho
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.alpha = alpha
        self.penalty = penalty
        self.dtype = dtype
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.verbose = verbose

    def score(self, X, y, sample_weight=None):
        """Return R^2 of the predictions, or the share of the loss that they explain.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of arrays
            Sequences.
        y : array-like of shape (n_sequences,) or (n_sequences, n_timesteps), or list of arrays
            True targets.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of sequences.

        Returns
        -------
        score : float
            D^2 for "poisson" and "quantile", else R^2, over sequences or over steps. The best score
            is 1; the best constant prediction has 0.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for sequences or targets that do not suit it.
        """
        y, predicted, weights = self._compared(X, y, sample_weight)
        codec = self._codec.codec if self._by_step_ else self._codec
        return codec.score(y, predicted, weights)

    def _check_target(self, y):
        return np.ascontiguousarray(y, dtype=np.float64)

    def _new_codec(self, y, weights, dtype, classes, statistics=None):
        loss, targets = self._chosen_loss(), y
        if self._by_step_:
            targets = y.compressed()
            weights = None if weights is None else weights.repeat(y.count(axis=1))
        codec = RegressionCodec.for_targets(targets, weights, dtype, loss)
        return StepCodec(codec) if self._by_step_ else codec

    @property
    def _codec(self):
        codec = RegressionCodec(**self._target_state_)
        return StepCodec(codec) if self._by_step_ else codec

    def _chosen_loss(self):
        """Return the loss that the parameters specify."""
        return from_parameters(REGRESSION_LOSSES[self.loss], self)

    def _check_same_target(self):
        RegressionCodec(**self._target_state_).check_same_loss(self._chosen_loss())
