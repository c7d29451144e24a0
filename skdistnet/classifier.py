"""DistanceNetClassifier: labels in, labels and probabilities out."""

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ._base import BaseDistanceNet
from ._docs import describe_parameters
from ._labels import SingleOutput, sort_classes
from .engine import LOSSES

__all__ = ["DistanceNetClassifier"]


@describe_parameters
class DistanceNetClassifier(ClassifierMixin, BaseDistanceNet):
    """Classifier made of units that answer to the distance from a centroid.

    A hidden unit with centroid c and inverse radii r answers
    ``exp(-1/2 sum_k r_k^2 (x_k - c_k)^2)``; such layers are stacked, and the output
    layer gives -1/2 times the scaled squared distance to a centroid of each class as logits of a
    softmax. Centroids and radii are trained by the gradient of the log-loss. The method is that of
    Kurbiel & Khaleghian [1]_, with starts that fit the data.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    out_activation_ : str
        Function between raw output and prediction: "softmax".
    loss_curve_, loss_, best_loss_ : list of float, float, float
        Mean training loss of each epoch (log-loss), the last and the smallest.
    validation_loss_curve_, validation_scores_ : list of float
        Loss and accuracy, or what `scoring` says, on the validation rows after each epoch.
    best_validation_score_ : float
        The score of the epoch whose parameters were kept.
    classes_ : ndarray of shape (n_classes,)
        Labels.

    See Also
    --------
    DistanceNetRegressor : The same for numbers.
    published_recipe : Arguments that make it the network of the paper.

    References
    ----------
    .. [1] T. Kurbiel, S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures
       using RMSProp", arXiv:1708.01911, 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistnet import DistanceNetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> net = DistanceNetClassifier(random_state=0).fit(X_train, y_train)
    >>> bool(net.score(X_test, y_test) > 0.9)
    True
    >>> net.centroids_[-1].shape
    (3, 200)
    """

    _loss = "log_loss"
    _rate = 0.03
    _score_name = "accuracy"

    def __init__(
        self,
        hidden_layer_sizes=(200,),
        activation="gaussian",
        *,
        output_layer="distance",
        radius_type="diag",
        init="sample",
        init_median_activation=0.5,
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
        alpha=0.0,
        decay="prior",
        dropout=0.15,
        label_smoothing=0.04,
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
        self.output_layer = output_layer
        self.radius_type = radius_type
        self.init = init
        self.init_median_activation = init_median_activation
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
        self.label_smoothing = label_smoothing
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
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows, none of them negative; scaling all of them changes nothing.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to validate on, shaped as `X`, `y` and `sample_weight`. They are watched, and the
            best parameters brought back, with or without `early_stopping`, which then sets no rows
            aside.

        Returns
        -------
        self : DistanceNetClassifier

        Raises
        ------
        ValueError
            For a parameter out of its range, or data that cannot be learned from. The estimator is
            then as it was before.
        """
        return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def partial_fit(
        self,
        X,
        y,
        sample_weight=None,
        classes=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train for one epoch over the rows given.

        The first call fixes the start, the features' shift and scale and the random generator. The
        learning rate is constant unless `learning_rate` is "invscaling" or "inverse_time", which
        count steps over all calls.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units; NaN for what is missing, if the first layer measures distances.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows, none of them negative.
        classes : array-like of shape (n_classes,), default=None
            All labels that `y` may hold in any call. Needed in the first one.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to validate on, shaped as `X`, `y` and `sample_weight`. Loss and score on them are
            recorded; when to stop is for the caller to say.

        Returns
        -------
        self : DistanceNetClassifier

        Raises
        ------
        ValueError
            As :meth:`fit`; for labels that are not in `classes`; and with ``early_stopping=True``
            but no validation set.
        """
        given = X_val, y_val, sample_weight_val
        classes = self._check_classes(classes)
        return self._partial_fit(X, y, sample_weight, *given, classes=classes)

    def decision_function(self, X):
        """Raw output of the network: -1/2 squared distance to each class's centroid, or affine.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decision : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Logits; for two classes the second minus the first, positive for ``classes_[1]``.
        """
        raw = self._predict_raw(X)
        return raw[:, 1] - raw[:, 0] if raw.shape[1] == 2 else raw

    def predict_proba(self, X):
        """Probabilities of the classes, a softmax of the raw output.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return LOSSES[self._loss].inverse_link(self._predict_raw(X))

    def predict_log_proba(self, X):
        """Logarithm of the probabilities, exact where they round to 0 or 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return log_softmax(self._predict_raw(X), axis=1)

    def predict(self, X):
        """The most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of the dtype of ``classes_``.
        """
        raw = self._predict_raw(X)
        return self._labels.decode(raw)

    @property
    def out_activation_(self):
        """Name of the function between raw output and probabilities."""
        return "softmax"

    # What the base asks for -----------------------------------------------------------------------

    @property
    def _labels(self):
        return SingleOutput(self.classes_)

    def _output_layer(self):
        return self.output_layer

    def _soften(self, target):
        share = self.label_smoothing
        return target * (1.0 - share) + np.asarray(share / target.shape[1], dtype=target.dtype)

    def _check_classes(self, classes):
        """The sorted `classes` of partial_fit, or those known already."""
        known = getattr(self, "classes_", None)
        if classes is None:
            if known is None:
                raise ValueError("'classes' must be given in the first call of partial_fit.")
            return known
        classes = sort_classes(classes)
        if known is not None and not np.array_equal(classes, known):
            raise ValueError(
                f"'classes' must be those of the first call, {known.tolist()}; "
                f"got {classes.tolist()}."
            )
        return classes

    def _check_target(self, y):
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def _learn_target(self, y, weights, dtype, classes=None):
        self.classes_ = np.unique(y) if classes is None else classes
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes; got 1 class, "
                f"{self.classes_.tolist()}."
            )

    def _encode_target(self, y, dtype):
        return self._labels.encode(y, dtype)

    def _split(self, target, seed):
        return self._labels.split(target, self.validation_fraction, seed)

    def _score_of(self, rows):
        codes = rows.target.argmax(axis=1)
        return lambda raw: float(np.average(raw.argmax(axis=1) == codes, weights=rows.weights))
