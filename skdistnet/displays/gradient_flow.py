"""Plot of gradients and activations over layers, or over steps."""

import numpy as np

from .._base.constraints import OneOf, check_parameter
from ..inspection import gradient_flow
from ._display import Display, display_class

NAMED_LAYERS = 8  # with more layers, their kinds are not shown below their numbers
LABELS = {
    "gradient_norm": "norm of the gradient with\nrespect to parameters",
    "output_gradient_norm": "norm of the gradient with\nrespect to activations",
    "activation_mean": "mean activation",
    "activation_std": "standard deviation of activations\nover rows",
    "dead_share": "share of dead units",
    "saturated_share": "share of saturated units",
}


@display_class
class GradientFlowDisplay(Display):
    """A quantity of :func:`~skdistnet.inspection.gradient_flow`, layer by layer or step by step.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    flow : :class:`~sklearn.utils.Bunch` or dict
        Result of that function, or its `kind` (or `step`) and the quantity to draw.
    {name}

    {attributes}
    line_ : matplotlib Line2D
        The quantity over layers or steps, with gaps where it is NaN.

    {iris}
    >>> net = DistanceNetClassifier((20, 10), random_state=0).fit(X, y)
    >>> display = GradientFlowDisplay.from_estimator(net, X, y)
    >>> display.line_.get_xdata().tolist()
    [1, 2, 3]
    >>> shares = display.plot(quantity="dead_share")  # another quantity of the same flow
    """

    flow: dict
    name: str | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        sample_weight=None,
        quantity=None,
        name=None,
        ax=None,
        line_kw=None,
    ):
        """Measure a fitted net and plot a quantity.

        Parameters
        ----------
        estimator : a distance net for tables or for sequences
            Fitted, as for :func:`~skdistnet.inspection.gradient_flow`.
        X, y : array-like
            Rows or sequences, and their labels or targets.
        {sample_weight}
        quantity : str, default=None
            The array of the flow to draw; norms have a logarithmic axis. None is "gradient_norm",
            or "output_gradient_norm" over steps.
        {name, ax, line_kw}

        {display}
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As :func:`~skdistnet.inspection.gradient_flow`; ValueError for an unknown `quantity`.
        """
        cls._import_pyplot("from_estimator")
        display = cls(flow=gradient_flow(estimator, X, y, sample_weight), name=name)
        return display.plot(ax, quantity=quantity, line_kw=line_kw)

    def plot(self, ax=None, *, quantity=None, line_kw=None):
        """Draw a quantity."""
        if quantity is None:
            quantity = "output_gradient_norm" if "step" in self.flow else "gradient_norm"
        known = OneOf([name for name in self.flow if name not in ("kind", "n_units", "step")])
        check_parameter(type(self).__name__, "quantity", quantity, [known])
        ax = self._take_axes(ax)
        values = np.asarray(self.flow[quantity])
        positions = self.flow.get("step", np.arange(1, len(values) + 1))
        marker = {} if "step" in self.flow else {"marker": "o", "markersize": 4}
        style = marker | {"label": self.name} | (line_kw or {})
        (self.line_,) = ax.plot(positions, values, **style)
        if quantity.endswith("_norm") and np.any(values > 0):
            # The line to a norm of zero leaves the axes at the bottom.
            ax.set_yscale("log", nonpositive="clip")
        if quantity.endswith("_share"):
            ax.set_ylim(-0.02, 1.02)
        kinds = self.flow.get("kind", ())
        if 0 < len(kinds) <= NAMED_LAYERS:
            names = [f"{layer}\n{kind}" for layer, kind in zip(positions, kinds)]
            ax.set_xticks(positions, names)
        else:
            ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("step" if "step" in self.flow else "layer, from input to output")
        ax.set_ylabel(LABELS.get(quantity, quantity.replace("_", " ")))
        ax.grid(alpha=0.3)
        if self.name is not None:
            ax.legend()
        return self
