"""What a fitted network shows: its parameters as read-only arrays, in the units of the data."""

from functools import lru_cache

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..engine.input_scaling import InputMap
from ..engine.layers import Distance
from ..engine.network import Network
from ..engine.prediction import layer_output
from ..engine.relevances import input_relevances

__all__ = ["LEARNED", "FittedNetwork", "network_for"]

#: Attributes that a fit sets and another fit replaces.
LEARNED = frozenset(
    [
        "n_features_in_",
        "feature_names_in_",
        # The network.
        "_specification_",
        "_theta_",
        "_input_shift_",
        "_input_scale_",
        "_input_origin_",
        "_input_varied_",
        # The target.
        "classes_",
        "_label_kind_",
        "_expected_classes_",
        "_loss_settings_",
        "_target_ndim_",
        "_target_mean_",
        "_target_scale_",
        "_target_constant_",
        "_target_varied_",
        # How training went, and what continuing it needs.
        "n_iter_",
        "t_",
        "loss_",
        "best_loss_",
        "loss_curve_",
        "validation_loss_curve_",
        "validation_scores_",
        "best_validation_score_",
        "best_epoch_",
        "init_scores_",
        "_progress_",
        "_stream_",
        # Novelty.
        "_novelty_",
        "novelty_threshold_",
    ]
)


@lru_cache(maxsize=32)
def network_for(sizes, activations, output_layer, radius_type, dtype):
    """The network of a fitted estimator's specification; networks keep no state, so share them."""
    return Network(sizes, activations, output_layer, radius_type, np.dtype(dtype))


def narrow(array, dtype):
    """Cast to the network's dtype, unless the units of the data lie beyond it."""
    with np.errstate(over="ignore", under="ignore"):
        narrowed = array.astype(dtype)
    # NaN stands where a column of nothing but NaN left no place to learn.
    kept = np.isfinite(narrowed) | np.isnan(array)
    fits = np.all(kept & ((narrowed == 0) == (array == 0)))
    return narrowed if fits else array


def read_only(array):
    array.flags.writeable = False
    return array


class FittedNetwork:
    """Mixin: fitted attributes computed from the trained vector.

    What is stored is plain: `_theta_`, the parameter vector; `_specification_`, the arguments of
    `network_for`; and the shifts and scales of inputs and outputs. So a saved model holds each
    number once and no class of this package but the estimator.
    """

    _theta_: np.ndarray
    _specification_: tuple
    _input_shift_: np.ndarray
    _input_scale_: np.ndarray
    _input_origin_: np.ndarray
    _input_varied_: np.ndarray | None = None

    @property
    def _network(self):
        return network_for(*self._specification_)

    @property
    def _input_map(self):
        return InputMap(
            self._input_shift_, self._input_scale_, self._input_origin_, self._input_varied_
        )

    def _raw_output(self, X):
        """Raw output of the network for validated X."""
        return layer_output(self._network, self._theta_, self._input_map, X)

    def _parameters(self, name):
        """The list over layers of one kind of parameter, in input and output units."""
        check_is_fitted(self)
        network = self._network
        views = network.unpack(self._theta_)
        values = [None if view is None else np.array(view) for view in views[name]]
        # In units of data at the ends of the range a parameter may lie beyond the range.
        with np.errstate(over="ignore", invalid="ignore"):
            self._to_data_units(name, values, views)
        if name == "inverse_radii":
            # Only their squares matter; training may leave either sign.
            values = [None if value is None else np.abs(value) for value in values]
        return [
            None if value is None else read_only(narrow(value, network.dtype)) for value in values
        ]

    def _to_data_units(self, name, values, views):
        """Change the first layer's parameters to input units, the last one's to the target's."""
        shift, scale = self._input_shift_, self._input_scale_
        if values[0] is not None:
            if name == "centroids":
                values[0] = values[0] * scale + shift
            elif name == "inverse_radii":
                values[0] = values[0] / scale
            elif name == "coefs":
                values[0] = values[0] / scale[:, np.newaxis]
            else:
                values[0] = values[0] - (shift / scale) @ views["coefs"][0]
        self._to_output_units(name, values)

    def _to_output_units(self, name, values):
        """Change the last layer's parameters to the units of the target, where it has units."""

    @property
    def centroids_(self):
        """Centroids of each distance layer, (n_units, n_inputs); None for dot-product layers."""
        return self._parameters("centroids")

    @property
    def inverse_radii_(self):
        """Inverse radii of each distance layer, which broadcast to the shape of the centroids."""
        return self._parameters("inverse_radii")

    @property
    def coefs_(self):
        """Weights of each dot-product layer, (n_inputs, n_units); None for distance layers."""
        return self._parameters("coefs")

    @property
    def intercepts_(self):
        """Intercepts of each dot-product layer, (n_units,); None for distance layers."""
        return self._parameters("intercepts")

    @property
    def feature_relevances_(self):
        """Share of each feature in what the first layer tells apart, (n_features,)."""
        check_is_fitted(self)
        network = self._network
        if not isinstance(network.layers[0], Distance):
            raise AttributeError(
                f"{type(self).__name__} has 'feature_relevances_' only where the first layer is a "
                "distance layer: set a radial 'activation' for it; got activations "
                f"{list(network.activations)}."
            )
        return read_only(input_relevances(network, self._theta_))

    @property
    def feature_importances_(self):
        """The `feature_relevances_`, under the name that scikit-learn's tools look for."""
        return self.feature_relevances_

    @property
    def n_layers_(self):
        """Number of layers, the input counted as one, as in MLPClassifier."""
        check_is_fitted(self)
        return len(self._network.layers) + 1

    @property
    def n_outputs_(self):
        """Number of outputs of the network."""
        check_is_fitted(self)
        return self._network.sizes[-1]
