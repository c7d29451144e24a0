"""Plot of what a fit found in its trials."""

from typing import Any

import numpy as np

from ._display import Display, display_class
from .loss_curve import MARKED_EPOCHS


@display_class
class TrialDisplay(Display):
    """What `fit` found in its trials: the number of epochs, and the first layer's activations.

    The curve is the validation loss of the trial or the mean over several. The best epoch is that
    of the best `scoring`, for a classifier with "loss" that of the smallest product of loss and
    error rate, so it may lie beside the minimum of the curve. Create the display with
    :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    trial : dict
        The attribute ``trial_`` of a net.
    median_activation : float, default=None
        Median activation that was chosen for the first layer.
    {name}

    {attributes}
    median_ax_ : matplotlib Axes or None
        Axes of the errors of median activations.
    line_ : matplotlib Line2D
        The validation loss over epochs.
    best_epoch_line_, n_epochs_line_ : matplotlib Line2D
        The marks of the best epoch and of the number of epochs on all data.
    errors_line_, chosen_line_ : matplotlib Line2D or None
        The errors of the median activations tried, and the mark of the one chosen.

    {iris}
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> display = TrialDisplay.from_estimator(net)
    >>> display.best_epoch_line_.get_label() == f"best epoch: {net.trial_['best_epoch']}"
    True
    """

    trial: dict[str, Any]
    median_activation: float | None = None
    name: str | None = None

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, line_kw=None):
        """Plot the trials of a fitted net.

        Parameters
        ----------
        {net_for_tables_or_sequences, name}
        ax : matplotlib Axes or sequence of two, default=None
            Axes for the loss and for the errors of median activations; a single one shows the loss
            only. None creates a figure, with the errors if several medians were tried.
        {line_kw}

        {display, net_errors}
        ValueError
            For a net that was fitted without a trial.
        """
        cls._check_net(estimator, or_recurrent=True)
        trial = getattr(estimator, "trial_", None)
        if trial is None:
            raise ValueError(
                f"{cls.__name__} needs a net whose fit made a trial: call fit with "
                "early_stopping='auto' on at least 60 different rows or sequences, or on sequences "
                f"with 60 targets for steps; got a {type(estimator).__name__} with "
                f"early_stopping={estimator.early_stopping!r} that was fitted without one."
            )
        median = getattr(estimator, "init_median_activation_", None)
        display = cls(trial=trial, median_activation=median, name=name)
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the loss and the errors."""
        prefix = "" if self.name is None else f"{self.name}, "
        self._take_axes(self._new_axes() if ax is None else ax)
        self._draw_loss(prefix, line_kw or {})
        self.errors_line_ = self.chosen_line_ = None
        if self.median_ax_ is not None and self.trial["median_activation_errors"]:
            self._draw_errors(prefix, line_kw or {})
        return self

    def _new_axes(self):
        """Return the axes of a new figure, two if several median activations were tried."""
        plt = self._import_pyplot("plot")
        if len(self.trial["median_activation_errors"]) < 2:
            return plt.subplots(layout="constrained")[1]
        options = {"figsize": (9.6, 4.8), "width_ratios": (2, 1), "layout": "constrained"}
        return plt.subplots(1, 2, **options)[1]

    def _take_axes(self, ax):
        """Set the axes of the loss and, if there are two, those of the errors."""
        first, *others = np.ravel(ax)
        self.median_ax_: Any = others[0] if others else None
        return super()._take_axes(first)

    def _draw_loss(self, prefix, line_kw):
        """Draw the validation loss and mark two numbers of epochs."""
        ax, trial, curve = self.ax_, self.trial, self.trial["validation_loss_curve"]
        n_trials = trial["n_trials"]
        trials = "validation" if n_trials == 1 else f"validation, mean of {n_trials} trials"
        marker = "." if len(curve) <= MARKED_EPOCHS else None
        style = {"label": f"{prefix}{trials}", "marker": marker} | line_kw
        (self.line_,) = ax.plot(np.arange(1, len(curve) + 1), curve, **style)
        style = {"color": self.line_.get_color(), "linestyle": ":"}
        best, n_epochs = trial["best_epoch"], trial["n_epochs"]
        style["label"] = f"{prefix}best epoch: {best}"
        self.best_epoch_line_ = ax.axvline(best, **style)
        style |= {"linestyle": "--", "label": f"{prefix}epochs on all data: {n_epochs}"}
        self.n_epochs_line_ = ax.axvline(n_epochs, **style)
        ax.set(xlabel="epoch", ylabel=f"validation loss, n = {trial['n_validation_samples']}")
        ax.legend()

    def _draw_errors(self, prefix, line_kw):
        """Draw the errors of the median activations in the order in which they were tried."""
        ax = self.median_ax_
        medians, errors = zip(*self.trial["median_activation_errors"])
        positions = np.arange(len(medians))
        style = {"marker": "o", "markersize": 4} | line_kw
        (self.errors_line_,) = ax.plot(positions, errors, **style)
        if self.median_activation in medians:
            chosen = medians.index(self.median_activation)
            style = {"color": self.errors_line_.get_color(), "marker": "o", "markersize": 10}
            style |= {"fillstyle": "none", "linestyle": "none"}
            label = f"{prefix}chosen: {self.median_activation:.2g}"
            (self.chosen_line_,) = ax.plot(chosen, errors[chosen], **style, label=label)
            ax.legend()
        ax.set_xticks(positions, [f"{median:.2g}" for median in medians])
        ax.set(xlabel="median activation of the first layer")
        ax.set_ylabel("leave-one-out error of a linear readout")
