"""Plot of the loss over epochs."""

from typing import Any

import numpy as np

from ._display import Display, display_class

MARKED_EPOCHS = 20  # up to this number have markers; a single one would not show without


@display_class
class LossCurveDisplay(Display):
    """Training and validation loss over epochs, and the epoch whose parameters were kept.

    The training loss is the mean over batches, each before its step, with dropout and label
    smoothing. The validation loss, after the epoch and without dropout, may be lower. Create it
    with :meth:`from_estimator`, or from numbers, as in
    ``LossCurveDisplay(loss_curve=mlp.loss_curve_)``. All parameters are stored as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.
    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Validation loss of each epoch; NaN for epochs without validation.
    best_epoch : int, default=None
        The epoch, counted from 1, whose parameters were kept.
    {name}

    {attributes}
    lines_ : list of matplotlib Line2D
        The training loss and, if there is one, the validation loss.
    best_epoch_line_ : matplotlib Line2D or None
        The mark of the best epoch.

    {iris}
    >>> net = DistanceNetClassifier(20, early_stopping=True, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(net)
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    >>> display.best_epoch == net.best_epoch_
    True
    """

    loss_curve: Any
    validation_loss_curve: Any = None
    best_epoch: int | None = None
    name: str | None = None

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, line_kw=None):
        """Plot the curves of a fitted net.

        Parameters
        ----------
        {net_for_tables_or_sequences, name, ax, line_kw}

        {display, net_errors}
        """
        cls._check_net(estimator, or_recurrent=True)
        validation = getattr(estimator, "validation_loss_curve_", None)
        # Without validation rows it is the last epoch, which needs no mark.
        best_epoch = None if validation is None else estimator.best_epoch_
        curves = {"loss_curve": estimator.loss_curve_, "validation_loss_curve": validation}
        display = cls(**curves, best_epoch=best_epoch, name=name)
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curves."""
        ax = self._take_axes(ax)
        prefix = "" if self.name is None else f"{self.name}, "
        curves = {"training": self.loss_curve, "validation": self.validation_loss_curve}
        marker = "." if len(self.loss_curve) <= MARKED_EPOCHS else None
        self.lines_ = []
        for label, curve in curves.items():
            if curve is not None:
                style = {"label": prefix + label, "marker": marker} | (line_kw or {})
                self.lines_ += ax.plot(np.arange(1, len(curve) + 1), curve, **style)
        self.best_epoch_line_ = None
        if self.best_epoch is not None:
            label = f"{prefix}best epoch: {self.best_epoch}"
            style = {"color": self.lines_[-1].get_color(), "linestyle": ":", "label": label}
            self.best_epoch_line_ = ax.axvline(self.best_epoch, **style)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend()
        return self
