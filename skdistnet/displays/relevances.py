"""Which features count, drawn."""

import numpy as np

from ..inspection._validation import check_net
from ._display import Display, choose, name_features

__all__ = ["RelevanceDisplay"]


class RelevanceDisplay(Display):
    """Bars of ``feature_relevances_``, the largest on top.

    Make it with :meth:`from_estimator`; the constructor takes the numbers themselves, for instance
    a mean over several nets. All parameters are stored as attributes.

    Parameters
    ----------
    relevances : array-like of shape (n_features,)
        Shares that sum to 1.
    feature_names : sequence of str of shape (n_features,)
        Their names.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        The figure they belong to.
    bars_ : matplotlib BarContainer
        A bar for each feature shown, from top to bottom.
    features_ : ndarray of int
        The features shown, in that order.

    See Also
    --------
    CentroidDisplay : The same shares for single units.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.displays import RelevanceDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> display = RelevanceDisplay.from_estimator(net)
    >>> sorted(label.get_text() for label in display.ax_.get_yticklabels())[:2]
    ['petal length (cm)', 'petal width (cm)']
    """

    def __init__(self, *, relevances, feature_names):
        self.relevances = relevances
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator, *, features=20, feature_names=None, ax=None, bar_kw=None):
        """Draw the relevances of a fitted net.

        Parameters
        ----------
        estimator : DistanceNetClassifier or DistanceNetRegressor
            Fitted, its first layer a distance layer.
        features : int, sequence of int or str, or None, default=20
            How many to show, the most relevant ones; which ones, by index or name; or all.
        feature_names : sequence of str, default=None
            Names of the features; None takes those of the fit, or x0, x1 and so on.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        bar_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : :class:`RelevanceDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            For other estimators.
        AttributeError
            Where the first layer is no distance layer.
        ValueError
            For `features` or `feature_names` that there are not.
        sklearn.exceptions.NotFittedError
            Before the fit.
        """
        cls._check_matplotlib("from_estimator")
        check_net(estimator, cls.__name__)
        display = cls(
            relevances=estimator.feature_relevances_,
            feature_names=name_features(estimator, feature_names, cls.__name__),
        )
        return display.plot(ax, features=features, bar_kw=bar_kw)

    def plot(self, ax=None, *, features=20, bar_kw=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        features : int, sequence of int or str, or None, default=20
            How many to show, the most relevant ones; which ones, by index or name; or all.
        bar_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : :class:`RelevanceDisplay`
            Itself.
        """
        relevances = np.asarray(self.relevances, dtype=np.float64)
        by_rank = np.argsort(-relevances, kind="stable")
        chosen = choose(features, by_rank, self.feature_names, "features", type(self).__name__)
        ax = self._take_axes(ax)
        self.features_ = chosen[np.argsort(-relevances[chosen], kind="stable")]
        shown = relevances[self.features_]
        places = np.arange(len(shown))
        self.bars_ = ax.barh(places, shown, **(bar_kw or {}))
        ax.set_yticks(places, [self.feature_names[feature] for feature in self.features_])
        ax.set_ylim(len(shown) - 0.5, -0.5)
        text = "relevance, as a share"
        if len(shown) < len(relevances):
            text += f"; these {len(shown)} of {len(relevances)} have {100 * shown.sum():.0f} %"
        ax.set_xlabel(text)
        return self
