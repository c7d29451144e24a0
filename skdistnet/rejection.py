"""RejectingClassifier, which wraps a classifier and rejects predictions of low confidence."""

from typing import ClassVar

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from ._base.constraints import Number, OneOf, check_parameter
from ._base.docstrings import LinkedDocs

__all__ = ["RejectingClassifier"]

DELEGATED_DOC = """Return the wrapped classifier's {what}.

        Parameters
        ----------
        X : {{array-like, sparse matrix}} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        values : ndarray of shape {shape}

        Raises
        ------
        sklearn.exceptions.NotFittedError, AttributeError
            Before the fit, and if the classifier has no such method.
        """


def delegated(name, what, shape="(n_samples, n_classes)"):
    """Return the wrapped classifier's method, available where the classifier has it."""

    def available(self):
        getattr(getattr(self, "estimator_", self.estimator), name)  # raises its AttributeError
        return True

    def call(self, X):
        return getattr(self._fitted(), name)(X)

    call.__name__, call.__doc__ = name, DELEGATED_DOC.format(what=what, shape=shape)
    call.__qualname__ = f"RejectingClassifier.{name}"
    return available_if(available)(call)


def delegated_attribute(name, what):
    """Return a property, the wrapped classifier's attribute, which is absent before the fit."""
    doc = f"{what} of the wrapped classifier."
    return property(lambda self: getattr(self._fitted(), name), doc=doc)


class RejectingClassifier(LinkedDocs, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Wrap any classifier of one label per row so that it can reject rows of low confidence.

    :meth:`predict` returns the wrapped classifier's prediction for every row, as scikit-learn's
    tools expect. :meth:`accepts` marks the rows whose prediction is confident enough, and
    :meth:`predict_with_rejection` returns `reject_label` for the others.

    With ``method="predict_proba"`` a row between known classes is rejected: the probability of its
    predicted class is too low. This is Chow's rule [1]_, optimal for true probabilities: if a
    rejection costs a share c of what an error costs, the threshold is 1 - c. With
    ``method="score_samples"`` a row unlike the training data is rejected, however confident the
    classifier is.

    Parameters
    ----------
    estimator : classifier
        It needs `predict`, `classes_` and the method. :meth:`fit` fits a clone of it, unless it is
        a :class:`~sklearn.frozen.FrozenEstimator`. A fitted classifier needs no :meth:`fit`.
    method : {"predict_proba", "score_samples"}, default="predict_proba"
        Measure of confidence: the probability of the predicted class, or the novelty score.
    threshold : float or "auto", default="auto"
        Smallest confidence that is accepted: a probability in [0, 1], or a score. "auto" is 0.5 for
        "predict_proba", which the more probable one of two classes always reaches. For
        "score_samples" it is `novelty_threshold_` of the classifier, or of the one at the end of a
        pipeline or inside a search. It may be set after the fit.
    reject_label : scalar or None, default="auto"
        Label of rejected rows in :meth:`predict_with_rejection`; it must not be one of the classes.
        "auto" is "reject" for strings, None for other objects, and for numbers -1 or, if there are
        negative classes, an integer below all of them. It may be set after the fit.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Its classes; `reject_label` is not among them.
    threshold_, reject_label_ : float, scalar or None
        The threshold and the label in use.
    n_features_in_, feature_names_in_ : int, ndarray of shape (n_features,)
        Number and names of features, if `estimator_` has them.

    See Also
    --------
    accuracy_coverage_curve : Accuracy of the most confident predictions by their share.
    skdistnet.displays.AccuracyCoverageDisplay : Plot of this curve.

    Notes
    -----
    `score` is the accuracy of :meth:`predict` over all rows, whatever the threshold. So a search
    over `threshold` needs a scorer that calls :meth:`predict_with_rejection` and weighs rejections
    against errors, as in the user guide; :func:`accuracy_coverage_curve` compares all thresholds
    without one. Pipelines and searches have neither :meth:`predict_with_rejection` nor
    :meth:`accepts`: wrap the whole pipeline, and use the `best_estimator_` of a search.

    References
    ----------
    .. [1] C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on
       Information Theory 16 (1), 1970.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistnet import DistanceNetClassifier, RejectingClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> net = DistanceNetClassifier(max_iter=30, random_state=0)
    >>> careful = RejectingClassifier(net, threshold=0.9).fit(X_train, y_train)
    >>> accepted = careful.accepts(X_test)
    >>> bool((careful.predict_with_rejection(X_test)[~accepted] == -1).all())
    True
    >>> correct = careful.predict(X_test) == y_test
    >>> bool(correct[accepted].mean() > careful.score(X_test, y_test))
    True
    """

    predict_proba = delegated("predict_proba", "probabilities of classes")
    predict_log_proba = delegated("predict_log_proba", "log-probabilities of classes")
    decision_function = delegated(
        "decision_function", "decision function", "(n_samples,) or (n_samples, n_classes)"
    )
    score_samples = delegated("score_samples", "novelty scores, low for novel rows", "(n_samples,)")
    classes_ = delegated_attribute("classes_", "Classes")
    n_features_in_ = delegated_attribute("n_features_in_", "Number of features")
    feature_names_in_ = delegated_attribute("feature_names_in_", "Names of features")

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "method": [OneOf(("predict_proba", "score_samples"))],
        "threshold": [OneOf(("auto",)), Number()],  # in [0, 1] for "predict_proba"
    }

    def __init__(self, estimator, *, method="predict_proba", threshold="auto", reject_label="auto"):
        self.estimator = estimator
        self.method = method
        self.threshold = threshold
        self.reject_label = reject_label

    def fit(self, X, y, **params):
        """Fit a clone of `estimator`. A fit that fails changes nothing.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, such as `estimator` takes them: for a net also data frames with words.
        y : array-like of shape (n_samples,)
            Labels, one for each row.
        **params : dict
            Passed to the `fit` of `estimator`, such as `sample_weight` or a validation set. With
            scikit-learn's metadata routing enabled, only those that it requests.

        Returns
        -------
        self : RejectingClassifier

        Raises
        ------
        TypeError, AttributeError
            If `estimator` is not a classifier, and if it does not have the method.
        ValueError
            For a parameter out of its range, for several labels per row, for a `reject_label` that
            is one of the classes, and for data that the classifier does not accept.
        """
        self._check_parameters()
        with np.errstate(invalid="ignore"):  # infinite labels raise an error, not a warning
            kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"{type(self).__name__} needs a 'y' of one class for each row of X. "
                f"Unknown label type: {kind}"
            )
        if get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).estimator.fit
        fitted = clone(self.estimator).fit(X, y, **params)
        self._resolve_threshold(fitted)
        resolve_reject_label(self.reject_label, fitted.classes_)
        self.estimator_ = fitted
        return self

    def predict(self, X):
        """Predict a class for every row, whether it is accepted or not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Predictions of the wrapped classifier, of the dtype of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit; for a parameter out of its range or a classifier of several labels.
        """
        estimator = self._fitted()
        self._check_parameters()
        labels = np.asarray(estimator.predict(X))
        if labels.ndim > 1:
            raise ValueError(
                f"{type(self).__name__} needs an estimator that predicts one label for each row; "
                f"{estimator!r} was fitted to {labels.shape[1]} labels per row."
            )
        return labels.astype(np.asarray(estimator.classes_).dtype, copy=False)

    def predict_with_rejection(self, X):
        """Predict a class for the rows that are accepted, and `reject_label` for the others.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of the dtype of ``classes_`` if it can hold `reject_label`, else of one that holds both:
            numbers with numbers and strings with strings, otherwise objects.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`predict`, and for a `reject_label` that is one of the classes.
        """
        estimator, reject_label, labels = self._fitted(), self.reject_label_, self.predict(X)
        accepted = self.threshold_ <= prediction_confidence(estimator, self.method, X, labels)
        labels = labels.astype(dtype_with(reject_label, np.asarray(estimator.classes_)))
        labels[~accepted] = reject_label
        return labels

    def accepts(self, X):
        """Return a mask of the rows whose prediction is confident enough.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        accepted : ndarray of bool of shape (n_samples,)
            True where the confidence is at least ``threshold_``. Its mean is the coverage.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`predict`.
        """
        estimator = self._fitted()
        self._check_parameters()
        labels = self.predict(X) if self.method == "predict_proba" else None
        return self.threshold_ <= prediction_confidence(estimator, self.method, X, labels)

    @property
    def threshold_(self):
        """The smallest confidence that is accepted."""
        return self._resolve_threshold(self._fitted())

    @property
    def reject_label_(self):
        """Label of rejected rows."""
        return resolve_reject_label(self.reject_label, self.classes_)

    def get_metadata_routing(self):
        """Return the routing of metadata from `fit` to the `fit` of the wrapped classifier.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags, wrapped = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags, tags.non_deterministic = wrapped.input_tags, wrapped.non_deterministic
        tags.classifier_tags = wrapped.classifier_tags or tags.classifier_tags
        tags.classifier_tags.multi_label = False
        return tags

    def __sklearn_is_fitted__(self):
        try:
            check_is_fitted(getattr(self, "estimator_", self.estimator))
        except NotFittedError:
            return False
        return True

    def _fitted(self):
        """Return `estimator_`, or an `estimator` that is already fitted."""
        check_is_fitted(self)
        return getattr(self, "estimator_", self.estimator)

    def _check_parameters(self):
        caller = type(self).__name__
        is_instance = hasattr(self.estimator, "fit") and not isinstance(self.estimator, type)
        if not (is_instance and is_classifier(self.estimator)):
            raise TypeError(
                f"The 'estimator' parameter of {caller} must be a classifier; "
                f"got {self.estimator!r}."
            )
        constraints = self._parameter_constraints
        if isinstance(self.method, str) and self.method == "predict_proba":
            constraints = constraints | {"threshold": [OneOf(("auto",)), Number(0, 1)]}
        for name, rules in constraints.items():
            check_parameter(caller, name, getattr(self, name), rules)
        try:
            getattr(self.estimator, self.method)
        except AttributeError as error:
            raise AttributeError(
                f"{caller} with method={self.method!r} needs an estimator that has {self.method}; "
                f"{type(self.estimator).__name__} has none: {error.__cause__ or error}"
            ) from error

    def _resolve_threshold(self, estimator):
        if not isinstance(self.threshold, str):
            return self.threshold
        if self.method == "predict_proba":
            return 0.5
        inner = estimator
        while inner is not None:
            try:
                return inner.novelty_threshold_
            except NotFittedError:
                raise  # also an AttributeError; its message explains how to get a threshold
            except AttributeError:
                inner = inner_estimator(inner)
        raise ValueError(
            f"The 'threshold' parameter of {type(self).__name__} must be a float for "
            f"method='score_samples' with {type(estimator).__name__}, which has no "
            "'novelty_threshold_'; got 'auto'."
        )


def inner_estimator(estimator):
    """Return the estimator that a pipeline, search or frozen estimator predicts with, or None."""
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if hasattr(estimator, "steps"):
        return estimator.steps[-1][1]
    return getattr(estimator, "best_estimator_", None)


def prediction_confidence(estimator, method, X, labels):
    """Return the probability of each predicted label, or the score of each row, as float64."""
    # In a dtype such as float32 the comparison would round the threshold.
    values = np.asarray(getattr(estimator, method)(X), dtype=np.float64)
    if method != "predict_proba":
        return values
    # A classifier with a decision threshold of its own may predict a less probable label.
    predicted = np.asarray(labels)[:, np.newaxis] == np.asarray(estimator.classes_)
    return np.where(predicted, values, 0).max(axis=1)


def resolve_reject_label(reject_label, classes):
    """Return `reject_label`, checked, or for "auto" one that suits the classes."""
    classes, label = np.asarray(classes), reject_label
    if isinstance(reject_label, str) and reject_label == "auto":
        if classes.dtype.kind in "biuf":
            label = min(-1, int(np.floor(classes.min())) - 1)
        else:
            label = "reject" if all(isinstance(one, str) for one in classes.tolist()) else None
    if np.ndim(label) > 0:
        allowed = "be a number, a string, None or 'auto'"
    elif label in classes.tolist():
        allowed = f"not be one of the classes, {classes.tolist()}"
    else:
        return label
    raise ValueError(
        f"The 'reject_label' parameter of RejectingClassifier must {allowed}; got {reject_label!r}."
    )


def dtype_with(label, classes):
    """Return a dtype, object if need be, that holds the classes and `label` without a change."""
    own = np.min_scalar_type(label)
    kinds = classes.dtype.kind + own.kind
    if set(kinds) <= set("biuf") or kinds == "UU":
        dtype = np.result_type(classes.dtype, own)
        # A float dtype does not hold all large integers.
        if (classes.astype(dtype).astype(classes.dtype) == classes).all():
            return dtype
    return np.dtype(object)
