"""The tasks of a fit, as scikit-learn's callbacks see them: starts, if several, and epochs."""

import copy

from .compat import callback_context

__all__ = ["FitTask", "fit_task", "learned"]


def learned(estimator):
    """What makes a copy of the estimator as fitted as this one."""
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


def fit_task(estimator, n_starts, X, y, sample_weight):
    """The task of a whole fit; None where scikit-learn has no callbacks."""
    several = n_starts > 1
    context = callback_context(
        estimator,
        max_subtasks=n_starts if several else estimator.max_iter,
        sequential_subtasks=not several,
    )
    if context is None:
        return None
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return FitTask(estimator, context, {"X": X, "y": y, "metadata": metadata})


class FitTask:
    """A task whose subtasks are epochs, or starts whose subtasks are.

    Callbacks are shown the estimator that a user has, which learns nothing before the end, and are
    handed copies as fitted as the draft is.
    """

    def __init__(self, estimator, context, data):
        self.estimator, self.context, self.data = estimator, context, data
        self.epoch: FitTask | None = None

    def begin(self):
        """Tell callbacks that the task begins."""
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end(self, draft, **changed):
        """Tell callbacks what the task has come to; returns whether one of them wants to stop."""
        return self.context.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: copy.deepcopy(learned(draft) | changed),
            **self.data,
        )

    def start(self, number):
        """The subtask of a start."""
        max_iter = self.estimator.max_iter
        context = self.context.subcontext(task_name="start", task_id=number, max_subtasks=max_iter)
        return FitTask(self.estimator, context, self.data)

    def begin_epoch(self):
        """Begin an epoch, unless one is being made again."""
        if self.epoch is None:
            context = self.context.subcontext(task_name="epoch")
            epoch = self.epoch = FitTask(self.estimator, context, self.data)
            epoch.begin()

    def end_epoch(self, draft, theta):
        """End an epoch; returns whether training is to stop."""
        epoch, self.epoch = self.epoch, None
        return epoch is not None and epoch.end(draft, _theta_=theta)
