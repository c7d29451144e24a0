"""Recovery from divergence: a training run goes back to its best epoch and halves its rate."""

import numpy as np

from ..numerics import memory
from ..optim.solvers import copy_state

#: How often a run may go back and halve its rate before it gives up.
MAX_HALVINGS = 5
#: A loss has diverged at this multiple of the smallest loss so far, or of 1 if that is smaller:
#: targets are standardised, so that the loss of an untrained net is of the order of 1.
DIVERGENCE_FACTOR = 1e2


class Rollback:
    """Keeps the start of the best epoch so far, and goes back there with half the rate.

    The loss of an epoch measures where the epoch started, not where it ended: its last steps may
    have diverged. So the start of the latest epoch is stored too, and becomes the point to return
    to once that epoch's loss is the smallest so far.
    """

    def __init__(self, state):
        self.state, self.best, self.n_halvings = state, np.inf, 0
        self.good = self.latest = self.snapshot()
        self.initial_theta = self.good[0]
        self.good_epoch = self.latest_epoch = self.n_steps = 0
        self.went_back = False
        # Distances multiply squares of parameters, so larger ones are as good as infinite. Where
        # features keep their units, parameters may be large from the start.
        self.loss_limit = root = float(np.finfo(state.theta.dtype).max) ** 0.5
        with np.errstate(over="ignore"):
            self.norm_limit = root * max(1.0, float(state.theta @ state.theta))

    def snapshot(self):
        """Return copies of what a step changes: the parameters and the solver's state."""
        return memory.copy(self.state.theta), copy_state(self.state.solver_state)

    def to_dict(self):
        """Return what continues a run, as arrays and numbers, without copies."""
        excluded = ("state", "latest", "latest_epoch", "n_steps")  # set when an epoch begins
        return {name: value for name, value in vars(self).items() if name not in excluded}

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
        self.latest = self.snapshot()

    def end(self, loss):
        """Record the loss of an epoch that has not diverged."""
        if loss <= self.best:
            self.best, self.good, self.good_epoch = loss, self.latest, self.latest_epoch
            self.lower_limit(loss)

    def go_back(self):
        """Return to the start of the best epoch; return False after too many halvings."""
        theta, solver_state = self.good
        np.copyto(self.state.theta, theta)
        self.state.solver_state = copy_state(solver_state)
        self.went_back = True
        # The steps of the failed epoch do not count: it is repeated.
        self.state.n_steps = self.n_steps
        if self.n_halvings == MAX_HALVINGS:
            return False
        self.n_halvings += 1
        self.state.rate_factor *= 0.5
        return True
