"""Ensembles: averages of distance nets, trained in parallel after trials that they share."""

import math

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.base import (
    ClassifierMixin,
    MultiOutputMixin,
    RegressorMixin,
)

from ._base.docstrings import describe_ensemble
from ._base.ensemble import BaseEnsemble
from ._base.members import CLASSIFIER_KINDS, REGRESSOR_KINDS
from .classifier import DistanceNetClassifier
from .regressor import DistanceNetRegressor

__all__ = ["DistanceNetEnsembleClassifier", "DistanceNetEnsembleRegressor"]


def log_probabilities(codec, raw):
    """Return the logarithms of the probabilities in the columns of the raw output."""
    logs = np.empty_like(raw)
    for group in codec.groups:
        logs[:, group] = log_softmax(raw[:, group], axis=1)
    return logs


def for_all_rows(values, weights):
    """Return `values` with NaN for rows of weight zero, which have taken no part in the fit."""
    if weights is None:
        return values
    spread = np.full((len(weights), *values.shape[1:]), np.nan, values.dtype)
    spread[weights > 0] = values
    return spread


@describe_ensemble
class DistanceNetEnsembleClassifier(MultiOutputMixin, ClassifierMixin, BaseEnsemble):
    """Average of distance nets that classify, trained in parallel.

    Its probabilities are the means of those of its members, which is more accurate than a single
    net, and closer to the true frequencies. The members share the trials of a single fit, so that
    four of them take less time than four fits.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        Labels, as in :class:`DistanceNetClassifier`.
    oof_decision_function_ : ndarray of shape (n_samples, n_classes), or list of them
        With `out_of_fold`, the probabilities of each training row by the member that left it out;
        NaN for rows that none did. The name is that of
        :class:`~sklearn.ensemble.BaggingClassifier`, with the "oob" of bags.

    See Also
    --------
    DistanceNetClassifier : A single net.
    sklearn.ensemble.BaggingClassifier : Averages of any classifiers, trained on samples of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistnet import DistanceNetEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> nets = DistanceNetEnsembleClassifier(random_state=0).fit(X_train, y_train)
    >>> len(nets.estimators_)
    4
    >>> bool(nets.score(X_test, y_test) > 0.9)
    True
    """

    _member_class = DistanceNetClassifier
    _kinds = CLASSIFIER_KINDS

    @property
    def classes_(self):
        """Labels, sorted; for several outputs a list over them."""
        return self._fitted()[0].classes_

    def _log_probabilities(self, X):
        """Return the logarithms of the mean probabilities, in the columns of the raw output."""
        of_members = [log_probabilities(self._codec, raw) for raw in self._raw_outputs(X)]
        return logsumexp(of_members, axis=0) - math.log(len(of_members))

    def predict_proba(self, X):
        """Return the probabilities of the classes, averaged over the members.

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
        return self._codec.probabilities(self._log_probabilities(X), np.exp)

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, even where these round to 0 or 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            In the form of :meth:`predict_proba`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`predict_proba`.
        """
        return self._codec.probabilities(self._log_probabilities(X), np.asarray)

    def decision_function(self, X):
        """Return the logarithms of the mean probabilities; for two classes their log-odds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        decision : ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            In the form of :meth:`DistanceNetClassifier.decision_function`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`predict_proba`.
        """
        return self._codec.decisions(self._log_probabilities(X))

    def predict(self, X):
        """Return the class of the largest mean probability for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Multilabel: an indicator matrix of shape (n_samples, n_labels). Several columns: labels
            of shape (n_samples, n_outputs).

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`predict_proba`.
        """
        return self._codec.decode(self._log_probabilities(X))

    score = DistanceNetClassifier.score
    _score_of = DistanceNetClassifier._score_of

    def _out_of_fold(self, data, raw, weights):
        codec = self._codec
        probabilities = codec.probabilities(log_probabilities(codec, raw), np.exp)
        if isinstance(probabilities, list):
            probabilities = [for_all_rows(each, weights) for each in probabilities]
        else:
            probabilities = for_all_rows(probabilities, weights)
        left_out = ~np.isnan(raw[:, 0])
        counted = None if weights is None else weights[weights > 0][left_out]
        correct = codec.decode(raw[left_out]) == data.y[left_out]
        score = np.average(correct.reshape(len(correct), -1).all(axis=1), weights=counted)
        return {"oof_decision_function_": probabilities, "oof_score_": float(score)}


@describe_ensemble
class DistanceNetEnsembleRegressor(MultiOutputMixin, RegressorMixin, BaseEnsemble):
    """Average of distance nets that predict numbers, trained in parallel.

    Its predictions are the means of those of its members; quantiles of several levels never cross.
    The members share the trials of a single fit, so that four of them take less time than four
    fits.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        With `out_of_fold`, the prediction for each training row by the member that left it out; NaN
        for rows that none did. The name is that of :class:`~sklearn.ensemble.BaggingRegressor`,
        with the "oob" of bags.

    See Also
    --------
    DistanceNetRegressor : A single net.
    sklearn.ensemble.BaggingRegressor : Averages of any regressors, trained on samples of rows.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skdistnet import DistanceNetEnsembleRegressor
    >>> X, y = make_friedman1(300, random_state=0)
    >>> nets = DistanceNetEnsembleRegressor(random_state=0).fit(X[:200], y[:200])
    >>> bool(nets.score(X[200:], y[200:]) > 0.8)
    True
    """

    _member_class = DistanceNetRegressor
    _kinds = REGRESSOR_KINDS

    def predict(self, X):
        """Return the predicted targets, averaged over the members.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, n_targets) or (n_samples, n_levels)
            In the form of :meth:`DistanceNetRegressor.predict`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for rows that do not suit it.
        """
        codec, raws = self._codec, self._raw_outputs(X)
        predictions = [codec.decode(raw) for raw in raws]
        # Divided first, so that sums of large numbers do not overflow but for rounding, by which
        # the mean of equal numbers may also differ from them.
        with np.errstate(over="ignore"):
            mean = sum(each / len(predictions) for each in predictions)
        return np.clip(mean, np.min(predictions, axis=0), np.max(predictions, axis=0))

    score = DistanceNetRegressor.score
    _score_of = DistanceNetRegressor._score_of

    def _out_of_fold(self, data, raw, weights):
        codec = self._codec
        prediction = for_all_rows(codec.decode(raw), weights)
        # Scores are those of validation rows: in units in which neither y nor predictions round to
        # 0. Each row has been left out.
        return {"oof_prediction_": prediction, "oof_score_": codec.score_of(data.rows)(raw)}
