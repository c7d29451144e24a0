"""Members of an ensemble: their kinds, the rows that they leave out, and their training."""

from dataclasses import dataclass
from inspect import signature
from time import perf_counter

import numpy as np

from . import trial
from .checkpoints import checkpoints_of
from .constraints import (
    to_builtin,
)
from .training import FitData, ValidationRows, train_starts


@dataclass(frozen=True)
class Kind:
    """A kind of member: parameters that it sets, and what its inputs are.

    They may be weighted by their effect in the trials, and be ranks instead of values.
    """

    settings: dict
    weighted: bool = False
    ranked: bool = False


#: Kinds of members, which take turns: those parameters in which they differ from the defaults. They
#: err in different rows, so that their average is better than that of nets of one kind.
CLASSIFIER_KINDS = (
    Kind({}),
    Kind({"hidden_layer_sizes": (100, 100)}, weighted=True, ranked=True),
    Kind({"activation": "cauchy"}),
    Kind({"radius_type": "spherical"}, weighted=True),
)
REGRESSOR_KINDS = (
    Kind({}),
    Kind({"hidden_layer_sizes": (200,)}, weighted=True, ranked=True),
    Kind({"activation": "cauchy"}),
    Kind({"radius_type": "spherical"}, weighted=True),
)


def set_kind(net, kind):
    """Set those parameters of a kind that the net has at their defaults, if it has them."""
    settings, parameters = dict(kind.settings), signature(type(net)).parameters
    if not (isinstance(net.activation, str) and (isinstance(net.init, str) or callable(net.init))):
        settings.pop("hidden_layer_sizes", None)  # there is an activation, or an array, for each
    for name, value in settings.items():
        own = parameters.get(name)  # the constructor of a subclass may have fewer
        if own is not None and to_builtin(getattr(net, name)) == to_builtin(own.default):
            setattr(net, name, value)


def draw_folds(leader, data, n_folds, seed):
    """Return the number of each row's fold; -1 for rows that no member leaves out.

    Equal rows are in one fold, and classes are spread evenly. Rows of a class that a member would
    otherwise not see are never left out.
    """
    rows = data.rows
    first, group = trial.distinct_rows(rows)
    order = np.random.default_rng(seed).permutation(len(first))
    strata = leader._codec.novelty_groups(rows.target[first])
    order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(len(first), dtype=int)
    fold[order] = np.arange(len(first)) % n_folds
    fold = fold[group]
    if hasattr(leader, "classes_"):
        for number in range(n_folds):
            own = fold == number
            unseen = rows.target[own].any(axis=0) & ~rows.target[~own].any(axis=0)
            fold[own] = np.where(rows.target[own][:, unseen].any(axis=1), -1, number)
    if fold.min() == fold.max():
        raise ValueError(
            "out_of_fold=True finds no rows that a member could leave out: all rows are equal, or "
            "each is the only one of its class. Pass more rows, or set out_of_fold=False."
        )
    return fold


def train_member(member, rows, y, validation, tried, left_out, seeds, task, verbose):
    """Train a member; return it, its result, its checkpoints and its output for rows left out.

    `tried` are pairs of a trial and its net. `left_out` is a mask of rows, or None.
    """
    began, data = perf_counter(), FitData(rows, y, validation)
    if task is not None:
        task.begin()
    own_rows, nets = None, [(net, each.take(*data)) for each, net in tried]
    if member._takes_ranks_ or member._feature_weights_ is not None:
        nets = []  # with other inputs, nets of trials would give thresholds that are too low
    if left_out is not None:
        own_rows, nets = ValidationRows(**vars(data.rows.take(left_out))), []
        data = FitData(data.rows.take(~left_out), data.y[~left_out], data.validation)
    checkpoints = checkpoints_of(member, data.rows, data.validation, seeds)
    member, result = train_starts(member, data, seeds, task, checkpoints)
    member._fit_novelty(data.rows, own_rows or data.validation, seeds[0], nets)
    raw = None if own_rows is None else member._raw_output(own_rows.X)
    if task is not None:
        task.end(member)
    if verbose:
        print(f"Member of {member.n_iter_} epochs, {perf_counter() - began:.1f} s")
    return member, result, checkpoints, raw
