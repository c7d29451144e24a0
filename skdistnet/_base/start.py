"""From the parameters of an estimator, and rows, to a configuration and a state to train."""

import warnings
from dataclasses import asdict, fields
from threading import Lock

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from ..engine import SCHEDULES, SOLVERS
from ..engine.categories import CategoricalMap
from ..engine.init.fine_structure import USUAL_MEDIAN
from ..engine.init.initializers import draw_start_rows, first_median_activation, initialize
from ..engine.layers import Distance
from ..engine.losses import normalized_weights
from ..engine.network import usual_linear_scale
from ..engine.numerics import memory
from ..engine.numerics.threads import blas_threads
from ..engine.projection import fit_input_map
from ..engine.quantile_map import fit_quantile_map
from ..engine.training import TrainingConfig, TrainingState
from . import locations

#: Warning filters and KMeans's limit of BLAS threads are global: of two fits at once, the later one
#: to end would restore what the other had set.
KMEANS_LOCK = Lock()

#: Parameters of an estimator that `TrainingConfig` has under the same name.
SAME_IN_CONFIG = ("alpha", "penalty", "dropout", "tol", "n_iter_no_change")


# Configuration ------------------------------------------------------------------------------------


def from_parameters(cls, estimator):
    """Return an instance of a dataclass whose fields are parameters of the estimator."""
    return cls(**{field.name: getattr(estimator, field.name) for field in fields(cls)})


def largest_batch(estimator):
    """Return the largest number of rows in a batch."""
    return estimator._usual_batch if estimator.batch_size == "auto" else estimator.batch_size


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


def initialize_network(candidate, rows, rng, is_stream=False, statistics=None):
    """Initialise the network, its input map and its counters; return the state to train.

    The rows may be a sample of those that the statistics (see locations.py) are from.
    """
    target, codec = rows.target, candidate._codec
    set_specification(candidate, rows.X.shape[1], rows.X.shape[1], target)
    with blas_threads(candidate._network, min(largest_batch(candidate), len(rows))):
        weights = normalized_weights(rows.weights, len(rows), np.float64)
        input_map = input_map_of(candidate, rows, weights, is_stream, statistics)
        set_input_map(candidate, input_map)
        # Columns that do not vary make no difference.
        n_varied = np.count_nonzero(input_map.varying)
        set_specification(candidate, input_map.n_inputs, n_varied, target)
        network, X = candidate._network, locations.rows_to_train(input_map, rows).X
        drawn = draw_start_rows(network, target, rng)
        H = np.empty((len(drawn), input_map.n_inputs), dtype=network.dtype)
        input_map.apply(X[drawn], H)
        rotated = input_map.rotates
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


def input_map_of(candidate, rows, weights, is_stream, statistics=None):
    """Return the map of rows to the network's inputs, which may project many columns."""
    # The centroids of the paper are in the unit cube of the columns.
    is_uniform = isinstance(candidate.init, str) and candidate.init == "uniform"
    target, dtype = None if is_stream or is_uniform else rows.target, rows.target.dtype

    levels, of_numbers = candidate._levels_, None
    if statistics is not None:
        is_number = slice(None) if levels is None else [one is None for one in levels]
        of_numbers = statistics.columns.take(is_number)

    def fit_numbers(X, n_others=0.0):
        options = target, n_others, of_numbers
        numbers = fit_input_map(X, weights, candidate.standardize, dtype, *options)
        if candidate._takes_ranks_ and candidate.standardize and not numbers.rotates:
            numbers = fit_quantile_map(X, weights, dtype, n_others)
        return numbers

    if levels is None:
        input_map = fit_numbers(rows.X)
    else:
        arguments = levels, weights, fit_numbers, candidate.standardize, is_stream, statistics
        input_map = locations.fit_map(rows, *arguments)
    is_weighted = candidate._feature_weights_ is not None and not input_map.rotates
    if is_weighted and candidate.standardize:
        input_map = input_map.weighted(candidate._feature_weights_)
    return input_map


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
    return candidate.init_median_activation_, USUAL_MEDIAN


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
    candidate._input_locations_ = None
    if isinstance(input_map, CategoricalMap):
        candidate._input_locations_ = [asdict(one) for one in input_map.locations]
        input_map = input_map.numbers
    candidate._input_shift_, candidate._input_scale_ = input_map.shift, input_map.scale
    candidate._input_origin_, candidate._input_varied_ = input_map.origin, input_map.n_varied
    candidate._input_far_out_ = input_map.far_out
    candidate._input_components_ = getattr(input_map, "components", None)
    candidate._input_knots_ = getattr(input_map, "knots", None)
    candidate._input_weights_ = input_map.feature_weights


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
    shape = sizes[1], input_map.n_columns
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
    candidate._extend_input_map(rows, state)
    return state


def extend_input_map(candidate, rows, state):
    """Scale columns that have hardly varied before, and initialise their radii."""
    before, first = candidate._input_map, candidate._network.layers[0]
    input_map, columns = before.extended(rows.X)
    if input_map is before:
        return
    set_input_map(candidate, input_map)
    known = np.flatnonzero(before.varying)
    if isinstance(first, Distance) and first.radii_shape[1] > 1 and known.size:
        radii = candidate._network.views(state.theta)[0]["inverse_radii"]
        radii[:, columns] = np.median(np.abs(radii[:, known]), axis=1, keepdims=True)


def save_progress(candidate, state):
    """Store what resuming needs besides the parameters."""
    rate = candidate._learning_rates()[0]
    candidate._progress_ = {"solver": candidate.solver, "rate": rate, **state.to_dict()}
