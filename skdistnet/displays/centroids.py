"""Plots of the centroids of the first layer, and of the features that its units respond to."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .._base.constraints import COUNT, NONE, Rule, check_parameter
from ..engine.numerics.statistics import make_dense
from ..engine.relevances import distance_shares, unit_variances
from ..inspection._fitted_net import check_distance_layer
from ._display import Display, display_class, name_features, select_indices

COLOR_LIMIT = 2.5  # standard deviations that the colors of a table cover
LONGEST = 50.0  # radius of an ellipse in extents of the data: a unit may ignore a feature
LONGEST_LEVEL, FAINTEST = 6, 0.3  # letters of a level in a cell of a table, and their alpha
LABELS = 30  # on an axis of a table at most; more images than that have none
ASPECT = 1.4  # width of all images together divided by their height, about
GAP, HEADING = 0.25, 0.35  # between images and above them, in heights of an image


@display_class
class CentroidDisplay(Display):
    """Centroids of the first layer and the shares of features in its distances.

    The plot consists of images if `image_shape` is given, of ellipses over the data if there are
    two features to show, and is a table of units and features otherwise. Create it with
    :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    centroids, inverse_radii : ndarray of shape (n_units, n_features)
        Those of all units, in units of X.
    units, features : ndarray of int
        The units and features to show, in this order.
    feature_names : sequence of str of shape (n_features,)
        Names of all features.
    shares : ndarray of shape (n_units, n_features), default=None
        Share of each feature in the squared distances of the unit; not needed for ellipses.
    X : ndarray of shape (n_samples, n_features_shown), default=None
        Rows to draw ellipses over, with the features to show.
    {image_shape}
    categories : list of ndarray or None, default=None
        For each feature the levels that centroids are the positions of, or None.

    {attributes}
    centroid_images_, share_images_ : list of matplotlib AxesImage
        Images of the centroids and of the shares.
    ellipses_ : list of matplotlib Ellipse
        For two features, the points at scaled distance 1 from the centroid (in the plane through it
        if the net has more), where the activation is exp(-1/2) for "gaussian", 1/2 for "cauchy".
    centers_ : matplotlib Line2D
        The centroids in the ellipses.
    points_ : matplotlib PathCollection or None
        The rows below the ellipses.
    squares_ : matplotlib PatchCollection
        The table, unit by unit: the color is the centroid, in standard deviations from the mean of
        all centroids, grey for categories; the area is the share.
    levels_ : list of matplotlib Text
        In the table, the level that is nearest to the centroid, for categories.

    Notes
    -----
    Inverse radii depend on the units of features, and may be large for a constant feature without
    any effect. Tables and images therefore show shares in the distances of a unit to all centroids,
    ``r_jk^2 mean_i (c_ik - c_jk)^2`` divided by the sum over k, from which ``feature_relevances_``
    is computed. Units are sorted by the variance of their activation over the centroids; for their
    effect on the output see `use` of :func:`~skdistnet.inspection.unit_report`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.displays import CentroidDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> display = CentroidDisplay.from_estimator(net, units=12, image_shape=(8, 8))
    >>> display.centroid_images_[0].get_array().shape
    (8, 8)
    """

    centroids: np.ndarray
    inverse_radii: np.ndarray
    units: Sequence[int]
    features: Sequence[int]
    feature_names: Sequence[str]
    shares: np.ndarray | None = None
    X: np.ndarray | None = None
    image_shape: Sequence[int] | None = None
    categories: Sequence[Any] | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        units=20,
        features=20,
        image_shape=None,
        feature_names=None,
        ax=None,
    ):
        """Plot the first layer of a fitted net.

        Parameters
        ----------
        {distance_net}
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows to draw ellipses over; tables and images do not use them.
        units : int, sequence of int, or None, default=20
            Number of units to show, those whose activations vary most; the units by index, such as
            `prototypes` returns for a net of one hidden layer; or all.
        {features, image_shape, feature_names, ax}

        {display, net_errors}
        ValueError
            For a dense first layer, unknown units or features, and a wrong number of pixels.
        """
        cls._check_net(estimator)
        caller, n_pixels = cls.__name__, estimator.n_features_in_
        check_distance_layer(estimator, 0, "first layer", caller)
        network, theta, centroids = estimator._network, estimator._theta_, estimator.centroids_[0]

        def is_image_shape(shape):
            is_pair = isinstance(shape, (tuple, list)) and len(shape) == 2
            return is_pair and all(map(COUNT.accepts, shape)) and prod(shape) == n_pixels

        rule = f"two positive ints, height and width, with {n_pixels} pixels (one for each feature)"
        check_parameter(caller, "image_shape", image_shape, [Rule(rule, is_image_shape), NONE])
        names = name_features(estimator, feature_names, caller)
        by_variance = np.argsort(-unit_variances(network, theta), kind="stable")
        by_relevance = np.argsort(-estimator.feature_relevances_, kind="stable")
        shown = select_indices(features, by_relevance, names, "features", caller)
        if np.ndim(features) == 0:
            shown = np.sort(shown)  # the order of the columns
        display = cls(
            centroids=centroids,
            inverse_radii=np.broadcast_to(estimator.inverse_radii_[0], centroids.shape),
            shares=distance_shares(network, theta, estimator._input_map),
            units=select_indices(units, by_variance, (), "units", caller),
            features=shown,
            feature_names=names,
            X=None if X is None else make_dense(estimator._check_rows(X)[:, shown]),
            image_shape=image_shape,
            categories=estimator.categories_,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the images, ellipses or table; a table and images need `shares`."""
        draws_ellipses = self.image_shape is None and len(self.features) == 2
        if self.shares is None and not draws_ellipses:
            raise ValueError("Tables and images need 'shares'; only ellipses do without.")
        self._take_axes(ax)
        if self.image_shape is not None:
            draw_images(self)
        elif draws_ellipses:
            draw_ellipses(self)
        else:
            draw_table(self)
        return self


def draw_images(display):
    """Draw two images for each unit: the centroid, and the shares of pixels in its distances."""
    ax, units = display.ax_, display.units
    width = display.image_shape[1] / display.image_shape[0]
    x_step, y_step = 2 * width + 0.06 + GAP, 1 + HEADING
    n_columns = int(np.ceil(np.sqrt(len(units) * ASPECT * y_step / x_step)))
    rows, columns = np.divmod(np.arange(len(units)), n_columns)
    corners = list(zip(columns * x_step, rows * y_step))

    def draw(values, offset, label, bar_left, **style):
        shown = values[units].reshape(-1, *display.image_shape)
        style = {"vmin": np.nanmin(shown), "vmax": np.nanmax(shown), "aspect": "equal"} | style
        images = [
            ax.imshow(image, extent=(x + offset, x + offset + width, y + 1, y), **style)
            for image, (x, y) in zip(shown, corners)
        ]
        bar = ax.inset_axes([bar_left, -0.06, 0.47, 0.03])
        display.figure_.colorbar(images[0], cax=bar, orientation="horizontal", label=label)
        return images

    label = "centroid, in the units of the data"
    display.centroid_images_ = draw(display.centroids, 0.0, label, 0.0, cmap="gray_r")
    label, offset = "share in the unit's distances", width + 0.06
    # A share of zero is white, even if all images are equal.
    display.share_images_ = draw(display.shares, offset, label, 0.53, cmap="Purples", vmin=0.0)
    if len(units) <= LABELS:
        style = {"ha": "center", "va": "bottom", "fontsize": "x-small"}
        for unit, (x, y) in zip(units, corners):
            ax.text(x + width + 0.03, y - 0.06, f"unit {unit}", **style)
    bottom = corners[-1][1] + y_step
    ax.set(xlim=(-0.05, n_columns * x_step - GAP + 0.05), ylim=(bottom, -HEADING))
    ax.set_axis_off()


def draw_ellipses(display):
    """Draw the ellipse at scaled distance 1 from each centroid."""
    from matplotlib.patches import Ellipse

    ax, pair = display.ax_, display.features
    centroids = display.centroids[display.units][:, pair]
    was_empty = not ax.has_data()
    display.points_ = None
    if display.X is not None:
        style = {"s": 12, "color": "0.6", "edgecolors": "white", "linewidths": 0.4}
        display.points_ = ax.scatter(*display.X.T, **style)
    (display.centers_,) = ax.plot(*centroids.T, "k+", markersize=6)
    # The limits come from the rows, or were set before; long ellipses do not change them.
    shown = centroids if display.X is None else display.X
    low, high = (np.nan_to_num(end.reduce(shown, axis=0)) for end in (np.fmin, np.fmax))
    extent = np.where(low < high, high - low, 1.0)
    inverse_radii = display.inverse_radii[display.units][:, pair]
    diameters = 2.0 / np.maximum(inverse_radii, 1.0 / (LONGEST * extent))
    display.ellipses_ = [
        ax.add_artist(Ellipse(centroid, *diameter, fill=False, color="black", linewidth=1.2))
        for centroid, diameter in zip(centroids, diameters)
    ]
    if was_empty:
        middle = (low + high) / 2
        limits = np.stack([middle - 0.65 * extent, middle + 0.65 * extent], axis=1)
        names = [display.feature_names[feature] for feature in pair]
        ax.set(xlim=limits[0], ylim=limits[1], xlabel=names[0], ylabel=names[1])
        for axis, feature in zip((ax.xaxis, ax.yaxis), pair):
            levels = levels_of(display, feature)
            if levels is not None:
                axis.set_ticks(range(len(levels)), [str(level) for level in levels])


def levels_of(display, feature):
    """Return the levels of a feature of categories, None for one of numbers."""
    return None if display.categories is None else display.categories[feature]


def draw_levels(display, sides):
    """Write the level nearest to each centroid into its cell, fainter in a smaller square."""
    display.levels_ = []
    for row, feature in enumerate(display.features):
        levels = levels_of(display, feature)
        if levels is None:
            continue
        for column, unit in enumerate(display.units):
            code = display.centroids[unit, feature]
            text = "" if np.isnan(code) else shortened(str(levels[int(code)]))
            style = {"ha": "center", "va": "center", "fontsize": "xx-small"}
            style["alpha"] = max(FAINTEST, sides[column, row])
            display.levels_.append(display.ax_.text(column, row, text, **style))


def shortened(text):
    return text if len(text) <= LONGEST_LEVEL else f"{text[: LONGEST_LEVEL - 1]}…"


def draw_table(display):
    """Draw a square for each unit and feature: its color is the centroid, its area the share."""
    from matplotlib import colormaps
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    ax, units, features = display.ax_, display.units, display.features
    centroids = np.nan_to_num(display.centroids.astype(np.float64))
    spread = centroids.std(axis=0)
    deviates = (centroids - centroids.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    named = [levels_of(display, feature) is not None for feature in range(centroids.shape[1])]
    deviates[:, named] = np.nan
    shown = np.ix_(units, features)
    shares = display.shares[shown]
    sides = 0.95 * np.sqrt(shares / max(shares.max(), np.finfo(float).tiny))
    squares = [
        Rectangle((column - side / 2, row - side / 2), side, side)
        for (column, row), side in np.ndenumerate(sides)
    ]
    colors = colormaps["RdBu_r"].with_extremes(bad="0.85")
    display.squares_ = PatchCollection(squares, cmap=colors, edgecolor="0.4", linewidth=0.4)
    display.squares_.set_array(np.ma.masked_invalid(deviates[shown].ravel()))
    display.squares_.set_clim(-COLOR_LIMIT, COLOR_LIMIT)
    ax.add_collection(display.squares_)
    draw_levels(display, sides)
    # Cells are square, so the longer side limits the labels. Names may be long, so features are the
    # rows; numbers of units are rotated to make room for three digits.
    step = -(-max(sides.shape) // LABELS)
    names = [display.feature_names[feature] for feature in features[::step]]
    ax.set_yticks(range(0, len(features), step), names)
    ax.set_xticks(range(0, len(units), step), [str(unit) for unit in units[::step]], rotation=90)
    ax.set(xlim=(-0.6, len(units) - 0.4), ylim=(len(features) - 0.4, -0.6), aspect="equal")
    ax.set(xlabel="unit", title="area: share in the unit's distances")
    label = "centroid, in standard deviations\nfrom the mean of all centroids"
    display.figure_.colorbar(display.squares_, ax=ax, label=label, extend="both")
