"""Gradients and states of a recurrent net, step by step."""

import numpy as np
from sklearn.utils import Bunch

from ..engine.losses import normalized_weights


def flow_over_steps(estimator, X, y, sample_weight):
    """Return the flow of :func:`gradient_flow` for a recurrent net."""
    X, y, weights = estimator._check_data(X, y, sample_weight)
    X, y, weights = estimator._drop_weightless(X, y, weights, min_rows=1)
    network, codec = estimator._network, estimator._codec
    target = codec.encode(y, network.dtype)
    weights = codec.weighter(codec.masses(target, weights))(target, weights)
    weights = normalized_weights(weights, len(X), np.float64)
    target = codec.smoothed(target)
    # Steps before the first one, and up to the last one observed.
    last = X.shape[1] - (~np.isnan(X).all(axis=2))[:, ::-1].argmax(axis=1)
    weights = weights * (np.arange(X.shape[1] + 1)[:, np.newaxis] <= last)
    sums = np.zeros((4, X.shape[1] + 1))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for part, work in network.passes(estimator._theta_, X, estimator._input_map):
            squares, states = measure_batch(estimator, work, target[part])
            own = weights[:, part]
            moments = states.mean(axis=2), (states**2).mean(axis=2)
            sums += [(own * each).sum(axis=1) for each in (np.ones_like(own), squares, *moments)]
        total, squares, mean, square = sums
        mean = mean / total
        return Bunch(
            step=np.arange(X.shape[1] + 1),
            output_gradient_norm=np.sqrt(squares / total),
            activation_mean=mean,
            activation_std=np.sqrt(np.maximum(square / total - mean**2, 0.0)),
        )


def measure_batch(estimator, work, target):
    """Return squared norms of gradients by states, and states, from before the first step on.

    `work` is the workspace after a forward pass of the batch. The shapes are (n_steps + 1,
    n_sequences) and (n_steps + 1, n_sequences, n_units). The gradient is that of a sequence's own
    loss, by all paths from a step's states to it.
    """
    network, theta = estimator._network, estimator._theta_
    params, grads = network.views(theta), network.views(np.empty_like(theta))
    n_sequences = len(target)
    weights = np.full(n_sequences, 1 / n_sequences, network.dtype)
    loss = estimator._codec.loss
    loss.value_and_gradient(work.outputs[-1], target, weights, out=work.d_outputs[-1])
    network.run_backward(params, work, grads)
    recurrent = work.layers[0]
    gradients = np.concatenate([recurrent.carry[np.newaxis], recurrent.d_H])
    squares = np.square(gradients.astype(np.float64) * n_sequences).sum(axis=2)
    return squares, recurrent.H.astype(np.float64)
