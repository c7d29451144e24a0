"""Where the units of a net are, and what they look at, drawn."""

from math import prod

import numpy as np

from ..engine.layers import Distance
from ..engine.numerics.statistics import make_dense
from ..engine.relevances import distance_shares, unit_variances
from ..inspection._validation import check_net
from ._centroid_plots import draw_ellipses, draw_images, draw_table
from ._display import Display, choose, is_int, name_features

__all__ = ["CentroidDisplay"]


class CentroidDisplay(Display):
    """Centroids of the first layer and what their radii make of the features.

    Drawn as pictures where an `image_shape` is given, as ellipses over the data where two features
    are shown, and else as a table of units and features. Make it with :meth:`from_estimator`. All
    parameters are stored as attributes.

    Parameters
    ----------
    centroids, inverse_radii : ndarray of shape (n_units, n_features)
        Of all units, in the units of X.
    units : ndarray of int
        The units to show, in this order.
    features : ndarray of int
        The features to show.
    feature_names : sequence of str of shape (n_features,)
        Names of all features.
    shares : ndarray of shape (n_units, n_features), default=None
        Share of each feature in the squared distances of the unit to all centroids; rows sum to 1.
        Ellipses do without.
    X : ndarray of shape (n_samples, n_features_shown), default=None
        What rows to draw ellipses over hold of the features to show.
    image_shape : sequence of two ints, default=None
        Height and width of a picture that has a feature for each pixel, row by row.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        The figure they belong to.
    centroid_images_, share_images_ : list of matplotlib AxesImage
        Pictures of the units, of where they are and of what they look at.
    ellipses_ : list of matplotlib Ellipse
        For two features, the places where a unit is one scaled distance from its centroid: there it
        answers exp(-1/2), about 0.61, if "gaussian", and 1/2 if "cauchy" (for more features, in
        the plane through its centroid).
    centers_ : matplotlib Line2D
        The centroids amid the ellipses.
    points_ : matplotlib PathCollection or None
        The rows below them.
    squares_ : matplotlib PatchCollection
        The table, unit by unit: the color is where the centroid is, in standard deviations of all
        centroids from their mean, the area the share.

    See Also
    --------
    RelevanceDisplay : The shares of all units as one.
    skdistnet.inspection.prototypes : The units that a prediction rests on.

    Notes
    -----
    An inverse radius alone is in units of its feature, and may be large where nothing varies and so
    nothing is measured. So tables and pictures show the share of each feature in the unit's
    distances to all centroids, ``r_jk^2 mean_i (c_ik - c_jk)^2`` over its sum over k, of which
    ``feature_relevances_`` is made.

    Units are shown in the order of how much they tell apart: of the variance of what they answer to
    the centroids. What the output makes of that is another question, see `use` of
    :func:`~skdistnet.inspection.unit_report`.

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

    def __init__(
        self,
        *,
        centroids,
        inverse_radii,
        units,
        features,
        feature_names,
        shares=None,
        X=None,
        image_shape=None,
    ):
        self.centroids = centroids
        self.inverse_radii = inverse_radii
        self.units = units
        self.features = features
        self.feature_names = feature_names
        self.shares = shares
        self.X = X
        self.image_shape = image_shape

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
        """Draw the first layer of a fitted net.

        Parameters
        ----------
        estimator : DistanceNetClassifier or DistanceNetRegressor
            Fitted, its first layer a distance layer.
        X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
            Rows to draw ellipses over; tables and pictures do without.
        units : int, sequence of int, or None, default=20
            How many to show, those whose answers vary most first; which ones, such as `prototypes`
            names in a net of one hidden layer; or all.
        features : int, sequence of int or str, or None, default=20
            How many to show, the most relevant ones; which ones, by index or name; or all. Pictures
            show all.
        image_shape : sequence of two ints, default=None
            Height and width of pictures that have a feature for each pixel, row by row.
        feature_names : sequence of str, default=None
            Names of the features; None takes those of the fit, or x0, x1 and so on.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : :class:`CentroidDisplay`

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            For other estimators.
        ValueError
            Where the first layer is no distance layer, for units or features that there are not,
            and for an `image_shape` of another number of pixels.
        sklearn.exceptions.NotFittedError
            Before the fit.
        """
        cls._check_matplotlib("from_estimator")
        check_net(estimator, cls.__name__)
        check_first_layer(estimator)
        check_image_shape(image_shape, estimator.n_features_in_)
        names = name_features(estimator, feature_names, cls.__name__)
        network, theta, centroids = estimator._network, estimator._theta_, estimator.centroids_[0]
        by_variance = np.argsort(-unit_variances(network, theta), kind="stable")
        by_relevance = np.argsort(-estimator.feature_relevances_, kind="stable")
        chosen = choose(features, by_relevance, names, "features", cls.__name__)
        if features is None or is_int(features):
            chosen = np.sort(chosen)  # the order of the columns
        display = cls(
            centroids=centroids,
            inverse_radii=np.broadcast_to(estimator.inverse_radii_[0], centroids.shape),
            shares=distance_shares(network, theta),
            units=choose(units, by_variance, (), "units", cls.__name__),
            features=chosen,
            feature_names=names,
            X=None if X is None else make_dense(estimator._check_rows(X)[:, chosen]),
            image_shape=image_shape,
        )
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : :class:`CentroidDisplay`
            Itself.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For a table or pictures without `shares`.
        """
        draws_ellipses = self.image_shape is None and len(self.features) == 2
        if self.shares is None and not draws_ellipses:
            raise ValueError("Tables and pictures need 'shares', which ellipses do without.")
        self._take_axes(ax)
        if self.image_shape is not None:
            draw_images(self)
        elif draws_ellipses:
            draw_ellipses(self)
        else:
            draw_table(self)
        return self


def check_first_layer(estimator):
    network = estimator._network
    if not isinstance(network.layers[0], Distance):
        raise ValueError(
            "CentroidDisplay needs a first layer of distance units: set a radial 'activation' for "
            f"it; got hidden layers of {network.sizes[1:-1]} units with activations "
            f"{list(network.activations)}."
        )


def check_image_shape(image_shape, n_features):
    if image_shape is None:
        return
    is_pair = isinstance(image_shape, (tuple, list)) and len(image_shape) == 2
    are_sizes = is_pair and all(is_int(size) and size > 0 for size in image_shape)
    if not are_sizes or prod(image_shape) != n_features:
        raise ValueError(
            "The 'image_shape' parameter of CentroidDisplay must be two positive ints, height and "
            f"width, whose product is the number of features, {n_features}; got {image_shape!r}."
        )
