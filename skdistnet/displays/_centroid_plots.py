"""The three drawings of centroids: as pictures, as ellipses over the data, as a table."""

import numpy as np

__all__ = ["draw_ellipses", "draw_images", "draw_table"]

#: Centroids of a table are colored up to so many standard deviations.
REACH = 2.5
#: No ellipse is longer than so many times what is shown: a unit may ignore a feature altogether.
LONGEST = 50.0
#: A table has so many labels on an axis at most, and pictures have none where there are more units.
LABELS = 30
#: Width over height of all pictures together, about.
SHAPE = 1.4
#: Widths of the gaps between pictures and above them, in heights of a picture.
GAP, HEADING = 0.25, 0.35


def draw_images(display):
    """Pairs of pictures: the centroid, and each pixel's share in the unit's distances."""
    ax, units = display.ax_, display.units
    height, width = display.image_shape
    width = width / height
    step = 2 * width + 0.06 + GAP
    n_columns = int(np.ceil(np.sqrt(len(units) * SHAPE * (1 + HEADING) / step)))
    kinds = {
        "centroid_images_": (display.centroids, 0.0, "gray_r"),
        "share_images_": (display.shares, width + 0.06, "Purples"),
    }
    for name, (values, offset, cmap) in kinds.items():
        shown = values[units].reshape(-1, *display.image_shape)
        # A share of zero is white; pictures all alike need a range, too.
        low = 0.0 if name == "share_images_" else np.nanmin(shown)
        style = {"cmap": cmap, "vmin": low, "vmax": np.nanmax(shown), "aspect": "equal"}
        images = []
        for number, picture in enumerate(shown):
            row, column = divmod(number, n_columns)
            left, top = column * step + offset, row * (1 + HEADING)
            images.append(ax.imshow(picture, extent=(left, left + width, top + 1, top), **style))
        setattr(display, name, images)
    for number, unit in enumerate(units if len(units) <= LABELS else ()):
        row, column = divmod(number, n_columns)
        place = column * step + width + 0.03, row * (1 + HEADING) - 0.06
        ax.text(*place, f"unit {unit}", ha="center", va="bottom", fontsize="x-small")
    n_rows = -(-len(units) // n_columns)
    ax.set(xlim=(-0.05, n_columns * step - GAP + 0.05), ylim=(n_rows * (1 + HEADING), -HEADING))
    ax.set_axis_off()
    bars = {
        "centroid, in the units of the data": (display.centroid_images_, 0.0),
        "share in the unit's distances": (display.share_images_, 0.53),
    }
    for label, (images, left) in bars.items():
        beneath = ax.inset_axes([left, -0.06, 0.47, 0.03])
        display.figure_.colorbar(images[0], cax=beneath, orientation="horizontal", label=label)


def draw_ellipses(display):
    """An ellipse for each unit, where it is one scaled distance from its centroid."""
    from matplotlib.patches import Ellipse

    ax, pair = display.ax_, display.features
    centroids = display.centroids[display.units][:, pair]
    was_empty = not ax.has_data()
    display.points_ = None
    if display.X is not None:
        style = {"s": 12, "color": "0.6", "edgecolors": "white", "linewidths": 0.4}
        display.points_ = ax.scatter(*display.X.T, **style)
    (display.centers_,) = ax.plot(*centroids.T, "k+", markersize=6)
    # Long ellipses must not decide what is shown, nor we where something was drawn before.
    shown = centroids if display.X is None else display.X
    low, high = (np.nan_to_num(end.reduce(shown, axis=0)) for end in (np.fmin, np.fmax))
    extent = np.where(low < high, high - low, 1.0)
    radii = 1.0 / np.maximum(
        display.inverse_radii[display.units][:, pair], 1.0 / (LONGEST * extent)
    )
    display.ellipses_ = [
        ax.add_artist(Ellipse(centroid, *(2 * radius), fill=False, color="black", linewidth=1.2))
        for centroid, radius in zip(centroids, radii)
    ]
    if was_empty:
        middle = (low + high) / 2
        limits = np.stack([middle - 0.65 * extent, middle + 0.65 * extent], axis=1)
        names = [display.feature_names[feature] for feature in pair]
        ax.set(xlim=limits[0], ylim=limits[1], xlabel=names[0], ylabel=names[1])


def draw_table(display):
    """A square for each unit and feature: its color is the place, its area the share."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    ax, units, features = display.ax_, display.units, display.features
    centroids = np.nan_to_num(display.centroids.astype(np.float64))
    spread = centroids.std(axis=0)
    deviates = (centroids - centroids.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    chosen = np.ix_(units, features)
    shares = display.shares[chosen]
    sides = 0.95 * np.sqrt(shares / max(shares.max(), np.finfo(float).tiny))
    squares = [
        Rectangle((column - side / 2, row - side / 2), side, side)
        for column, of_unit in enumerate(sides)
        for row, side in enumerate(of_unit)
    ]
    display.squares_ = PatchCollection(squares, cmap="RdBu_r", edgecolor="0.4", linewidth=0.4)
    display.squares_.set_array(deviates[chosen].ravel())
    display.squares_.set_clim(-REACH, REACH)
    ax.add_collection(display.squares_)
    # Cells are squares, so that the longer side decides how much room a label has. Names, which may
    # be long, stand in the rows; numbers of units are turned so that three digits fit.
    step = -(-max(sides.shape) // LABELS)
    names = [display.feature_names[feature] for feature in features[::step]]
    ax.set_yticks(range(0, len(features), step), names)
    ax.set_xticks(range(0, len(units), step), [str(unit) for unit in units[::step]], rotation=90)
    ax.set(xlim=(-0.6, len(units) - 0.4), ylim=(len(features) - 0.4, -0.6), aspect="equal")
    ax.set(xlabel="unit", title="area: share in the unit's distances")
    label = "centroid, in standard deviations\nfrom the mean of all centroids"
    display.figure_.colorbar(display.squares_, ax=ax, label=label, extend="both")
