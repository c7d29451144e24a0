"""The classifier. `_base/estimator.py` has the order of steps in its `fit`."""

from functools import partial

import numpy as np
from scipy.sparse import issparse
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin, MultiOutputMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ._base.constraints import FRACTION, NETWORK_CONSTRAINTS, NONE, OneOf, Rule, is_class_weights
from ._base.docstrings import describe_parameters
from ._base.tabular import BaseDistanceNet
from ._targets.labels import KINDS, MultiOutputCodec, as_lists, codec_for, sort_classes
from .engine import LOSSES
from .engine.network import OUTPUT_LAYERS
from .metrics import check_same_kind

__all__ = ["DistanceNetClassifier"]


@describe_parameters
class DistanceNetClassifier(MultiOutputMixin, ClassifierMixin, BaseDistanceNet):
    """Neural network classifier whose units measure distances to centroids.

    A hidden unit with centroid c and inverse radii r has the activation
    ``exp(-1/2 sum_k r_k^2 (x_k - c_k)^2)``. Such layers are stacked, and the output layer gives
    -1/2 times the scaled squared distance to a centroid of each class as the logits of a softmax.
    Centroids and radii are trained by the gradient of the log-loss. The method is that of Kurbiel &
    Khaleghian [1]_, with an initialisation that fits the data.

    `y` may have several columns. An indicator matrix, which holds only 0 and 1, is a multilabel
    target: each of its labels has two centroids (or affine outputs), without and with the label.
    Any other columns are outputs of their own, each with a softmax over its own classes. All
    outputs share the hidden layers. Fitted to a single class, the classifier predicts that class.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    out_activation_ : str
        Function from raw output to prediction: "softmax".
    loss_curve_, loss_, best_loss_ : list of float, float, float
        Mean training loss of each epoch (log-loss; for several outputs their sum), the last and the
        smallest.
    validation_loss_curve_, validation_scores_ : list of float
        Loss and accuracy (see `score`), or the score that `scoring` names, on the weighted
        validation rows after each epoch.
    best_validation_score_ : float
        The score of the epoch whose parameters were kept.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Labels; for an indicator matrix their numbers, for several columns a list over them.

    See Also
    --------
    DistanceNetRegressor : The same for numbers.
    published_recipe : Settings of the network of the paper.

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

    _learning_rate_of_one_layer = 0.03
    _score_name = "accuracy"
    _parameter_constraints = NETWORK_CONSTRAINTS | {
        "output_layer": [OneOf(OUTPUT_LAYERS)],
        "label_smoothing": [FRACTION],
        "class_weight": [
            OneOf(("balanced",)),
            Rule(
                "a dict of positive floats by label, a list of such dicts (one for each output)",
                is_class_weights,
            ),
            NONE,
        ],
    }

    def __init__(
        self,
        hidden_layer_sizes=(200,),
        activation="gaussian",
        *,
        output_layer="distance",
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
        dropout=0.1,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_layer = output_layer
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

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the network or, with `warm_start`, continue the previous fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units. A data frame may have columns of words and other categories, see
            `categorical_features`. What is missing, such as NaN and None, is a missing value if the
            first layer is a distance layer.
        y : {array-like, sparse matrix} of shape (n_samples,), (n_samples, n_labels) or \
                (n_samples, n_outputs)
            Class labels; an indicator matrix of 0 and 1 for any number of labels per row; or
            several columns of labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of rows; only their ratios matter. Rows of weight zero are not
            trained on, but their classes are in ``classes_``.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation rows, shaped as `X`, `y` and `sample_weight`. The net keeps the parameters of
            the epoch that is best on them, even without `early_stopping`; no others are set aside.

        Returns
        -------
        self : DistanceNetClassifier

        Raises
        ------
        ValueError
            For a parameter out of its range or unsuitable data. The estimator is left unchanged.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

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
        """Train for one epoch over the given rows.

        Until there are 200 different rows, the net is initialised again from all rows so far
        whenever their number has doubled. If a call has fewer rows than `batch_size`, stored rows
        of earlier calls fill up the batch, and the step is shorter. The learning rate is constant
        unless `learning_rate` is a callable, which receives the number of steps over all calls.

        Parameters
        ----------
        X, y : {array-like, sparse matrix}
            Rows and labels, as in :meth:`fit`. Levels of categories may come in any call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of rows, relative to the mean weight of all rows so far.
        classes : array-like of shape (n_classes,), or a list of them, default=None
            All labels that `y` may hold in any call; required in the first one. For an indicator
            matrix the numbers of its labels, ``range(n_labels)``; for several columns a list of the
            classes of each.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation rows, shaped as `X`, `y` and `sample_weight`. Their loss and score are
            recorded; the caller decides when to stop.

        Returns
        -------
        self : DistanceNetClassifier

        Raises
        ------
        ValueError
            As :meth:`fit`; for labels that are not in `classes`; and for ``early_stopping=True``
            without a validation set.
        """
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows, and partial_fit sees only some: set a "
                "dict of the weights that sklearn.utils.class_weight.compute_class_weight returns "
                "for 'balanced' on a large sample."
            )
        classes = self._check_classes(classes)
        return self._partial_fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), classes)

    def decision_function(self, X):
        """Return the raw output: -1/2 squared distance to each class's centroid, or affine.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decision : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Logits; for two classes the second minus the first, positive for ``classes_[1]``. One
            class: of shape (n_samples, 1). Multilabel: of shape (n_samples, n_labels), positive for
            having the label. Several columns: a list over the outputs.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for rows that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._codec.decisions(raw)

    def predict_proba(self, X):
        """Return the probabilities of the classes, a softmax of the raw output.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``. Multilabel: of shape (n_samples, n_labels), each label's
            own probability. Several columns: a list over the outputs.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for rows that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._codec.probabilities(raw, LOSSES["log_loss"]().inverse_link)

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, even where these round to 0 or 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; for several outputs in the form of :meth:`predict_proba`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for rows that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._codec.probabilities(raw, partial(log_softmax, axis=1))

    def predict(self, X):
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of the dtype of ``classes_``. Multilabel: a dense indicator matrix of shape (n_samples,
            n_labels). Several columns: labels of shape (n_samples, n_outputs).

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for rows that do not suit it.
        """
        raw = self._raw_output(self._check_rows(X))
        return self._codec.decode(raw)

    def score(self, X, y, sample_weight=None):
        """Return the accuracy: the share of rows with all outputs predicted correctly.

        For an indicator matrix this is scikit-learn's subset accuracy; for several columns of
        labels, where scikit-learn has no score, the same rule holds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_outputs)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows; `class_weight` is not applied.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            If `y` has another shape than in the fit, or strings where the classes are numbers, or
            numbers where they are strings.
        """
        return self._score_of(self.predict(X), y, sample_weight)

    def _score_of(self, predicted, y, sample_weight):
        """Return the score of predictions for the true labels `y`."""
        codec = self._codec
        if codec.kind != MultiOutputCodec.kind:
            return accuracy_score(y, predicted, sample_weight=sample_weight)
        y = y.toarray() if issparse(y) else np.asarray(y)
        codec.check_shape(y)
        check_same_kind(y.ravel(), predicted.ravel())
        return float(np.average((y == predicted).all(axis=1), weights=sample_weight))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _check_target(self, y):
        y = y.toarray() if issparse(y) else y
        if y.ndim != 2 or y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return y

    def _new_codec(self, y, weights, dtype, classes, statistics=None):
        return codec_for(y, classes, self.label_smoothing, self.class_weight)

    @property
    def _codec(self):
        kind, expected = KINDS[self._target_state_["kind"]], self._target_state_["expected"]
        return kind(self.classes_, self.label_smoothing, self.class_weight, expected)

    def _check_classes(self, classes):
        """Return the sorted `classes` of partial_fit, or those of earlier calls."""
        known = getattr(self, "classes_", None)
        if classes is None and known is None:
            raise ValueError("'classes' must be given in the first call of partial_fit.")
        classes = known if classes is None else sort_classes(classes)
        if known is not None and as_lists(classes) != as_lists(known):
            raise ValueError(
                f"'classes' must be those of the first call, {as_lists(known)}; "
                f"got {as_lists(classes)}."
            )
        return classes
