"""DistanceNetRegressor: targets in (1-D or 2-D), predictions out."""

from math import ceil

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from ._base.docstrings import describe_parameters
from ._base.estimator import BaseDistanceNet
from ._targets.regression import RegressionTargets, check_dense
from .engine.losses import normalized_weights

__all__ = ["DistanceNetRegressor"]


@describe_parameters
class DistanceNetRegressor(MultiOutputMixin, RegressorMixin, RegressionTargets, BaseDistanceNet):
    """Regressor made of units that answer to the distance from a centroid.

    A hidden unit with centroid c and inverse radii r answers
    ``exp(-1/2 sum_k r_k^2 (x_k - c_k)^2)``; such layers are stacked, and the output
    is affine. Centroids, radii and weights are trained by the gradient of the loss of the targets,
    which are standardised inside the model unless they are counts. The layers are those of
    Kurbiel & Khaleghian [1]_, with starts that fit the data.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    out_activation_ : str
        Function between raw output and prediction: "identity"; "exp" for "poisson";
        "cumulative_softplus" for a list of levels, the sums of the first output and of
        ``log(1 + exp(.))`` of the others. The last layer's `coefs_` and `intercepts_` give the raw
        output in the units of y, but for a list of levels in standardised units.
    loss_curve_, loss_, best_loss_ : list of float, float, float
        Mean training loss of each epoch, in standardised targets, the last and the smallest. It is
        half the square for "squared_error" and half the deviance for "poisson".
    validation_loss_curve_, validation_scores_ : list of float
        Loss and `score`, or what `scoring` says, on the validation rows after each epoch.
    best_validation_score_ : float
        The score of the epoch whose parameters were kept.

    See Also
    --------
    DistanceNetClassifier : The same for labels.

    References
    ----------
    .. [1] T. Kurbiel, S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures
       using RMSProp", arXiv:1708.01911, 2017.
    .. [2] S. J. Rennie, V. Goel, S. Thomas, "Annealed Dropout Training of Deep Networks", IEEE
       Spoken Language Technology Workshop, 2014.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skdistnet import DistanceNetRegressor
    >>> X, y = make_friedman1(300, random_state=0)
    >>> net = DistanceNetRegressor(random_state=0).fit(X[:200], y[:200])
    >>> bool(net.score(X[200:], y[200:]) > 0.7)
    True
    """

    _rate = 0.07
    _score_name = "R^2 or D^2"

    def __init__(
        self,
        hidden_layer_sizes=(100, 100),
        activation="gaussian",
        *,
        loss="squared_error",
        huber_delta=1.35,
        quantile=0.5,
        radius_type="diag",
        init="sample",
        init_median_activation=0.5,
        n_init=1,
        n_jobs=None,
        standardize=True,
        solver="rmsprop",
        learning_rate="cosine",
        learning_rate_init="auto",
        power_t=0.5,
        decay_rate=0.01,
        rho=0.7,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-9,
        alpha=3.0,
        decay="prior",
        dropout=0.0,
        dropout_schedule="constant",
        dtype=None,
        batch_size="auto",
        max_iter=100,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        scoring="loss",
        false_alarm_rate=0.05,
        warm_start=False,
        checkpoint_dir=None,
        checkpoint_every=10,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.radius_type = radius_type
        self.init = init
        self.init_median_activation = init_median_activation
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.standardize = standardize
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.decay_rate = decay_rate
        self.rho = rho
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.alpha = alpha
        self.decay = decay
        self.dropout = dropout
        self.dropout_schedule = dropout_schedule
        self.dtype = dtype
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.false_alarm_rate = false_alarm_rate
        self.warm_start = warm_start
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train the network from its start, or further under `warm_start`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units; NaN for what is missing, if the first layer measures distances.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets, in any units.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows, none of them negative; scaling all of them changes nothing.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to validate on, shaped as `X`, `y` and `sample_weight`. They are watched, and the
            best parameters brought back, with or without `early_stopping`, which then sets no rows
            aside.

        Returns
        -------
        self : DistanceNetRegressor

        Raises
        ------
        ValueError
            For a parameter out of its range, or data that cannot be learned from. The estimator is
            then as it was before.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def partial_fit(
        self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None
    ):
        """Train for one epoch over the rows given.

        The net starts anew from all rows so far whenever the number of different ones has doubled,
        until there are 200. If a call has fewer rows than `batch_size`, earlier rows, which the
        estimator keeps for this, fill up the batch, and the step is shorter. The learning rate is
        constant unless `learning_rate` is "invscaling" or "inverse_time", which count steps over
        all calls.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units; NaN for what is missing, if the first layer measures distances.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets, in any units.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows, none of them negative; they count relative to the mean weight of all
            rows so far.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to validate on, shaped as `X`, `y` and `sample_weight`. Loss and score on them are
            recorded; when to stop is for the caller to say.

        Returns
        -------
        self : DistanceNetRegressor

        Raises
        ------
        ValueError
            As :meth:`fit`, and with ``early_stopping=True`` but no validation set.
        """
        return self._partial_fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def predict(self, X):
        """Predicted targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_targets) or (n_samples, n_levels)
            In the units and the number of dimensions of the `y` given to fit; a column for each
            level where `quantile` is a list of them. The prediction
            for a constant column of `y` is exact. The dtype is that of the net, or float64 where
            float32 would round a constant, or round predictions by more than 1e-4 of the spread of
            `y`, as for seconds since 1970.
        """
        prediction = self._to_target_units(self._predict_raw(X))
        is_column = self._target_ndim_ == 1 and not self._predicts_levels()
        return prediction[:, 0] if is_column else prediction

    def score(self, X, y, sample_weight=None):
        """R^2 of the predictions, or the share of the loss that they explain.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows.

        Returns
        -------
        score : float
            D^2 for "poisson" and "quantile", as of `sklearn.metrics.d2_tweedie_score` and
            `sklearn.metrics.d2_pinball_score`, averaged over targets or levels; else R^2. The best
            is 1; the best constant has 0.
        """
        check_dense(y)
        prediction = self.predict(X)
        return self._score(np.asarray(y), prediction, sample_weight)

    @property
    def out_activation_(self):
        """Name of the function between raw output and prediction."""
        check_is_fitted(self)
        return self._make_loss().out_activation

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        name, settings = self.loss, {"quantile": self.quantile}
        if self._is_started():
            name, settings = self._loss_settings_
        tags.target_tags.positive_only = name == "poisson"
        tags.target_tags.multi_output = name != "quantile" or np.ndim(settings["quantile"]) == 0
        return tags

    # What the base asks for, but for targets ------------------------------------------------------

    def _start_depends_on_data(self):
        return True  # as the units of the target do

    def _check_same_network(self, n_inputs):
        super()._check_same_network(n_inputs)
        self._check_same_loss()

    def _start_parameters(self, rows, rng):
        theta = super()._start_parameters(rows, rng)
        weights = normalized_weights(rows.weights, len(rows), np.float64)
        intercepts = self._network.views(theta)[-1]["intercepts"]
        intercepts += self._make_loss().fit_intercept_only(rows.target, weights)
        return theta

    def _split(self, target, seed):
        n_rows = len(target)
        # A row is trained on, however large the fraction.
        n_held = min(ceil(self.validation_fraction * n_rows), n_rows - 1)
        return train_test_split(np.arange(n_rows), test_size=n_held, random_state=seed)

    def _score_of(self, rows):
        if len(rows) < 2:  # neither R^2 nor D^2 is defined
            return lambda raw: float("nan")
        target = rows.target[:, 0] if self._predicts_levels() else rows.target
        return lambda raw: self._score(target, self._inverse_link(raw), rows.weights)
