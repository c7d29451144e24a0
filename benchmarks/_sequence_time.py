"""The time of a recurrent layer, beside the same arithmetic in batches of a feed-forward layer."""

from time import perf_counter

import numpy as np

from skdistnet.engine.layers import Distance
from skdistnet.engine.layers.recurrent import Recurrent

__all__ = ["arithmetic_rows"]

#: Steps, sequences and units.
SIZES = ((100, 50, 48), (100, 50, 128), (200, 50, 128))
N_INPUTS, ROUNDS = 2, 21


def recurrent_passes(n_steps, n_sequences, n_units, dtype, rng):
    """A function that passes sequences forward and gradients back."""
    layer = Recurrent(N_INPUTS, n_units)
    theta = (0.3 * rng.random(layer.n_parameters)).astype(dtype)
    params, grads = layer.views(theta), layer.views(np.empty_like(theta))
    work = layer.workspace(n_steps, n_sequences, dtype)
    work.X[...] = rng.normal(size=work.X.shape)

    def run():
        layer.prepare(params, work)
        layer.forward(params, work)
        work.d_H[...] = 1.0
        layer.backward(params, work, grads)

    return run


def feed_forward_passes(n_steps, n_sequences, n_units, dtype, rng):
    """A function that does the same with as many batches of a distance layer as there are steps.

    The rows have the inputs and the states of a step. Gradients by both are computed.
    """
    layer = Distance(N_INPUTS + n_units, n_units)
    theta = (0.3 * rng.random(layer.n_parameters)).astype(dtype)
    params, grads = layer.views(theta), layer.views(np.empty_like(theta))
    work = layer.workspace(n_sequences, dtype)
    work.X[...] = rng.random(work.X.shape)
    out, d_out = (np.empty((n_sequences, n_units), dtype) for _ in range(2))
    d_input = np.empty_like(work.X)

    def run():
        layer.prepare(params, work)
        for _ in range(n_steps):
            layer.forward(params, work, out)
            d_out[...] = 1.0
            layer.backward(params, work, out, d_out, grads)
            layer.input_gradient(params, work, d_out, d_input)

    return run


def arithmetic_rows():
    """A row for each size and precision: milliseconds of both, and their ratio."""
    rows = []
    for n_steps, n_sequences, n_units in SIZES:
        for dtype in (np.float32, np.float64):
            size = n_steps, n_sequences, n_units, dtype, np.random.default_rng(0)
            runs = recurrent_passes(*size), feed_forward_passes(*size)
            times = np.array([[seconds(run) for run in runs] for _ in range(ROUNDS)])
            recurrent, feed_forward = np.median(times[1:], axis=0) * 1e3
            rows.append(
                {
                    "steps": str(n_steps),
                    "sequences": str(n_sequences),
                    "units": str(n_units),
                    "precision": np.dtype(dtype).name,
                    "recurrent, ms": f"{recurrent:.1f}",
                    "feed-forward, ms": f"{feed_forward:.1f}",
                    "ratio": f"{np.median(times[1:, 0] / times[1:, 1]):.2f}",
                }
            )
    return rows


def seconds(run):
    began = perf_counter()
    run()
    return perf_counter() - began
