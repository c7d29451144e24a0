"""Smaller nets that answer alike, for models that must be cheap to run."""

from dataclasses import replace
from itertools import pairwise
from math import inf

import numpy as np
from scipy.sparse import issparse, vstack
from sklearn.base import is_classifier
from sklearn.model_selection import KFold

from .._base.constraints import Number, check_parameter
from ..engine import SCHEDULES
from ..engine.losses.regression import SquaredError
from ..engine.training.config import Rows, TrainingState
from ..engine.training.loop import train
from ._validation import check_hidden_layers, check_net
from .units import measure_units

__all__ = ["prune"]

#: Rows are dealt into so many parts, each scored by a net that has not learned from it.
N_FOLDS = 3
#: Rows, at most, that units are ranked on.
RANKING_ROWS = 2000
#: A smaller net makes so many steps, at the least, towards the answers of the large one.
N_STEPS = 200
#: Its rate is the net's own, divided by this: it does not start from nothing.
RATE_DIVISOR = 3.0
#: Added to the diagonal of correlations: what units tell of each other is known from some rows.
RIDGE = 1e-2
#: Each size tried is this share of the one before, until one fails.
STEP = 0.5**0.5
#: The search ends when the largest net that fails has this share of the units of the smallest that
#: does not.
CLOSE = 0.9


def prune(estimator, X, y, tolerance=0.005, *, sample_weight=None, X_train=None):
    """Find a smaller net that scores as well, but for the tolerance.

    Units are ranked by what would be lost without them; those at the end are taken away, and what
    is left is trained for a short while to answer as the large net does. Ever smaller nets are
    tried until one no longer scores well enough.

    Parameters
    ----------
    estimator : DistanceNetClassifier or DistanceNetRegressor
        Fitted, with hidden layers of any kind. It stays as it is.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to score on. Hold them out from the fit: a large net may know those by heart, which
        a small one cannot.
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
        Their labels or targets.
    tolerance : float, default=0.005
        How much of the score of the large net, its ``score(X, y)``, may be lost. Scores are those
        of the nets' own answers, which `handle_novelty` does not change yet.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows of X, none of them negative.
    X_train : {array-like, sparse matrix} of shape (n_train_samples, n_features), default=None
        Further rows, without labels, to learn the large net's answers on: those of the fit, or any
        others of their kind. The more there are the smaller a net will do.

    Returns
    -------
    pruned : DistanceNetClassifier or DistanceNetRegressor
        A fitted net of the estimator's class and parameters, but for smaller `hidden_layer_sizes`
        (and for the rows of an array `init`). Every layer keeps one unit at least. If no smaller
        net does as well, it is a copy.
    score : float
        What `score` is for nets of its size: the mean over three parts of X, y, each asked of a net
        that has learned from the other two alone, as in cross-validation. `pruned` itself has
        learned from all of them, and scores better there than on new rows.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        Before the fit.
    TypeError
        For other estimators.
    ValueError
        For a net without hidden layers, a negative tolerance, and data that do not suit the net.

    See Also
    --------
    unit_report : What each hidden unit is of use for.

    Notes
    -----
    The loss without a unit is its `use` (see :func:`unit_report`) times the share of its answers'
    variance that a linear function of the units left in its layer does not explain: a unit that is
    dead, that no output listens to or that others speak for costs nothing. Units go one by one, the
    cheapest of all layers first, and each time the shares are known anew from the inverse of the
    correlations. That is optimal brain surgery [1]_ on units instead of weights. A
    distance layer without a unit measures less, by more for some classes than for others. So the
    remaining net is trained on towards the probabilities, or the raw output, of the large one [2]_,
    by its own solver and without dropout and decay. Labels are looked at for the score alone.

    Of several nets whose score is good enough the smallest is often a lucky one. So sizes are tried
    downwards, and the first that fails bounds the search; still, expect to lose somewhat more on
    other rows than on few rows here.

    The result does not depend on `random_state`. `score_samples` is calibrated anew, on X.
    Attributes about the training, such as ``loss_curve_``, are those of the large net.

    References
    ----------
    .. [1] B. Hassibi, D. G. Stork, "Second order derivatives for network pruning: optimal brain
       surgeon", NeurIPS 1992.
    .. [2] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network",
       arXiv:1503.02531, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.inspection import prune
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_held, y_train, y_held = train_test_split(X, y, stratify=y, random_state=0)
    >>> net = DistanceNetClassifier(100, random_state=0).fit(X_train, y_train)
    >>> pruned, score = prune(net, X_held, y_held, X_train=X_train)
    >>> bool(score >= net.score(X_held, y_held) - 0.005)
    True
    >>> pruned.hidden_layer_sizes[0] <= 50
    True
    """
    check_net(estimator, "prune")
    check_hidden_layers(estimator, "prune")
    check_parameter("prune", "tolerance", tolerance, [Number(0.0, inf, "[)")])
    X, y, weights = estimator._check_data(X, y, sample_weight, reset=False)
    X, y, weights = estimator._drop_weightless(X, y, weights, min_rows=1)
    if X.shape[0] < 2 * N_FOLDS:
        raise ValueError(
            f"prune needs at least {2 * N_FOLDS} rows of positive weight in X, two for each of "
            f"{N_FOLDS} parts; got n_samples = {X.shape[0]}."
        )
    target = estimator._encode_target(y, estimator._network.dtype)
    held = Rows(X, y, weights)
    lessons = Lessons(estimator, held, None if X_train is None else estimator._check_rows(X_train))
    order = removal_order(lessons.rank_units())
    found, score = search(estimator, order, tolerance, held, lessons)
    calibrate_novelty(estimator, found, Rows(X, target, weights))
    return found, score


# The search ---------------------------------------------------------------------------------------


def search(estimator, order, tolerance, held, lessons):
    """The smallest net found whose score holds, and the score: down by steps, then bisection.

    Smaller nets than the first that fails are not looked at: one of many would pass by luck.
    """
    n_units = lessons.n_units
    folds = [scored for _, scored in KFold(N_FOLDS, shuffle=True, random_state=0).split(held.X)]
    wanted = score_of([estimator] * N_FOLDS, held, folds)
    start, score = None, wanted
    # Every layer keeps a unit. Most nets can do with half of their units.
    least = len(estimator._network.layers) - 2
    large, small, size = n_units, least, n_units // 2
    while large - small > 1 and small <= CLOSE * large:
        size = min(max(size, small + 1), large - 1)
        candidate = subnet(estimator, kept_units(estimator, order, size))
        reached = score_of([lessons.teach(candidate, fold) for fold in folds], held, folds)
        if reached >= wanted - tolerance:
            start, score, large = candidate, reached, size
        else:
            small = size
        size = round(large * STEP if small == least else np.sqrt(small * large))
    return (estimator._draft(keep=True) if start is None else lessons.teach(start)), score


def score_of(nets, held, folds):
    """Mean of the scores of nets on a fold each, by weight."""
    scores, masses = [], []
    for net, fold in zip(nets, folds):
        weights = None if held.weights is None else held.weights[fold]
        # Rows have been validated, and their names are no longer there to be compared. What the
        # large net found novel says nothing about the activations of a small one.
        net = net._draft(keep=True)
        net.__dict__.pop("feature_names_in_", None)
        net._forget_novelty()
        scores.append(net.score(held.X[fold], held.target[fold], sample_weight=weights))
        masses.append(len(fold) if weights is None else weights.sum())
    return float(np.average(scores, weights=masses))


class Lessons:
    """Rows with the answers of the large net, which smaller ones learn; those of `held` first."""

    def __init__(self, estimator, held, X_train):
        self.estimator, self.X, self.weights = estimator, held.X, held.weights
        if X_train is not None:
            stack = vstack if issparse(held.X) or issparse(X_train) else np.concatenate
            self.X = stack([held.X, X_train])
            if issparse(self.X):
                self.X = self.X.tocsr()
            if held.weights is not None:
                usual = np.full(X_train.shape[0], held.weights.mean())
                self.weights = np.concatenate([held.weights, usual])
        self.loss = estimator._make_loss() if is_classifier(estimator) else SquaredError()
        self.answers = self.loss.inverse_link(estimator._raw_output(self.X))

    @property
    def n_units(self):
        """Number of hidden units of the large net."""
        return sum(self.estimator._network.sizes[1:-1])

    def rank_units(self):
        """What is known of the large net's units: see :func:`measure_units`."""
        chosen = np.random.default_rng(0).permutation(self.X.shape[0])[:RANKING_ROWS]
        weights = None if self.weights is None else self.weights[chosen]
        return measure_units(self.estimator, self.X[chosen], weights)

    def teach(self, net, left_out=()):
        """A copy of the `net` that has learned from all rows but those left out."""
        rows = np.delete(np.arange(self.X.shape[0]), np.asarray(left_out, dtype=int))
        weights = None if self.weights is None else self.weights[rows]
        lesson = Rows(self.X[rows], self.answers[rows], weights)
        taught, theta = net._draft(keep=True), net._theta_.copy()
        config = net._config(len(lesson), 1)
        steps_per_epoch = -(-len(lesson) // config.batch_size)
        config = replace(
            config,
            loss=self.loss,
            schedule=SCHEDULES["cosine"](),
            learning_rate_init=config.learning_rate_init / RATE_DIVISOR,
            max_iter=-(-N_STEPS // steps_per_epoch),
            alpha=0.0,
            dropout=0.0,
        )
        run = TrainingState(theta, config.solver.init(theta), np.random.default_rng(0))
        taught._theta_ = train(net._network, net._input_map, lesson, config, run).theta
        return taught


# Units --------------------------------------------------------------------------------------------


def removal_order(layers):
    """Pairs of layer and unit, the first to go first; the last unit of each layer is not there."""
    inverses, left, costs = [], [], []
    for layer in layers:
        correlation = layer.correlation()
        correlation.flat[:: len(correlation) + 1] = 1.0 + RIDGE
        inverses.append(np.linalg.inv(correlation))
        left.append(np.ones(len(correlation), dtype=bool))
        costs.append(layer.use / np.diag(inverses[-1]))
    order = []
    while any(free := [rest.sum() > 1 for rest in left]):
        cheapest = [cost.min() if is_free else np.inf for cost, is_free in zip(costs, free)]
        number = int(np.argmin(cheapest))
        inverse, unit = inverses[number], int(costs[number].argmin())
        left[number][unit] = False
        order.append((number, unit))
        # What is left is the inverse of the correlations of the others.
        column = inverse[:, unit].copy()
        inverse -= np.outer(column, column / column[unit])
        shares = 1.0 / np.where(left[number], np.diag(inverse), 1.0)
        costs[number] = np.where(left[number], layers[number].use * shares, np.inf)
    return order


def kept_units(estimator, order, size):
    """For each hidden layer the units that are left when `size` are, in order."""
    sizes = estimator._network.sizes[1:-1]
    left = [np.ones(n_units, dtype=bool) for n_units in sizes]
    for layer, unit in order[: sum(sizes) - size]:
        left[layer][unit] = False
    return [np.flatnonzero(rest) for rest in left]


def subnet(estimator, kept):
    """A copy with the `kept` units of each hidden layer and the parameters they had."""
    network, net = estimator._network, estimator._draft(keep=True)
    sizes = network.sizes[0], *map(len, kept), network.sizes[-1]
    net.hidden_layer_sizes = sizes[1:-1]
    if not isinstance(net.init, str) and not callable(net.init):
        net.init = np.asarray(net.init)[kept[0]]
    net._specification_ = (sizes, *estimator._specification_[1:])
    net._keep_progress(None)  # the solver's averages are those of another vector
    ends = [np.arange(network.sizes[0]), *kept, np.arange(network.sizes[-1])]
    net._theta_ = np.zeros(net._network.n_parameters, dtype=network.dtype)
    old, new = network.views(estimator._theta_), net._network.views(net._theta_)
    for number, (inputs, units) in enumerate(pairwise(ends)):
        for name, values in new[number].items():
            values[...] = select(name, old[number][name], units, inputs)
    return net


def select(name, values, units, inputs):
    """The part of a layer's parameters that belongs to these units and inputs."""
    if name == "intercepts":
        return values[units]
    if name == "coefs":
        return values[np.ix_(inputs, units)]
    # Inverse radii that are shared have one row, or one column.
    rows = units if len(values) > 1 else [0]
    columns = inputs if values.shape[1] > 1 else [0]
    return values[np.ix_(rows, columns)]


def calibrate_novelty(estimator, pruned, rows):
    """Teach `pruned` what is novel, if the large net knows: box and prior of its data stay."""
    if "_novelty_" not in vars(estimator):
        return
    pruned._learn_novelty(rows, None, seed=0)
    pruned._novelty_.pop("prior", None)
    if "prior" in estimator._novelty_:
        pruned._novelty_["prior"] = estimator._novelty_["prior"]
    bounds, before = pruned._novelty_["bounds"], estimator._novelty_["bounds"]
    bounds[0], bounds[1] = np.fmin(bounds[0], before[0]), np.fmax(bounds[1], before[1])
