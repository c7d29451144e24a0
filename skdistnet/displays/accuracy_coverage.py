"""Plot of the accuracy of the most confident predictions by the share of rows they cover."""

import numpy as np
from sklearn.pipeline import Pipeline

from ..metrics import accuracy_coverage_curve, certainties, estimator_inside
from ..rejection import RejectingClassifier
from ._display import Display

__all__ = ["AccuracyCoverageDisplay"]


def find_rejecting(estimator, X):
    """The RejectingClassifier that the estimator ends in, with its rows; or None, and X."""
    steps_before = []
    while not isinstance(estimator, RejectingClassifier):
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            steps_before.append(estimator[:-1])
        estimator = estimator_inside(estimator)
        if estimator is None:
            return None, X
    for steps in steps_before:
        X = steps.transform(X)
    return estimator, X


class AccuracyCoverageDisplay(Display):
    """Accuracy of the most confident predictions by the share of rows they cover.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`; the constructor takes the curve
    itself. All parameters are stored as attributes.

    Parameters
    ----------
    coverages : ndarray of shape (n_thresholds,)
        Shares of rows accepted, increasing.
    accuracies : ndarray of shape (n_thresholds,)
        Accuracy of the predictions for these rows.
    point : tuple of two floats, default=None
        Coverage and accuracy at the threshold in use, if there is one.
    name : str, default=None
        Of the classifier, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        The figure they belong to.
    line_ : matplotlib Line2D
        The curve, in steps: between two of its points there is no threshold.
    point_ : matplotlib Line2D or None
        The mark at `point`.

    See Also
    --------
    accuracy_coverage_curve : The numbers that are drawn.
    RejectingClassifier : Accepts the rows of one point of the curve.

    Notes
    -----
    The left end of the curve is rough, because it covers few rows and a single error is a large
    share of them.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistnet import DistanceNetClassifier, RejectingClassifier
    >>> from skdistnet.displays import AccuracyCoverageDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> net = RejectingClassifier(DistanceNetClassifier(20, random_state=0), threshold=0.9)
    >>> net = net.fit(X_train, y_train)
    >>> display = AccuracyCoverageDisplay.from_estimator(net, X_test, y_test)
    >>> float(display.coverages[-1])
    1.0
    >>> bool(display.point[0] == net.accepts(X_test).mean())
    True
    """

    def __init__(self, *, coverages, accuracies, point=None, name=None):
        self.coverages = coverages
        self.accuracies = accuracies
        self.point = point
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        method=None,
        sample_weight=None,
        name=None,
        ax=None,
        line_kw=None,
    ):
        """Draw the curve of any fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted. Of a :class:`RejectingClassifier`, also as the end of a pipeline or a search,
            the classifier inside is drawn, and a mark where its threshold is.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows that it was not trained on.
        y : array-like of shape (n_samples,)
            Their labels.
        method : {"predict_proba", "score_samples"}, default=None
            Measure of confidence. None: that of a :class:`RejectingClassifier`, else
            "predict_proba".
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows.
        name : str, default=None
            For the legend; None: the name of the class.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : :class:`AccuracyCoverageDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        AttributeError
            For a classifier without the method.
        sklearn.exceptions.NotFittedError
            Before the fit.
        """
        cls._check_matplotlib("from_estimator")
        threshold = None
        rejecting, rows = find_rejecting(estimator, X)
        if rejecting is not None:
            estimator, X = rejecting._fitted(), rows
            if method in (None, rejecting.method):
                method, threshold = rejecting.method, rejecting.threshold_
        labels = estimator.predict(X)
        return cls.from_predictions(
            y,
            labels,
            certainties(estimator, method or "predict_proba", X, labels),
            threshold=threshold,
            sample_weight=sample_weight,
            name=type(estimator).__name__ if name is None else name,
            ax=ax,
            line_kw=line_kw,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        certainty,
        *,
        threshold=None,
        sample_weight=None,
        name=None,
        ax=None,
        line_kw=None,
    ):
        """Draw the curve of given predictions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            True labels, and predicted labels of all rows.
        certainty : array-like of shape (n_samples,)
            Confidence in each prediction; higher is more confident.
        threshold : float, default=None
            Smallest certainty that is accepted, to be marked.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows.
        name : str, default=None
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : :class:`AccuracyCoverageDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            As :func:`~skdistnet.accuracy_coverage_curve`.
        """
        cls._check_matplotlib("from_predictions")
        coverages, accuracies, thresholds = accuracy_coverage_curve(
            y_true, y_pred, certainty, sample_weight=sample_weight
        )
        point = None
        if threshold is not None and thresholds[0] >= threshold:
            last = np.count_nonzero(thresholds >= threshold) - 1
            point = float(coverages[last]), float(accuracies[last])
        display = cls(coverages=coverages, accuracies=accuracies, point=point, name=name)
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : :class:`AccuracyCoverageDisplay`
            Itself.
        """
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
