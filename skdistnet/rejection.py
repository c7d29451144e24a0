"""RejectingClassifier: any classifier, but it need not answer."""

from math import inf

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import type_of_target

from ._certainty import certainties, find_novelty_threshold
from ._delegation import ClassifierInside
from ._docs import LinkedDocs
from ._reject_label import answer_dtype, choose_reject_label
from ._validation import Number, OneOf, check_parameter

__all__ = ["RejectingClassifier"]

#: What `threshold` may be, by method.
THRESHOLDS = {
    "predict_proba": [OneOf(("auto",)), Number(0, 1)],
    "score_samples": [OneOf(("auto",)), Number(-inf, inf)],
}


class RejectingClassifier(
    ClassifierInside, LinkedDocs, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """A classifier that says `reject_label` where it is not sure enough.

    It wraps any classifier for one label a row, as scikit-learn's
    :class:`~sklearn.model_selection.FixedThresholdClassifier` does, and changes nothing of the
    answers that it gives: where :meth:`accepts` is True, :meth:`predict` is that of the classifier
    inside.

    With ``method="predict_proba"`` rows are rejected whose answer, in general the most probable
    class, is not probable enough: guesses between known classes. That is Chow's rule [1]_, the best
    there is for true probabilities: if a rejected row costs a share c of what an error costs, the
    threshold is 1 - c. With ``method="score_samples"`` rows are rejected that are unlike the
    training data, however sure the classifier is.

    Parameters
    ----------
    estimator : classifier
        It needs `predict`, `classes_` and the method. It is cloned and fitted by :meth:`fit`. One
        that is fitted already may answer without; to keep it in :meth:`fit`, give it as a
        :class:`~sklearn.frozen.FrozenEstimator`.
    method : {"predict_proba", "score_samples"}, default="predict_proba"
        What says how sure the classifier is of a row: the probability of the class it answers, or
        the score.
    threshold : float or "auto", default="auto"
        The smallest value that is answered: a probability in [0, 1], or a score. "auto" is 0.5 for
        "predict_proba": an answer is more probably right than wrong, which for the more probable
        one of two classes is always so. For "score_samples" it is the classifier's
        `novelty_threshold_`, also where that is the last step of a pipeline. It may be set after
        the fit.
    reject_label : scalar or None, default="auto"
        What is answered for the rows rejected; none of the classes. "auto" is -1 for numbers, or,
        where there are classes below 0, the whole number below them all, "reject" for strings,
        None for other objects.

    Attributes
    ----------
    estimator_ : classifier
        The fitted one.
    classes_ : ndarray of shape (n_classes,)
        Its labels, `reject_label` not among them.
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
    accuracy_coverage_curve : How accurate the answers are, by how many are given.
    skdistnet.displays.AccuracyCoverageDisplay : The same as a picture.
    DistanceNetClassifier.score_samples : How near the training data rows are.

    Notes
    -----
    `score` is scikit-learn's accuracy of :meth:`predict`: a rejected row is not right. So it is
    the share of rows that are answered, and rightly, and it falls as the threshold rises. To weigh
    one against the other, search with a scorer that says what a rejection is worth.

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
    >>> answers, accepted = careful.predict(X_test), careful.accepts(X_test)
    >>> bool((answers[~accepted] == -1).all())
    True
    >>> bool((answers == y_test)[accepted].mean() > careful.estimator_.score(X_test, y_test))
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
            Handed to the `fit` of `estimator`: `sample_weight`, a validation set. With
            scikit-learn's metadata routing enabled, those that it requests.

        Returns
        -------
        self : RejectingClassifier

        Raises
        ------
        TypeError
            If `estimator` is no classifier.
        AttributeError
            If it does not have the method.
        ValueError
            For a parameter out of its range, for several labels a row, for a `reject_label` that
            is a class, and for what the classifier refuses. The estimator is then as it was before.
        """
        self._check_parameters()
        with np.errstate(invalid="ignore"):  # of infinite labels it is to be an error
            kind = type_of_target(y, input_name="y")
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"{type(self).__name__} needs classes, one for each row of X, in 'y'. "
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
        """Labels, and `reject_label` for the rows that are rejected.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of the dtype of ``classes_`` if it holds `reject_label`, else of one that holds both:
            numbers with numbers and strings with strings, otherwise objects.
        """
        estimator = self._fitted()
        labels, accepted = self._answers(estimator, X)
        label = choose_reject_label(self.reject_label, estimator.classes_)
        labels = labels.astype(answer_dtype(estimator.classes_, label))
        labels[~accepted] = label
        return labels

    def accepts(self, X):
        """Which rows are answered.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        accepted : ndarray of bool of shape (n_samples,)
            Its mean is the coverage.
        """
        return self._answers(self._fitted(), X)[1]

    @property
    def threshold_(self):
        """The smallest certainty that is answered."""
        self._look_at("classes_")
        return self._resolve_threshold(self._fitted())

    @property
    def reject_label_(self):
        """What is answered for rows that are rejected."""
        return choose_reject_label(self.reject_label, self._look_at("classes_"))

    def get_metadata_routing(self):
        """Say which metadata go where: those of `fit` to the classifier inside.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags, inside = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags = inside.input_tags
        tags.non_deterministic = inside.non_deterministic
        if inside.classifier_tags is not None:
            tags.classifier_tags.multi_class = inside.classifier_tags.multi_class
            tags.classifier_tags.poor_score = inside.classifier_tags.poor_score
        return tags

    def _answers(self, estimator, X):
        """Labels by the classifier inside, and which of them are certain enough."""
        self._check_parameters()
        labels = np.asarray(estimator.predict(X))
        if labels.ndim > 1:
            raise ValueError(
                f"{type(self).__name__} needs an estimator that answers one label for each row; "
                f"{estimator!r} was fitted to {labels.shape[1]} labels a row."
            )
        threshold = self._resolve_threshold(estimator)
        return labels, certainties(estimator, self.method, X, labels) >= threshold

    def _check_parameters(self):
        asker = type(self).__name__
        is_instance = hasattr(self.estimator, "fit") and not isinstance(self.estimator, type)
        if not (is_instance and is_classifier(self.estimator)):
            raise TypeError(
                f"The 'estimator' parameter of {asker} must be a classifier; "
                f"got {self.estimator!r}."
            )
        check_parameter(asker, "method", self.method, [OneOf(THRESHOLDS)])
        check_parameter(asker, "threshold", self.threshold, THRESHOLDS[self.method])
        try:
            getattr(self.estimator, self.method)
        except AttributeError as error:
            raise AttributeError(
                f"{asker} with method={self.method!r} needs an estimator that has "
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
