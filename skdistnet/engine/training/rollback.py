"""Recovery from divergence: a training run goes back to its best epoch and halves its rate."""

import numpy as np

from ..numerics import memory
from ..optim.solvers import copy_state

__all__ = ["MAX_HALVINGS", "Rollback"]

#: How often a run may go back and halve its rate before it gives up.
MAX_HALVINGS = 5
#: A loss has diverged at this multiple of the smallest loss so far, or of 1 if that is smaller:
#: targets are standardised, so that losses of a net that has learned nothing are of the order of 1.
DIVERGENCE_FACTOR = 1e2


class Rollback:
    """Keeps the start of the best epoch so far, and goes back there with half the rate.

    The loss of an epoch measures where the epoch started, not where it ended: its last steps may
    have diverged. So the start of the latest epoch is kept too, and becomes the point to go back to
    once that epoch's loss is the smallest so far.
    """

    def __init__(self, state):
        self.state, self.best, self.n_halvings = state, np.inf, 0
        self.good, self.latest = self.snapshot(), None
        self.initial_theta = memory.copy(state.theta)
        self.good_epoch = self.latest_epoch = 0
        self.went_back = False
        self.n_steps = state.n_steps
        # Distances multiply squares of parameters, so larger ones are as good as infinite. Where
        # features keep their units, parameters may be large from the start.
        self.loss_limit = root = float(np.finfo(state.theta.dtype).max) ** 0.5
        with np.errstate(over="ignore"):
            self.norm_limit = root * max(1.0, float(state.theta @ state.theta))

    def snapshot(self):
        """Return copies of what a step changes: the parameters and the solver's state."""
        return memory.copy(self.state.theta), copy_state(self.state.solver_state)

    def to_dict(self):
        """Return what :meth:`restore` needs, as arrays and numbers, without copies."""
        theta, solver_state = self.good
        return {
            "theta": theta,
            "solver_state": solver_state,
            "best": self.best,
            "n_halvings": self.n_halvings,
            "good_epoch": self.good_epoch,
            "went_back": self.went_back,
            "initial_theta": self.initial_theta,
            "loss_limit": self.loss_limit,
            "norm_limit": self.norm_limit,
        }

    def restore(self, saved):
        """Continue from a dict of :meth:`to_dict`."""
        overwrite(self.good, (saved["theta"], saved["solver_state"]))
        for name in saved.keys() - {"theta", "solver_state"}:
            setattr(self, name, saved[name])

    def has_diverged(self, loss, loss_of):
        """Return whether an epoch of this loss has diverged; `loss_of` maps parameters to a loss.

        The first epoch has none before it, so its loss is compared with that of the initial theta.
        """
        theta = self.state.theta
        if self.best == np.inf and DIVERGENCE_FACTOR <= abs(loss) < self.loss_limit:
            self.lower_limit(loss_of(self.initial_theta))
        return not (abs(loss) < self.loss_limit and float(theta @ theta) < self.norm_limit)

    def lower_limit(self, loss):
        """Lower the limit from which losses have diverged, given one that has not."""
        if np.isfinite(loss):
            self.loss_limit = min(self.loss_limit, DIVERGENCE_FACTOR * max(abs(loss), 1.0))

    def begin(self, n_epochs):
        """Record the start of an epoch after `n_epochs` others."""
        self.latest_epoch = self.good_epoch if self.went_back else n_epochs
        self.went_back = False
        self.n_steps = self.state.n_steps
        if self.latest is None:
            self.latest = self.snapshot()
        else:
            overwrite(self.latest, (self.state.theta, self.state.solver_state))

    def end(self, loss):
        """Record the loss of an epoch that has not diverged."""
        if loss <= self.best:
            self.best, self.good_epoch = loss, self.latest_epoch
            self.lower_limit(loss)
            self.good, self.latest = self.latest, self.good

    def go_back(self):
        """Return to the start of the best epoch; return False if that was once too often."""
        state = self.state
        overwrite((state.theta, state.solver_state), self.good)
        self.went_back = True
        # The steps of the epoch that failed are made again, as the schedule counts them.
        state.n_steps = self.n_steps
        if self.n_halvings == MAX_HALVINGS:
            return False
        self.n_halvings += 1
        state.rate_factor *= 0.5
        return True


def overwrite(target, source):
    """Overwrite parameters and a solver's state by others of the same shapes."""
    (theta, solver_state), (new_theta, new_solver_state) = target, source
    np.copyto(theta, new_theta)
    for name, value in new_solver_state.items():
        if isinstance(value, np.ndarray):
            np.copyto(solver_state[name], value)
        else:
            solver_state[name] = value
