"""The regressor. `_base/estimator.py` has the order of steps in its `fit`."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import MultiOutputMixin, RegressorMixin

from ._base.constraints import NETWORK_CONSTRAINTS, POSITIVE, WITHIN, OneOf, Rule, is_increasing
from ._base.docstrings import describe_parameters
from ._base.start import from_parameters
from ._base.tabular import BaseDistanceNet
from ._targets.regression import RegressionCodec
from .engine.losses import REGRESSION_LOSSES

__all__ = ["DistanceNetRegressor"]


def check_dense(y):
    """Raise a TypeError, as scikit-learn does, for a sparse `y`."""
    if issparse(y):
        raise TypeError("'y' must be dense; got sparse data: pass y.toarray().")


@describe_parameters
class DistanceNetRegressor(MultiOutputMixin, RegressorMixin, BaseDistanceNet):
    """Neural network regressor whose units measure distances to centroids.

    A hidden unit with centroid c and inverse radii r has the activation
    ``exp(-1/2 sum_k r_k^2 (x_k - c_k)^2)``. Such layers are stacked, and the output layer is
    affine. Centroids, radii and weights are trained by the gradient of the loss of the targets,
    which are standardised inside the model unless they are counts. The layers are those of
    Kurbiel & Khaleghian [1]_, with an initialisation that fits the data.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    out_activation_ : str
        Function from raw output to prediction: "identity"; "exp" for the loss "poisson";
        "cumulative_softplus" for a list of quantile levels, the sums of the first output and of
        ``log(1 + exp(.))`` of the others. The `coefs_` and `intercepts_` of the last layer give the
        raw output in the units of y, but for a list of levels in standardised units.
    loss_curve_, loss_, best_loss_ : list of float, float, float
        Mean training loss of each epoch, in standardised targets, the last and the smallest. It is
        half the square for "squared_error" and half the deviance for "poisson".
    validation_loss_curve_, validation_scores_ : list of float
        Loss and `score`, or the score named by `scoring`, on the validation rows after each epoch.
    best_validation_score_ : float
        The score of the epoch whose parameters were kept.

    See Also
    --------
    DistanceNetClassifier : The same for labels.

    References
    ----------
    .. [1] T. Kurbiel, S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures
       using RMSProp", arXiv:1708.01911, 2017.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skdistnet import DistanceNetRegressor
    >>> X, y = make_friedman1(300, random_state=0)
    >>> net = DistanceNetRegressor(random_state=0).fit(X[:200], y[:200])
    >>> bool(net.score(X[200:], y[200:]) > 0.7)
    True
    """

    _learning_rate_of_one_layer = 0.07
    _score_name = "R^2 or D^2"
    _parameter_constraints = NETWORK_CONSTRAINTS | {
        "loss": [OneOf(REGRESSION_LOSSES)],
        "huber_delta": [POSITIVE],
        "quantile": [WITHIN, Rule("an increasing sequence of them", is_increasing)],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100, 100),
        activation="gaussian",
        *,
        loss="squared_error",
        huber_delta=1.35,
        quantile=0.5,
        radius_type="diag",
        linear_part=True,
        init="sample",
        init_median_activation="auto",
        n_init=1,
        n_jobs=None,
        standardize=True,
        categorical_features="from_dtype",
        solver="rmsprop",
        learning_rate="cosine",
        learning_rate_init="auto",
        rho=0.7,
        momentum=0.9,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-9,
        alpha=0.0,
        penalty="decoupled",
        dropout=0.0,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.huber_delta = huber_delta
        self.quantile = quantile
        self.radius_type = radius_type
        self.linear_part = linear_part
        self.init = init
        self.init_median_activation = init_median_activation
        self.n_init = n_init
        self.n_jobs = n_jobs
        self.standardize = standardize
        self.categorical_features = categorical_features
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
        self.dropout = dropout
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

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the network or, with `warm_start`, continue the previous fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units. A data frame may have columns of words and other categories, see
            `categorical_features`. What is missing, such as NaN and None, is a missing value if the
            first layer is a distance layer.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets, in any units.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of rows; only their ratios matter.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation rows, shaped as `X`, `y` and `sample_weight`. The net keeps the parameters of
            the epoch that is best on them, even without `early_stopping`; no others are set aside.

        Returns
        -------
        self : DistanceNetRegressor

        Raises
        ------
        ValueError
            For a parameter out of its range or unsuitable data. The estimator is left unchanged.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def partial_fit(
        self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None
    ):
        """Train for one epoch over the given rows.

        Until there are 200 different rows, the net is initialised again from all rows so far
        whenever their number has doubled. If a call has fewer rows than `batch_size`, stored rows
        of earlier calls fill up the batch, and the step is shorter. The learning rate is constant
        unless `learning_rate` is a callable, which receives the number of steps over all calls.

        Parameters
        ----------
        X, y : {array-like, sparse matrix}, array-like
            Rows and targets, as in :meth:`fit`. Levels of categories may come in any call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of rows, relative to the mean weight of all rows so far.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation rows, shaped as `X`, `y` and `sample_weight`. Their loss and score are
            recorded; the caller decides when to stop.

        Returns
        -------
        self : DistanceNetRegressor

        Raises
        ------
        ValueError
            As :meth:`fit`, and for ``early_stopping=True`` without a validation set.
        """
        return self._partial_fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def predict(self, X):
        """Return the predicted targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_targets) or (n_samples, n_levels)
            In the units and the number of dimensions of the `y` given to fit; a column for each
            level where `quantile` is a list of them. The prediction for a constant column of `y` is
            exact. The dtype is that of the net, or float64 where float32 would round a constant, or
            round predictions by more than 1e-4 of the spread of `y`, as for seconds since 1970.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for rows that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._codec.decode(raw)

    def score(self, X, y, sample_weight=None):
        """Return R^2 of the predictions, or the share of the loss that they explain.

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
            D^2 for "poisson" and "quantile", as in `sklearn.metrics.d2_tweedie_score` and
            `sklearn.metrics.d2_pinball_score`, averaged over targets or levels; else R^2. The best
            score is 1; the best constant prediction has 0.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError, TypeError
            As :meth:`predict`; TypeError for sparse `y`.
        """
        check_dense(y)
        return self._score_of(self.predict(X), y, sample_weight)

    def _score_of(self, predicted, y, sample_weight):
        """Return the score of predictions for the true targets `y`."""
        return self._codec.score(np.asarray(y), predicted, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        name, quantile = self.loss, self.quantile
        if self._is_started():
            codec = self._codec
            name, quantile = codec.loss_name, codec.loss_settings.get("quantile")
        tags.target_tags.positive_only = name == "poisson"
        tags.target_tags.multi_output = name != "quantile" or np.ndim(quantile) == 0
        return tags

    def _check_target(self, y):
        check_dense(y)
        # In one memory order, because sums over another may differ in the last bit.
        return np.ascontiguousarray(y, dtype=np.float64)

    def _new_codec(self, y, weights, dtype, classes, statistics=None):
        return RegressionCodec.for_targets(y, weights, dtype, self._chosen_loss(), statistics)

    @property
    def _codec(self):
        return RegressionCodec(**self._target_state_)

    def _chosen_loss(self):
        """Return the loss that the parameters specify."""
        return from_parameters(REGRESSION_LOSSES[self.loss], self)

    def _check_same_target(self):
        self._codec.check_same_loss(self._chosen_loss())
