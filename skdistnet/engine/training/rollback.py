"""Where a training that diverges goes back to."""

import numpy as np

from ..numerics import memory
from ..optim.solvers import copy_state

__all__ = ["MAX_HALVINGS", "Rollback"]

#: How often a training may go back and halve its rate before it gives up.
MAX_HALVINGS = 5
#: A loss so many times the smallest so far, or so many times 1, has diverged. Where nothing is
#: learned losses are of the order of 1, targets being standardised.
BEYOND_REASON = 1e2


class Rollback:
    """Keeps the start of the best epoch so far, and goes back there with half the rate.

    The loss of an epoch vouches for where the epoch began, not for where it ended: its last steps
    may be those that went astray. So the start of the latest epoch is kept as well, and becomes the
    place to go back to once the epoch's loss is the smallest so far.
    """

    def __init__(self, run):
        self.run, self.best, self.n_halvings = run, np.inf, 0
        self.good, self.latest = self.copied(), None
        self.start = memory.copy(run.theta)
        self.good_epoch = self.latest_epoch = 0
        self.went_back = False
        self.n_steps = run.n_steps
        # Distances multiply squares of parameters: larger ones are as good as infinite. Where
        # features keep their units, parameters may be large from the start.
        self.highest = largest = float(np.finfo(run.theta.dtype).max) ** 0.5
        with np.errstate(over="ignore"):
            self.farthest = largest * max(1.0, float(run.theta @ run.theta))

    def copied(self):
        """Copies of what a step changes: the parameters and the solver's state."""
        return memory.copy(self.run.theta), copy_state(self.run.solver_state)

    def state(self):
        """What `restore` needs, as arrays and numbers; nothing is copied."""
        theta, solver_state = self.good
        return {
            "theta": theta,
            "solver_state": solver_state,
            "best": self.best,
            "n_halvings": self.n_halvings,
            "good_epoch": self.good_epoch,
            "went_back": self.went_back,
            "start": self.start,
            "highest": self.highest,
            "farthest": self.farthest,
        }

    def restore(self, state):
        """Go on from a `state`."""
        write((state["theta"], state["solver_state"]), self.good)
        for name in state.keys() - {"theta", "solver_state"}:
            setattr(self, name, state[name])

    def has_diverged(self, loss, loss_of):
        """Whether an epoch of this loss ended in numbers that are not finite, or beyond reason.

        `loss_of` returns the loss of parameters. The first epoch has no earlier one to compare
        with, so its loss is compared with that of the start.
        """
        theta = self.run.theta
        if self.best == np.inf and BEYOND_REASON <= abs(loss) < self.highest:
            start = loss_of(self.start)
            if np.isfinite(start):
                self.highest = min(self.highest, BEYOND_REASON * max(abs(start), 1.0))
        return not (abs(loss) < self.highest and float(theta @ theta) < self.farthest)

    def begin(self, n_epochs):
        """Record the start of an epoch after `n_epochs` others, and the epoch that led there."""
        self.latest_epoch = self.good_epoch if self.went_back else n_epochs
        self.went_back = False
        self.n_steps = self.run.n_steps
        if self.latest is None:
            self.latest = self.copied()
        else:
            write((self.run.theta, self.run.solver_state), self.latest)

    def end(self, loss):
        """Take the epoch's loss."""
        if loss <= self.best:
            self.best, self.good_epoch = loss, self.latest_epoch
            self.highest = min(self.highest, BEYOND_REASON * max(abs(loss), 1.0))
            self.good, self.latest = self.latest, self.good

    def go_back(self):
        """Undo what was learned since the best epoch began; False if that was too often."""
        run = self.run
        write(self.good, (run.theta, run.solver_state))
        self.went_back = True
        # The steps of the epoch that failed are made again, as the schedule counts them.
        run.n_steps = self.n_steps
        if self.n_halvings == MAX_HALVINGS:
            return False
        self.n_halvings += 1
        run.rate_factor *= 0.5
        return True


def write(source, target):
    """Write parameters and a solver's state over others of the same shapes."""
    (theta, state), (to_theta, to_state) = source, target
    np.copyto(to_theta, theta)
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            np.copyto(to_state[name], value)
        else:
            to_state[name] = value
