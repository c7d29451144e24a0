"""The result of a training run: curves, the best parameters, and when to stop."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..losses import normalized_weights
from .rollback import Rollback

#: An adaptive schedule divides the rate by this at each plateau, as long as it is above a minimum.
ADAPTIVE_DIVISOR, ADAPTIVE_MIN_RATE = 5.0, 1e-6
#: More epochs may help if the last tenth contributes more than this share of the loss decrease. A
#: cosine over 100 epochs leaves less to its last tenth, one over five epochs leaves more.
STILL_FALLING = 0.05


@dataclass
class TrainingResult:
    """The selected parameters `theta` and the history of a training run.

    `reason` is why it ended: "budget", "plateau", "stopped", "diverged" or "interrupted".
    `n_halvings` counts how often it diverged, went back and halved its rate.
    """

    theta: np.ndarray
    loss_curve: list = field(default_factory=list)
    validation_loss_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_epoch: int = 0
    reason: str = ""
    n_halvings: int = 0

    def last_epoch(self):
        """Return the result of the last epoch only."""
        curves = ("loss_curve", "validation_loss_curve", "validation_scores")
        last = {name: getattr(self, name)[-1:] for name in curves}
        return replace(self, **last, best_epoch=min(self.best_epoch, 1))

    def still_falling(self, tol):
        """Return whether the last tenth of the epochs contributed much of the loss decrease.

        With validation, the best epoch must be among them: a decrease after it is overfitting.
        """
        curve, window = self.loss_curve, max(1, len(self.loss_curve) // 10)
        if len(curve) <= window:
            return True
        if self.best_epoch <= len(curve) - window:
            return False
        fall = curve[-1 - window] - curve[-1]
        return fall > max(tol * window, STILL_FALLING * (curve[0] - curve[-1]))


class Evaluator:
    """Computes losses and scores of parameters on the training rows and the validation rows.

    `score(raw)` returns the validation score of the raw output on the validation rows, if any.
    """

    def __init__(self, network, input_map, rows, loss, validation=None, score=None):
        self.network, self.input_map, self.loss = network, input_map, loss
        self.rows, self.validation, self.score = rows, validation, score
        if validation is not None:
            self.validation_map, X = input_map.prepared(validation.X, network.dtype)
            self.validation = replace(validation, X=X)

    @property
    def validates(self):
        """Whether there are validation rows."""
        return self.validation is not None

    def training_loss(self, theta):
        """Return the weighted loss on the training rows."""
        return self._evaluate(theta, self.input_map, self.rows)[1]

    def validation_loss_and_score(self, theta):
        """Return the weighted loss, and the score, on the validation rows."""
        raw, loss = self._evaluate(theta, self.validation_map, self.validation)
        return loss, self.score(raw)

    def _evaluate(self, theta, input_map, rows):
        raw = self.network.raw_output(theta, input_map, rows.X)
        weights = normalized_weights(rows.weights, len(raw), self.network.dtype)
        return raw, self.loss.value(raw, rows.target, weights)


class Monitor:
    """Tracks the validation loss or score, or without validation rows the training loss.

    The evaluator has the methods and properties of :class:`Evaluator`.
    """

    def __init__(self, config, state, evaluator):
        self.config, self.state, self.evaluator = config, state, evaluator
        self.result, self.rollback = TrainingResult(state.theta.copy()), Rollback(state)
        self.best, self.n_stalled = np.inf, 0

    def to_dict(self):
        """Return what continues the run, as arrays, numbers, strings and lists, without copies."""
        return {
            "theta": self.state.theta,
            "state": self.state.to_dict(),
            "result": vars(self.result),
            "monitor": {"best": self.best, "n_stalled": self.n_stalled},
            "rollback": self.rollback.to_dict(),
        }

    def restore(self, saved):
        """Continue from a dict of :meth:`to_dict`."""
        np.copyto(self.state.theta, saved["theta"])
        self.state.restore(saved["state"])
        for part, name in ((self.result, "result"), (self, "monitor"), (self.rollback, "rollback")):
            vars(part).update(saved[name])

    def end_epoch(self, loss, rate, report):
        """Record an epoch with this loss, or undo it if it diverged, and decide whether to stop."""
        result, rollback = self.result, self.rollback
        if rollback.has_diverged(loss, self.evaluator.training_loss):
            if not rollback.go_back():
                result.reason = "diverged"
                self.keep_best()
            result.n_halvings = rollback.n_halvings
            return
        rollback.end(loss)
        self.record(loss)
        if report is not None and report(result, rate):
            result.reason = "stopped"
        elif self.should_stop():
            result.reason = "plateau"
        elif len(result.loss_curve) == self.config.max_iter:
            result.reason = "budget"

    def record(self, loss):
        """Record the epoch's training loss; keep the parameters if they are the best so far."""
        result, monitored = self.result, loss
        if self.evaluator.validates:
            monitored, score = self.evaluator.validation_loss_and_score(self.state.theta)
            # Recorded together, so that an interrupt in the score leaves curves of equal length.
            result.validation_loss_curve.append(monitored)
            result.validation_scores.append(score)
            monitored = -score if self.config.maximize_score else monitored
        result.loss_curve.append(loss)
        # NaN is no improvement, nor is a score that stays infinite.
        improved = monitored <= self.best - self.config.tol and (
            np.isfinite(monitored) or monitored < self.best
        )
        self.n_stalled = 0 if improved else self.n_stalled + 1
        # Without validation keep the latest parameters: an epoch's lower loss may be chance.
        # Some epoch is the best one even if no score is defined.
        if not self.evaluator.validates or monitored < self.best or not result.best_epoch:
            np.copyto(result.theta, self.state.theta)
            result.best_epoch = len(result.loss_curve)
        self.best = min(self.best, monitored)

    def keep_best(self):
        """Keep the best of the start, the best epoch and the selected one after a divergence.

        The validation loss or score decides, or else the loss on the training rows. The losses of
        epochs cannot be compared, because parameters change within an epoch.
        """
        result, rollback, evaluator = self.result, self.rollback, self.evaluator
        candidates = [(rollback.good_epoch, rollback.good[0]), (0, rollback.initial_theta)]
        if evaluator.validates:
            candidates.insert(0, (result.best_epoch, result.theta))
        measures = []
        for _, theta in candidates:
            np.copyto(self.state.theta, theta)  # from where a scorer reads the parameters
            if evaluator.validates:
                loss, score = evaluator.validation_loss_and_score(theta)
                measures.append(-score if self.config.maximize_score else loss)
            else:
                measures.append(evaluator.training_loss(theta))
        result.best_epoch, theta = candidates[int(np.argmin(np.nan_to_num(measures, nan=np.inf)))]
        np.copyto(result.theta, theta)
        np.copyto(self.state.theta, theta)

    def should_stop(self):
        """Return whether training is to stop at a plateau, where an adaptive rate falls first.

        A schedule with a horizon goes on without validation, because its rate has yet to fall.
        """
        config, state = self.config, self.state
        if self.n_stalled <= config.n_iter_no_change:
            return False
        is_minimal = config.learning_rate_init * state.rate_factor <= ADAPTIVE_MIN_RATE
        if getattr(config.schedule, "adapts_to_loss", False) and not is_minimal:
            state.rate_factor /= ADAPTIVE_DIVISOR
            self.n_stalled = 0
            return False
        return self.evaluator.validates or not getattr(config.schedule, "has_horizon", False)
