"""Pictures of a comparison: how good and how reliable models are, and what the net has learnt.

Each is an SVG element; see `svg.picture` for the first two parameters, which all of them have.
"""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.ticker import FuncFormatter, MaxNLocator
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay

from ...displays import AccuracyCoverageDisplay, LossCurveDisplay, NoveltyDisplay, TrialDisplay
from ...metrics import accuracy_coverage_curve
from ..formats import plain, shorten
from .svg import INK, MUTED, SERIES, blank_axes, finish, picture

__all__ = ["accuracy_over_coverage", "confusions", "learning_curves", "novelty"]
__all__ += ["predictions", "probabilities", "reliability", "residuals", "training_curve"]

OURS, OTHER, *_ = SERIES
MARKERS, DASHES = "osD^vP", ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1))]
POINTS = 500  # of a curve or a cloud at most
ROWS_OF_BIN = 25
LETTERS = 44  # in a row below an axis at most
#: From transparent to the colour of our model, which a page of any background shows through.
SHADES = ListedColormap([(0.25, 0.5, 0.9, alpha) for alpha in np.linspace(0.0, 0.7, 64)])


@picture
def reliability(curves, xlabel, ylabel):
    """Draw how often something happened over the probability that models gave it.

    `curves` maps names of models to pairs of what happened, 0 or 1, and the probability.
    """
    ax = blank_axes()
    ax.plot([0, 1], [0, 1], ":", color=MUTED)
    for index, (name, (happened, probability)) in enumerate(curves.items()):
        n_bins = int(np.clip(len(happened) // ROWS_OF_BIN, 3, 10))
        # Bins of equal numbers of rows: in those of equal width, a few rows would look like news.
        CalibrationDisplay.from_predictions(
            happened,
            np.clip(probability, 0.0, 1.0),
            n_bins=n_bins,
            strategy="quantile",
            pos_label=1,
            name=name,
            ax=ax,
            ref_line=False,
            **style_of(index),
        )
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    finish(ax, xlabel, ylabel)
    return ax


@picture
def probabilities(by_model, xlabel):
    """Draw histograms of the probabilities of models."""
    ax = blank_axes()
    for index, (name, values) in enumerate(by_model.items()):
        shares, edges = np.histogram(
            values, 20, (0.0, 1.0), weights=np.full(len(values), 1 / len(values))
        )
        style = {"color": SERIES[index], "linestyle": DASHES[index], "linewidth": 2.0 - 0.6 * index}
        ax.stairs(shares, edges, label=name, **style)
        if index == 0:
            ax.stairs(shares, edges, fill=True, color=SERIES[index], alpha=0.25)
    ax.set(xlim=(-0.02, 1.02))
    finish(ax, xlabel, "share of rows")
    return ax


@picture
def predictions(y_true, y_pred, color_index):
    """Draw the true target over the prediction."""
    ax = cloud(y_true, y_pred, "actual_vs_predicted", SERIES[color_index])
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    finish(ax, "predicted", "true value")
    return ax


@picture
def residuals(y_true, y_pred):
    """Draw the residual over the prediction."""
    ax = cloud(y_true, y_pred, "residual_vs_predicted", OURS)
    finish(ax, "predicted", "true value minus predicted")
    return ax


def cloud(y_true, y_pred, kind, color):
    """Return axes with scikit-learn's display of prediction errors of a kind."""
    ax = blank_axes()
    scatter = {"color": color, "alpha": 0.45, "s": 14, "linewidths": 0}
    options = {"scatter_kwargs": scatter, "line_kwargs": {"color": MUTED}, "ax": ax}
    n_points = min(POINTS, len(y_true))
    PredictionErrorDisplay.from_predictions(
        y_true, y_pred, kind=kind, subsample=n_points, random_state=0, **options
    )
    plain_numbers(ax.xaxis, ax.yaxis)
    return ax


def plain_numbers(*axes):
    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def style_of(index):
    """Return the style of the line of a model; colour alone would not do for all readers."""
    index %= len(SERIES)
    style = {"color": SERIES[index], "marker": MARKERS[index], "linestyle": DASHES[index]}
    return style | {"markersize": 4.5 - 0.5 * (index > 0), "linewidth": 2.4 if index == 0 else 1.4}


@picture
def learning_curves(train_sizes, curves, score_name):
    """Draw the score of models over the number of training rows."""
    ax = blank_axes()
    for index, (name, scores) in enumerate(curves.items()):
        ax.plot(train_sizes, scores, label=name, zorder=3 - (index > 0), **style_of(index))
    ax.set_xlim(left=0)
    plain_numbers(ax.xaxis)
    finish(ax, "training rows", score_name)
    return ax


@picture
def training_curve(net):
    """Draw the validation loss of the net's trial, or its training loss without a trial."""
    net = getattr(net, "estimators_", [net])[0]
    ax = blank_axes()
    if net.trial_ is not None:
        TrialDisplay.from_estimator(net, ax=ax)
    else:
        LossCurveDisplay.from_estimator(net, ax=ax)
    finish(ax, ax.get_xlabel(), ax.get_ylabel(), legend_columns=1)
    return ax


@picture
def accuracy_over_coverage(y_true, y_pred, confidence, name):
    """Draw the accuracy of the most confident predictions over the share of rows."""
    coverages, accuracies, _ = accuracy_coverage_curve(y_true, y_pred, confidence)
    # A first few rows are right or wrong by chance.
    first = np.searchsorted(coverages, min(max(0.05, 10 / len(y_true)), 1.0) - 1e-9)
    shown = np.unique(np.linspace(first, len(coverages) - 1, POINTS).astype(int))
    ax = blank_axes()
    display = AccuracyCoverageDisplay(coverages=coverages[shown], accuracies=accuracies[shown])
    display.plot(ax, line_kw={"color": OURS, "linewidth": 2.4, "label": name})
    ax.axhline(accuracies[-1], color=MUTED, linestyle=":", label="accuracy on all rows")
    ax.set_xlim(0, 1)
    finish(ax, "share of rows, the surest first", "accuracy of these rows", legend_columns=1)
    return ax


@picture
def confusions(y_true, y_pred, classes):
    """Draw the confusion matrix in numbers of rows."""
    ax = blank_axes((370, 300))
    names = [shorten(label, 12) for label in classes]
    collide = len(classes) * max(map(len, names)) > LETTERS
    display = ConfusionMatrixDisplay.from_predictions(
        y_true,
        y_pred,
        labels=classes,
        display_labels=names,
        xticks_rotation=60 if collide else "horizontal",
        values_format="d",
        cmap=SHADES,
        colorbar=False,
        ax=ax,
        im_kw={"aspect": "auto"},
        text_kw={"color": INK, "fontsize": 11 if len(classes) < 9 else 9},
    )
    for (row, column), text in np.ndenumerate(display.text_):
        if display.confusion_matrix[row, column] == 0:
            text.set_text("·")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    finish(ax, "predicted class", "true class")
    return ax


@picture
def novelty(scores, threshold):
    """Draw a histogram of the novelty scores of held-out rows with the threshold."""
    ax = blank_axes()
    display = NoveltyDisplay(scores={"held-out rows": scores}, threshold=threshold)
    display.plot(ax, bins=30, stairs_kw={"color": OURS, "alpha": 0.75})
    display.threshold_line_.set_color(OTHER)
    ax.xaxis.grid(visible=False)
    finish(ax, "score_samples: the lower, the more novel", "share of rows")
    return ax
