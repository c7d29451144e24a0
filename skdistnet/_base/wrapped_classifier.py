"""Mixin of a meta-estimator that delegates methods and attributes to a wrapped classifier."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

__all__ = ["ClassifierInside"]


def _estimator_has(method):
    """Return a check for `available_if`, which raises the wrapped classifier's AttributeError."""

    def check(self):
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


class ClassifierInside:
    """Methods and attributes of `estimator_`, or of an `estimator` that came fitted."""

    estimator: Any

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X):
        """Return the wrapped classifier's probabilities of the classes for all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
        """
        return self._fitted().predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Return the logarithm of the wrapped classifier's probabilities for all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
        """
        return self._fitted().predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X):
        """Return the wrapped classifier's decision function for all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decisions : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._fitted().decision_function(X)

    @available_if(_estimator_has("score_samples"))
    def score_samples(self, X):
        """Return the wrapped classifier's scores: how near the training data each row is.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        return self._fitted().score_samples(X)

    @property
    def classes_(self):
        """Classes of the wrapped classifier."""
        return self._look_at("classes_")

    @property
    def n_features_in_(self):
        """Number of features of the wrapped classifier."""
        return self._look_at("n_features_in_")

    @property
    def feature_names_in_(self):
        """Names of features of the wrapped classifier."""
        return self._look_at("feature_names_in_")

    def __sklearn_is_fitted__(self):
        try:
            check_is_fitted(getattr(self, "estimator_", self.estimator))
        except NotFittedError:
            return False
        return True

    def _fitted(self):
        """Return the fitted classifier: `estimator_`, or an `estimator` that came fitted."""
        check_is_fitted(self)
        return getattr(self, "estimator_", self.estimator)

    def _look_at(self, name):
        """Return a fitted attribute of the wrapped classifier; AttributeError before the fit."""
        try:
            return getattr(self._fitted(), name)
        except NotFittedError as error:
            raise AttributeError(str(error)) from None
