"""How a net learns: gradients and activations, layer by layer."""

import numpy as np
from sklearn.utils import Bunch

from ..engine import KERNELS
from ..engine.layers import Dense, Distance
from ..engine.losses import normalized_weights
from ..engine.missing import fill_missing
from ..engine.threads import blas_threads
from ..engine.training import Rows
from ._checks import check_net

__all__ = ["gradient_flow"]

#: Numbers in the outputs of all layers for one batch of rows, which bounds the memory taken.
BATCH_NUMBERS = 600_000
#: A unit whose answers over the rows reach no farther than this share of their scale is dead.
DEAD = 1e-3
#: A unit that stays within this share of the scale from an end is saturated.
SATURATED = 0.01
#: Activations with ends besides the kernels': their length, and the way to the nearest end.
ENDS = {
    "logistic": (1.0, lambda answers: np.minimum(answers, 1.0 - answers)),
    "tanh": (2.0, lambda answers: 1.0 - np.abs(answers)),
}
# Every kernel lies between 0 and 1. At 0 the unit is silent, which is for `dead_share` to say.
ENDS |= dict.fromkeys(KERNELS, (1.0, lambda answers: 1.0 - answers))


def gradient_flow(estimator, X, y, sample_weight=None):
    """Measure, for each layer, how much gradient arrives and what its units answer.

    In a deep net whose gradients shrink from layer to layer on their way back, the first layers
    stay as they started; Glorot & Bengio [1]_ found out why nets fail by such numbers. The gradient
    is that of the mean loss over the rows given, label smoothing included, as in training, but
    without decay and dropout.

    Parameters
    ----------
    estimator : DistanceNetClassifier or DistanceNetRegressor
        Fitted, with layers of any kind.
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
    X, y, weights = estimator._check_data(X, y, sample_weight, min_rows=1)
    target = estimator._encode_target(y, estimator._network.dtype)
    weights = estimator._weigher(target, weights)(target, weights)
    target = estimator._soften(target)
    # Overflow, from rows far off, shows in the numbers returned.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return summarize(estimator._network, *measure(estimator, Rows(X, target, weights)))


class LayerStatistics:
    """What is gathered about one layer, a batch of rows after the other; arrays are per unit."""

    def __init__(self, kind, n_units):
        self.kind = kind
        self.mean, self.variance = np.zeros(n_units), np.zeros(n_units)
        self.lowest, self.highest = np.full(n_units, np.inf), np.full(n_units, -np.inf)
        self.way_to_end = np.zeros(n_units)
        self.squared_output_gradient = 0.0

    def add_answers(self, answers, weights, share):
        """Take in the `answers` to a batch, which has `share` of all weight up to it."""
        answers = answers.astype(np.float64)
        self.lowest = np.minimum(self.lowest, answers.min(axis=0))
        self.highest = np.maximum(self.highest, answers.max(axis=0))
        if self.kind in ENDS:
            way = ENDS[self.kind][1](answers)
            self.way_to_end = np.maximum(self.way_to_end, way.max(axis=0))
        # Moments are merged about their means: a difference of squares would cancel.
        mean = weights @ answers
        variance = weights @ (answers - mean) ** 2
        move = mean - self.mean
        self.mean += share * move
        self.variance += share * (variance - self.variance + (1.0 - share) * move**2)

    def add_gradient(self, d_answers, weights, share):
        """Take in the gradient of the batch's mean loss by the answers."""
        squares = np.einsum("ij,ij->i", d_answers, d_answers, dtype=np.float64)
        # A row's own gradient is free of its weight. Where that rounds to zero, so do the squares.
        squares /= np.maximum(weights, np.finfo(np.float64).tiny)
        self.squared_output_gradient += share * (squares.sum() - self.squared_output_gradient)

    def dead_share(self):
        largest = np.maximum(np.abs(self.lowest), np.abs(self.highest)).max()
        scale = ENDS[self.kind][0] if self.kind in ENDS else largest
        return np.mean(self.highest - self.lowest <= DEAD * scale)

    def saturated_share(self):
        if self.kind not in ENDS:
            return 0.0
        return np.mean(self.way_to_end <= SATURATED * ENDS[self.kind][0])


def layer_kinds(network):
    """The activations of the hidden layers and what the output layer is made of."""
    output = "distance" if isinstance(network.layers[-1], Distance) else "linear"
    return [*network.activations, output]


def measure(estimator, rows):
    """Gather the statistics of every layer and the gradient over all rows, in float64."""
    network, input_map = estimator._network, estimator._input_map
    loss, params = estimator._make_loss(), network.views(estimator._theta_)
    statistics = [
        LayerStatistics(kind, layer.n_units)
        for kind, layer in zip(layer_kinds(network), network.layers)
    ]
    gradient = np.zeros(network.n_parameters)
    batch_gradient = np.empty(network.n_parameters, dtype=network.dtype)
    grads = network.views(batch_gradient)
    size, mass, work = max(1, BATCH_NUMBERS // sum(network.sizes)), 0.0, None
    with blas_threads(network, min(size, len(rows))):
        for start in range(0, len(rows), size):
            batch = slice(start, start + size)
            target = rows.target[batch]
            picked = np.ones(len(target)) if rows.weights is None else rows.weights[batch]
            mass += picked.sum()
            share = picked.sum() / mass
            # Of the batch alone, as in training, so that many rows do not make gradients underflow.
            weights = normalized_weights(picked, len(picked), network.dtype)
            if work is None or len(work.X) != len(target):
                work = network.workspace(len(target))
                network.prepare(params, work)
            input_map.apply(rows.X[batch], work.X)
            fill_missing(work.layers[0])
            input_map.bound(work.X)  # as predict does with rows too far off to square
            raw = network.run_forward(params, work)
            loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
            watch_batch(network, params, work, grads, statistics, weights, share)
            gradient += share * (batch_gradient - gradient)
    return statistics, gradient


def watch_batch(network, params, work, grads, statistics, weights, share):
    """Pass the gradient of a batch back, as :meth:`Network.run_backward`, and take in what it sees.

    A layer's `backward` overwrites the gradient by its output, so that has to be read in between.
    """
    for number in reversed(range(len(network.layers))):
        layer, buffers = network.layers[number], work.layers[number]
        out, d_out = work.outputs[number], work.d_outputs[number]
        statistics[number].add_answers(out, weights, share)
        statistics[number].add_gradient(d_out, weights, share)
        layer.backward(params[number], buffers, out, d_out, grads[number])
        if number > 0:
            layer.input_gradient(params[number], buffers, d_out, work.d_outputs[number - 1])


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
        dead_share=np.array([found.dead_share() for found in statistics]),
        saturated_share=np.array([found.saturated_share() for found in statistics]),
    )
