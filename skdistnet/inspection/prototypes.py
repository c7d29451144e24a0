"""Explanations of single predictions by the units that support them and their features."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from .._base.constraints import COUNT, Number, check_parameter
from ..engine.layers.missing import fill_missing
from ..engine.prediction import layer_output
from ._docs import with_shared_docs
from ._fitted_net import BATCH_NUMBERS, check_distance_layer, check_net


@with_shared_docs
def prototypes(estimator, X, *, n_prototypes=3, output=None, X_train=None):
    """Explain predictions by the units that support them.

    The raw output is a sum over the last hidden layer's units, plus the linear part and a linear
    output's intercept.
    The result holds its terms and those of the squared distances of the units that support it most.

    Parameters
    ----------
    estimator : DistanceNetClassifier or DistanceNetRegressor
        Fitted, with a distance layer as last hidden layer.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to explain. Missing features have no share in a distance; a row without observed ones
        is at the mean of the training data.
    n_prototypes : int, default=3
        Number of units to describe for each row; all units if there are fewer.
    output : int, default=None
        Column of the raw output: the position of a class in ``classes_``, or of a target. None is
        the predicted class of each row, or the only target. Several outputs have the classes of one
        after the other; a label of an indicator matrix has two, without and with it.
    X_train : {array-like, sparse matrix} of shape (n_train_samples, n_features), default=None
        Rows to search for the nearest to each unit; those with few observed features are near many.

    Returns
    -------
    explanation : :class:`~sklearn.utils.Bunch`
        output : ndarray of int, shape (n_samples,)
            The column explained.
        raw_output, intercept, linear_part : ndarray of shape (n_samples,)
            Its value, a logit or the input of a regressor's ``out_activation_``, and the parts that
            belong to no unit: the intercept, 0 for a distance output, and the linear function of
            the features, 0 for a net without one.
        contributions : ndarray of shape (n_samples, n_units)
            The parts that belong to units, which sum to `raw_output` with those that do not;
            ``-1/2 r^2 (activation - c)^2`` for a distance output.
        support : ndarray of shape (n_samples, n_units)
            What units are ranked by: the contribution minus its mean over classes, since what all
            logits share changes no probability; for a regressor, its magnitude.
        units, activations, squared_distances : ndarray of shape (n_samples, n_prototypes)
            The units of largest support, in descending order, their activations, and the scaled
            squared distances that determine these.
        centroids, feature_shares : ndarray of shape (n_samples, n_prototypes, n_inputs)
            Their centroids, for one hidden layer in units of X, and each input's part of the
            squared distances. In features of categories the level nearest to the centroid; the
            array is then one of objects.
        nearest_rows : ndarray of int, shape (n_samples, n_prototypes)
            Only with `X_train`: its row nearest to each unit, by the unit's own distance.

    Raises
    ------
    {net_errors}
    ValueError
        If the last hidden layer is not a distance layer, and for parameters out of range.

    Notes
    -----
    A unit may support an output by a small activation, where other classes expect a large one; the
    row is then unlike its centroid. With several hidden layers, the last one's inputs are
    activations, and only `nearest_rows` refers to the data. All parts are computed in float64 from
    differences; their sums equal the net's outputs up to its precision.

    {iris}
    >>> net = DistanceNetClassifier(20, random_state=0).fit(X, y)
    >>> explanation = prototypes(net, X[:2], X_train=X)
    >>> explanation.centroids.shape
    (2, 3, 4)
    >>> parts = explanation.contributions.sum(axis=1) + explanation.linear_part
    >>> parts.round(6) == explanation.raw_output.round(6)
    array([ True,  True])
    >>> explanation.nearest_rows.shape
    (2, 3)
    """
    check_net(estimator, "prototypes")
    check_distance_layer(estimator, -2, "last hidden layer", "prototypes")
    check_parameter("prototypes", "n_prototypes", n_prototypes, [COUNT])
    X = estimator._check_rows(X)
    output = output_of_each_row(estimator, X, output)
    sizes = estimator.n_features_in_, *estimator._network.sizes
    size = max(1, BATCH_NUMBERS // (max(sizes) * min(n_prototypes, sizes[-2])))
    parts = [
        explain(estimator, X[start : start + size], output[start : start + size], n_prototypes)
        for start in range(0, X.shape[0], size)
    ]
    result = Bunch(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    if X_train is not None:
        result.nearest_rows = nearest_rows(estimator, estimator._check_rows(X_train))[result.units]
    return result


def output_groups(estimator):
    """Return the slices of output columns that share a softmax, or each column of a regressor."""
    if is_classifier(estimator):
        return estimator._codec.groups
    return [slice(column, column + 1) for column in range(estimator._network.sizes[-1])]


def output_of_each_row(estimator, X, output):
    """Return the column of the raw output to explain for each row."""
    n_columns, groups = estimator._network.sizes[-1], output_groups(estimator)
    if output is not None:
        check_parameter("prototypes", "output", output, [Number(0, n_columns - 1, integer=True)])
        return np.full(X.shape[0], output)
    if len(groups) > 1:
        raise ValueError(
            f"'output' must be given for a net of {len(groups)} outputs, as an int in "
            f"[0, {n_columns - 1}]; got None."
        )
    if is_classifier(estimator):
        return estimator._raw_output(X).argmax(axis=1)
    return np.zeros(X.shape[0], dtype=int)


def explain(estimator, X, output, n_prototypes):
    """Explain a batch of rows; see :func:`prototypes` for the entries."""
    network, theta, input_map = estimator._network, estimator._theta_, estimator._input_map
    activations = layer_output(network, theta, input_map, X, layer=-2).astype(np.float64)
    contributions, means, intercept = contributions_to(estimator, activations, output)
    linear_part = linear_part_of(estimator, X, output)
    support = contributions - means if is_classifier(estimator) else np.abs(contributions)
    units = np.argsort(-support, axis=1, kind="stable")[:, :n_prototypes]
    centroids, inverse_radii = last_hidden_parameters(estimator)
    inputs, observed = last_hidden_inputs(estimator, X)
    shares = distance_terms(inputs, observed, centroids[units], inverse_radii[units])
    squared_distances = shares.sum(axis=2)
    if len(estimator._network.layers) == 2:
        radii = inverse_radii[units]
        if observed is not None:
            radii = radii * np.sqrt(observed)[:, np.newaxis]
        shares = input_map.distance_terms(inputs[:, np.newaxis] - centroids[units], radii)
    return {
        "output": output,
        "raw_output": contributions.sum(axis=1) + intercept + linear_part,
        "intercept": intercept,
        "linear_part": linear_part,
        "contributions": contributions,
        "support": support,
        "units": units,
        "activations": np.take_along_axis(activations, units, axis=1),
        "centroids": readable_centroids(estimator)[units],
        "squared_distances": squared_distances,
        "feature_shares": shares,
    }


def contributions_to(estimator, activations, output):
    """Return each unit's contribution to the output, its mean over the classes, the intercept."""
    centroids, coefs = estimator.centroids_[-1], estimator.coefs_[-1]
    group = next(part for part in output_groups(estimator) if part.start <= output[0] < part.stop)
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


def linear_part_of(estimator, X, output):
    """Return the linear part of the output of each row."""
    coefs = estimator._linear_coefs()
    if coefs is None:
        return np.zeros(X.shape[0])
    inputs, _ = network_inputs(estimator, X)
    return np.einsum("ij,ij->i", inputs, coefs.T[output])


def network_inputs(estimator, X):
    """Return the input of the network, in float64, and weights of observed features."""
    inputs = np.empty((X.shape[0], estimator._network.sizes[0]))
    estimator._input_map.apply(X, inputs)
    return inputs, fill_missing(inputs, estimator._input_map.input_shares)


def last_hidden_inputs(estimator, X):
    """Return the input of the last hidden layer, in float64, and weights of observed features."""
    network, input_map = estimator._network, estimator._input_map
    if len(network.layers) == 2:
        return network_inputs(estimator, X)
    before = layer_output(network, estimator._theta_, input_map, X, layer=-3)
    return before.astype(np.float64), None


def distance_terms(inputs, observed, centroids, inverse_radii):
    """Return the terms of squared distances, of shape (n_rows, n_centroids, n_inputs)."""
    terms = ((inputs[:, np.newaxis] - centroids) * inverse_radii) ** 2
    return terms if observed is None else terms * observed[:, np.newaxis]


def last_hidden_parameters(estimator):
    """Return centroids and inverse radii of the last hidden layer, in the network's units."""
    views = estimator._network.views(estimator._theta_)[-2]
    centroids = views["centroids"].astype(np.float64)
    return centroids, np.broadcast_to(views["inverse_radii"].astype(np.float64), centroids.shape)


def readable_centroids(estimator):
    """Return centroids of the last hidden layer; those of a first layer name levels."""
    centroids = estimator.centroids_[-2]
    if len(estimator._network.layers) == 2 and estimator.is_categorical_ is not None:
        return estimator.decode_levels(centroids)
    return centroids


def nearest_rows(estimator, X):
    """Return the row nearest to each unit of the last hidden layer."""
    centroids, inverse_radii = last_hidden_parameters(estimator)
    smallest, nearest = np.full(len(centroids), np.inf), np.zeros(len(centroids), dtype=int)
    size = max(1, BATCH_NUMBERS // max(estimator._network.sizes))
    for start in range(0, X.shape[0], size):
        inputs, observed = last_hidden_inputs(estimator, X[start : start + size])
        for unit, (centroid, radii) in enumerate(zip(centroids, inverse_radii)):
            # Distances, since activations of a unit far from all rows would all round to zero.
            distances = distance_terms(inputs, observed, centroid, radii).sum(axis=2)[:, 0]
            row = distances.argmin()
            if distances[row] < smallest[unit]:
                smallest[unit], nearest[unit] = distances[row], start + row
    return nearest
