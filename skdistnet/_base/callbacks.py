"""The tasks of a fit, such as epochs, for the callbacks of scikit-learn 1.9 and newer."""

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


def with_changes(candidate, changed):
    """Return the fitted attributes of a net that is being trained, with some that have changed."""
    return fitted_attributes(candidate) | changed


def fit_task(estimator, max_epochs, n_parts, X, y, sample_weight, attributes_of=with_changes):
    """Return the task of a fit; None if there are no callbacks, to which its data would be sent.

    `attributes_of(candidate, changed)` returns the attributes that make a copy of the estimator a
    fitted one.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    context = estimator._init_callback_context(
        max_subtasks=n_parts if n_parts > 1 else max_epochs, sequential_subtasks=n_parts == 1
    )
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    return FitTask(context, data, max_epochs, attributes_of)


class FitTask:
    """A task whose subtasks are epochs, or else trials, members and starts.

    Callbacks see the user's estimator, which does not change before the end, and can build fitted
    copies with the attributes of the candidate.
    """

    def __init__(self, context, data, max_epochs, attributes_of):
        self.context, self.data = context, data
        self.max_epochs, self.attributes_of = max_epochs, attributes_of
        self.epoch: FitTask | None = None
        self.n_parts = 0

    def begin(self):
        """Run the callbacks for the beginning of the task."""
        self.context.call_on_fit_task_begin(**self.data)

    def end(self, candidate, **changed):
        """Run the callbacks for the end of the task; return whether one requests to stop."""
        return self.context.call_on_fit_task_end(
            reconstruction_attributes=lambda: copy.deepcopy(self.attributes_of(candidate, changed)),
            **self.data,
        )

    def part(self, name, n_parts=1):
        """Return the subtask of a part of the fit, with epochs or `n_parts` parts of its own."""
        number = self.n_parts
        self.n_parts += 1
        size = {"max_subtasks": self.max_epochs}
        if n_parts > 1:
            size = {"max_subtasks": n_parts, "sequential_subtasks": False}
        return self._subtask(self.context.subcontext(task_name=name, task_id=number, **size))

    def _subtask(self, context):
        return FitTask(context, self.data, self.max_epochs, self.attributes_of)

    def begin_epoch(self):
        """Begin an epoch, unless one is being repeated after divergence."""
        if self.epoch is None:
            self.epoch = self._subtask(self.context.subcontext(task_name="epoch"))
            self.epoch.begin()

    def end_epoch(self, candidate, theta):
        """End an epoch; return whether training is to stop."""
        epoch, self.epoch = self.epoch, None
        return epoch is not None and epoch.end(candidate, _theta_=theta)
