"""The result of a training run: curves, the best parameters, and when to stop."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..losses import normalized_weights
from ..prediction import layer_output

__all__ = ["ADAPTIVE_MIN_RATE", "Monitor", "TrainingResult"]

#: An adaptive schedule divides the rate by this at each plateau, as long as it is above a minimum.
ADAPTIVE_DIVISOR, ADAPTIVE_MIN_RATE = 5.0, 1e-6
#: More epochs may pay if the last tenth contributes more than this share of the loss decrease. A
#: cosine over 100 epochs leaves less to its last tenth, one over five epochs leaves more.
STILL_FALLING = 0.05


@dataclass
class TrainingResult:
    """The selected parameters `theta` and the history of a training run."""

    theta: np.ndarray
    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_epoch: int = 0
    reason: str = ""
    """Why the run ended: "budget", "plateau", "stopped", "diverged" or "interrupted"."""
    n_halvings: int = 0
    """How often the run diverged, went back and halved its rate."""

    def last_epoch(self):
        """Return the result of the last epoch only."""
        return replace(
            self,
            loss_curve=self.loss_curve[-1:],
            validation_loss_curve=self.validation_loss_curve[-1:],
            validation_scores=self.validation_scores[-1:],
            best_epoch=min(self.best_epoch, 1),
        )

    def still_falling(self, tol):
        """Return whether the last tenth of the epochs contributed much of the loss decrease.

        That is more than `tol` per epoch and more than `STILL_FALLING` of the total decrease. With
        validation, the best epoch must be among them: a decrease after it is overfitting.
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
    """Follows the validation loss or score, or without validation rows the training loss."""

    network: Any
    input_map: Any
    config: Any
    state: Any
    result: TrainingResult
    validation: Any = None
    score: Any = None
    best: float = np.inf
    n_stalled: int = 0

    def record(self, loss):
        """Record the epoch's training loss; keep the parameters if they are the best so far."""
        monitored = loss if self.validation is None else self.validate()
        self.result.loss_curve.append(loss)
        # NaN is no improvement, nor is a score that stays infinite.
        improved = monitored <= self.best - self.config.tol and (
            np.isfinite(monitored) or monitored < self.best
        )
        self.n_stalled = 0 if improved else self.n_stalled + 1
        # Without validation the latest parameters are kept: an epoch's lower loss may be luck.
        # Some epoch is the best one even if no score is defined.
        if self.validation is None or monitored < self.best or not self.result.best_epoch:
            np.copyto(self.result.theta, self.state.theta)
            self.result.best_epoch = len(self.result.loss_curve)
        self.best = min(self.best, monitored)

    def validate(self):
        """Record validation loss and score; return the one to minimise."""
        rows, result = self.validation, self.result
        raw = self.raw_output(self.state.theta, rows)
        loss, score = self.loss(raw, rows), self.score(raw)
        # Recorded together, so that an interrupt in the score leaves curves of one length.
        result.validation_loss_curve.append(loss)
        result.validation_scores.append(score)
        return -score if self.config.maximize_score else loss

    def keep_best(self, candidates, rows):
        """Keep the best of some parameters, given with their epochs, after the run has diverged.

        The validation loss or score decides, or else the loss on the training `rows`. The losses of
        epochs cannot be compared, because parameters change within an epoch.
        """
        candidates = [(epoch, theta.copy()) for epoch, theta in candidates]
        if self.validation is not None:
            candidates.insert(0, (self.result.best_epoch, self.result.theta.copy()))
        measures = [self.measure(theta, rows) for _, theta in candidates]
        epoch, theta = candidates[int(np.argmin(np.nan_to_num(measures, nan=np.inf)))]
        np.copyto(self.result.theta, theta)
        np.copyto(self.state.theta, theta)
        self.result.best_epoch = epoch

    def measure(self, theta, rows):
        """Return the loss, or minus the score, of `theta` on the validation rows, else `rows`."""
        if self.validation is None or not self.config.maximize_score:
            return self.loss_of(theta, rows if self.validation is None else self.validation)
        np.copyto(self.state.theta, theta)  # from where a scorer reads the parameters
        return -self.score(self.raw_output(theta, self.validation))

    def loss_of(self, theta, rows):
        """Return the loss of the parameters `theta` on some rows."""
        return self.loss(self.raw_output(theta, rows), rows)

    def raw_output(self, theta, rows):
        return layer_output(self.network, theta, self.input_map, rows.X)

    def loss(self, raw, rows):
        """Return the weighted loss of the raw output on some rows."""
        weights = normalized_weights(rows.weights, len(raw), self.network.dtype)
        return self.config.loss.value(raw, rows.target, weights)

    def should_stop(self):
        """Return whether training has reached a plateau at which to stop.

        An adaptive schedule lowers its rate and goes on, as long as the rate is not minimal. A
        schedule with a horizon goes on without validation, because its rate has yet to fall.
        """
        config, state = self.config, self.state
        if self.n_stalled <= config.n_iter_no_change:
            return False
        if (
            getattr(config.schedule, "adapts_to_loss", False)
            and config.learning_rate_init * state.rate_factor > ADAPTIVE_MIN_RATE
        ):
            state.rate_factor /= ADAPTIVE_DIVISOR
            self.n_stalled = 0
            return False
        return self.validation is not None or not getattr(config.schedule, "has_horizon", False)
