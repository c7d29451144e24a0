"""Layer kinds. A layer keeps no state: parameters and buffers are handed to it.

Every kind has

``parameter_names``
    Its arrays, under the names of the fitted attributes without their underscore.
``decayed_names``
    Those that decay acts on.
``n_parameters``, ``views(block)``
    The length of its part of the flat parameter vector, and that part's named views.
``workspace(n_rows, dtype, kept=1.0)``
    Its buffers for batches of `n_rows`; `whole` among them is where its input is put. Where dropout
    keeps a share of it only, that share is passed on to `X`, which else is the same array. A
    distance layer's `presence` says how much each number of X counts where some are missing, else
    None.
``drop(params, work, mask)``
    Write what dropout leaves of `whole` into X; before `forward`.
``prepare(params, work)``
    Called before the passes whenever parameters have changed.
``forward(params, work, out)``
    Write the layer's output into `out`.
``backward(params, work, out, d_out, grads)``
    Turn `d_out`, the gradient by the output, into the gradient by what stands before the
    nonlinearity, in place, and write the gradient by the parameters.
``input_gradient(params, work, d_out, d_input)``
    After `backward`: write the gradient by the layer's input.
``answer(params, x)``
    The output for a single row, which needs no workspace.

To add a kind, write such a class, list it in `LAYERS`, and let `Network._make_layers` know when it
is meant.
"""

from typing import Any

from .activations import ACTIVATIONS
from .dense import Dense
from .distance import Distance
from .kernels import KERNELS

__all__ = ["ACTIVATIONS", "KERNELS", "LAYERS", "Dense", "Distance"]

LAYERS: dict[str, Any] = {"dense": Dense, "distance": Distance}
