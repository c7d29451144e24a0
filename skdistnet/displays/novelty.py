"""Plot of novelty scores and their threshold."""

from collections.abc import Mapping

import numpy as np

from .._base.constraints import COUNT, check_parameter
from .._base.tabular import check_first_layer_is_distance
from ._display import Display, display_class

LINEAR_WIDTH = 2.0  # of the linear part of a logarithmic axis, in decades


@display_class
class NoveltyDisplay(Display):
    """Histograms of ``score_samples`` for sets of rows, with the threshold.

    With scores below ten times the threshold, the axis is logarithmic from the next power of ten
    on. Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n_samples,)
        Scores of each set by its name; higher is nearer the training data.
    threshold : float
        Score below which rows are classified as novel.

    {attributes}
    histograms_ : list of matplotlib StepPatch
        For each set, the share of its rows in each bin.
    threshold_line_ : matplotlib Line2D
        The line at the threshold.

    {iris}
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> display = NoveltyDisplay.from_estimator(net, {"known": X, "one meter more": X + 100})
    >>> display.histograms_[1].get_label()
    'one meter more: 100 % below'
    """

    scores: Mapping
    threshold: float

    @classmethod
    def from_estimator(cls, estimator, X, *, bins=40, ax=None, stairs_kw=None):
        """Plot the scores of a fitted net for rows.

        Parameters
        ----------
        {distance_net}
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or dict of them by name
            Rows, or several sets of rows, such as known and unknown ones.
        bins : int, default=40
            Number of bins, up to one more because the threshold is one of their edges; on each side
            of it, they have equal widths as drawn.
        {ax}
        stairs_kw : dict, default=None
            Keyword arguments for :meth:`matplotlib.axes.Axes.stairs`.

        {display, net_errors}
            NotFittedError also after ``partial_fit``, which does not see all data.
        AttributeError
            If the first layer is not a distance layer.
        ValueError
            For an empty dict, and for `bins` that is not a positive int.
        """
        cls._check_net(estimator)
        check_first_layer_is_distance(estimator)
        sets = X if isinstance(X, Mapping) else {"rows": X}
        if not sets:
            raise ValueError(f"{cls.__name__} needs rows in 'X'; got an empty dict.")
        scores = {name: estimator.score_samples(rows) for name, rows in sets.items()}
        display = cls(scores=scores, threshold=estimator.novelty_threshold_)
        return display.plot(ax, bins=bins, stairs_kw=stairs_kw)

    def plot(self, ax=None, *, bins=40, stairs_kw=None):
        """Draw the histograms."""
        check_parameter(type(self).__name__, "bins", bins, [COUNT])
        ax = self._take_axes(ax)
        edges = self._bin_edges(ax, bins)
        self.histograms_ = []
        for name, scores in self.scores.items():
            shares = np.histogram(scores, edges)[0] / len(scores)
            below = np.mean(np.asarray(scores) < self.threshold)
            style = {"label": f"{name}: {100 * below:.0f} % below", "fill": True, "alpha": 0.6}
            self.histograms_.append(ax.stairs(shares, edges, **style | (stairs_kw or {})))
        style = {"color": "black", "linestyle": "--", "label": f"threshold: {self.threshold:.2f}"}
        self.threshold_line_ = ax.axvline(self.threshold, **style)
        ax.set(xlabel="score_samples: higher is nearer the training data", ylabel="share of rows")
        ax.legend()
        return self

    def _bin_edges(self, ax, bins):
        """Set the scale of the axis and return edges of bins, one of them the threshold."""
        scores = np.concatenate([np.ravel(scores) for scores in self.scores.values()])
        low, high = min(scores.min(), self.threshold), max(scores.max(), self.threshold)
        size = abs(self.threshold)
        if size > 0 and low < -10 * size:
            linear = 10.0 ** np.ceil(np.log10(size))
            ax.set_xscale("symlog", linthresh=linear, linscale=LINEAR_WIDTH)
            # By default the linear part, with the threshold, would have no ticks.
            decades = -linear * 10.0 ** np.arange(1, np.log10(low / -linear) + 1)
            ticks = np.append(decades, np.linspace(-linear, 0.0, 6))
            ax.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        scale = ax.xaxis.get_transform()
        first, middle, last = scale.transform(np.array([low, self.threshold, high]))
        if first == last:
            return self.threshold + np.array([-0.5, 0.0, 0.5])
        widths = np.array([middle - first, last - middle])
        n_below, n_above = np.ceil(widths / widths.sum() * bins).astype(int)
        below = np.linspace(first, middle, n_below + 1)
        above = np.linspace(middle, last, n_above + 1)
        edges = scale.inverted().transform(np.concatenate([below[:-1], above]))
        # Rounding in the transforms must not exclude a row.
        edges = np.clip(edges, low, high)
        edges[0], edges[n_below], edges[-1] = low, self.threshold, high
        return edges
