"""Plot of the accuracy of the most confident predictions over the share of rows they cover."""

import numpy as np
from sklearn.pipeline import Pipeline

from ..metrics import accuracy_coverage_curve
from ..rejection import RejectingClassifier, inner_estimator, prediction_confidence
from ._display import Display, display_class


def find_rejecting(estimator, X):
    """Return the RejectingClassifier at the end of an estimator and its rows, else None and X."""
    steps_before = []
    while not isinstance(estimator, RejectingClassifier):
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            steps_before.append(estimator[:-1])
        estimator = inner_estimator(estimator)
        if estimator is None:
            return None, X
    for steps in steps_before:
        X = steps.transform(X)
    return estimator, X


@display_class
class AccuracyCoverageDisplay(Display):
    """Accuracy of the most confident predictions over the share of rows they cover.

    The curve is that of :func:`~skdistnet.accuracy_coverage_curve`. Its left end is rough, because
    a single error is a large share of few rows. Create it with :meth:`from_estimator` or
    :meth:`from_predictions`. All parameters are stored as attributes.

    Parameters
    ----------
    coverages, accuracies : ndarray of shape (n_thresholds,)
        Increasing shares of rows accepted, and the accuracy of the predictions for these rows.
    point : tuple of two floats, default=None
        Coverage and accuracy at the threshold in use, if there is one.
    {name}

    {attributes}
    line_ : matplotlib Line2D
        The curve, in steps, since there is no threshold between two of its points.
    point_ : matplotlib Line2D or None
        The mark at `point`.

    {iris}
    >>> from skdistnet import RejectingClassifier
    >>> net = RejectingClassifier(DistanceNetClassifier(20, random_state=0), threshold=0.9)
    >>> net = net.fit(X[::2], y[::2])
    >>> display = AccuracyCoverageDisplay.from_estimator(net, X[1::2], y[1::2])
    >>> bool(display.point[0] == net.accepts(X[1::2]).mean())
    True
    """

    coverages: np.ndarray
    accuracies: np.ndarray
    point: tuple[float, float] | None = None
    name: str | None = None

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, method=None, sample_weight=None, name=None, ax=None, line_kw=None
    ):
        """Plot the curve of any fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted. For a :class:`RejectingClassifier`, also at the end of a pipeline or a search,
            the curve is that of the wrapped classifier, with a mark at its threshold.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows that were not used for training.
        y : array-like of shape (n_samples,)
            Their labels.
        method : {"predict_proba", "score_samples"}, default=None
            Measure of confidence; None is that of a RejectingClassifier, else "predict_proba".
        {sample_weight}
        name : str, default=None
            Name in the legend; None is that of the class.
        {ax, line_kw}

        {display}
        AttributeError, sklearn.exceptions.NotFittedError
            For a classifier without the method, and before the fit.
        """
        cls._import_pyplot("from_estimator")
        threshold = None
        rejecting, X = find_rejecting(estimator, X)
        if rejecting is not None:
            estimator = rejecting._fitted()
            if method in (None, rejecting.method):
                method, threshold = rejecting.method, rejecting.threshold_
        labels = estimator.predict(X)
        confidence = prediction_confidence(estimator, method or "predict_proba", X, labels)
        name = type(estimator).__name__ if name is None else name
        options = {"sample_weight": sample_weight, "name": name, "ax": ax, "line_kw": line_kw}
        return cls.from_predictions(y, labels, confidence, threshold=threshold, **options)

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        confidence,
        *,
        threshold=None,
        sample_weight=None,
        name=None,
        ax=None,
        line_kw=None,
    ):
        """Plot the curve of given predictions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            True labels, and predicted labels of all rows.
        confidence : array-like of shape (n_samples,)
            Confidence in each prediction; higher is more confident.
        threshold : float, default=None
            Smallest confidence accepted, to be marked.
        {sample_weight, name, ax, line_kw}

        {display}
        ValueError
            As :func:`~skdistnet.accuracy_coverage_curve`.
        """
        cls._import_pyplot("from_predictions")
        coverages, accuracies, thresholds = accuracy_coverage_curve(
            y_true, y_pred, confidence, sample_weight=sample_weight
        )
        point = None
        if threshold is not None and thresholds[0] >= threshold:
            last = np.count_nonzero(thresholds >= threshold) - 1
            point = float(coverages[last]), float(accuracies[last])
        display = cls(coverages=coverages, accuracies=accuracies, point=point, name=name)
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curve."""
        ax = self._take_axes(ax)
        style = {"label": self.name, "drawstyle": "steps-pre"} | (line_kw or {})
        (self.line_,) = ax.plot(self.coverages, self.accuracies, **style)
        self.point_ = None
        if self.point is not None:
            (self.point_,) = ax.plot(*self.point, "o", color=self.line_.get_color())
        ax.set(xlabel="coverage: share of rows accepted", ylabel="accuracy of accepted rows")
        if self.line_.get_label()[:1] not in ("", "_"):
            ax.legend()
        return self
