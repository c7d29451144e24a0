"""Every difference between versions of scikit-learn, and nothing else."""

import warnings

import sklearn

__all__ = ["CallbackSupportMixin", "callback_context", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Says that there are no callbacks yet."""

        def set_callbacks(self, *callbacks):
            """Warn that callbacks are ignored.

            Parameters
            ----------
            *callbacks : callback instances
                Ignored.

            Returns
            -------
            self : estimator
            """
            warnings.warn(
                "Callbacks are ignored: they need scikit-learn 1.9 or newer; this is "
                f"{sklearn.__version__}.",
                stacklevel=2,
            )
            return self

    def with_callbacks(method):
        """Return the method as it is."""
        return method


def callback_context(estimator, **options):
    """The root of the tasks of a fit, or None where scikit-learn has no callbacks."""
    if not hasattr(estimator, "_init_callback_context"):
        return None
    return estimator._init_callback_context(**options)
