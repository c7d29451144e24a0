"""Kinds of layers, which keep no state: parameters and buffers are passed to their methods.

A kind is a frozen dataclass. `parameter_names` are its arrays, `decayed_names` those that weight
decay acts on; they have `n_parameters` numbers in the flat parameter vector. Its methods are

``views(block)``
    Return named views of its part of the parameter vector.
``workspace(n_rows, dtype, keep_prob=1.0)``
    Return buffers for a batch. The caller writes rows to `input`, which is the same array as `X`,
    except that dropout writes to `X`. `observed` weights X if values are missing, else it is None.
``prepare(params, work)``
    Must be called before the passes whenever parameters have changed.
``drop(params, work, mask)``
    Apply a dropout mask to `input`; before `forward`.
``forward(params, work, out)``
    Write the output into `out`.
``backward(params, work, out, d_out, grads)``
    Write the gradient with respect to the parameters. `d_out`, that with respect to the output, is
    multiplied in place by the derivative of the activation.
``input_gradient(params, work, d_out, d_input)``
    Write the gradient with respect to the input; after `backward`.
``expand(params, functions)``
    Return the argument of the activation as an `Expansion`, which refers to no parameter, followed
    by linear functions of the input, (n_functions, n_inputs).
``write_incomplete(params, expansion, rows, observed, u)``
    Write what `expansion` does, (n_units, n_rows), for rows with values missing; see missing.py.
``activate(u, out)``
    Return the activation, in `u` or in `out`, and overwrite `u`.
``forward_row(params, x, shares=None)``
    Return the output for a single row, however far away; for `shares` see missing.py.

To add a kind, list it in `LAYERS` and extend `Network._make_layers`.
"""

from typing import Any

from .activations import ACTIVATIONS
from .dense import Dense
from .distance import Distance
from .kernels import KERNELS

__all__ = ["ACTIVATIONS", "KERNELS", "LAYERS", "Dense", "Distance"]

LAYERS: dict[str, Any] = {"dense": Dense, "distance": Distance}
