"""Report on single hidden units: dead, saturated, duplicate or of use."""

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from .._base.validation import check_sample_weight
from ..engine.losses import normalized_weights
from ._activation_statistics import UnitStatistics
from ._docs import with_shared_docs
from ._fitted_net import check_net, forward_batches, output_gradients

DUPLICATE_CORRELATION = 0.999  # of the activations of two units, in magnitude


@with_shared_docs
def unit_report(estimator, X, sample_weight=None):
    """Report for each hidden unit whether it is dead, saturated or a duplicate, and its use.

    Parameters
    ----------
    {net, rows, sample_weight}

    Returns
    -------
    report : :class:`~sklearn.utils.Bunch`
        Arrays of shape (n_units,) over the units of all hidden layers in order, so that
        ``pandas.DataFrame(report)`` has a row for each unit.

        layer, unit : ndarray of int
            The hidden layer, from 0, and the number in it: ``centroids_[layer][unit]``.
        mean, std : ndarray of float
            Mean and standard deviation of its activation over the rows.
        dead, saturated : ndarray of bool
            Whether it is dead or saturated, as defined in :func:`gradient_flow`.
        duplicate_of : ndarray of int
            The unit of largest use among its duplicates in the layer; -1 for that unit itself, for
            dead units and for units without duplicates. Duplicates are units whose activations have
            a correlation of at least 0.999 in magnitude, or that a chain of such pairs connects.
        use : ndarray of float
            Effect on the output of fixing the activation at its mean, to second order: the mean
            over rows of the Kullback-Leibler divergence of probabilities then from those now, in
            nats, or of half the squared change of a regressor's raw output, in standardised units;
            summed over outputs or targets.

    Raises
    ------
    {net_errors}
    ValueError
        For a net without hidden layers, and for features or weights that do not suit it.

    Notes
    -----
    With raw output f and activation a, the divergence is ``1/2 (a - mean)^2 J' H J`` to second
    order, where ``J = df/da`` and H is the Fisher information of the output: ``diag(p) - p p'`` for
    a softmax and the identity for a regressor. All other units stay unchanged, and so does the
    linear part, so two duplicates may both be of use although one could replace the other.

    {iris}
    >>> net = DistanceNetClassifier((20, 10), random_state=0).fit(X, y)
    >>> report = unit_report(net, X)
    >>> report.use.shape
    (30,)
    >>> int(report.dead.sum()), int(report.saturated.sum())
    (0, 0)
    """
    check_net(estimator, "unit_report", needs_hidden_units=True)
    X = estimator._check_rows(X)
    layers = measure_units(estimator, X, check_sample_weight(sample_weight, X.shape[0]))
    parts = [
        {
            "layer": np.full(len(layer.mean), number),
            "unit": np.arange(len(layer.mean)),
            "mean": layer.mean,
            "std": np.sqrt(layer.variance),
            "dead": layer.dead(),
            "saturated": layer.saturated(),
            "duplicate_of": duplicates(layer),
            "use": layer.use,
        }
        for number, layer in enumerate(layers)
    ]
    return Bunch(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def measure_units(estimator, X, weights):
    """Return the `UnitStatistics` of each hidden layer over validated rows."""
    network = estimator._network
    kinds = zip(network.activations, network.layers)
    layers = [UnitStatistics(kind, layer.n_units) for kind, layer in kinds]
    weights = normalized_weights(weights, X.shape[0], np.float64)
    grads = network.views(np.empty(network.n_parameters, dtype=network.dtype))
    params, total = network.views(estimator._theta_), 0.0
    # Overflow, from rows far from the data, shows in the result.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for batch, work in forward_batches(estimator, X):
            batch_weight = weights[batch].sum()
            if batch_weight > 0:
                total += batch_weight
                for layer, activations in zip(layers, work.outputs):
                    layer.add(activations, weights[batch] / batch_weight, batch_weight / total)
        for batch, work in forward_batches(estimator, X):
            for direction in output_directions(estimator, work.outputs[-1]):
                work.d_outputs[-1][...] = direction
                for number, d_out in output_gradients(network, params, work, grads):
                    if number < len(layers):
                        change = d_out * (work.outputs[number] - layers[number].mean)
                        layers[number].use += 0.5 * (weights[batch] @ change**2)
                    if number == 0:
                        break  # the parameters' own gradients are not needed
    return layers


def output_directions(estimator, raw):
    """Yield directions of the raw output whose squares add up to its Fisher information."""
    if not is_classifier(estimator):
        for unit in np.eye(raw.shape[1]):
            yield np.broadcast_to(unit, raw.shape)
        return
    probabilities = estimator._codec.loss.inverse_link(raw)
    for group in estimator._codec.groups:
        for column in range(group.start, group.stop):
            direction = np.zeros_like(raw)
            direction[:, group] = -probabilities[:, group]
            direction[:, column] += 1.0
            yield direction * np.sqrt(probabilities[:, [column]])


def duplicates(layer):
    """Return for each unit the duplicate of largest use, or -1: see :func:`unit_report`."""
    alike = np.abs(layer.correlation()) >= DUPLICATE_CORRELATION
    alive = ~layer.dead()
    alike &= alive & alive[:, np.newaxis]
    _, groups = connected_components(alike, directed=False)
    by_use = np.argsort(-layer.use, kind="stable")
    _, first = np.unique(groups[by_use], return_index=True)
    leaders = by_use[first][groups]
    return np.where(leaders == np.arange(len(leaders)), -1, leaders)
