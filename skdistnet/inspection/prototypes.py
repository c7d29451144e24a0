"""Explanations of single predictions: the units that speak for them, and why those answer."""

from types import SimpleNamespace

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from .._base.constraints import COUNT, Number, check_parameter
from ..engine.layers import Distance
from ..engine.layers.missing import fill_missing
from ..engine.prediction import layer_output
from ._passes import BATCH_NUMBERS
from ._validation import check_net

__all__ = ["prototypes"]


def prototypes(estimator, X, *, n_prototypes=3, output=None, X_train=None):
    """Explain predictions by the units that speak for them.

    The raw output of a class or target is a sum over the units of the last hidden layer, plus an
    intercept where the output layer is linear. This takes that sum apart, and, for the units that
    most support the output, the distance by which each of them answers.

    Parameters
    ----------
    estimator : DistanceNetClassifier or DistanceNetRegressor
        Fitted, its last hidden layer a distance layer.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to explain. Features that are missing have no share in a distance; a row of which all
        are missing stands at the mean of the training data.
    n_prototypes : int, default=3
        How many units to describe for each row; all of them, where there are fewer.
    output : int, default=None
        Column of the raw output to explain: the position of a class in ``classes_``, or of a
        target. None is the predicted class of each row, or the only target. Where there are
        several columns of labels, those of each have a column for each class, one after the other;
        of an indicator matrix, each label has two, without and with it.
    X_train : {array-like, sparse matrix} of shape (n_train_samples, n_features), default=None
        Rows among which to look for those that each unit is nearest to. Rows with many missing
        features are near many units, by the few that are left.

    Returns
    -------
    explanation : :class:`~sklearn.utils.Bunch`
        output : ndarray of int, shape (n_samples,)
            The column explained.
        raw_output : ndarray of shape (n_samples,)
            Its value: a logit, or what a regressor predicts by way of its ``out_activation_``,
            which for most losses is the prediction in the units of the target itself.
        intercept : ndarray of shape (n_samples,)
            The part of it that no unit gives, 0 for a distance output.
        contributions : ndarray of shape (n_samples, n_units)
            The part that each unit gives; with the intercept they sum to `raw_output`. A distance
            output has contributions ``-1/2 r^2 (activation - c)^2``, none of them positive.
        support : ndarray of shape (n_samples, n_units)
            What units are ranked by. For a classifier the contribution less its mean over the
            classes, since what all logits share changes no probability; for a regressor the
            magnitude of the contribution.
        units : ndarray of int, shape (n_samples, n_prototypes)
            The units of largest support, the largest first.
        activations : ndarray of shape (n_samples, n_prototypes)
            What those units answer.
        centroids : ndarray of shape (n_samples, n_prototypes, n_inputs)
            Their centroids: in the units of X where there is one hidden layer.
        squared_distances : ndarray of shape (n_samples, n_prototypes)
            Scaled squared distances to them, by which the units answer.
        feature_shares : ndarray of shape (n_samples, n_prototypes, n_inputs)
            The part of each squared distance that each input makes up; they sum to it.
        nearest_rows : ndarray of int, shape (n_samples, n_prototypes)
            Only with `X_train`: the row of it that the unit is nearest to, by the unit's own
            distance, through all layers.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        Before the fit.
    TypeError
        For other estimators.
    ValueError
        Where the last hidden layer is no distance layer, and for parameters out of range.

    See Also
    --------
    gradient_flow : How a net learns, layer by layer.

    Notes
    -----
    A unit may support an output by its silence, where other classes expect it to answer: then
    `activations` has a small number for it, and its centroid is no place that the row resembles.

    In nets of several hidden layers the inputs of the last one are the answers of the layer before
    it, so that `centroids` and `feature_shares` are about those. How that layer comes by its
    answers is left out; `nearest_rows` speaks of the rows of data at any depth. Everything is
    computed in float64 from differences; that the parts sum to what ``decision_function`` or
    ``predict`` return holds to the precision that the net computes in, and for what the net itself
    says: a classifier with ``handle_novelty`` mixes that with the prior afterwards.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.inspection import prototypes
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> found = prototypes(net, X[:2], X_train=X)
    >>> found.centroids.shape
    (2, 3, 4)
    >>> found.contributions.sum(axis=1).round(6) == found.raw_output.round(6)
    array([ True,  True])
    >>> found.nearest_rows.shape
    (2, 3)
    """
    check_net(estimator, "prototypes")
    network = estimator._network
    check_layers(network)
    check_parameter("prototypes", "n_prototypes", n_prototypes, [COUNT])
    X = estimator._check_rows(X)
    output = choose_output(estimator, X, output)
    size = max(1, BATCH_NUMBERS // (max(network.sizes[-3:]) * min(n_prototypes, network.sizes[-2])))
    parts = [
        explain(estimator, X[start : start + size], output[start : start + size], n_prototypes)
        for start in range(0, X.shape[0], size)
    ]
    found = Bunch(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    if X_train is not None:
        found.nearest_rows = nearest_rows(estimator, X_train)[found.units]
    return found


def check_layers(network):
    if len(network.layers) < 2 or not isinstance(network.layers[-2], Distance):
        raise ValueError(
            "prototypes needs a last hidden layer of distance units: set a radial 'activation' for "
            f"it; got hidden layers of {network.sizes[1:-1]} units with activations "
            f"{list(network.activations)}."
        )


def choose_output(estimator, X, output):
    """The column of the raw output to explain for each row."""
    n_columns = estimator._network.sizes[-1]
    if output is not None:
        check_parameter("prototypes", "output", output, [Number(0, n_columns - 1, integer=True)])
        return np.full(X.shape[0], output)
    groups = estimator._labels.groups if is_classifier(estimator) else range(n_columns)
    if len(groups) > 1:
        raise ValueError(
            f"'output' must be given for a net of {len(groups)} outputs, as an int in "
            f"[0, {n_columns - 1}]; got None."
        )
    if is_classifier(estimator):
        return estimator._handled_logits(X).argmax(axis=1)
    return np.zeros(X.shape[0], dtype=int)


def explain(estimator, X, output, n_prototypes):
    """Take the raw output of a batch of rows apart; see :func:`prototypes` for what it returns."""
    network, theta, input_map = estimator._network, estimator._theta_, estimator._input_map
    activations = layer_output(network, theta, input_map, X, layer=-2).astype(np.float64)
    contributions, means, intercept = contributions_to(estimator, activations, output)
    support = np.abs(contributions)
    if is_classifier(estimator):
        support = contributions - means
    units = np.argsort(-support, axis=1, kind="stable")[:, :n_prototypes]
    inputs, presence = layer_inputs(estimator, X)
    centroids, inverse_radii = places(estimator)
    shares = ((inputs[:, np.newaxis] - centroids[units]) * inverse_radii[units]) ** 2
    if presence is not None:
        shares *= presence[:, np.newaxis]
    return {
        "output": output,
        "raw_output": contributions.sum(axis=1) + intercept,
        "intercept": intercept,
        "contributions": contributions,
        "support": support,
        "units": units,
        "activations": np.take_along_axis(activations, units, axis=1),
        "centroids": estimator.centroids_[-2][units],
        "squared_distances": shares.sum(axis=2),
        "feature_shares": shares,
    }


def contributions_to(estimator, activations, output):
    """What each unit adds to the output chosen and, on average, to all classes; the intercept."""
    centroids, coefs = estimator.centroids_[-1], estimator.coefs_[-1]
    group = classes_beside(estimator, output)
    if centroids is None:
        coefs = coefs.astype(np.float64).T
        intercept = estimator.intercepts_[-1].astype(np.float64)[output]
        return activations * coefs[output], activations * coefs[group].mean(axis=0), intercept
    centroids = centroids.astype(np.float64)
    weights = np.broadcast_to(estimator.inverse_radii_[-1], centroids.shape).astype(np.float64) ** 2
    contributions = -0.5 * weights[output] * (activations - centroids[output]) ** 2
    means = np.zeros_like(contributions)
    for weight, centroid in zip(weights[group], centroids[group]):
        means -= 0.5 * weight * (activations - centroid) ** 2
    return contributions, means / len(weights[group]), np.zeros(len(activations))


def classes_beside(estimator, output):
    """The columns that share a softmax with the `output` chosen; all columns of a regressor."""
    if not is_classifier(estimator):
        return slice(None)
    return next(part for part in estimator._labels.groups if part.start <= output[0] < part.stop)


def layer_inputs(estimator, X):
    """What the last hidden layer is given, in the network's units and float64, and its presence.

    The presence weights what is there where numbers are missing; None where none are.
    """
    network, input_map = estimator._network, estimator._input_map
    if len(network.layers) > 2:
        before = layer_output(network, estimator._theta_, input_map, X, layer=-3)
        return before.astype(np.float64), None
    work = SimpleNamespace(X=np.empty(X.shape))
    input_map.apply(X, work.X)
    fill_missing(work)
    return work.X, work.presence


def places(estimator):
    """Centroids and inverse radii of the last hidden layer, alike in shape, in network units."""
    views = estimator._network.views(estimator._theta_)[-2]
    centroids = views["centroids"].astype(np.float64)
    inverse_radii = views["inverse_radii"].astype(np.float64)
    return centroids, np.broadcast_to(inverse_radii, centroids.shape)


def nearest_rows(estimator, X_train):
    """For each unit of the last hidden layer, the row nearest to it, a batch of rows at a time."""
    rows = estimator._check_rows(X_train)
    centroids, inverse_radii = places(estimator)
    smallest, nearest = np.full(len(centroids), np.inf), np.zeros(len(centroids), dtype=int)
    size = max(1, BATCH_NUMBERS // max(estimator._network.sizes))
    for start in range(0, rows.shape[0], size):
        inputs, presence = layer_inputs(estimator, rows[start : start + size])
        for unit, (centroid, inverse_radius) in enumerate(zip(centroids, inverse_radii)):
            # From differences: far from all rows every answer would round to the same zero.
            parts = ((inputs - centroid) * inverse_radius) ** 2
            distances = (parts if presence is None else parts * presence).sum(axis=1)
            found = distances.argmin()
            if distances[found] < smallest[unit]:
                smallest[unit], nearest[unit] = distances[found], start + found
    return nearest
