"""Gradients and activations of a fitted net, layer by layer or step by step."""

import numpy as np
from sklearn.utils import Bunch

from .._base.recurrent import BaseRecurrentNet
from ..engine.layers import Distance
from ..engine.losses import normalized_weights
from ..engine.training import Rows
from ._activation_statistics import ActivationStatistics
from ._docs import with_shared_docs
from ._fitted_net import check_net, forward_batches, output_gradients
from ._steps import flow_over_steps


@with_shared_docs
def gradient_flow(estimator, X, y, sample_weight=None):
    """Measure the gradients and the activations of each layer, or of each step of sequences.

    If gradients shrink on the way back from the output, the first layers of a deep net hardly
    learn [1]_, and a recurrent net does not learn what early steps have to do with late ones. The
    gradient is that of the mean loss over the given rows, with label smoothing and class weights as
    in training, but without penalty and dropout.

    Parameters
    ----------
    {net_for_tables_or_sequences}
    X, y : array-like
        Rows or sequences, such as the training data, and their labels or targets, as in ``fit``.
    {sample_weight}

    Returns
    -------
    flow : :class:`~sklearn.utils.Bunch`
        Arrays of shape (n_layers,) over the hidden layers and the output layer, so that
        ``pandas.DataFrame(flow)`` has a row for each layer.

        kind : ndarray of str
            The activation of a hidden layer; "distance" or "linear" for the output layer.
        n_units : ndarray of int
            Number of units.
        gradient_norm : ndarray of float
            Euclidean norm of the gradient with respect to all parameters of the layer.
        centroids_gradient_norm, inverse_radii_gradient_norm : ndarray of float
            The same for one kind of parameter; NaN where the layer has none of that kind.
        coefs_gradient_norm, intercepts_gradient_norm : ndarray of float
            Likewise.
        linear_coef_gradient_norm : ndarray of float
            Of the coefficients of the linear part, in the entry of the output layer, to which it
            adds; they do not count as parameters of the layer. NaN in all other entries.
        output_gradient_norm : ndarray of float
            Norm of the gradient of a row's loss with respect to the activations of the layer, as
            root mean square over rows, whatever the parameters of the layer.
        activation_mean, activation_std : ndarray of float
            Mean and standard deviation of a unit's activation over rows, averaged over units.
        dead_share : ndarray of float
            Share of dead units: their activations span at most 0.001 of the activation's range, 1
            for distance units and "logistic", 2 for "tanh"; else of the layer's largest magnitude.
        saturated_share : ndarray of float
            Share of saturated units: for every row within 0.01 of that range from a flat end, 1
            for distance units and both for "tanh" and "logistic"; 0 for unbounded activations.

        Of a recurrent net, arrays of shape (n_timesteps + 1,) instead:

        step : ndarray of int
            0 before the first step, then 1, 2 and so on after each of them.
        output_gradient_norm : ndarray of float
            Norm of the gradient of a sequence's loss with respect to the states of all units after
            the step, by all later steps, as root mean square over sequences. A shorter sequence
            counts up to its end.
        activation_mean, activation_std : ndarray of float
            Mean and standard deviation of the states.

    Raises
    ------
    {net_errors}
    ValueError
        For features, labels, targets or weights that do not suit the estimator.

    Notes
    -----
    All numbers are in the units and the precision of training: features and a regressor's targets
    are shifted and scaled; a gradient too small for single precision is zero. Batches bound memory.

    References
    ----------
    .. [1] X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010.

    {iris}
    >>> net = DistanceNetClassifier((20, 10), random_state=0).fit(X, y)
    >>> flow = gradient_flow(net, X, y)
    >>> flow.kind.tolist()
    ['gaussian', 'gaussian', 'distance']
    >>> flow.gradient_norm.shape
    (3,)
    >>> flow.dead_share.tolist()
    [0.0, 0.0, 0.0]
    """
    check_net(estimator, "gradient_flow", or_recurrent=True)
    if isinstance(estimator, BaseRecurrentNet):
        return flow_over_steps(estimator, X, y, sample_weight)
    X, y, weights = estimator._check_data(X, y, sample_weight)
    X, y, weights = estimator._drop_weightless(X, y, weights, min_rows=1)
    codec = estimator._codec
    target = codec.encode(y, estimator._network.dtype)
    weights = codec.weighter(codec.masses(target, weights))(target, weights)
    rows = Rows(X, codec.smoothed(target), weights)
    # Overflow, from rows far from the data, shows in the result.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        layers, gradient, squared_output_gradients = measure(estimator, rows)
        network = estimator._network
        by_layer = dict(network.unpack(gradient))
        linear = [by_layer.pop("linear_coefs", None)]
        by_layer["linear_coef"] = [None] * (len(layers) - 1) + linear
        by_parameter = {
            f"{name}_gradient_norm": np.array(
                [np.nan if part is None else np.linalg.norm(part) for part in parts]
            )
            for name, parts in by_layer.items()
        }
        return Bunch(
            kind=np.array([layer.kind for layer in layers]),
            n_units=np.array(network.sizes[1:]),
            gradient_norm=np.array([np.linalg.norm(gradient[part]) for part in network.slices]),
            **by_parameter,
            output_gradient_norm=np.sqrt(squared_output_gradients),
            activation_mean=np.array([layer.mean.mean() for layer in layers]),
            activation_std=np.array([np.sqrt(layer.variance).mean() for layer in layers]),
            dead_share=np.array([layer.dead().mean() for layer in layers]),
            saturated_share=np.array([layer.saturated().mean() for layer in layers]),
        )


def measure(estimator, rows):
    """Return statistics of each layer, the gradient and squared output gradients, in float64."""
    network, loss = estimator._network, estimator._codec.loss
    params = network.views(estimator._theta_)
    output_kind = "distance" if isinstance(network.layers[-1], Distance) else "linear"
    kinds = zip([*network.activations, output_kind], network.layers)
    statistics = [ActivationStatistics(kind, layer.n_units) for kind, layer in kinds]
    squared_output_gradients = np.zeros(len(statistics))
    gradient, total = np.zeros(network.n_parameters), 0.0
    batch_gradient = np.empty(network.n_parameters, dtype=network.dtype)
    grads = network.views(batch_gradient)
    for batch, work in forward_batches(estimator, rows.X):
        target = rows.target[batch]
        weights = np.ones(len(target)) if rows.weights is None else rows.weights[batch]
        total += weights.sum()
        share = weights.sum() / total
        # Normalised within the batch, as in training, so that gradients do not underflow.
        weights = normalized_weights(weights, len(weights), network.dtype)
        loss.value_and_gradient(work.outputs[-1], target, weights, out=work.d_outputs[-1])
        for number, d_out in output_gradients(network, params, work, grads):
            statistics[number].add(work.outputs[number], weights, share)
            squares = np.einsum("ij,ij->i", d_out, d_out, dtype=np.float64)
            # Each row's own gradient, without its weight; zero if the weight rounds to zero.
            square = (squares / np.maximum(weights, np.finfo(np.float64).tiny)).sum()
            squared_output_gradients[number] += share * (square - squared_output_gradients[number])
        gradient += share * (batch_gradient - gradient)
    return statistics, gradient, squared_output_gradients
