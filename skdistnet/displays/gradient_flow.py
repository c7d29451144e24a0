"""How much gradient reaches each layer, drawn."""

import numpy as np
from sklearn.utils import Bunch

from ..inspection import gradient_flow
from ._display import Display

__all__ = ["GradientFlowDisplay"]

#: Up to so many layers the kind of each stands below its number.
NAMED_LAYERS = 8
LABELS = {
    "gradient_norm": "norm of the gradient\nby the layer's parameters",
    "output_gradient_norm": "norm of the gradient\nby the layer's answers",
    "activation_mean": "mean answer",
    "activation_std": "standard deviation of answers\nover rows",
    "dead_share": "share of dead units",
    "saturated_share": "share of saturated units",
}


class GradientFlowDisplay(Display):
    """A quantity of :func:`~skdistnet.inspection.gradient_flow`, layer by layer.

    Make it with :meth:`from_estimator`; the constructor takes what ``gradient_flow`` returned. All
    parameters are stored as attributes.

    Parameters
    ----------
    flow : :class:`~sklearn.utils.Bunch` or dict
        As :func:`~skdistnet.inspection.gradient_flow` returns it; for drawing one quantity, `kind`
        and that quantity are enough.
    name : str, default=None
        The label of the line, to tell several nets on the same axes apart.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        The figure they belong to.
    line_ : matplotlib Line2D
        The quantity over layers; there is nothing where it is NaN.

    See Also
    --------
    skdistnet.inspection.gradient_flow : What is drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.displays import GradientFlowDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier((20, 10), random_state=0).fit(X, y)
    >>> display = GradientFlowDisplay.from_estimator(net, X, y)
    >>> display.line_.get_xdata().tolist()
    [1, 2, 3]
    >>> shares = display.plot(quantity="dead_share")  # the same numbers, another quantity
    """

    def __init__(self, *, flow, name=None):
        self.flow = flow
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        quantity="gradient_norm",
        name=None,
        ax=None,
        line_kw=None,
    ):
        """Measure a fitted net on rows and draw a quantity.

        Parameters
        ----------
        estimator : DistanceNetClassifier or DistanceNetRegressor
            Fitted, with layers of any kind.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, such as those of the fit.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Their labels or targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of rows.
        quantity : str, default="gradient_norm"
            Which array of the flow to draw.
        name : str, default=None
            The label of the line.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : :class:`GradientFlowDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As :func:`~skdistnet.inspection.gradient_flow`; ValueError for a `quantity` that the
            flow has not.
        """
        cls._check_matplotlib("from_estimator")
        display = cls(flow=gradient_flow(estimator, X, y, sample_weight), name=name)
        return display.plot(ax, quantity=quantity, line_kw=line_kw)

    def plot(self, ax=None, *, quantity="gradient_norm", line_kw=None):
        """Draw a quantity, norms on a logarithmic axis.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        quantity : str, default="gradient_norm"
            Which array of the flow to draw.
        line_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : :class:`GradientFlowDisplay`
            Itself.
        """
        flow = Bunch(**self.flow)
        known = [name for name in flow if name not in ("kind", "n_units")]
        if quantity not in known:
            raise ValueError(
                "The 'quantity' parameter of GradientFlowDisplay must be one of "
                f"{sorted(known)}; got {quantity!r}."
            )
        ax = self._take_axes(ax)
        layers, values = np.arange(1, len(flow.kind) + 1), np.asarray(flow[quantity])
        style = {"marker": "o", "markersize": 4, "label": self.name} | (line_kw or {})
        (self.line_,) = ax.plot(layers, values, **style)
        if quantity.endswith("_norm") and np.any(values > 0):
            # A norm of zero has no logarithm; its line leaves the axes through the bottom.
            ax.set_yscale("log", nonpositive="clip")
        if quantity.endswith("_share"):
            ax.set_ylim(-0.02, 1.02)
        if len(layers) <= NAMED_LAYERS:
            ax.set_xticks(layers, [f"{layer}\n{kind}" for layer, kind in zip(layers, flow.kind)])
        else:
            ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(
            xlabel="layer, from input to output",
            ylabel=LABELS.get(quantity, quantity.replace("_", " ")),
        )
        ax.grid(alpha=0.3)
        if self.name is not None:
            ax.legend()
        return self
