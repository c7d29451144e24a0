"""Pruning: smaller nets and ensembles with nearly the same predictions, which are cheap to run."""

from dataclasses import replace
from itertools import pairwise
from math import inf

import numpy as np
from scipy.sparse import issparse, vstack
from sklearn.base import is_classifier
from sklearn.model_selection import KFold

from .._base.constraints import Number, check_parameter
from .._base.ensemble import BaseEnsemble
from .._base.start import training_config
from ..engine import SCHEDULES
from ..engine.losses.regression import SquaredError
from ..engine.training import Rows, TrainingState, train
from ._docs import with_shared_docs
from ._fitted_net import check_members
from .units import measure_units

N_FOLDS = 3  # each is scored by a net that is fine-tuned on the others
RANKING_ROWS = 2000  # units are ranked on at most so many
N_STEPS = 200  # of fine-tuning, at least
RATE_DIVISOR = 3.0  # fine-tuning starts near the goal and uses a smaller rate than the fit
RIDGE = 1e-2  # added to the diagonal of correlations, which are estimated from few rows
STEP = 0.5**0.5  # ratio of consecutive sizes until the first failure
CLOSE = 0.9  # the search ends if a size with this share of the best one's units has failed


@with_shared_docs
def prune(estimator, X, y, tolerance=0.005, *, sample_weight=None, X_train=None):
    """Find a smaller version of a net or an ensemble, with nearly the same score.

    Units are removed in the order of their cost (see Notes), and the remaining net is fine-tuned
    towards the outputs of the large one. Ever smaller copies are tried until a score is too low.
    An ensemble first loses whole members; those left are fine-tuned towards the mean of all.

    Parameters
    ----------
    {net_or_ensemble}
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to score on. They should be held out from the fit: a large net may have memorised its
        training data, which a small one cannot.
    {targets}
    tolerance : float, default=0.005
        Accepted loss of score, compared with ``score(X, y)`` of the large net or the ensemble.
    {sample_weight}
    X_train : {array-like, sparse matrix} of shape (n_train_samples, n_features), default=None
        Further unlabelled rows to fine-tune on, such as the training data; more allow smaller nets.

    Returns
    -------
    pruned : object
        A fitted estimator of the same class. A net has smaller `hidden_layer_sizes`, at least 1
        each (and fewer rows of an array `init`). An ensemble has fewer `estimators_`, often one,
        and these smaller `hidden_layer_sizes`; its own parameters are unchanged, and it has no
        out-of-fold attributes. A copy if nothing smaller is good enough.
    score : float
        Mean `score` of three such estimators, each on a third of X, y that it was not fine-tuned
        on. `pruned` itself is fine-tuned on all of X, and scores better there than on new rows.

    Raises
    ------
    {net_errors}
    ValueError
        For a net without hidden layers, a negative tolerance, and data that do not suit the net.

    Notes
    -----
    The cost of a unit is its `use` (see :func:`unit_report`) times the share of its variance that a
    linear function of the units left in its layer does not explain: nothing if it is dead, without
    effect on the output or replaced by others. Units are removed one by one, the cheapest of all
    layers first, and the shares are updated by the inverse of the correlations, as optimal brain
    surgery [1]_ does for weights. Since fewer units make smaller distances, for some classes more
    than for others, the net is trained towards the probabilities, or the raw output, of the large
    one [2]_, with its solver and without dropout and penalty. Labels are used for the score only.

    Of an ensemble the first member is tried alone, then the first two, and so on. A member that has
    learned the mean output is about as good as all of them, and better than several members that
    have as many units together.

    The smallest of many nets may be good enough by luck, so the search goes downwards and ends near
    the first failure. Still, expect to lose somewhat more on other rows if X has few. The result
    does not depend on `random_state`. `score_samples` is calibrated again, on X. Attributes of the
    training run, such as ``loss_curve_``, are those of the large net.

    References
    ----------
    .. [1] B. Hassibi, D. G. Stork, "Second order derivatives for network pruning: optimal brain
       surgeon", NeurIPS 1992.
    .. [2] G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network",
       arXiv:1503.02531, 2015.

    {iris}
    >>> net = DistanceNetClassifier(100, random_state=0).fit(X[::2], y[::2])
    >>> pruned, score = prune(net, X[1::2], y[1::2], X_train=X[::2])
    >>> pruned.hidden_layer_sizes[0] <= 50, bool(score >= net.score(X[1::2], y[1::2]) - 0.005)
    (True, True)
    """
    members = check_members(estimator, "prune", needs_hidden_units=True)
    check_parameter("prune", "tolerance", tolerance, [Number(0.0, inf, "[)")])
    X, y, weights = members[0]._check_data(X, y, sample_weight)
    X, y, weights = members[0]._drop_weightless(X, y, weights, min_rows=1)
    if X.shape[0] < 2 * N_FOLDS:
        raise ValueError(
            f"prune needs at least {2 * N_FOLDS} rows of positive weight in X, two for each of "
            f"{N_FOLDS} parts; got n_samples = {X.shape[0]}."
        )
    held_out = Rows(X, y, weights)
    X_train = None if X_train is None else members[0]._check_rows(X_train)
    distillation = DistillationSet(members, held_out, X_train)
    evaluation = Evaluation(estimator, distillation, held_out)
    pruned, score = search(members, distillation, evaluation, tolerance)
    for net, large in zip(pruned, members):
        if "_novelty_" in vars(large):
            calibrate_novelty(net, large, held_out)
    return replace_members(estimator, pruned), score


def search(members, distillation, evaluation, tolerance):
    """Return the smallest nets found whose score is good enough, and the score.

    Sizes smaller than one that failed are not tried: one of many would pass by luck.
    """
    full_score = evaluation.score(members, fine_tuned=False)
    best, nets, score = None, members, full_score
    # A member that has learned the mean is better than several small ones.
    for n_members in range(1, len(members)):
        candidate_score = evaluation.score(members[:n_members])
        if candidate_score >= full_score - tolerance:
            best = nets = members[:n_members]
            score = candidate_score
            break
    ranked = np.random.default_rng(0).permutation(len(distillation.rows))[:RANKING_ROWS]
    rows = distillation.rows.take(ranked)
    order = removal_order(
        [layer for net in nets for layer in measure_units(net, rows.X, rows.weights)]
    )
    # Every layer keeps a unit, and most nets need no more than half of their units.
    sizes = hidden_sizes(nets)
    n_layers, large = len(sizes), sum(sizes)
    small, size = n_layers - 1, large // 2
    while large - small > 1 and small <= CLOSE * large:
        size = min(max(size, small + 1), large - 1)
        candidate = subnets(nets, remaining_units(sizes, order, size))
        candidate_score = evaluation.score(candidate)
        if candidate_score >= full_score - tolerance:
            best, score, large = candidate, candidate_score, size
        else:
            small = size
        size = round(large * STEP if small < n_layers else np.sqrt(small * large))
    if best is None:
        return [net._candidate(keep=True) for net in members], score
    return [distillation.fine_tune(net) for net in best], score


def replace_members(estimator, nets):
    """Return the only net, or an ensemble with the parameters of `estimator` and these members."""
    return estimator._with_members(nets) if isinstance(estimator, BaseEnsemble) else nets[0]


def calibrate_novelty(net, large, held_out):
    """Calibrate novelty scores on held-out rows; the box is that of the large net with these."""
    target = large._codec.encode(held_out.target, large._network.dtype)
    net._fit_novelty(Rows(held_out.X, target, held_out.weights), None, seed=0)
    bounds, (low, high) = net._novelty_["bounds"], large._novelty_["bounds"]
    bounds[0], bounds[1] = np.fmin(bounds[0], low), np.fmax(bounds[1], high)


class Evaluation:
    """Cross-validated scores of smaller nets, each in place of all members of the estimator."""

    def __init__(self, estimator, distillation, held_out):
        self.estimator, self.distillation = estimator, distillation
        folds = KFold(N_FOLDS, shuffle=True, random_state=0).split(held_out.X)
        self.folds = [(fold, held_out.take(fold)) for _, fold in folds]

    def score(self, nets, fine_tuned=True):
        """Return the weighted mean of the scores on the folds, by nets fine-tuned on the others."""
        scores, totals = [], []
        for fold, rows in self.folds:
            if fine_tuned:
                scored = [self.distillation.fine_tune(net, without=fold) for net in nets]
            else:
                scored = [net._candidate(keep=True) for net in nets]
            # Rows are validated, and in columns of categories have codes in place of levels.
            vars(scored[0])["_check_rows"] = lambda X: X
            model = replace_members(self.estimator, scored)
            scores.append(model.score(rows.X, rows.target, sample_weight=rows.weights))
            totals.append(len(rows) if rows.weights is None else rows.weights.sum())
        return float(np.average(scores, weights=totals))


class DistillationSet:
    """Rows with the mean outputs of all members, to fine-tune on; the held-out rows are first."""

    def __init__(self, members, held_out, X_train):
        X, weights = held_out.X, held_out.weights
        if X_train is not None:
            is_sparse = issparse(X) or issparse(X_train)
            X = vstack([X, X_train]).tocsr() if is_sparse else np.concatenate([X, X_train])
            if weights is not None:
                weights = np.append(weights, np.full(X_train.shape[0], weights.mean()))
        self.loss = members[0]._codec.loss if is_classifier(members[0]) else SquaredError()
        outputs = [self.loss.inverse_link(net._raw_output(X)) for net in members]
        self.rows = Rows(X, np.mean(outputs, axis=0), weights)

    def fine_tune(self, net, without=()):
        """Return a copy of the `net` fine-tuned on all rows except those of the fold `without`."""
        rows = self.rows.take(np.delete(np.arange(len(self.rows)), np.asarray(without, dtype=int)))
        config = training_config(net, len(rows), max_iter=1)
        config = replace(
            config,
            loss=self.loss,
            schedule=SCHEDULES["cosine"](),
            learning_rate_init=config.learning_rate_init / RATE_DIVISOR,
            max_iter=-(-N_STEPS // -(-len(rows) // config.batch_size)),
            alpha=0.0,
            dropout=0.0,
        )
        theta = net._theta_.copy()
        state = TrainingState(theta, config.solver.init(theta), np.random.default_rng(0))
        fine_tuned = net._candidate(keep=True)
        fine_tuned._theta_ = train(net._network, net._input_map, rows, config, state).theta
        return fine_tuned


def removal_order(layers):
    """Return pairs of layer and unit in order of removal, without the last unit of each layer."""
    inverses, remaining, costs = [], [], []
    for layer in layers:
        correlation = layer.correlation()
        correlation.flat[:: len(correlation) + 1] = 1.0 + RIDGE
        inverses.append(np.linalg.inv(correlation))
        remaining.append(np.ones(len(correlation), dtype=bool))
        costs.append(layer.use / np.diag(inverses[-1]))
    order = []
    while any(removable := [units.sum() > 1 for units in remaining]):
        cheapest = [cost.min() if is_free else inf for cost, is_free in zip(costs, removable)]
        number = int(np.argmin(cheapest))
        inverse, unit = inverses[number], int(costs[number].argmin())
        remaining[number][unit] = False
        order.append((number, unit))
        # Downdate to the inverse of the correlations of the remaining units.
        column = inverse[:, unit].copy()
        inverse -= np.outer(column, column / column[unit])
        shares = 1.0 / np.where(remaining[number], np.diag(inverse), 1.0)
        costs[number] = np.where(remaining[number], layers[number].use * shares, inf)
    return order


def hidden_sizes(nets):
    """Return the number of units of each hidden layer of all nets."""
    return [size for net in nets for size in net._network.sizes[1:-1]]


def remaining_units(sizes, order, size):
    """Return the units of each of some layers that remain if there are `size` of them in all."""
    remaining = [np.ones(n_units, dtype=bool) for n_units in sizes]
    for layer, unit in order[: sum(sizes) - size]:
        remaining[layer][unit] = False
    return [np.flatnonzero(units) for units in remaining]


def subnets(nets, remaining):
    """Return a :func:`subnet` of each net, given the remaining units of the layers of all."""
    ends = np.cumsum([len(hidden_sizes([net])) for net in nets])
    return [
        subnet(net, remaining[end - len(hidden_sizes([net])) : end]) for net, end in zip(nets, ends)
    ]


def subnet(estimator, remaining):
    """Return a copy with the `remaining` units of each hidden layer and their parameters."""
    network, net = estimator._network, estimator._candidate(keep=True)
    sizes = network.sizes[0], *map(len, remaining), network.sizes[-1]
    net.hidden_layer_sizes = sizes[1:-1]
    if not isinstance(net.init, str) and not callable(net.init):
        net.init = np.asarray(net.init)[remaining[0]]
    net._specification_ = (sizes, *estimator._specification_[1:])
    net.__dict__.pop("_progress_", None)  # the solver's state is that of more parameters
    ends = [np.arange(network.sizes[0]), *remaining, np.arange(network.sizes[-1])]
    net._theta_ = np.zeros(net._network.n_parameters, dtype=network.dtype)
    old, new = network.views(estimator._theta_), net._network.views(net._theta_)
    for number, (inputs, units) in enumerate(pairwise(ends)):
        for name, values in new[number].items():
            if name == "linear_coefs":
                values[...] = old[number][name]
                continue
            axes = {"intercepts": [units], "coefs": [inputs, units]}.get(name, [units, inputs])
            # Shared inverse radii have one row or one column.
            source = old[number][name]
            axes = [axis if size > 1 else [0] for axis, size in zip(axes, source.shape)]
            values[...] = source[np.ix_(*axes)]
    return net
