"""DistanceNetClassifier: labels in, labels and probabilities out."""

import numpy as np

from ._base.docstrings import describe_parameters
from ._targets.class_weight import ClassWeigher
from ._targets.labels import as_lists, check_labels, learn_labels, sort_classes
from ._targets.predictions import LabelPredictions

__all__ = ["DistanceNetClassifier"]


@describe_parameters
class DistanceNetClassifier(LabelPredictions):
    """Classifier made of units that answer to the distance from a centroid.

    A hidden unit with centroid c and inverse radii r answers
    ``exp(-1/2 sum_k r_k^2 (x_k - c_k)^2)``; such layers are stacked, and the output
    layer gives -1/2 times the scaled squared distance to a centroid of each class as logits of a
    softmax. Centroids and radii are trained by the gradient of the log-loss. The method is that of
    Kurbiel & Khaleghian [1]_, with starts that fit the data. Of many outputs each has a softmax of
    its own, over centroids of its own, and all share the hidden layers; a label of an indicator
    matrix has two centroids (or affine outputs), for the rows without and with it. Columns of 0 and
    1 are an indicator matrix, all others are outputs of their own, so the kind may change from fold
    to fold. Fitted to a single class, the classifier predicts that class.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    out_activation_ : str
        Function between raw output and prediction: "softmax".
    loss_curve_, loss_, best_loss_ : list of float, float, float
        Mean training loss of each epoch (log-loss; for many outputs their sum), the last and the
        smallest.
    validation_loss_curve_, validation_scores_ : list of float
        Loss and accuracy (see `score`), or what `scoring` says, on the validation rows with their
        weights, after each epoch.
    best_validation_score_ : float
        The score of the epoch whose parameters were kept.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Labels; for an indicator matrix their numbers, for several columns a list over them.

    See Also
    --------
    DistanceNetRegressor : The same for numbers.
    published_recipe : Arguments that make it the network of the paper.

    References
    ----------
    .. [1] T. Kurbiel, S. Khaleghian, "Training of Deep Neural Networks based on Distance Measures
       using RMSProp", arXiv:1708.01911, 2017.
    .. [2] S. J. Rennie, V. Goel, S. Thomas, "Annealed Dropout Training of Deep Networks", IEEE
       Spoken Language Technology Workshop, 2014.

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
        alpha=0.0,
        decay="prior",
        dropout=0.1,
        dropout_schedule="constant",
        label_smoothing=0.02,
        class_weight=None,
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
        handle_novelty=None,
        warm_start=False,
        checkpoint_dir=None,
        checkpoint_every=10,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_layer = output_layer
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
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
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
        self.handle_novelty = handle_novelty
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
        y : {array-like, sparse matrix} of shape (n_samples,), (n_samples, n_labels) or \
                (n_samples, n_outputs)
            Class labels; an indicator matrix, for any number of labels a row; or several columns of
            labels, of classes of their own. Columns that hold nothing but 0 and 1 are an indicator
            matrix.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of rows; scaling all of them changes nothing. The classifier does
            not train on rows of weight zero, but their classes are in ``classes_``.
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

        The net starts anew from all rows so far whenever the number of different ones has doubled,
        until there are 200. If a call has fewer rows than `batch_size`, earlier rows, which the
        estimator keeps for this, fill up the batch, and the step is shorter. The learning rate is
        constant unless `learning_rate` is "invscaling" or "inverse_time", which count steps over
        all calls.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in any units; NaN for what is missing, if the first layer measures distances.
        y : {array-like, sparse matrix} of shape (n_samples,), (n_samples, n_labels) or \
                (n_samples, n_outputs)
            As in :meth:`fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows, none of them negative; they count relative to the mean weight of all
            rows so far.
        classes : array-like of shape (n_classes,), or a list of them, default=None
            All labels that `y` may hold in any call. Needed in the first one. For an indicator
            matrix the numbers of its labels, ``range(n_labels)``; for several columns of labels a
            list of the classes of each.
        X_val, y_val, sample_weight_val : array-like, default=None
            Rows to validate on, shaped as `X`, `y` and `sample_weight`. Loss and score on them are
            recorded; when to stop is for the caller to say.

        Returns
        -------
        self : DistanceNetClassifier

        Raises
        ------
        ValueError
            As :meth:`fit`; for labels that are not in `classes`; with ``early_stopping=True`` but
            no validation set; and with `handle_novelty`, which needs all rows.
        """
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows, and partial_fit is given some: set a dict "
                "instead, with the weights that compute_class_weight of sklearn.utils.class_weight "
                "finds for 'balanced' on a large sample."
            )
        if self.handle_novelty is not None:
            raise ValueError(
                "partial_fit of DistanceNetClassifier does not support "
                f"handle_novelty={self.handle_novelty!r}: what is novel is told by all rows, and "
                "it is given some. Set it to None."
            )
        given = X_val, y_val, sample_weight_val
        classes = self._check_classes(classes)
        return self._partial_fit(X, y, sample_weight, *given, classes=classes)

    @property
    def out_activation_(self):
        """Name of the function between raw output and probabilities."""
        return "softmax"

    # What the base asks for -----------------------------------------------------------------------

    def _output_layer(self):
        return self.output_layer

    def _groups_with_absent_classes(self):
        return [] if self._expected_classes().all() else self._labels.groups

    def _expected_classes(self):
        # A net that an older version saved expects all of them.
        every = np.ones(sum(self._labels.sizes), dtype=bool)
        return vars(self).get("_expected_classes_", every)

    def _soften(self, target):
        return self._labels.soften(target, self.label_smoothing, self._expected_classes())

    def _least_loss(self, target, weights):
        raw = np.log(np.maximum(target, np.finfo(target.dtype).tiny))
        return self._labels.loss.value(raw, target, weights)

    def _make_loss(self):
        return self._labels.loss

    def _weigher(self, target, weights):
        return ClassWeigher.learn(self.class_weight, self._labels, target, weights)

    def _check_classes(self, classes):
        """The sorted `classes` of partial_fit, or those known already."""
        known = getattr(self, "classes_", None)
        if classes is None:
            if known is None:
                raise ValueError("'classes' must be given in the first call of partial_fit.")
            return known
        classes = sort_classes(classes)
        if known is not None and as_lists(classes) != as_lists(known):
            raise ValueError(
                f"'classes' must be those of the first call, {as_lists(known)}; "
                f"got {as_lists(classes)}."
            )
        return classes

    def _check_target(self, y):
        return check_labels(y)

    def _find_classes(self, y):
        return learn_labels(y).classes

    def _learn_target(self, y, weights, dtype, classes):
        labels = learn_labels(y, classes)
        self._label_kind_, self.classes_ = labels.kind, labels.classes

    def _encode_target(self, y, dtype):
        return self._labels.encode(y, dtype)

    def _prepare_target(self, X, y, weights, classes, more_to_come):
        target = super()._prepare_target(X, y, weights, classes, more_to_come)
        expected = target.any(axis=0) | vars(self).get("_expected_classes_", False)
        self._expected_classes_ = expected | more_to_come
        return target

    def _split(self, target, seed):
        return self._labels.split(target, self.validation_fraction, seed)

    def _score_of(self, rows):
        labels = self._labels
        codes = labels.codes(rows.target)

        def share_of_rows_all_right(raw):
            right = (labels.codes(raw) == codes).all(axis=1)
            return float(np.average(right, weights=rows.weights))

        return share_of_rows_all_right
