"""A trained network as a scikit-learn estimator: what it stores, and how it is saved."""

import inspect
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..engine.input_scaling import InputMap

#: Types that `skops.io.load` must trust; everything else in a saved estimator is plain.
TRUSTED_TYPES = [
    "skdistnet.classifier.DistanceNetClassifier",
    "skdistnet.ensemble.DistanceNetEnsembleClassifier",
    "skdistnet.ensemble.DistanceNetEnsembleRegressor",
    "skdistnet.recipes.inverse_time_decay",
    "skdistnet.recurrent.RecurrentDistanceNetClassifier",
    "skdistnet.recurrent.RecurrentDistanceNetRegressor",
    "skdistnet.regressor.DistanceNetRegressor",
    "skdistnet.rejection.RejectingClassifier",
]

#: Number of the newest saved format; a change that older versions would misread increases it.
#: A net in half precision has format 2, any other is stored in format 1 as ever.
FORMAT = 2

#: Attributes that a fit sets and another fit replaces.
LEARNED = frozenset().union(
    ["n_features_in_", "feature_names_in_", "classes_", "_target_state_", "_specification_"],
    ["_theta_", "_input_shift_", "_input_scale_", "_input_origin_", "_input_varied_"],
    ["_input_far_out_", "_input_components_", "_input_knots_", "_input_weights_"],
    ["_input_locations_", "_levels_", "_feature_weights_", "_takes_ranks_"],
    ["n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_loss_curve_"],
    ["validation_scores_", "best_validation_score_", "best_epoch_", "init_scores_"],
    ["_progress_", "_stream_", "_novelty_", "trial_"],
    ["init_median_activation_", "_median_errors_", "_by_step_"],
)


def narrow(array, dtype):
    """Cast to the network's dtype, unless it cannot hold the units of the data."""
    with np.errstate(over="ignore", under="ignore"):
        narrowed = array.astype(dtype)
    # Centroids are NaN in a column that was missing throughout.
    is_exact = np.isfinite(narrowed) | np.isnan(array)
    fits = np.all(is_exact & ((narrowed == 0) == (array == 0)))
    return narrowed if fits else array


def read_only(array):
    array.flags.writeable = False
    return array


class TrainedNetwork(BaseEstimator):
    """A network and its inputs, in plain data.

    It stores `_theta_`, the parameter vector; `_specification_`, the arguments of `_make_network`;
    and the shifts and scales of inputs. So a saved model holds each number once and no class of
    this package but the estimator.
    """

    _theta_: np.ndarray
    _specification_: tuple
    _input_shift_: np.ndarray
    _input_scale_: np.ndarray
    _input_origin_: np.ndarray
    _input_varied_: np.ndarray | None = None
    _input_far_out_: np.ndarray | None = None
    _input_weights_: np.ndarray | None = None
    #: Of columns of categories: for each its levels and the fields of its `Locations`.
    _levels_: list | None = None
    _input_locations_: list | None = None

    #: Returns the network of a specification; networks keep no state.
    _make_network: Any
    _learning_rate_of_one_layer: float

    @property
    def _network(self):
        return self._make_network(*self._specification_)

    @property
    def _input_map(self):
        scales = self._input_shift_, self._input_scale_, self._input_origin_
        return InputMap(*scales, self._input_varied_, self._input_far_out_, self._input_weights_)

    def _is_started(self):
        return "_theta_" in vars(self)

    __sklearn_is_fitted__ = _is_started

    def _raw_output(self, X):
        """Return the raw output of the network for validated X."""
        return self._network.raw_output(self._theta_, self._input_map, X)

    def _check_same_target(self):
        """Raise a ValueError if parameters ask for another loss than the fit's."""

    def _learning_rates(self):
        """Return the initial step size, and the one that "auto" stands for."""
        # The steps of all layers add up.
        usual = self._learning_rate_of_one_layer / max(1, len(self._network.layers) - 1) ** 0.5
        given = self.learning_rate_init
        return (usual if given == "auto" else given), usual

    def _planned_epochs(self):
        """Return the number of epochs to train: what a trial has found, but at most `max_iter`."""
        trial = getattr(self, "trial_", None)
        if self.early_stopping != "auto" or trial is None:
            return self.max_iter
        return min(trial["n_epochs"], self.max_iter)

    # Pickles --------------------------------------------------------------------------------------

    def __getstate__(self):
        state = super().__getstate__() | {"_format": 1}
        if self._is_started():
            with np.errstate(over="ignore"):
                half = self._theta_.astype(np.float16)
            if np.array_equal(half, self._theta_):
                state |= {"_theta_": half, "_format": 2}
        return state

    def __setstate__(self, state):
        state = dict(state)
        found = state.pop("_format", 1)
        if found > FORMAT:
            raise ValueError(
                f"This {type(self).__name__} was saved by a newer skdistnet, in format {found}; "
                f"formats up to {FORMAT} can be read: update skdistnet, or fit again."
            )
        # A parameter that an older version lacked changes nothing at its default. A subclass's
        # constructor may lack parameters of its base class.
        defaults = {
            each.name: each.default
            for kind in reversed(type(self).__mro__)
            if "__init__" in vars(kind)
            for each in inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
            if each.default is not each.empty
        }
        if "_theta_" in state:
            dtype = self._make_network(*state["_specification_"]).dtype
            state["_theta_"] = state["_theta_"].astype(dtype, copy=False)
        self.__dict__.update(defaults | state)
