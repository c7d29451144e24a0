"""Update rules over one flat parameter vector.

A solver is made from its settings and then has three methods:

``init(theta)``
    Return the state, a dict of arrays and numbers.
``step(theta, gradient, state, rate)``
    Update `theta` and `state` in place; leave `gradient` as it is.
``scaled(share)``
    Return the solver, and the factor of its rate, for batches of so small a share of the usual rows
    that they would otherwise throw the parameters about. Averages keep their memory in rows, not in
    steps (``beta ** share``), and rates are multiplied by the root of the share, or by the share
    itself where gradients are not divided by their size. By these rules (Malladi et al., "On the
    SDEs and scaling rules for adaptive gradient algorithms", 2022) many small batches lead where a
    few usual ones do.

To add a solver, write such a dataclass and list it in `SOLVERS`.
"""

from dataclasses import dataclass, replace

import numpy as np

from . import memory
from .products import add_scaled, average

__all__ = ["SOLVERS", "copy_state"]

#: Bytes of each array worked on at a time: the arrays of one block stay in the processor's second
#: cache through all passes of an update, a third off its time on a vector of 1,500,000.
BLOCK_BYTES = 262_144
POWER = 0.5


def blocks(*vectors):
    """The same slice of each vector, block by block, behind an array to calculate in."""
    size, dtype = vectors[0].size, vectors[0].dtype
    length = min(size, BLOCK_BYTES // dtype.itemsize)
    scratch = memory.empty(length, dtype)
    for start in range(0, size, length):
        stop = min(start + length, size)
        yield scratch[: stop - start], *(vector[start:stop] for vector in vectors)


@dataclass(frozen=True)
class RMSProp:
    """RMSProp with momentum over the normalised gradient, as in Kurbiel & Khaleghian (2017).

    With g the gradient::

        mean_square = rho * mean_square + (1 - rho) * g**2
        momentum    = m * momentum + (1 - m) * g / (sqrt(mean_square) + epsilon)
        theta       = theta - rate * momentum

    Epsilon stands outside the root, both averages start at zero, and neither is corrected for
    that. The reference takes its very first step along the plain gradient; this solver does not.
    """

    rho: float = 0.7
    momentum: float = 0.9
    epsilon: float = 1e-9

    @staticmethod
    def init(theta):
        return {
            "momentum": memory.zeros(theta.shape, theta.dtype),
            "mean_square": memory.zeros(theta.shape, theta.dtype),
        }

    def step(self, theta, gradient, state, rate):
        # Keeps the squares of vanishing gradients from being subnormal (see subnormals.py), and is
        # far too small beside epsilon to show.
        nothing = 1e-18 if theta.dtype == np.float32 else 1e-150
        vectors = blocks(theta, gradient, state["momentum"], state["mean_square"])
        for scratch, weights, g, momentum, mean_square in vectors:
            np.add(g, nothing, out=scratch)
            scratch *= scratch
            average(mean_square, scratch, self.rho)
            np.sqrt(mean_square, out=scratch)
            scratch += self.epsilon
            np.divide(g, scratch, out=scratch)
            average(momentum, scratch, self.momentum)
            add_scaled(momentum, weights, -rate)

    def scaled(self, share):
        solver = replace(self, rho=self.rho**share, momentum=self.momentum**share)
        return solver, share**POWER


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with heavy-ball or Nesterov momentum, as in MLPClassifier."""

    momentum: float = 0.9
    nesterovs_momentum: bool = True

    @staticmethod
    def init(theta):
        return {"velocity": memory.zeros(theta.shape, theta.dtype)}

    def step(self, theta, gradient, state, rate):
        for _, weights, g, velocity in blocks(theta, gradient, state["velocity"]):
            velocity *= self.momentum
            add_scaled(g, velocity, -rate)
            if self.nesterovs_momentum:
                add_scaled(g, weights, -rate)
                add_scaled(velocity, weights, self.momentum)
            else:
                weights += velocity

    def scaled(self, share):
        solver = replace(self, momentum=self.momentum**share)
        # A gradient goes on moving the weights by 1 / (1 - momentum) of its first step.
        return solver, share * (1.0 - solver.momentum) / (1.0 - self.momentum)


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba, 2015) with both averages corrected for their start at zero."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-9

    #: What a step adds to the number of usual steps; no setting, so not a field.
    share = 1

    @staticmethod
    def init(theta):
        return {
            "n_steps": 0,
            "first_moment": memory.zeros(theta.shape, theta.dtype),
            "second_moment": memory.zeros(theta.shape, theta.dtype),
        }

    def step(self, theta, gradient, state, rate):
        state["n_steps"] += self.share
        # As in the paper's section 2: both corrections in the rate, epsilon after them.
        t = state["n_steps"] / self.share
        rate = rate * (1.0 - self.beta_2**t) ** 0.5 / (1.0 - self.beta_1**t)
        vectors = blocks(theta, gradient, state["first_moment"], state["second_moment"])
        for scratch, weights, g, first, second in vectors:
            np.copyto(scratch, g)
            average(first, scratch, self.beta_1)
            np.multiply(g, g, out=scratch)
            average(second, scratch, self.beta_2)
            np.sqrt(second, out=scratch)
            scratch += self.epsilon
            np.divide(first, scratch, out=scratch)
            add_scaled(scratch, weights, -rate)

    def scaled(self, share):
        solver = replace(self, beta_1=self.beta_1**share, beta_2=self.beta_2**share)
        object.__setattr__(solver, "share", share)
        return solver, share**POWER


def copy_state(state):
    """Copy a solver's state, its arrays aligned as `init` makes them."""
    return {
        name: memory.copy(value) if isinstance(value, np.ndarray) else value
        for name, value in state.items()
    }


SOLVERS = {"adam": Adam, "rmsprop": RMSProp, "sgd": SGD}
