"""Rows through a fitted net and gradients back, a batch at a time."""

from ..engine.layers.missing import fill_missing
from ..engine.numerics.threads import blas_threads

__all__ = ["forward_batches", "gradients_by_answers"]

#: Numbers in the arrays for one batch of rows, which bounds the memory taken.
BATCH_NUMBERS = 600_000


def forward_batches(estimator, X):
    """Yield each batch of rows, as a slice, with a workspace that has them behind it."""
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
            fill_missing(work.layers[0])
            input_map.bound(work.X)  # as predict does with rows too far off to square
            network.run_forward(params, work)
            yield batch, work


def gradients_by_answers(network, params, work, grads):
    """Pass the gradient in ``work.d_outputs[-1]`` back, as :meth:`Network.run_backward`.

    Yields each layer's number, the last first, and the gradient by what the layer answers, which
    the next step overwrites. `grads` are filled.
    """
    for number in reversed(range(len(network.layers))):
        layer, buffers = network.layers[number], work.layers[number]
        out, d_out = work.outputs[number], work.d_outputs[number]
        yield number, d_out
        layer.backward(params[number], buffers, out, d_out, grads[number])
        if number > 0:
            layer.input_gradient(params[number], buffers, d_out, work.d_outputs[number - 1])
