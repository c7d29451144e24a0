"""How the loss went, epoch by epoch."""

import numpy as np

from ..inspection._validation import check_net
from ._display import Display

__all__ = ["LossCurveDisplay"]

#: Curves of no more epochs than this have a mark at each; one epoch alone would not show.
MARKED_EPOCHS = 20


class LossCurveDisplay(Display):
    """Training and validation loss over epochs, and the epoch whose parameters were kept.

    Make it with :meth:`from_estimator`; the constructor takes the numbers themselves, for instance
    ``LossCurveDisplay(loss_curve=mlp.loss_curve_, name="MLP")``. All parameters are stored as
    attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.
    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Loss on the validation rows; NaN where there were none.
    best_epoch : int, default=None
        The epoch, the first being 1, whose parameters were kept.
    name : str, default=None
        Said in front of the labels, to tell several nets on the same axes apart.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        The figure they belong to.
    lines_ : list of matplotlib Line2D
        The training loss and, if there is one, the validation loss.
    best_epoch_line_ : matplotlib Line2D or None
        Where the best epoch is.

    See Also
    --------
    GradientFlowDisplay : How much gradient reaches each layer.

    Notes
    -----
    A training loss is the mean over the batches of an epoch, each before its step and with dropout
    and label smoothing; the validation loss is taken after the epoch, without dropout. So the
    validation loss may be the lower one.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.displays import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(20, early_stopping=True, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(net)
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    >>> display.best_epoch == net.best_epoch_
    True
    """

    def __init__(self, *, loss_curve, validation_loss_curve=None, best_epoch=None, name=None):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.best_epoch = best_epoch
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, line_kw=None):
        """Draw the curves of a fitted net.

        Parameters
        ----------
        estimator : DistanceNetClassifier or DistanceNetRegressor
            Fitted.
        name : str, default=None
            Said in front of the labels.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        line_kw : dict, default=None
            Handed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : :class:`LossCurveDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            For other estimators.
        sklearn.exceptions.NotFittedError
            Before the fit.
        """
        cls._check_matplotlib("from_estimator")
        check_net(estimator, cls.__name__)
        validation = getattr(estimator, "validation_loss_curve_", None)
        # Without validation rows the last epoch is kept, which need not be said.
        best_epoch = estimator.best_epoch_ if validation is not None else None
        display = cls(
            loss_curve=estimator.loss_curve_,
            validation_loss_curve=validation,
            best_epoch=best_epoch,
            name=name,
        )
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
        display : :class:`LossCurveDisplay`
            Itself.
        """
        ax = self._take_axes(ax)
        curves = {"training": self.loss_curve, "validation": self.validation_loss_curve}
        curves = {label: curve for label, curve in curves.items() if curve is not None}
        marker = "." if len(self.loss_curve) <= MARKED_EPOCHS else None
        self.lines_ = []
        for label, curve in curves.items():
            style = {"label": self._label(label), "marker": marker} | (line_kw or {})
            self.lines_ += ax.plot(np.arange(1, len(curve) + 1), curve, **style)
        self.best_epoch_line_ = None
        if self.best_epoch is not None:
            self.best_epoch_line_ = ax.axvline(
                self.best_epoch,
                color=self.lines_[-1].get_color(),
                linestyle=":",
                label=self._label(f"best epoch: {self.best_epoch}"),
            )
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend()
        return self

    def _label(self, text):
        return text if self.name is None else f"{self.name}, {text}"
