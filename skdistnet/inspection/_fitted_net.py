"""Access to a fitted net: checks, and passes of rows forward and of gradients backward."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._base.ensemble import BaseEnsemble
from .._base.estimator import BaseNet
from .._base.tabular import BaseDistanceNet
from ..engine.layers import Distance
from ..engine.layers.missing import fill_missing
from ..engine.numerics.threads import blas_threads

BATCH_NUMBERS = 600_000  # in the arrays of one batch of rows, which bounds the memory used


def check_net(
    estimator, caller, *, needs_hidden_units=False, or_ensemble=False, or_recurrent=False
):
    """Raise an error unless `estimator` is a fitted distance net, with hidden units if needed."""
    if not isinstance(estimator, BaseNet if or_recurrent else BaseDistanceNet):
        kinds = "a DistanceNetClassifier or a DistanceNetRegressor"
        kinds += ", or an ensemble of them" if or_ensemble else ""
        if or_recurrent:
            kinds += ", or a RecurrentDistanceNetClassifier or a RecurrentDistanceNetRegressor"
        advice = ""
        if isinstance(estimator, Pipeline):
            advice = " Pass pipeline[-1] and pipeline[:-1].transform(X)."
        elif isinstance(estimator, BaseEnsemble):
            advice = " Pass one of its estimators_."
        raise TypeError(f"{caller} takes {kinds}; got {type(estimator).__name__}.{advice}")
    check_is_fitted(estimator)
    if needs_hidden_units and len(estimator._network.layers) < 2:
        raise ValueError(
            f"{caller} needs hidden units; got a {type(estimator).__name__} that was fitted with "
            "hidden_layer_sizes=()."
        )


def check_members(estimator, caller, *, needs_hidden_units=False):
    """Return the members of a fitted ensemble, or the net in a list; see :func:`check_net`."""
    members = estimator._fitted() if isinstance(estimator, BaseEnsemble) else [estimator]
    for net in members:
        check_net(net, caller, needs_hidden_units=needs_hidden_units, or_ensemble=True)
    return members


def check_distance_layer(estimator, number, description, caller):
    """Raise a ValueError unless a layer, such as the "first layer", is a distance layer."""
    network = estimator._network
    if len(network.layers) < -number or not isinstance(network.layers[number], Distance):
        raise ValueError(
            f"{caller} needs a {description} of distance units: set a radial 'activation' for it; "
            f"got hidden layers of {network.sizes[1:-1]} units with activations "
            f"{list(network.activations)}."
        )


def forward_batches(estimator, X):
    """Yield each batch of rows as a slice, with the workspace that holds its layer outputs."""
    network, input_map = estimator._network, estimator._input_map
    params = network.views(estimator._theta_)
    size, work = max(1, BATCH_NUMBERS // sum(network.sizes)), None
    with blas_threads(network, min(size, X.shape[0])):
        for start in range(0, X.shape[0], size):
            batch = slice(start, start + size)
            rows = X[batch]
            if work is None or len(work.X) != rows.shape[0]:
                work = network.workspace(rows.shape[0])
                network.prepare(params, work)
            input_map.apply(rows, work.X)
            work.layers[0].observed = fill_missing(work.X, input_map.input_shares)
            input_map.bound(work.X)  # as predict does with rows too far away to square
            network.run_forward(params, work)
            yield batch, work


def output_gradients(network, params, work, grads):
    """Run backward and yield each layer's number, the last first, and the gradient of its output.

    The next step overwrites that gradient; `grads` receives the gradients of the parameters.
    """
    network.backward_linear_part(work, grads)
    for number in reversed(range(len(network.layers))):
        layer, buffers = network.layers[number], work.layers[number]
        out, d_out = work.outputs[number], work.d_outputs[number]
        yield number, d_out
        layer.backward(params[number], buffers, out, d_out, grads[number])
        if number > 0:
            layer.input_gradient(params[number], buffers, d_out, work.d_outputs[number - 1])
