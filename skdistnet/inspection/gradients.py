"""How a net learns: gradients and activations, layer by layer."""

import numpy as np
from sklearn.utils import Bunch

from ..engine.layers import Dense, Distance
from ..engine.losses import normalized_weights
from ..engine.training.config import Rows
from ._activation_statistics import Answers, layer_kinds
from ._passes import forward_batches, gradients_by_answers
from ._validation import check_net

__all__ = ["gradient_flow"]


def gradient_flow(estimator, X, y, sample_weight=None):
    """Measure, for each layer, how much gradient arrives and what its units answer.

    In a deep net whose gradients shrink from layer to layer on their way back, the first layers
    stay as they started; Glorot & Bengio [1]_ found out why nets fail by such numbers. The gradient
    is that of the mean loss over the rows given, label smoothing included, as in training, but
    without decay and dropout.

    Parameters
    ----------
    estimator : DistanceNetClassifier or DistanceNetRegressor
        Fitted, by ``fit`` or ``partial_fit``, with layers of any kind.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, such as those of the fit.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Their labels or targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of rows, none of them negative; scaling all of them changes nothing.

    Returns
    -------
    flow : :class:`~sklearn.utils.Bunch`
        Arrays of shape (n_layers,), the output layer included, the input not:
        ``pandas.DataFrame(flow)`` has a row for each layer.

        kind : ndarray of str
            The activation of a hidden layer; "distance" or "linear" for the output.
        n_units : ndarray of int
            Units of the layer.
        gradient_norm : ndarray of float
            Euclidean norm of the gradient by all parameters of the layer.
        centroids_gradient_norm, inverse_radii_gradient_norm : ndarray of float
            The same by kind of parameter; NaN where the layer has none of that kind.
        coefs_gradient_norm, intercepts_gradient_norm : ndarray of float
            Likewise.
        output_gradient_norm : ndarray of float
            Norm of the gradient of a row's loss by the answers of the layer, as root mean square
            over rows. It does not depend on what the layer's parameters are.
        activation_mean : ndarray of float
            Mean of the answers over rows and units.
        activation_std : ndarray of float
            Standard deviation of a unit's answers over rows, averaged over units.
        dead_share : ndarray of float
            Share of units that answer the same whatever the row: from the smallest answer to the
            largest it is no farther than 0.001 of the range between the ends of the activation (1
            for distance units and "logistic", 2 for "tanh"), or, where it has no ends, of the
            largest magnitude that any unit of the layer answers.
        saturated_share : ndarray of float
            Share of units that answer each row from within 0.01 of that range from an end where
            they are insensitive: at 1 for distance units, at either end for "tanh" and "logistic".
            0 for layers without ends.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        Before the fit.
    TypeError
        For other estimators.
    ValueError
        For features, labels, targets or weights that do not suit the estimator.

    See Also
    --------
    DistanceNetClassifier : Nets for labels.
    DistanceNetRegressor : Nets for numbers.

    Notes
    -----
    Everything is in the units and the precision that the net is trained in: with features, and the
    targets of a regressor, shifted and scaled. A gradient too small for single precision is zero
    here as it is in training. Rows are taken in batches, so memory is bounded for any number of
    them.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.inspection import gradient_flow
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier((20, 10), random_state=0).fit(X, y)
    >>> flow = gradient_flow(net, X, y)
    >>> flow.kind.tolist()
    ['gaussian', 'gaussian', 'distance']
    >>> flow.gradient_norm.shape
    (3,)
    >>> flow.dead_share.tolist()
    [0.0, 0.0, 0.0]
    """
    check_net(estimator, "gradient_flow")
    X, y, weights = estimator._check_data(X, y, sample_weight)
    X, y, weights = estimator._drop_weightless(X, y, weights, min_rows=1)
    target = estimator._encode_target(y, estimator._network.dtype)
    weights = estimator._weigher(target, weights)(target, weights)
    target = estimator._soften(target)
    # Overflow, from rows far off, shows in the numbers returned.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return summarize(estimator._network, *measure(estimator, Rows(X, target, weights)))


class LayerStatistics(Answers):
    """What is gathered about one layer: answers and the gradient by them."""

    def __init__(self, kind, n_units):
        super().__init__(kind, n_units)
        self.squared_output_gradient = 0.0

    def add_gradient(self, d_answers, weights, share):
        """Take in the gradient of the batch's mean loss by the answers."""
        squares = np.einsum("ij,ij->i", d_answers, d_answers, dtype=np.float64)
        # A row's own gradient is free of its weight. Where that rounds to zero, so do the squares.
        squares /= np.maximum(weights, np.finfo(np.float64).tiny)
        self.squared_output_gradient += share * (squares.sum() - self.squared_output_gradient)


def measure(estimator, rows):
    """Gather the statistics of every layer and the gradient over all rows, in float64."""
    network, loss = estimator._network, estimator._make_loss()
    params = network.views(estimator._theta_)
    statistics = [
        LayerStatistics(kind, layer.n_units)
        for kind, layer in zip(layer_kinds(network), network.layers)
    ]
    gradient, mass = np.zeros(network.n_parameters), 0.0
    batch_gradient = np.empty(network.n_parameters, dtype=network.dtype)
    grads = network.views(batch_gradient)
    for batch, work in forward_batches(estimator, rows.X):
        target = rows.target[batch]
        picked = np.ones(len(target)) if rows.weights is None else rows.weights[batch]
        mass += picked.sum()
        share = picked.sum() / mass
        # Of the batch alone, as in training, so that many rows do not make gradients underflow.
        weights = normalized_weights(picked, len(picked), network.dtype)
        loss.value_and_gradient(work.outputs[-1], target, weights, out=work.d_outputs[-1])
        for number, d_answers in gradients_by_answers(network, params, work, grads):
            statistics[number].add(work.outputs[number], weights, share)
            statistics[number].add_gradient(d_answers, weights, share)
        gradient += share * (batch_gradient - gradient)
    return statistics, gradient


def summarize(network, statistics, gradient):
    """The numbers that are handed out, from what was gathered."""
    flow = Bunch(
        kind=np.array([found.kind for found in statistics]),
        n_units=np.array(network.sizes[1:]),
        gradient_norm=np.array([np.linalg.norm(gradient[part]) for part in network.slices]),
    )
    views = network.unpack(gradient)
    for name in (*Distance.parameter_names, *Dense.parameter_names):
        norms = [np.nan if part is None else np.linalg.norm(part) for part in views[name]]
        flow[f"{name}_gradient_norm"] = np.array(norms)
    return Bunch(
        **flow,
        output_gradient_norm=np.sqrt([found.squared_output_gradient for found in statistics]),
        activation_mean=np.array([found.mean.mean() for found in statistics]),
        activation_std=np.array([np.sqrt(found.variance).mean() for found in statistics]),
        dead_share=np.array([found.dead().mean() for found in statistics]),
        saturated_share=np.array([found.saturated().mean() for found in statistics]),
    )
