"""What the depth benchmark measures layer by layer: gradients, and the signal before training."""

import numpy as np
from _depth_nets import WIDTH, rows_as_centroids
from _harness import quiet
from scipy.special import softmax
from sklearn.neighbors import KNeighborsClassifier

from skdistnet import DistanceNetClassifier
from skdistnet.inspection import gradient_flow

__all__ = ["layer_norms", "signal_rows"]

ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),
}
#: The derivative of each activation as a function of the activation.
DERIVATIVES = {
    "relu": lambda a: a > 0,
    "tanh": lambda a: 1 - a**2,
    "logistic": lambda a: a * (1 - a),
}
#: Hidden layers of the untrained nets.
N_LAYERS = 20
#: Largest number of rows; two thirds of them serve to classify the others.
N_ROWS = 3_000
#: How the untrained nets are initialised.
STARTS = {
    "near-identity (default)": {},
    "rows in every layer, median 0.5": {"init": rows_as_centroids},
    "rows in every layer, median 0.1": {"init": rows_as_centroids, "init_median_activation": 0.1},
}


def mlp_gradients(model, X, y):
    """Gradients of the mean log-loss of an MLPClassifier, without the penalty of `alpha`.

    For each layer a pair, by weights and by intercepts, in double precision. The model must be
    fitted and have three classes or more.
    """
    weights = [W.astype(np.float64) for W in model.coefs_]
    outputs = [X.astype(np.float64)]
    for W, b in zip(weights, model.intercepts_):
        z = outputs[-1] @ W + b
        outputs.append(ACTIVATIONS[model.activation](z) if len(outputs) < len(weights) else z)
    one_hot = (y[:, np.newaxis] == model.classes_).astype(np.float64)
    d_z = (softmax(outputs.pop(), axis=1) - one_hot) / len(X)
    gradients = []
    for W, inputs in zip(reversed(weights), reversed(outputs)):
        gradients.append((inputs.T @ d_z, d_z.sum(axis=0)))
        d_z = (d_z @ W.T) * DERIVATIVES[model.activation](inputs)
    return gradients[::-1]


def layer_norms(model, X, y):
    """Norm of the gradient by all parameters of each layer, the output layer last.

    Ours is in the units and the precision that it trains in.
    """
    if isinstance(model, DistanceNetClassifier):
        return gradient_flow(model, X, y).gradient_norm.tolist()
    return [
        float(np.sqrt(sum(np.sum(part**2) for part in layer)))
        for layer in mlp_gradients(model, X, y)
    ]


def untrained_outputs(images, settings):
    """Outputs of all hidden layers of a net before training."""
    net = DistanceNetClassifier(
        (WIDTH,) * N_LAYERS, max_iter=1, learning_rate_init=1e-12, random_state=0, **settings
    )
    with quiet():
        net.fit(images.X[:N_ROWS], images.y[:N_ROWS])
    X = (images.X[:N_ROWS] - net._input_shift_) / net._input_scale_
    return net._network.forward(net._theta_, X)[:-1]


def signal_rows(images):
    """Table rows for each start: accuracy of nearest neighbours, variance in one direction."""
    rows, y = [], images.y[:N_ROWS]
    train, test = np.split(np.arange(len(y)), [2 * len(y) // 3])
    for start, settings in STARTS.items():
        outputs = untrained_outputs(images, settings)
        accuracies = {"start": start, "": "5 neighbours, %"}
        variances = {"start": "", "": "one direction"}
        layers = {"pixels": images.X[:N_ROWS]}
        layers |= {f"layer {number}": outputs[number - 1] for number in (1, 2, 3, 5, 10, 20)}
        for name, H in layers.items():
            neighbours = KNeighborsClassifier(5).fit(H[train], y[train])
            accuracies[name] = f"{100 * neighbours.score(H[test], y[test]):.1f}"
            squares = np.linalg.svd(H - H.mean(axis=0), compute_uv=False) ** 2
            variances[name] = f"{squares[0] / squares.sum():.2f}"
        rows += [accuracies, variances]
    return rows
