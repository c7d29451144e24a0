"""What a classifier answers: labels, probabilities and decisions for each kind of labels."""

from functools import partial

import numpy as np
from scipy.sparse import issparse
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin, MultiOutputMixin
from sklearn.metrics import accuracy_score

from .._base.estimator import BaseDistanceNet
from .._novelty.handling import kept_share, toward_prior
from ..engine import LOSSES
from ..metrics import check_same_kind
from .labels import KINDS, MultiOutput, SingleOutput

__all__ = ["LabelPredictions"]


class LabelPredictions(MultiOutputMixin, ClassifierMixin, BaseDistanceNet):
    """The methods of a classifier that read raw output as labels say it is read.

    What is stored is plain: `_label_kind_`, a name of `KINDS`, and `classes_`.
    """

    @property
    def _labels(self):
        return KINDS[self._label_kind_](self.classes_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _predict_logits(self, X):
        return self._handled_logits(self._check_rows(X))

    def _handled_logits(self, X):
        """Raw output; where the fit stored a prior for novel rows, logarithms of probabilities."""
        raw = self._raw_output(X)
        prior = vars(self).get("_novelty_", {}).get("prior")
        if prior is None:
            return raw
        kept = kept_share(self._score_rows(X), self.novelty_threshold_)
        return toward_prior(raw, kept, prior, self._labels.groups)

    def _learn_novelty(self, rows, validation, seed):
        super()._learn_novelty(rows, validation, seed)
        if self.handle_novelty is not None:
            self._novelty_["prior"] = np.average(
                rows.target.astype(np.float64), axis=0, weights=rows.weights
            )

    def _novelty_groups(self, target):
        if self._label_kind_ == SingleOutput.kind:
            return target.argmax(axis=1)
        return super()._novelty_groups(target)

    def decision_function(self, X):
        """Raw output of the network: -1/2 squared distance to each class's centroid, or affine.

        With `handle_novelty` it is the logarithm of the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decision : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Logits; for two classes the second minus the first, positive for ``classes_[1]``. For
            one class of shape (n_samples, 1), its raw output.
            Multilabel: of shape (n_samples, n_labels), positive for having the label. Multi-output:
            a list over the outputs of such as for one output.
        """
        raw = self._predict_logits(X)
        return self._labels.decisions(raw)

    def predict_proba(self, X):
        """Probabilities of the classes, a softmax of the raw output.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``. Multilabel: of shape (n_samples, n_labels), each label's
            own probability. Multi-output: a list over the outputs of (n_samples, n_classes).
        """
        raw = self._predict_logits(X)
        return self._labels.probabilities(raw, LOSSES["log_loss"].inverse_link)

    def predict_log_proba(self, X):
        """Logarithm of the probabilities, exact where they round to 0 or 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; for many outputs in the form of :meth:`predict_proba`.
        """
        raw = self._predict_logits(X)
        return self._labels.probabilities(raw, partial(log_softmax, axis=1))

    def predict(self, X):
        """The most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of the dtype of ``classes_``. Multilabel: a dense indicator matrix of shape (n_samples,
            n_labels). Multi-output: labels, (n_samples, n_outputs).
        """
        raw = self._predict_logits(X)
        return self._labels.decode(raw)

    def score(self, X, y, sample_weight=None):
        """Accuracy: the share of rows that are right in all of their outputs.

        For an indicator matrix that is scikit-learn's subset accuracy. For several columns of
        labels scikit-learn has no score; the same rule holds there, so that a score means one thing
        for all kinds of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_outputs)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows; `class_weight` is not among them.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            For a `y` of another shape than that of the fit, or of numbers where the classes are
            strings or the other way round.
        """
        predicted = self.predict(X)
        if self._label_kind_ != MultiOutput.kind:
            return accuracy_score(y, predicted, sample_weight=sample_weight)
        y = y.toarray() if issparse(y) else np.asarray(y)
        self._labels.check_shape(y)
        check_same_kind(y.ravel(), predicted.ravel())
        return float(np.average((y == predicted).all(axis=1), weights=sample_weight))
