"""Gradients layer by layer: ours as `gradient_flow` has it, MLPClassifier's by the chain rule."""

import numpy as np
from scipy.special import softmax

from skdistnet import DistanceNetClassifier
from skdistnet.inspection import gradient_flow

__all__ = ["layer_norms", "mlp_gradients"]

#: The derivative of each activation as a function of the activation.
SLOPES = {
    "relu": lambda a: a > 0,
    "tanh": lambda a: 1 - a**2,
    "logistic": lambda a: a * (1 - a),
}
ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),
}


def one_hot(model, y):
    return (y[:, np.newaxis] == model.classes_).astype(np.float64)


def mlp_gradients(model, X, y):
    """Gradient of the mean log-loss by the parameters of a fitted MLPClassifier.

    The penalty of `alpha` is left out: it acts on every layer whatever comes from the output.

    Parameters
    ----------
    model : MLPClassifier
        Of three classes or more.
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,)

    Returns
    -------
    gradients : list of (ndarray, ndarray)
        By weights and by intercepts of each layer, in double precision.
    """
    weights = [W.astype(np.float64) for W in model.coefs_]
    outputs = [X.astype(np.float64)]
    for W, b in zip(weights, model.intercepts_):
        z = outputs[-1] @ W + b
        outputs.append(ACTIVATIONS[model.activation](z) if len(outputs) < len(weights) else z)
    d_z = (softmax(outputs.pop(), axis=1) - one_hot(model, y)) / len(X)
    gradients = []
    for W, inputs in zip(reversed(weights), reversed(outputs)):
        gradients.append((inputs.T @ d_z, d_z.sum(axis=0)))
        d_z = (d_z @ W.T) * SLOPES[model.activation](inputs)
    return gradients[::-1]


def layer_norms(model, X, y):
    """Norm of the gradient by all parameters of each layer, the output layer last.

    Ours in the units and the precision that it trains in, MLPClassifier's in double precision.
    """
    if isinstance(model, DistanceNetClassifier):
        return gradient_flow(model, X, y).gradient_norm.tolist()
    return [
        float(np.sqrt(sum(np.sum(part**2) for part in layer)))
        for layer in mlp_gradients(model, X, y)
    ]
