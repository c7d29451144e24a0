"""The tasks of a fit, starts and epochs, for the callbacks of scikit-learn 1.9 and newer."""

import copy
import warnings

import sklearn

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        def set_callbacks(self, *callbacks):
            """Warn that callbacks are ignored, and return the estimator."""
            warnings.warn(
                "Callbacks are ignored: they need scikit-learn 1.9 or newer; this is "
                f"{sklearn.__version__}.",
                stacklevel=2,
            )
            return self

    def with_callbacks(method):
        return method


def fitted_attributes(estimator):
    """Return all fitted attributes of an estimator, with which a copy of it is fitted."""
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


def fit_task(estimator, n_starts, n_trials, X, y, sample_weight):
    """Return the task of a fit; None if scikit-learn has no callbacks."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    n_parts = n_starts + n_trials
    context = estimator._init_callback_context(
        max_subtasks=n_parts if n_parts > 1 else estimator.max_iter,
        sequential_subtasks=n_parts == 1,
    )
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    return FitTask(context, data)


class FitTask:
    """A task whose subtasks are epochs, or trials and starts whose subtasks are epochs.

    Callbacks see the user's estimator, which does not change before the end, and can build fitted
    copies with the attributes of the candidate.
    """

    def __init__(self, context, data):
        self.context, self.data = context, data
        self.epoch: FitTask | None = None
        self.n_parts = 0

    def begin(self):
        """Run the callbacks for the beginning of the task."""
        self.context.call_on_fit_task_begin(**self.data)

    def end(self, candidate, **changed):
        """Run the callbacks for the end of the task; return whether one requests to stop."""
        return self.context.call_on_fit_task_end(
            reconstruction_attributes=lambda: copy.deepcopy(fitted_attributes(candidate) | changed),
            **self.data,
        )

    def part(self, name):
        """Return the subtask of a part of the fit, a trial or a start."""
        number, max_iter = self.n_parts, self.data["estimator"].max_iter
        self.n_parts += 1
        context = self.context.subcontext(task_name=name, task_id=number, max_subtasks=max_iter)
        return FitTask(context, self.data)

    def begin_epoch(self):
        """Begin an epoch, unless one is being repeated after divergence."""
        if self.epoch is None:
            self.epoch = FitTask(self.context.subcontext(task_name="epoch"), self.data)
            self.epoch.begin()

    def end_epoch(self, candidate, theta):
        """End an epoch; return whether training is to stop."""
        epoch, self.epoch = self.epoch, None
        return epoch is not None and epoch.end(candidate, _theta_=theta)
