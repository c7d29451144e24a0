"""Plot of the relevance of each feature."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._display import Display, display_class, name_features, select_indices


@display_class
class RelevanceDisplay(Display):
    """Bars of ``feature_relevances_``, the largest on top.

    Create it with :meth:`from_estimator` or from numbers. All parameters are stored as attributes.

    Parameters
    ----------
    relevances : array-like of shape (n_features,)
        Shares that sum to 1, such as the mean over several nets.
    feature_names : sequence of str of shape (n_features,)
        Names of the features.

    {attributes}
    bars_ : matplotlib BarContainer
        A bar for each feature shown, from top to bottom.
    features_ : ndarray of int
        The features shown, in that order.

    {iris}
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> display = RelevanceDisplay.from_estimator(net)
    >>> sorted(label.get_text() for label in display.ax_.get_yticklabels())[:2]
    ['petal length (cm)', 'petal width (cm)']
    """

    relevances: Any
    feature_names: Sequence[str]

    @classmethod
    def from_estimator(cls, estimator, *, features=20, feature_names=None, ax=None, bar_kw=None):
        """Plot the relevances of a fitted net.

        Parameters
        ----------
        {distance_net, features, feature_names, ax}
        bar_kw : dict, default=None
            Keyword arguments for :meth:`matplotlib.axes.Axes.barh`.

        {display, net_errors}
        AttributeError
            If the first layer is not a distance layer.
        ValueError
            For unknown `features`, or another number of `feature_names`.
        """
        cls._check_net(estimator)
        names = name_features(estimator, feature_names, cls.__name__)
        display = cls(relevances=estimator.feature_relevances_, feature_names=names)
        return display.plot(ax, features=features, bar_kw=bar_kw)

    def plot(self, ax=None, *, features=20, bar_kw=None):
        """Draw the bars."""
        relevances = np.asarray(self.relevances, dtype=np.float64)
        by_rank = np.argsort(-relevances, kind="stable")
        names, caller = self.feature_names, type(self).__name__
        selected = select_indices(features, by_rank, names, "features", caller)
        ax = self._take_axes(ax)
        self.features_ = selected[np.argsort(-relevances[selected], kind="stable")]
        shown = relevances[self.features_]
        positions = np.arange(len(shown))
        self.bars_ = ax.barh(positions, shown, **(bar_kw or {}))
        ax.set_yticks(positions, [names[feature] for feature in self.features_])
        ax.set_ylim(len(shown) - 0.5, -0.5)
        label = "relevance, as a share"
        if len(shown) < len(relevances):
            label += f"; these {len(shown)} of {len(relevances)} have {100 * shown.sum():.0f} %"
        ax.set_xlabel(label)
        return self
