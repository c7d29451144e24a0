"""Base class of the displays, with the docstrings, checks and selections they have in common."""

import re
from dataclasses import dataclass
from inspect import signature
from math import inf
from typing import dataclass_transform

import numpy as np

from .._base.constraints import COUNT, NONE, Number, Rule, check_parameter
from ..inspection._docs import with_shared_docs
from ..inspection._fitted_net import check_net

INDEX = Number(0, inf, integer=True)


@dataclass_transform(kw_only_default=True, eq_default=False)
def display_class(cls):
    """Make a display a dataclass and complete its docstrings, as a decorator.

    The parameters of ``plot`` are described as in ``from_estimator``.
    """
    cls = dataclass(kw_only=True, eq=False, repr=False)(cls)
    for member in vars(cls).values():
        if isinstance(member, classmethod):
            with_shared_docs(member.__func__, cls)
    entry = r"^(\w+)( : .*(?:\n    .*)*)"
    described = dict(re.findall(entry, cls.from_estimator.__doc__, re.MULTILINE))
    names = list(signature(cls.plot).parameters)[1:]
    parameters = "\n".join(name + described.get(name, "") for name in names)
    heading = f"{cls.plot.__doc__}\n\nParameters\n----------"
    cls.plot.__doc__ = f"{heading}\n{parameters}\n\n{{display}}"
    with_shared_docs(cls.plot, cls)
    return with_shared_docs(cls)


class Display:
    """A plot that keeps its numbers as attributes, so that drawing again computes nothing."""

    @classmethod
    def _check_net(cls, estimator, or_recurrent=False):
        """Raise an error without matplotlib or a fitted distance net."""
        cls._import_pyplot("from_estimator")
        check_net(estimator, cls.__name__, or_recurrent=or_recurrent)

    @classmethod
    def _import_pyplot(cls, method):
        """Return matplotlib.pyplot, or raise an ImportError before anything is computed."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                f"{cls.__name__}.{method} needs matplotlib, which is not installed: "
                "pip install matplotlib."
            ) from error
        return plt

    def _take_axes(self, ax):
        """Set and return the axes to draw on, those of a new figure if `ax` is None."""
        plt = self._import_pyplot("plot")
        self.ax_ = plt.subplots(layout="constrained")[1] if ax is None else ax
        self.figure_ = self.ax_.figure
        return self.ax_


def name_features(estimator, feature_names, caller):
    """Return the given names, else those seen in the fit, else x0, x1 and so on."""
    n_features = estimator.n_features_in_
    if feature_names is None:
        numbered = [f"x{number}" for number in range(n_features)]
        feature_names = getattr(estimator, "feature_names_in_", numbered)
    names = [str(name) for name in feature_names]
    if len(names) != n_features:
        raise ValueError(
            f"The 'feature_names' parameter of {caller} must have one name for each of the "
            f"{n_features} features; got {len(names)} names."
        )
    return names


def select_indices(value, by_rank, names, parameter, caller):
    """Return the indices that `value` selects: the first few by rank, those listed, or all.

    `by_rank` holds all indices, and `names` what `value` may list instead of indices.
    """
    numbers = range(len(by_rank))
    indices = dict(zip(names, numbers)) | dict(zip(numbers, numbers))

    def is_known(entry):
        return (isinstance(entry, str) or INDEX.accepts(entry)) and entry in indices

    def are_known(entries):
        return np.ndim(entries) == 1 and len(entries) > 0 and all(map(is_known, entries))

    kind = "indices or names" if len(names) else "indices"
    listed = Rule(f"a sequence of {kind} of the {len(by_rank)} available", are_known)
    check_parameter(caller, parameter, value, [COUNT, listed, NONE])
    if np.ndim(value) == 0:
        return by_rank[:value]
    return np.array([indices[entry] for entry in value])
