"""How near the training data rows are, drawn."""

from collections.abc import Mapping

import numpy as np

from .._novelty.mixin import measures_distance
from ..inspection._validation import check_net
from ._display import Display, is_int

__all__ = ["NoveltyDisplay"]

#: The part of the axis that is linear is as wide as so many powers of ten.
LINEAR_WIDTH = 2.0


class NoveltyDisplay(Display):
    """Histograms of ``score_samples`` for sets of rows, beside the threshold.

    Make it with :meth:`from_estimator`; the constructor takes the scores themselves. All parameters
    are stored as attributes.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n_samples,)
        Scores of each set, by its name; higher is nearer the training data.
    threshold : float
        Rows with scores below it are called novel.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        The figure they belong to.
    histograms_ : list of matplotlib StepPatch
        The share of each set's rows in each bin.
    threshold_line_ : matplotlib Line2D
        Where the threshold is.

    See Also
    --------
    DistanceNetClassifier.score_samples : What is drawn.

    Notes
    -----
    Scores of rows far away are below those of known rows by orders of magnitude. If some are below
    ten times the threshold, the axis is logarithmic from the next power of ten below the threshold.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.displays import NoveltyDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> display = NoveltyDisplay.from_estimator(net, {"known": X, "one meter more": X + 100})
    >>> display.histograms_[1].get_label()
    'one meter more: 100 % below'
    """

    def __init__(self, *, scores, threshold):
        self.scores = scores
        self.threshold = threshold

    @classmethod
    def from_estimator(cls, estimator, X, *, bins=40, ax=None, stairs_kw=None):
        """Score rows by a fitted net and draw them.

        Parameters
        ----------
        estimator : DistanceNetClassifier or DistanceNetRegressor
            Fitted by ``fit``, its first layer a distance layer.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or dict of them by name
            Rows, or several sets of them, such as known and unknown ones.
        bins : int, default=40
            Number of bins, or one more, since the threshold is the edge of one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        stairs_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.stairs`.

        Returns
        -------
        display : :class:`NoveltyDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            For other estimators.
        ValueError
            For a dict without rows.
        AttributeError
            Where the first layer is no distance layer.
        sklearn.exceptions.NotFittedError
            Before the fit, and after ``partial_fit``, which does not see all of the data.
        """
        cls._check_matplotlib("from_estimator")
        check_net(estimator, cls.__name__)
        measures_distance(estimator)
        sets = X if isinstance(X, Mapping) else {"rows": X}
        if not sets:
            raise ValueError(f"{cls.__name__} needs rows in 'X'; got a dict of none.")
        scores = {name: estimator.score_samples(rows) for name, rows in sets.items()}
        display = cls(scores=scores, threshold=estimator.novelty_threshold_)
        return display.plot(ax, bins=bins, stairs_kw=stairs_kw)

    def plot(self, ax=None, *, bins=40, stairs_kw=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        bins : int, default=40
            Number of bins, or one more, since the threshold is the edge of one; on either side of
            it they are of one width as they are drawn.
        stairs_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.stairs`.

        Returns
        -------
        display : :class:`NoveltyDisplay`
            Itself.
        """
        if not is_int(bins) or bins < 1:
            raise ValueError(
                "The 'bins' parameter of NoveltyDisplay must be an int of at least 1; "
                f"got {bins!r}."
            )
        ax = self._take_axes(ax)
        edges = self._bin_edges(ax, bins)
        self.histograms_ = []
        for name, scores in self.scores.items():
            shares = np.histogram(scores, edges)[0] / len(scores)
            below = np.mean(np.asarray(scores) < self.threshold)
            style = {"label": f"{name}: {100 * below:.0f} % below"}
            style |= {"fill": True, "alpha": 0.6} | (stairs_kw or {})
            self.histograms_.append(ax.stairs(shares, edges, **style))
        self.threshold_line_ = ax.axvline(
            self.threshold, color="black", linestyle="--", label=f"threshold: {self.threshold:.2f}"
        )
        ax.set(xlabel="score_samples: higher is nearer the training data", ylabel="share of rows")
        ax.legend()
        return self

    def _bin_edges(self, ax, bins):
        """Edges of bins, one of them the threshold, of one width on either side as drawn."""
        everything = np.concatenate([np.ravel(scores) for scores in self.scores.values()])
        low, high = everything.min(), everything.max()
        reach = abs(self.threshold)
        if reach > 0 and low < -10 * reach:
            linear = 10.0 ** np.ceil(np.log10(reach))
            ax.set_xscale("symlog", linthresh=linear, linscale=LINEAR_WIDTH)
            # The scale's own ticks leave the linear part, where the threshold is, without any.
            decades = -linear * 10.0 ** np.arange(1, np.log10(low / -linear) + 1)
            ticks = np.append(decades, np.linspace(-linear, 0.0, 6))
            ax.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        scale = ax.xaxis.get_transform()
        first, last, middle = scale.transform(np.array([low, high, self.threshold]))
        if first == last == middle:
            return self.threshold + np.array([-0.5, 0.0, 0.5])
        parts = np.array([max(0.0, middle - first), max(0.0, last - middle)])
        n_below, n_above = np.ceil(parts / parts.sum() * bins).astype(int)
        below = np.linspace(min(first, middle), middle, n_below + 1)
        above = np.linspace(middle, max(last, middle), n_above + 1)
        edges = scale.inverted().transform(np.concatenate([below[:-1], above]))
        # Rounding there and back must lose no row.
        ends = min(low, self.threshold), max(high, self.threshold)
        edges = np.clip(edges, *ends)
        edges[0], edges[n_below], edges[-1] = ends[0], self.threshold, ends[1]
        return edges
