"""DistanceNetRegressor: targets in (1-D or 2-D), predictions out."""

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from ._base import BaseDistanceNet
from ._docs import describe_parameters
from .engine.inputs import weighted_moments
from .engine.losses import normalized_weights

__all__ = ["DistanceNetRegressor"]


@describe_parameters
class DistanceNetRegressor(MultiOutputMixin, RegressorMixin, BaseDistanceNet):
    """Regressor made of units that answer to the distance from a centroid.

    A hidden unit with centroid c and inverse radii r answers
    ``exp(-1/2 sum_k r_k^2 (x_k - c_k)^2)``; such layers are stacked, and the output
    is affine. Centroids, radii and weights are trained by the gradient of half the squared error of
    the targets, which are standardised inside the model. The layers are those of Kurbiel &
    Khaleghian [1]_, with starts that fit the data.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    out_activation_ : str
        Function between raw output and prediction: "identity".
    loss_curve_, loss_, best_loss_ : list of float, float, float
        Mean training loss of each epoch, in standardised targets, the last and the smallest.
    validation_loss_curve_, validation_scores_ : list of float
        Loss and R^2, or what `scoring` says, on the validation rows after each epoch.
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

    _loss = "squared_error"
    _rate = 0.07
    _score_name = "R^2"

    def __init__(
        self,
        hidden_layer_sizes=(100, 100),
        activation="gaussian",
        *,
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
        warm_start=False,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
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
        self.warm_start = warm_start
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

        The first call fixes the start, the shift and scale of features and targets and the random
        generator. The learning rate is constant unless `learning_rate` is "invscaling" or
        "inverse_time", which count steps over all calls.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units; NaN for what is missing, if the first layer measures distances.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets, in any units.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows, none of them negative.
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
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            In the units and the number of dimensions of the `y` given to fit.
        """
        prediction = self._to_target_units(self._predict_raw(X))
        return prediction[:, 0] if self._target_ndim_ == 1 else prediction

    @property
    def out_activation_(self):
        """Name of the function between raw output and prediction."""
        return "identity"

    # What the base asks for -----------------------------------------------------------------------

    def _to_target_units(self, raw):
        scale, mean = self._target_scale_.astype(raw.dtype), self._target_mean_.astype(raw.dtype)
        with np.errstate(over="ignore"):
            prediction = raw * scale + mean
        # Inputs far off may lead a linear net beyond the largest number there is.
        largest = np.finfo(raw.dtype).max
        return np.clip(prediction, -largest, largest, out=prediction)

    def _to_output_units(self, name, values):
        if name == "coefs":
            values[-1] = values[-1] * self._target_scale_
        elif name == "intercepts":
            values[-1] = values[-1] * self._target_scale_ + self._target_mean_

    def _check_target(self, y):
        return y.astype(np.float64, copy=False)

    def _learn_target(self, y, weights, dtype, classes=None):
        largest = np.abs(y).max()
        if not largest < np.finfo(dtype).max / 1e3:
            raise ValueError(
                f"'y' reaches {largest:.3g}, which is too large for {dtype.name}: rescale it"
                + ("." if dtype == np.float64 else ", or set dtype='float64'.")
            )
        columns = y.reshape(len(y), -1)
        mean, std, _ = weighted_moments(columns, normalized_weights(weights, len(y), np.float64))
        self._target_ndim_ = y.ndim
        self._target_mean_ = mean
        self._target_scale_ = np.where(std > np.finfo(dtype).tiny, std, 1.0)

    def _encode_target(self, y, dtype):
        if y.ndim != self._target_ndim_ or y[:1].size != self._target_mean_.size:
            raise ValueError(
                f"'y' must have as many dimensions ({self._target_ndim_}) and targets "
                f"({self._target_mean_.size}) as before; got shape {y.shape}."
            )
        columns = y.reshape(len(y), -1)
        return ((columns - self._target_mean_) / self._target_scale_).astype(dtype)

    def _split(self, target, seed):
        return train_test_split(
            np.arange(len(target)), test_size=self.validation_fraction, random_state=seed
        )

    def _score_of(self, rows):
        if len(rows) < 2:  # R^2 is not defined
            return lambda raw: float("nan")
        return lambda raw: float(r2_score(rows.target, raw, sample_weight=rows.weights))
