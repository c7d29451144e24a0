"""RejectingClassifier, which wraps a classifier and rejects rows of low confidence."""

from math import inf

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import type_of_target

from ._base.constraints import Number, OneOf, check_parameter
from ._base.docstrings import LinkedDocs
from ._base.reject_label import answer_dtype, choose_reject_label
from ._base.wrapped_classifier import ClassifierInside
from .metrics import certainties, find_novelty_threshold

__all__ = ["RejectingClassifier"]

#: What `threshold` may be, by method.
THRESHOLDS = {
    "predict_proba": [OneOf(("auto",)), Number(0, 1)],
    "score_samples": [OneOf(("auto",)), Number(-inf, inf)],
}


class RejectingClassifier(
    ClassifierInside, LinkedDocs, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Wrap a classifier so that it can reject rows of low confidence.

    It wraps any classifier of one label per row, as scikit-learn's
    :class:`~sklearn.model_selection.FixedThresholdClassifier` does. :meth:`predict` gives the class
    that the wrapped classifier predicts, for every row, as scikit-learn's tools expect.
    :meth:`accepts` marks the rows whose prediction is confident enough, and
    :meth:`predict_with_rejection` returns `reject_label` for the others.

    With ``method="predict_proba"`` a row is rejected if the predicted class, in general the most
    probable one, is not probable enough: it lies between known classes. This is Chow's rule [1]_,
    which is optimal for true probabilities: if a rejected row costs a share c of what an error
    costs, the threshold is 1 - c. With ``method="score_samples"`` a row is rejected if it is unlike
    the training data, however confident the classifier is.

    Parameters
    ----------
    estimator : classifier
        It needs `predict`, `classes_` and the method. :meth:`fit` fits a clone of it. A fitted
        classifier can be used without calling :meth:`fit`; pass it as a
        :class:`~sklearn.frozen.FrozenEstimator` to keep it as it is in :meth:`fit`.
    method : {"predict_proba", "score_samples"}, default="predict_proba"
        Measure of confidence: the probability of the predicted class, or the score.
    threshold : float or "auto", default="auto"
        The smallest value that is accepted: a probability in [0, 1], or a score. "auto" is 0.5 for
        "predict_proba": a prediction is more probably right than wrong, which always holds for the
        more probable one of two classes. For "score_samples" it is the classifier's
        `novelty_threshold_`, also where the classifier is the last step of a pipeline. It may be
        set after the fit.
    reject_label : scalar or None, default="auto"
        Label of rejected rows in :meth:`predict_with_rejection`; it must not be one of the classes.
        "auto" is -1 for numbers, or, where there are classes below 0, the integer below them all;
        "reject" for strings, None for other objects. It may be set after the fit.

    Attributes
    ----------
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Its classes; `reject_label` is not among them.
    threshold_ : float
        The threshold in use.
    reject_label_ : scalar or None
        The label in use.
    n_features_in_ : int
        Number of features, if `estimator_` has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, if `estimator_` has them.

    See Also
    --------
    accuracy_coverage_curve : Accuracy of the most confident predictions by their share.
    skdistnet.displays.AccuracyCoverageDisplay : Plot of this curve.
    DistanceNetClassifier.score_samples : How near the training data rows are.

    Notes
    -----
    `score` is the accuracy of :meth:`predict` over all rows. It does not depend on the threshold,
    so a search over `threshold` needs a scorer of its own. A scorer that weighs rejections
    against errors uses :meth:`predict_with_rejection`; with a reward of 0.8 for a rejected row, 1
    for a right prediction and 0 for an error::

        def reward(estimator, X, y):
            labels = estimator.predict_with_rejection(X)
            rejected = labels == estimator.reject_label_
            return np.mean(np.where(rejected, 0.8, labels == y))

    :func:`accuracy_coverage_curve` compares all thresholds and needs no such reward.

    Pipelines and searches have neither :meth:`predict_with_rejection` nor :meth:`accepts`: wrap the
    whole pipeline, and use the `best_estimator_` of a search.

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
    >>> right = careful.predict(X_test) == y_test
    >>> bool(right[accepted].mean() > careful.score(X_test, y_test))
    True
    """

    def __init__(self, estimator, *, method="predict_proba", threshold="auto", reject_label="auto"):
        self.estimator = estimator
        self.method = method
        self.threshold = threshold
        self.reject_label = reject_label

    def fit(self, X, y, **params):
        """Fit a clone of `estimator`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
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
        TypeError
            If `estimator` is not a classifier.
        AttributeError
            If it does not have the method.
        ValueError
            For a parameter out of its range, for several labels per row, for a `reject_label` that
            is one of the classes, and for data that the classifier refuses. A failed fit changes
            nothing.
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
        choose_reject_label(self.reject_label, fitted.classes_)
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
        sklearn.exceptions.NotFittedError
            Before the fit.
        ValueError
            For a parameter out of its range, and for a classifier of several labels per row.
        """
        return self._predict_classes(self._checked_estimator(), X)

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
        sklearn.exceptions.NotFittedError
            Before the fit.
        ValueError
            As :meth:`predict`, and for a `reject_label` that is one of the classes.

        Examples
        --------
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skdistnet import RejectingClassifier
        >>> X, y = [[0.0], [1.0], [4.0], [5.0]], ["low", "low", "high", "high"]
        >>> careful = RejectingClassifier(GaussianNB(), threshold=0.9).fit(X, y)
        >>> careful.predict_with_rejection([[0.5], [2.5], [4.5]]).tolist()
        ['low', 'reject', 'high']
        """
        estimator = self._checked_estimator()
        reject_label = choose_reject_label(self.reject_label, estimator.classes_)
        labels = self._predict_classes(estimator, X)
        rejected = ~self._accepts(estimator, X, labels)
        labels = labels.astype(answer_dtype(estimator.classes_, reject_label))
        labels[rejected] = reject_label
        return labels

    def accepts(self, X):
        """Return a mask of the rows that the classifier is confident enough about.

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
        sklearn.exceptions.NotFittedError
            Before the fit.
        ValueError
            As :meth:`predict`.
        """
        estimator = self._checked_estimator()
        needs_labels = self.method == "predict_proba"
        labels = self._predict_classes(estimator, X) if needs_labels else None
        return self._accepts(estimator, X, labels)

    @property
    def threshold_(self):
        """The smallest confidence that is accepted."""
        self._look_at("classes_")
        return self._resolve_threshold(self._fitted())

    @property
    def reject_label_(self):
        """Label of rejected rows."""
        return choose_reject_label(self.reject_label, self._look_at("classes_"))

    def get_metadata_routing(self):
        """Return the routing of metadata: those of `fit` go to the wrapped classifier.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags, wrapped = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags = wrapped.input_tags
        tags.non_deterministic = wrapped.non_deterministic
        if wrapped.classifier_tags is not None:
            tags.classifier_tags.multi_class = wrapped.classifier_tags.multi_class
            tags.classifier_tags.poor_score = wrapped.classifier_tags.poor_score
        return tags

    def _checked_estimator(self):
        estimator = self._fitted()
        self._check_parameters()
        return estimator

    def _predict_classes(self, estimator, X):
        """Predictions of the wrapped classifier, one for each row, of the dtype of its classes."""
        labels = np.asarray(estimator.predict(X))
        if labels.ndim > 1:
            raise ValueError(
                f"{type(self).__name__} needs an estimator that predicts one label for each row; "
                f"{estimator!r} was fitted to {labels.shape[1]} labels per row."
            )
        return labels.astype(np.asarray(estimator.classes_).dtype, copy=False)

    def _accepts(self, estimator, X, labels):
        threshold = self._resolve_threshold(estimator)
        return certainties(estimator, self.method, X, labels) >= threshold

    def _check_parameters(self):
        caller = type(self).__name__
        is_instance = hasattr(self.estimator, "fit") and not isinstance(self.estimator, type)
        if not (is_instance and is_classifier(self.estimator)):
            raise TypeError(
                f"The 'estimator' parameter of {caller} must be a classifier; "
                f"got {self.estimator!r}."
            )
        check_parameter(caller, "method", self.method, [OneOf(THRESHOLDS)])
        check_parameter(caller, "threshold", self.threshold, THRESHOLDS[self.method])
        try:
            getattr(self.estimator, self.method)
        except AttributeError as error:
            raise AttributeError(
                f"{caller} with method={self.method!r} needs an estimator that has "
                f"{self.method}; {type(self.estimator).__name__} has none: "
                f"{error.__cause__ or error}"
            ) from error

    def _resolve_threshold(self, estimator):
        if not isinstance(self.threshold, str):
            return self.threshold
        if self.method == "predict_proba":
            return 0.5
        threshold = find_novelty_threshold(estimator)
        if threshold is None:
            raise ValueError(
                f"The 'threshold' parameter of {type(self).__name__} must be a float for "
                f"method='score_samples' with {type(estimator).__name__}, which has no "
                "'novelty_threshold_'; got 'auto'."
            )
        return threshold
