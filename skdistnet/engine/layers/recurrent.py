"""The recurrent distance layer, unrolled over the steps of sequences.

A unit measures the distance of the step's input and of all units' states to its centroid. Its state
follows the kernel of this distance at a rate of its own, as in leaky-integrator networks (Jaeger et
al., 2007). With the leaking rate ``a_j`` in (0, 1)::

    u_tj = -1/2 sum_k r_jk^2 (x_tk - c_jk)^2 - 1/2 sum_m s_jm^2 (h_(t-1)m - b_jm)^2
    h_tj = (1 - a_j) h_(t-1)j + a_j kernel(u_tj)

and for ``H_tj = dloss/dh_tj``, which includes what follows from later steps, and ``D = dloss/du``::

    D_tj         = a_j H_tj kernel'(u_tj)
    H_(t-1)m    += (1 - a_m) H_tm - sum_j D_tj s_jm^2 (h_(t-1)m - b_jm)
    dloss/da_j   = sum_t H_tj (kernel(u_tj) - h_(t-1)j)

The two sums are those of two distance layers, whose arithmetic (distances.py, missing.py) is used:
that of the inputs runs over all steps at once, that of the states step by step, except for the
gradients of its parameters. All arrays are ordered by step, then by sequence.

A step without any observed input leaves the states as they are. So padding changes nothing.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit

from ..numerics import memory
from ..numerics.denormals import flush_activations, flush_gradients
from .distance import Distance
from .kernels import KERNELS

#: Arrays of a distance layer's workspace that have a row for each row of the input.
BY_ROW = ("X", "input", "squares", "distances", "scaled", "ones")


@dataclass(slots=True)
class RecurrentWorkspace:
    """Buffers for the steps of a batch; arrays (n_steps, n_sequences, ...) unless stated."""

    #: Workspaces of the distances to inputs and to states, and of the latter for each step.
    inputs: object
    states: object
    steps: list
    #: The inputs, which the caller writes.
    X: np.ndarray
    #: States before the first step and after each, (n_steps + 1, n_sequences, n_units).
    H: np.ndarray
    kernels: np.ndarray
    exponents: np.ndarray
    D: np.ndarray
    d_H: np.ndarray
    #: (n_sequences, n_units).
    scratch: np.ndarray
    carry: np.ndarray
    rates: np.ndarray | None = None
    #: 1 for steps that change the states, else 0, (n_steps, n_sequences); None if all do.
    is_step: np.ndarray | None = None
    #: Sequences, an index array, that do not start with the initial state, and their states.
    continued: np.ndarray | None = None
    first_states: np.ndarray | None = None
    #: Number of steps over which gradients flow back, counted from the last one of each sequence;
    #: None for all.
    truncation: int | None = None


def rows_of(work, part, X):
    """Return a workspace for some rows of another one, with `X` as input."""
    arrays = {name: getattr(work, name) for name in BY_ROW}
    arrays = {name: array[part] for name, array in arrays.items() if array is not None}
    return replace(work, **arrays | {"X": X, "input": X})


@dataclass(frozen=True)
class Recurrent:
    """Units that follow a kernel of their distance to the input and to all states.

    Parameters are `centroids` and `inverse_radii` of the inputs, as those of a distance layer,
    `state_centroids` and `state_inverse_radii` of the states, `leak_logits` (n_units,), the
    logits of leaking rates, and `initial_state` (n_units,). Leaking rates are trained unless
    `trains_leaks` is False.
    """

    n_inputs: int
    n_units: int
    activation: str = "gaussian"
    radius_type: str = "diag"
    trains_leaks: bool = True

    parameter_names = (
        "centroids",
        "inverse_radii",
        "state_centroids",
        "state_inverse_radii",
        "leak_logits",
        "initial_state",
    )
    decayed_names = parameter_names[:4]

    @cached_property
    def of_inputs(self):
        return Distance(self.n_inputs, self.n_units, None, self.radius_type)

    @cached_property
    def of_states(self):
        return Distance(self.n_units, self.n_units, None, self.radius_type)

    @property
    def kernel(self):
        return KERNELS[self.activation]

    @property
    def n_parameters(self):
        return self.of_inputs.n_parameters + self.of_states.n_parameters + 2 * self.n_units

    def views(self, block):
        middle, end = self.of_inputs.n_parameters, -2 * self.n_units
        views = self.of_inputs.views(block[:middle])
        states = self.of_states.views(block[middle:end])
        views |= {f"state_{name}": array for name, array in states.items()}
        views["leak_logits"] = block[end : -self.n_units]
        views["initial_state"] = block[-self.n_units :]
        return views

    def workspace(self, n_steps, n_sequences, dtype):
        n_rows, shape = n_steps * n_sequences, (n_steps, n_sequences, self.n_units)
        inputs = self.of_inputs.workspace(n_rows, dtype)
        H = memory.empty((n_steps + 1, n_sequences, self.n_units), dtype)
        states = self.of_states.workspace(n_rows, dtype)
        states.X = states.input = H[:-1].reshape(n_rows, self.n_units)
        parts = [slice(t * n_sequences, (t + 1) * n_sequences) for t in range(n_steps)]
        return RecurrentWorkspace(
            inputs,
            states,
            [rows_of(states, part, states.X[part]) for part in parts],
            inputs.X.reshape(n_steps, n_sequences, self.n_inputs),
            H,
            *(memory.empty(shape, dtype) for _ in range(4)),
            *(memory.empty(shape[1:], dtype) for _ in range(2)),
        )

    def prepare(self, params, work):
        self.of_inputs.prepare(params, work.inputs)
        self.of_states.prepare(state_params(params), work.states)
        for step in work.steps:
            step.centroids = work.states.centroids
        work.rates = expit(params["leak_logits"])

    def step_rates(self, work, t):
        """Return the leaking rates of a step, zero for sequences whose states it leaves."""
        if work.is_step is None or work.is_step[t].all():
            return work.rates
        return work.is_step[t][:, np.newaxis] * work.rates

    def cut_steps(self, work):
        """Return a mask (n_steps, n_sequences) of steps before which no gradient flows, or None.

        Only steps with an observed input count. Before the first one is the initial state.
        """
        if work.truncation is None:
            return None
        is_step = np.ones(work.H[1:].shape[:2], bool) if work.is_step is None else work.is_step > 0
        number = np.cumsum(is_step, axis=0)
        to_end = number[-1] - number + 1
        return is_step & (number > 1) & (to_end % work.truncation == 0)

    def forward(self, params, work):
        """Write the states after each step into ``work.H[1:]``."""
        H, exponents, scratch = work.H, work.exponents, work.scratch
        self.of_inputs.forward(params, work.inputs, exponents.reshape(-1, self.n_units))
        centroids, radii = params["state_centroids"], params["state_inverse_radii"]
        H[0] = params["initial_state"]
        if work.continued is not None:
            H[0, work.continued] = work.first_states
        distances, kernel = self.of_states.radii, self.kernel
        for t, step in enumerate(work.steps):
            distances.forward(centroids, radii, step, scratch)
            u, value, after = exponents[t], work.kernels[t], H[t + 1]
            u += scratch
            kernel.value(u, value)
            np.subtract(value, H[t], out=after)
            after *= self.step_rates(work, t)
            after += H[t]
            flush_activations(after)

    def backward(self, params, work, grads):
        """Write gradients, given those by the states after each step in `work.d_H`."""
        D, d_H, carry, scratch = work.D, work.d_H, work.carry, work.scratch
        centroids, radii = params["state_centroids"], params["state_inverse_radii"]
        distances, kernel = self.of_states.radii, self.kernel
        carry[...], cut = 0, self.cut_steps(work)
        for t in reversed(range(len(work.steps))):
            total = d_H[t]
            total += carry
            np.multiply(total, self.step_rates(work, t), out=D[t])
            np.subtract(total, D[t], out=carry)
            kernel.multiply_by_derivative(work.kernels[t], D[t])
            flush_gradients(D[t])
            distances.input_gradient(centroids, radii, work.steps[t], D[t], scratch)
            carry += scratch
            if cut is not None:
                carry[cut[t]] = 0
        self._write_gradients(params, work, grads)

    def _write_gradients(self, params, work, grads):
        D = work.D.reshape(-1, self.n_units)
        # The derivative of the missing kernel is 1; D is used as it is.
        self.of_inputs.backward(params, work.inputs, None, D, grads)
        by_name = state_params(grads)
        self.of_states.backward(state_params(params), work.states, None, D, by_name)
        initial = work.carry
        if work.continued is not None:
            initial[work.continued] = 0
        initial.sum(axis=0, out=grads["initial_state"])
        if not self.trains_leaks:
            grads["leak_logits"][...] = 0
            return
        change = np.subtract(work.kernels, work.H[:-1], out=work.exponents)
        change *= work.d_H
        if work.is_step is not None:
            change *= work.is_step[:, :, np.newaxis]
        change.reshape(-1, self.n_units).sum(axis=0, out=grads["leak_logits"])
        grads["leak_logits"] *= work.rates * (1 - work.rates)


def state_params(views):
    """Return the parameters of the distances to states under the names of a distance layer."""
    return {name: views[f"state_{name}"] for name in Distance.parameter_names}
