"""What training comes to: curves, the best parameters, and when it is to end."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..losses import normalized_weights
from ..optim.schedules import HORIZON_SCHEDULES
from ..prediction import layer_output

__all__ = ["ADAPTIVE_SMALLEST", "Monitor", "TrainingResult"]

#: The adaptive schedule divides the rate by this when the loss stands still, to a smallest rate.
ADAPTIVE_DIVISOR, ADAPTIVE_SMALLEST = 5.0, 1e-6
#: More epochs may pay if the last tenth contributes more than this share of the loss decrease. A
#: cosine over 100 epochs leaves less to its last tenth, one over five epochs leaves more.
STILL_FALLING = 0.05


@dataclass
class TrainingResult:
    """How a training went; `theta` is what it found best."""

    theta: np.ndarray
    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_epoch: int = 0
    reason: str = ""
    """Why it ended: "budget", "plateau", "stopped", "diverged" or "interrupted"; "" before."""
    n_halvings: int = 0
    """How often it went back and halved its rate."""

    def last_epoch(self):
        """Return the outcome of the last epoch only."""
        return replace(
            self,
            loss_curve=self.loss_curve[-1:],
            validation_loss_curve=self.validation_loss_curve[-1:],
            validation_scores=self.validation_scores[-1:],
            best_epoch=min(self.best_epoch, 1),
        )

    def still_falling(self, tol):
        """Whether the last tenth of the epochs contributed much of the decrease of the loss.

        That is more than `tol` per epoch and more than `STILL_FALLING` of the total decrease. With
        validation, the best epoch must be among them: a decrease after it is no gain.
        """
        curve, window = self.loss_curve, max(1, len(self.loss_curve) // 10)
        if len(curve) <= window:
            return True
        if self.best_epoch <= len(curve) - window:
            return False
        fall = curve[-1 - window] - curve[-1]
        return fall > max(tol * window, STILL_FALLING * (curve[0] - curve[-1]))


@dataclass
class Monitor:
    """Follows what decides: loss or score of the validation rows, else the loss of training."""

    network: Any
    input_map: Any
    config: Any
    run: Any
    outcome: TrainingResult
    validation: Any = None
    score: Any = None
    best: float = np.inf
    stalled: int = 0

    def record(self, loss):
        """Take the epoch's loss into the outcome and keep the parameters if they are best."""
        watched = loss if self.validation is None else self.validate()
        self.outcome.loss_curve.append(loss)
        # A score of NaN is no improvement, nor one that stays infinite.
        improved = watched <= self.best - self.config.tol and (
            np.isfinite(watched) or watched < self.best
        )
        self.stalled = 0 if improved else self.stalled + 1
        # Without validation the latest parameters are kept: a batch's luck is no reason to go back.
        # Some epoch is best, even if its score is not defined.
        if self.validation is None or watched < self.best or not self.outcome.best_epoch:
            np.copyto(self.outcome.theta, self.run.theta)
            self.outcome.best_epoch = len(self.outcome.loss_curve)
        self.best = min(self.best, watched)

    def validate(self):
        """Take the validation loss and the score into the outcome; return what is to fall."""
        rows, outcome = self.validation, self.outcome
        raw = self.raw_output(self.run.theta, rows)
        loss, score = self.loss(raw, rows), self.score(raw)
        # Both or neither: an interrupt in the score leaves curves of one length.
        outcome.validation_loss_curve.append(loss)
        outcome.validation_scores.append(score)
        return -score if self.config.maximize_score else loss

    def keep_best(self, candidates, rows):
        """Keep the best of some parameters, given with their epochs, for a run that gives up.

        The loss or score on the validation rows decides, or else the loss on the training `rows`.
        The losses of epochs cannot be compared, because parameters change within an epoch.
        """
        candidates = [(epoch, theta.copy()) for epoch, theta in candidates]
        if self.validation is not None:
            candidates.insert(0, (self.outcome.best_epoch, self.outcome.theta.copy()))
        measures = [self.measure(theta, rows) for _, theta in candidates]
        epoch, theta = candidates[int(np.argmin(np.nan_to_num(measures, nan=np.inf)))]
        np.copyto(self.outcome.theta, theta)
        np.copyto(self.run.theta, theta)
        self.outcome.best_epoch = epoch

    def measure(self, theta, rows):
        """Return the loss, or minus the score, of `theta` on the validation rows, else `rows`."""
        if self.validation is None or not self.config.maximize_score:
            return self.loss_of(theta, rows if self.validation is None else self.validation)
        np.copyto(self.run.theta, theta)  # a scorer looks there
        return -self.score(self.raw_output(theta, self.validation))

    def loss_of(self, theta, rows):
        """Loss of the parameters `theta` on the rows."""
        return self.loss(self.raw_output(theta, rows), rows)

    def raw_output(self, theta, rows):
        """Raw output of the parameters `theta` on the rows."""
        return layer_output(self.network, theta, self.input_map, rows.X)

    def loss(self, raw, rows):
        """Weighted loss of raw output on the rows."""
        weights = normalized_weights(rows.weights, len(raw), self.network.dtype)
        return self.config.loss.value(raw, rows.target, weights)

    def should_stop(self):
        """Whether the loss has stood still for long; lowers the rate first if that is the config."""
        if self.stalled <= self.config.n_iter_no_change:
            return False
        run = self.run
        if (
            self.config.schedule == "adaptive"
            and self.config.learning_rate_init * run.rate_factor > ADAPTIVE_SMALLEST
        ):
            run.rate_factor /= ADAPTIVE_DIVISOR
            self.stalled = 0
            return False
        # A schedule with a horizon has yet to lower its rate: only validation may cut it short.
        return self.validation is not None or self.config.schedule not in HORIZON_SCHEDULES
