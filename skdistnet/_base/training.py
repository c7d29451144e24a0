"""Training of a candidate: from validated rows and parameters to a trained network."""

import warnings
from dataclasses import dataclass, fields, replace
from threading import Lock
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed

from ..engine import SCHEDULES, SOLVERS
from ..engine.init.fine_structure import MEDIANS
from ..engine.init.initializers import draw_start_rows, first_median_activation, initialize
from ..engine.layers import Distance
from ..engine.losses import normalized_weights
from ..engine.network import usual_linear_scale
from ..engine.numerics import memory
from ..engine.numerics.threads import blas_threads
from ..engine.projection import ProjectedMap, fit_input_map
from ..engine.quantile_map import fit_quantile_map
from ..engine.training import Rows, TrainingConfig, TrainingState, train
from .messages import print_epoch
from .stream import step_length
from .validation import check_scorer

#: Warning filters and KMeans's limit of BLAS threads are global: of two fits at once, the later one
#: to end would restore what the other had set.
KMEANS_LOCK = Lock()

#: Parameters of an estimator that `TrainingConfig` has under the same name.
SAME_IN_CONFIG = ("alpha", "penalty", "dropout", "tol", "n_iter_no_change")


@dataclass(frozen=True)
class ValidationRows(Rows):
    """Rows to validate on, with `y` as a scorer takes it."""

    y: Any = None


class FitData(NamedTuple):
    """What a fit trains and validates on; its trials do so on parts of it."""

    rows: Rows
    y: Any
    validation: ValidationRows | None


# Configuration ------------------------------------------------------------------------------------


def from_parameters(cls, estimator):
    """Return an instance of a dataclass whose fields are parameters of the estimator."""
    return cls(**{field.name: getattr(estimator, field.name) for field in fields(cls)})


def largest_batch(estimator):
    """Return the largest number of rows in a batch."""
    return 200 if estimator.batch_size == "auto" else estimator.batch_size


def training_config(candidate, n_rows, max_iter):
    """Return the engine's configuration for `n_rows` rows."""
    schedule = candidate.learning_rate
    if not callable(schedule):
        schedule = from_parameters(SCHEDULES[schedule], candidate)
    return TrainingConfig(
        loss=candidate._codec.loss,
        solver=from_parameters(SOLVERS[candidate.solver], candidate),
        schedule=schedule,
        learning_rate_init=candidate._learning_rates()[0],
        batch_size=min(largest_batch(candidate), n_rows),
        max_iter=max_iter,
        maximize_score=candidate.scoring != "loss",
        **{name: getattr(candidate, name) for name in SAME_IN_CONFIG},
    )


# Start and resumption -----------------------------------------------------------------------------


def kmeans_labels(H, n_clusters, weights, seed):
    """Return each row's cluster number, for the engine, which does not import scikit-learn."""
    model = KMeans(n_clusters, n_init=1, max_iter=30, random_state=seed)
    with KMEANS_LOCK, warnings.catch_warnings():
        # Fewer distinct rows than clusters: the engine fills an empty cluster with a row.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(H, sample_weight=weights).labels_


def initialize_network(candidate, rows, rng, is_stream=False):
    """Initialise the network, its input map and its counters; return the state to train."""
    target, codec = rows.target, candidate._codec
    set_specification(candidate, rows.X.shape[1], rows.X.shape[1], target)
    with blas_threads(candidate._network, min(largest_batch(candidate), len(rows))):
        weights = normalized_weights(rows.weights, len(rows), np.float64)
        input_map = input_map_of(candidate, rows, weights, may_project=not is_stream)
        set_input_map(candidate, input_map)
        n_varied = input_map.n_inputs
        if input_map.n_varied is not None:
            # Columns that do not vary make no difference.
            n_varied = np.count_nonzero(input_map.n_varied)
        set_specification(candidate, input_map.n_inputs, n_varied, target)
        network = candidate._network
        drawn = draw_start_rows(network, target, rng)
        H = np.empty((len(drawn), input_map.n_inputs), dtype=network.dtype)
        input_map.apply(rows.X[drawn], H)
        rotated = isinstance(input_map, ProjectedMap)
        sample = H, target[drawn], weights[drawn] / weights[drawn].sum()
        theta = initialize(
            network,
            *sample,
            init=init_in_network_units(candidate, input_map),
            median_activations=median_activations(candidate, *sample, rng, rotated),
            origin=input_map.origin.astype(network.dtype),
            rng=rng,
            kmeans=kmeans_labels,
            groups=codec.groups_with_absent_classes,
            rotated=rotated,
        )
        last = network.views(theta)[-1]
        if "intercepts" in last:
            last["intercepts"] += codec.initial_intercepts(target, weights)
    candidate._theta_ = theta
    vars(candidate).update({"n_iter_": 0, "t_": 0, "loss_curve_": []} | vars(candidate))
    return fresh_state(candidate, theta, rng)


def input_map_of(candidate, rows, weights, may_project):
    """Return the map of rows to the network's inputs, which may project many columns."""
    if isinstance(candidate.init, str) and candidate.init == "uniform":
        may_project = False  # the centroids of the paper are in the unit cube of the columns
    target, dtype = rows.target if may_project else None, rows.target.dtype
    input_map = fit_input_map(rows.X, weights, candidate.standardize, dtype, target)
    if isinstance(input_map, ProjectedMap) or not candidate.standardize:
        return input_map
    if candidate._takes_ranks_:
        input_map = fit_quantile_map(rows.X, weights, dtype)
    return replace(input_map, feature_weights=candidate._feature_weights_)


def set_specification(candidate, n_inputs, n_varied, target):
    """Set the network's specification for its number of inputs, `n_varied` of which vary."""
    architecture = candidate._architecture(n_inputs, target.shape[1])
    scale = usual_linear_scale(n_varied) if candidate.linear_part else 0.0
    candidate._specification_ = (*architecture, target.dtype.name, scale)


def median_activations(candidate, H, target, weights, rng, rotated):
    """Return the median activations of the first layer and of the others.

    What a trial, or an earlier start, has chosen for the first layer stands.
    """
    given = candidate.init_median_activation
    if given != "auto":
        return given, given
    if "init_median_activation_" not in vars(candidate):
        arguments = candidate._network, candidate.init, H, target, weights, rng
        median, errors = first_median_activation(*arguments, rotated)
        candidate.init_median_activation_, candidate._median_errors_ = median, errors
    return candidate.init_median_activation_, MEDIANS[0]


def choose_median_activation(candidate, rows, seed):
    """Give the candidate the median activation of its first layer, if it is to be chosen."""
    if candidate.init_median_activation == "auto":
        started = candidate._candidate(keep=True)
        initialize_network(started, rows, np.random.default_rng(seed))
        candidate.init_median_activation_ = started.init_median_activation_
        candidate._median_errors_ = started._median_errors_


def fresh_state(candidate, theta, rng):
    solver = from_parameters(SOLVERS[candidate.solver], candidate)
    return TrainingState(theta, solver.init(theta), rng)


def set_input_map(candidate, input_map):
    candidate._input_shift_, candidate._input_scale_ = input_map.shift, input_map.scale
    candidate._input_origin_, candidate._input_varied_ = input_map.origin, input_map.n_varied
    candidate._input_far_out_ = input_map.far_out
    candidate._input_components_ = getattr(input_map, "components", None)
    candidate._input_knots_ = getattr(input_map, "knots", None)


def init_in_network_units(candidate, input_map):
    """Return the parameter `init`; an array of centroids in the network's units."""
    if isinstance(candidate.init, str) or callable(candidate.init):
        return candidate.init
    centroids = np.asarray(candidate.init, dtype=np.float64)
    sizes, first_layer = candidate._network.sizes, candidate._network.layers[0]
    name = f"The 'init' parameter of {type(candidate).__name__}, as an array,"
    if not isinstance(first_layer, Distance) or len(sizes) < 3:
        raise ValueError(
            f"{name} sets the centroids of a hidden distance layer that comes first; "
            f"got layers of {sizes} units with activation {candidate.activation!r}."
        )
    shape = sizes[1], len(input_map.shift)
    if centroids.shape != shape or not np.all(np.isfinite(centroids)):
        raise ValueError(
            f"{name} must be finite with shape (units of the first layer, features) = "
            f"{shape}; got shape {centroids.shape}."
        )
    return input_map.scale_points(centroids)


def resume_training(candidate, rows, rng):
    """Return copies of the state that an earlier fit left, so that a failure changes nothing."""
    state = fresh_state(candidate, memory.copy(candidate._theta_), rng)
    if "_progress_" in vars(candidate):
        progress = dict(candidate._progress_)
        if progress["solver"] != candidate.solver:
            progress["solver_state"] = state.solver_state
        state.restore(progress)
        usual = candidate.solver, candidate._learning_rates()[0]
        if (progress["solver"], progress["rate"]) != usual:
            state.rate_factor = 1.0  # the halvings were for another rate
    extend_input_map(candidate, rows, state)
    return state


def extend_input_map(candidate, rows, state):
    """Scale columns that have hardly varied before, and initialise their radii."""
    before, first = candidate._input_map, candidate._network.layers[0]
    input_map, columns = before.extended(rows.X)
    if input_map is before:
        return
    set_input_map(candidate, input_map)
    known = np.flatnonzero(before.n_varied)
    if isinstance(first, Distance) and first.radii_shape[1] > 1 and known.size:
        radii = candidate._network.views(state.theta)[0]["inverse_radii"]
        radii[:, columns] = np.median(np.abs(radii[:, known]), axis=1, keepdims=True)


def save_progress(candidate, state):
    """Store what resuming needs besides the parameters."""
    rate = candidate._learning_rates()[0]
    candidate._progress_ = {"solver": candidate.solver, "rate": rate, **state.to_dict()}


# Training runs ------------------------------------------------------------------------------------


def train_start(candidate, rows, validation, seed, task=None, checkpoint=None):
    """Train a copy of the candidate from a seed, as fit does; return it and the result."""
    candidate, rng = candidate._candidate(keep=True), np.random.default_rng(seed)
    if candidate._is_started():
        state = resume_training(candidate, rows, rng)
    else:
        state = initialize_network(candidate, rows, rng)
    config = training_config(candidate, len(rows), candidate._planned_epochs())
    result = run(candidate, rows, validation, config, state, task, checkpoint)
    record(candidate, result, len(rows), validation)
    candidate.__dict__.pop("_progress_", None)  # so that a saved model stays small
    if candidate.warm_start:
        save_progress(candidate, state)
    vars(candidate).setdefault("init_scores_", [start_score(candidate, result)])
    return candidate, result


def train_starts(candidate, data, seeds, task, checkpoints, alone=True):
    """Train a copy of the candidate from each seed; return the best and its result.

    `alone` means that the task has no other parts: the epochs of a single start are then its own.
    """
    rows, validation = data.rows, data.validation
    if len(seeds) == 1 and alone:
        return train_start(candidate, rows, validation, seeds[0], task, checkpoints[0])
    tasks = [task and task.part("start") for _ in seeds]
    starts = [(candidate, rows, validation, *each) for each in zip(seeds, tasks, checkpoints)]
    results = run_parts(train_task, starts, candidate.n_jobs)
    scores = [start_score(*trained) for trained in results]
    best, result = results[int(np.argmax(scores))]
    best.init_scores_ = scores
    if any(other.reason == "interrupted" for _, other in results):
        # The user must be warned even if another start is better.
        result = replace(result, reason="interrupted")
    return best, result


def train_task(candidate, rows, validation, seed, task, checkpoint):
    """Train a copy of the candidate as a task of its own, one of several."""
    if task is not None:
        task.begin()
    candidate, result = train_start(candidate, rows, validation, seed, task, checkpoint)
    if task is not None:
        task.end(candidate)
    return candidate, result


def run_parts(train_part, arguments, n_jobs):
    """Train the parts of a fit, in parallel if `n_jobs` says so; return what `train_part` does.

    It returns a candidate, its result and maybe more. No part begins after one was interrupted.
    """
    if effective_n_jobs(n_jobs) > 1:
        return Parallel(n_jobs=n_jobs)(delayed(train_part)(*each) for each in arguments)
    trained = []
    for each in arguments:
        trained.append(train_part(*each))
        if trained[-1][1].reason == "interrupted":
            break
    return trained


def start_score(candidate, result):
    """Return the score that starts are compared by: the monitored one, or minus a loss."""
    score = -np.inf if result.reason == "diverged" else -candidate.loss_
    if result.validation_scores:
        scores = result.validation_scores
        if candidate.scoring == "loss":
            scores = [-loss for loss in result.validation_loss_curve]
        score = [-np.inf, *scores][result.best_epoch]  # 0: no epoch was better than the start
    return -np.inf if np.isnan(score) else float(score)


def train_block(candidate, rows, validation, state, stream, n_new, n_epochs):
    """Train for a call of partial_fit, in which the first `n_new` rows are new."""
    config = training_config(candidate, len(rows), n_epochs)
    config = replace(
        config,
        learning_rate_init=config.learning_rate_init * step_length(n_new, len(rows)),
        mean_weight=stream.mean_weight,
    )
    n_halvings = 0
    if n_epochs > 1:
        # A new start trains for all its epochs. Only the last one is validated, because the call is
        # one entry of the curves and its result is the latest net.
        first = replace(config, max_iter=n_epochs - 1, n_iter_no_change=n_epochs)
        result = run(candidate, rows, None, first, state)
        if result.reason == "interrupted":
            return result
        n_halvings = result.n_halvings
    result = run(candidate, rows, validation, replace(config, max_iter=1), state)
    result.n_halvings += n_halvings
    return result


def run(candidate, rows, validation, config, state, task=None, checkpoint=None):
    """Train the candidate from a state; both then have the selected parameters of the result."""
    began = perf_counter()

    def report(result, rate):
        if candidate.verbose:
            print_epoch(result, rate, config.max_iter, perf_counter() - began)
        return task is not None and task.end_epoch(candidate, state.theta)

    result = train(
        candidate._network,
        candidate._input_map,
        replace(rows, target=candidate._codec.smoothed(rows.target)),
        config,
        state,
        validation=validation,
        score=validation and validation_score(candidate, validation, state),
        begin=task and task.begin_epoch,
        report=report,
        checkpoint=checkpoint,
    )
    candidate._theta_ = state.theta = result.theta
    return result


def validation_score(candidate, validation, state):
    """Return the score as a function of the raw output on the validation rows."""
    if candidate.scoring == "loss":
        return candidate._codec.score_of(validation)
    scorer, weights = check_scorer(candidate, validation.weights)

    def score(raw):
        snapshot = candidate._candidate(keep=True)
        snapshot._theta_ = state.theta.copy()
        # The rows have been validated, and are an array without the names of features.
        snapshot.__dict__.pop("feature_names_in_", None)
        return float(scorer(snapshot, validation.X, validation.y, **weights))

    return score


# History ------------------------------------------------------------------------------------------


def record(candidate, result, n_rows, validation):
    """Set the fitted attributes that describe a training run over `n_rows` rows."""
    nan, n_epochs = float("nan"), len(result.loss_curve)
    if validation is not None or hasattr(candidate, "validation_loss_curve_"):
        # The curves have NaN for epochs without validation.
        for name in ("validation_loss_curve", "validation_scores"):
            before = getattr(candidate, f"{name}_", [nan] * candidate.n_iter_)
            new = [nan] * n_epochs if validation is None else getattr(result, name)
            setattr(candidate, f"{name}_", before + new)
    if validation is not None:
        # Epoch 0 is the start: no epoch was better than the result of an earlier call, if any.
        earlier = getattr(candidate, "best_validation_score_", nan)
        candidate.best_validation_score_ = [earlier, *result.validation_scores][result.best_epoch]
    candidate.best_epoch_ = candidate.n_iter_ + result.best_epoch
    candidate.n_iter_ += n_epochs
    candidate.t_ += n_epochs * n_rows
    candidate.loss_curve_ = candidate.loss_curve_ + result.loss_curve
    # Training may end before its first epoch does.
    losses = candidate.loss_curve_ or [nan]
    candidate.loss_, candidate.best_loss_ = losses[-1], min(losses)
