"""What the displays share: axes to draw on, names of features, which of many to show."""

from numbers import Integral

import numpy as np

__all__ = ["Display", "choose", "is_int", "name_features"]


class Display:
    """A plot whose numbers are attributes, so that drawing it again computes nothing anew."""

    @classmethod
    def _check_matplotlib(cls, method):
        """Raise an ImportError that says what to install, before anything is computed."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{cls.__name__}.{method} needs matplotlib, which is not installed: "
                "pip install matplotlib."
            ) from error
        return plt

    def _take_axes(self, ax):
        """Set the axes drawn on, of a new figure if None are given, and return them."""
        plt = self._check_matplotlib("plot")
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        return ax


def name_features(estimator, feature_names, asker):
    """The names given, else those that the net was fitted with, else x0, x1 and so on."""
    n_features = estimator.n_features_in_
    if feature_names is None:
        numbered = [f"x{number}" for number in range(n_features)]
        feature_names = getattr(estimator, "feature_names_in_", numbered)
    names = [str(name) for name in feature_names]
    if len(names) != n_features:
        raise ValueError(
            f"The 'feature_names' parameter of {asker} must have one name for each of the "
            f"{n_features} features; got {len(names)} names."
        )
    return names


def choose(given, by_rank, names, parameter, asker):
    """Indices of what to show.

    Parameters
    ----------
    given : int, sequence of int or str, or None
        How many, the first by rank; which, by index or by name; or all.
    by_rank : ndarray of int
        All indices, the first to be shown first.
    names : sequence of str
        Names that `given` may hold, by index; empty if there are none.
    parameter, asker : str
        Whose parameter it is that was given.

    Returns
    -------
    chosen : ndarray of int
    """
    if given is None:
        return by_rank
    if is_int(given) and given >= 1:
        return by_rank[: int(given)]
    n_known = len(by_rank)
    if np.ndim(given) == 1 and len(given):
        indices = dict(zip(names, range(n_known))) | {index: index for index in range(n_known)}
        if all(isinstance(one, str) or is_int(one) for one in given) and set(given) <= set(indices):
            return np.array([indices[one] for one in given])
    or_names = " or names" if len(names) else ""
    raise ValueError(
        f"The '{parameter}' parameter of {asker} must be an int of at least 1, a sequence of "
        f"indices{or_names} within the {n_known} that there are, or None; got {given!r}."
    )


def is_int(value):
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
