"""Which hidden units are of use, one by one."""

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from .._base.constraints import check_sample_weight
from ..engine.losses import normalized_weights
from ._activation_statistics import Answers
from ._passes import forward_batches, gradients_by_answers
from ._validation import check_hidden_layers, check_net

__all__ = ["measure_units", "unit_report"]

#: Units whose answers are correlated by so much, or by minus so much, are duplicates.
ALIKE = 0.999


def unit_report(estimator, X, sample_weight=None):
    """Report, for each hidden unit, whether it is dead, saturated or a duplicate, and its use.

    Parameters
    ----------
    estimator : DistanceNetClassifier or DistanceNetRegressor
        Fitted, with hidden layers of any kind.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to look at, such as those of the fit. Labels are not needed.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of rows, none of them negative; scaling all of them changes nothing.

    Returns
    -------
    report : :class:`~sklearn.utils.Bunch`
        Arrays of shape (n_units,) over the units of all hidden layers, the first layer's first:
        ``pandas.DataFrame(report)`` has a row for each unit.

        layer : ndarray of int
            The hidden layer that the unit is in, from 0.
        unit : ndarray of int
            Its number in the layer: ``centroids_[layer][unit]``.
        mean, std : ndarray of float
            Mean and standard deviation of its answers over the rows.
        dead : ndarray of bool
            Whether it answers the same whatever the row, to a thousandth, as in
            :func:`gradient_flow`.
        saturated : ndarray of bool
            Whether it answers each row from near an end where it is insensitive, as there.
        duplicate_of : ndarray of int
            The number of a unit in the same layer that answers alike: its answers are correlated
            with this one's, or with those of another duplicate of it, by 0.999 or more in
            magnitude. Of units alike the one of largest use is the one named. -1 for that one,
            for units unlike all others, and for dead ones.
        use : ndarray of float
            How far the output would move were the unit to answer its mean, whatever the row. For a
            classifier that is the Kullback-Leibler divergence of the probabilities then from those
            now, in nats, summed over outputs; for a regressor half the squared change of the raw
            output, in the standardised units of the target, summed over targets. It is the mean
            over the rows, estimated to second order, and 0 for a unit without use.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        Before the fit.
    TypeError
        For other estimators.
    ValueError
        For a net without hidden layers, and for features or weights that do not suit it.

    See Also
    --------
    prune : A smaller net of the units that are of use.
    gradient_flow : Shares of dead and saturated units, and gradients, by layer.

    Notes
    -----
    With raw output f and a unit's answer a, the divergence is ``1/2 (a - mean)^2 J' H J`` to second
    order, ``J = df/da`` and H the Fisher information of the output: of a softmax
    ``diag(p) - p p'``, of numbers the identity. A unit is judged as if all others stayed as they
    are. So of two duplicates both may be of use, and either could go, if the other took over.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.inspection import unit_report
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier((20, 10), random_state=0).fit(X, y)
    >>> report = unit_report(net, X)
    >>> report.use.shape
    (30,)
    >>> int(report.dead.sum()), int(report.saturated.sum())
    (0, 0)
    """
    check_net(estimator, "unit_report")
    check_hidden_layers(estimator, "unit_report")
    X = estimator._check_rows(X)
    weights = check_sample_weight(sample_weight, X.shape[0])
    layers = measure_units(estimator, X, weights)
    sizes = [len(layer.mean) for layer in layers]
    columns = {
        "mean": [layer.mean for layer in layers],
        "std": [np.sqrt(layer.variance) for layer in layers],
        "dead": [layer.dead() for layer in layers],
        "saturated": [layer.saturated() for layer in layers],
        "duplicate_of": [duplicates(layer) for layer in layers],
        "use": [layer.use for layer in layers],
    }
    return Bunch(
        layer=np.repeat(np.arange(len(sizes)), sizes),
        unit=np.concatenate([np.arange(size) for size in sizes]),
        **{name: np.concatenate(parts) for name, parts in columns.items()},
    )


class UnitAnswers(Answers):
    """Answers of a hidden layer's units, how they vary together, and what they are used for."""

    def __init__(self, kind, n_units):
        super().__init__(kind, n_units)
        self.covariance, self.use = np.zeros((n_units, n_units)), np.zeros(n_units)

    def add(self, answers, weights, share):
        """Take in the `answers` to a batch, which has `share` of all weight up to it."""
        move = weights @ answers.astype(np.float64) - self.mean
        super().add(answers, weights, share)
        centered = answers - (self.mean + (1.0 - share) * move)
        covariance = (centered * weights[:, np.newaxis]).T @ centered
        covariance += (1.0 - share) * np.outer(move, move)
        self.covariance += share * (covariance - self.covariance)

    def correlation(self):
        """Of the answers, 0 with a unit that answers the same throughout."""
        spread = np.sqrt(np.diag(self.covariance))
        scale = np.where(spread > 0, spread, 1.0)
        return self.covariance / scale / scale[:, np.newaxis]

    def add_use(self, answers, gradient, part):
        """Take in what one direction of the output makes of a batch; `part` are rows' weights."""
        moved = gradient * (answers - self.mean)
        self.use += 0.5 * (part @ moved**2)


def measure_units(estimator, X, weights):
    """What is known of the units of each hidden layer, over validated rows with these weights."""
    network = estimator._network
    kinds = zip(network.activations, network.layers)
    layers = [UnitAnswers(kind, layer.n_units) for kind, layer in kinds]
    parts = normalized_weights(weights, X.shape[0], np.float64)
    grads = network.views(np.empty(network.n_parameters, dtype=network.dtype))
    params, mass = network.views(estimator._theta_), 0.0
    # Overflow, from rows far off, shows in the numbers.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for batch, work in forward_batches(estimator, X):
            picked = parts[batch].sum()
            if picked > 0:
                mass += picked
                for layer, answers in zip(layers, work.outputs):
                    layer.add(answers, parts[batch] / picked, picked / mass)
        for batch, work in forward_batches(estimator, X):
            for direction in output_directions(estimator, work.outputs[-1]):
                work.d_outputs[-1][...] = direction
                for number, d_answers in gradients_by_answers(network, params, work, grads):
                    if number < len(layers):
                        layers[number].add_use(work.outputs[number], d_answers, parts[batch])
                    if number == 0:
                        break
    return layers


def output_directions(estimator, raw):
    """Directions of the raw output whose squares add up to its Fisher information."""
    if not is_classifier(estimator):
        for unit in np.eye(raw.shape[1]):
            yield np.broadcast_to(unit, raw.shape)
        return
    probabilities = estimator._make_loss().inverse_link(raw)
    for group in estimator._labels.groups:
        for column in range(group.start, group.stop):
            direction = np.zeros_like(raw)
            direction[:, group] = -probabilities[:, group]
            direction[:, column] += 1.0
            yield direction * np.sqrt(probabilities[:, [column]])


def duplicates(layer):
    """For each unit the most used of those that answer alike, or -1: see :func:`unit_report`."""
    alike = np.abs(layer.correlation()) >= ALIKE
    alive = ~layer.dead()
    alike &= alive & alive[:, np.newaxis]
    _, groups = connected_components(alike, directed=False)
    found = np.full(len(groups), -1)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        leader = members[layer.use[members].argmax()]
        found[members[members != leader]] = leader
    return found
