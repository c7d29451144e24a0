"""The label of rejected rows, and the dtype of an array that holds it beside the classes."""

import numpy as np

__all__ = ["answer_dtype", "choose_reject_label"]

NUMBERS = "biuf"


def choose_reject_label(given, classes):
    """Return `given`, or for "auto" a label that suits the classes.

    Parameters
    ----------
    given : scalar or None
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    label : scalar or None

    Raises
    ------
    ValueError
        If it is one of the classes, or not a scalar.
    """
    classes = np.asarray(classes)
    label = suitable_label(classes) if isinstance(given, str) and given == "auto" else given
    if np.ndim(label) > 0:
        raise ValueError(
            "The 'reject_label' parameter of RejectingClassifier must be a number, a string, None "
            f"or 'auto'; got {given!r}."
        )
    if label in classes.tolist():
        raise ValueError(
            "The 'reject_label' parameter of RejectingClassifier must not be one of the classes, "
            f"{classes.tolist()}; got {given!r}."
        )
    return label


def suitable_label(classes):
    """Return -1 or an integer below the classes, "reject", or None."""
    if classes.dtype.kind in NUMBERS:
        return min(-1, int(np.floor(classes.min())) - 1)
    if all(isinstance(label, str) for label in classes.tolist()):
        return "reject"
    return None


def answer_dtype(classes, label):
    """Return a dtype that holds the classes and `label` without changing any of them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    label : scalar or None

    Returns
    -------
    dtype : numpy.dtype
        That of objects, unless all are numbers or all are strings.
    """
    classes = np.asarray(classes)
    own = np.min_scalar_type(label)
    kinds = classes.dtype.kind + own.kind
    if set(kinds) <= set(NUMBERS) or kinds == "UU":
        dtype = np.result_type(classes.dtype, own)
        # Large whole numbers do not all fit among floats.
        if (classes.astype(dtype).astype(classes.dtype) == classes).all():
            return dtype
    return np.dtype(object)
