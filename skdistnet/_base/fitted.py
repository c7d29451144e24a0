"""Fitted attributes computed from the trained vector, and hidden features."""

from functools import lru_cache

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..engine.categories import CategoricalMap, Locations
from ..engine.layers import Distance
from ..engine.network import Network
from ..engine.prediction import layer_output
from ..engine.projection import ProjectedMap
from ..engine.quantile_map import QuantileMap
from ..engine.relevances import input_relevances
from .categories import CategoricalColumns
from .constraints import to_builtin
from .trained import TrainedNetwork, narrow, read_only
from .validation import is_validated, validate_rows


@lru_cache(maxsize=32)
def network_for(sizes, activations, output_layer, radius_type, dtype, linear_scale):
    """Return the network of a fitted estimator's specification; networks keep no state."""
    linear_part = float(linear_scale)  # True would ask for the usual scale
    return Network(sizes, activations, output_layer, radius_type, np.dtype(dtype), linear_part)


def parameter_property(name, doc):
    """Return the property for one kind of parameter, in the units of X and y."""
    return property(lambda self: self._parameters(name), doc=f"{doc}; None for other layers.")


class FittedNetwork(
    CategoricalColumns, ClassNamePrefixFeaturesOutMixin, TransformerMixin, TrainedNetwork
):
    """A fitted network of layers: attributes and features."""

    _input_components_: np.ndarray | None = None
    _input_knots_: np.ndarray | None = None
    #: Of a member of an ensemble: weights of features, and whether ranks of values are inputs.
    _feature_weights_: np.ndarray | None = None
    _takes_ranks_: bool = False

    _make_network = staticmethod(network_for)

    @property
    def _distance_part(self):
        """The network without its linear part, and its parameters."""
        network = network_for(*self._specification_[:5], 0.0)
        return network, self._theta_[: network.n_parameters]

    @property
    def _input_map(self):
        numbers = self._number_map
        if self._input_locations_ is None:
            return numbers
        locations = tuple(Locations(**each) for each in self._input_locations_)
        return CategoricalMap(numbers, np.flatnonzero(self.is_categorical_), locations)

    @property
    def _number_map(self):
        scales = self._input_shift_, self._input_scale_, self._input_origin_
        if self._input_components_ is not None:
            return ProjectedMap(*scales, components=self._input_components_)
        others = self._input_varied_, self._input_far_out_, self._input_weights_
        if self._input_knots_ is not None:
            return QuantileMap(*scales, *others, knots=self._input_knots_)
        return super()._input_map

    def _check_rows(self, X):
        """Return validated X for a fitted net."""
        # Full validation takes longer than the prediction of a row.
        if not self._is_started():
            check_is_fitted(self)
        is_plain = self._levels_ is None and not hasattr(self, "feature_names_in_")
        if not (is_plain and is_validated(X, self.n_features_in_)):
            X = validate_rows(self, X, reset=False)
        return X

    # Layers ---------------------------------------------------------------------------------------

    def _chosen_layers(self):
        """Return the parameters: sizes and activations of hidden layers, and the output layer."""
        sizes, names = to_builtin(self.hidden_layer_sizes), to_builtin(self.activation)
        sizes = tuple(sizes) if isinstance(sizes, list) else (sizes,)
        names = tuple(names) if isinstance(names, list) else (names,) * len(sizes)
        return sizes, names, getattr(self, "output_layer", "linear")

    def _layers(self):
        """Return `_chosen_layers` as they were when the network was fitted; before, as they are."""
        if not self._is_started():
            return self._chosen_layers()
        (_, *sizes, _), names, output_layer, *_ = self._specification_
        return tuple(sizes), names, output_layer

    def _architecture(self, n_inputs, n_outputs):
        sizes, names, output_layer = self._chosen_layers()
        return (n_inputs, *sizes, n_outputs), names, output_layer, self.radius_type

    def _check_same_network(self):
        """Raise a ValueError if parameters or data ask for another network than the fit's."""
        n_inputs, *_, n_outputs = self._network.sizes
        if self._architecture(n_inputs, n_outputs) != self._specification_[:4]:
            raise ValueError(
                "The layers differ from those of the fit to be continued, "
                f"{self._specification_[:4]}: they must stay the same under warm_start and "
                "partial_fit."
            )
        if self.linear_part != self._network.linear_part:
            raise ValueError(
                f"The fit to be continued has linear_part={self._network.linear_part}, which must "
                "stay the same under warm_start and partial_fit; got "
                f"linear_part={self.linear_part}."
            )
        if self.dtype is not None and self._network.dtype != self.dtype:
            raise ValueError(
                f"The fit to be continued computes in {self._network.dtype}, which must stay the "
                f"same under warm_start and partial_fit; got dtype={self.dtype!r}."
            )
        self._check_same_target()

    # Parameters -----------------------------------------------------------------------------------

    def _parameters(self, name):
        """Return the list over layers of one kind of parameter, in the units of X and y."""
        check_is_fitted(self)
        views = self._network.unpack(self._theta_)
        # Only the squares of inverse radii matter; training may leave either sign.
        copy = np.abs if name == "inverse_radii" else np.array
        values = [None if view is None else copy(view) for view in views[name]]
        # In the units of the data a parameter may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            self._to_data_units(name, values, views)
        dtype = self._network.dtype
        return [None if value is None else read_only(narrow(value, dtype)) for value in values]

    def _to_data_units(self, name, values, views):
        """Convert the first layer's parameters to the units of X, the last one's to those of y."""
        input_map = self._input_map
        if values[0] is not None:
            if name == "centroids":
                values[0] = input_map.unscale_points(values[0])
            elif name == "inverse_radii":
                values[0] = input_map.unscale_inverse_radii(values[0])
            elif name == "coefs":
                values[0] = input_map.unscale_coefs(values[0])
            else:
                values[0] = input_map.unscale_intercepts(values[0], views["coefs"][0])
        self._codec.to_target_units(name, values)

    @property
    def linear_coef_(self):
        """Coefficients of the linear part, (n_outputs, n_features), in the units of X and y.

        The linear part of the raw output, logits or predictions, is zero at the mean of the
        training data, and NaN counts as the mean. None for a net without a linear part.
        """
        check_is_fitted(self)
        coefs = self._linear_coefs()
        if coefs is None:
            return None
        with np.errstate(over="ignore"):
            coefs = self._input_map.unscale_coefs(coefs)
        return read_only(narrow(coefs.T, self._network.dtype))

    def _linear_coefs(self):
        """Return the linear part's coefficients (n_inputs, n_outputs) in units of y, or None."""
        network = self._network
        if not network.linear_part:
            return None
        coefs = network.views(self._theta_)[-1]["linear_coefs"].astype(np.float64)
        with np.errstate(over="ignore"):
            values = [network.linear_scale * coefs]
            self._codec.to_target_units("coefs", values)
        return values[0]

    centroids_ = parameter_property("centroids", "Centroids (n_units, n_inputs) of distance layers")
    inverse_radii_ = parameter_property("inverse_radii", "Inverse radii of distance layers")
    coefs_ = parameter_property("coefs", "Weights (n_inputs, n_units) of dot-product layers")
    intercepts_ = parameter_property("intercepts", "Intercepts (n_units,) of dot-product layers")

    @property
    def feature_relevances_(self):
        """Relevance of each feature to the first layer, (n_features,); the sum is 1."""
        check_is_fitted(self)
        network = self._network
        if not isinstance(network.layers[0], Distance):
            raise AttributeError(
                f"{type(self).__name__} has 'feature_relevances_' only where the first layer is a "
                "distance layer: set a radial 'activation' for it; got activations "
                f"{list(network.activations)}."
            )
        return read_only(input_relevances(network, self._theta_, self._input_map))

    #: The name that scikit-learn's tools look for.
    feature_importances_ = feature_relevances_

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

    @property
    def out_activation_(self):
        """Name of the function from raw output to prediction."""
        check_is_fitted(self)
        return self._codec.out_activation

    # Hidden features ------------------------------------------------------------------------------

    def transform(self, X):
        """Return the activations of the last hidden layer.

        ``fit_transform(X, y)`` is ``fit(X, y).transform(X)``. A model trained on the activations of
        these rows may overfit, because the net was fitted to them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        activations : ndarray of shape (n_samples, n_units)
            Dense, in the precision of the net; a data frame after ``set_output``. Columns have the
            names of ``get_feature_names_out``: the class's name in lower case and the number of
            the unit.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            Before the fit, and for a net without hidden layers.
        """
        X = self._check_rows(X)
        self._check_hidden_layers()
        return layer_output(self._network, self._theta_, self._input_map, X, layer=-2)

    @property
    def _n_features_out(self):
        # An AttributeError, because `dir` looks at all properties.
        if self._is_started() and len(self._network.layers) < 2:
            raise AttributeError("no hidden layers")
        check_is_fitted(self)
        return self._network.sizes[-2]

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns of :meth:`transform`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored, as in scikit-learn.

        Returns
        -------
        names : ndarray of str

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As :meth:`transform`.
        """
        self._check_hidden_layers()
        return super().get_feature_names_out(input_features)

    def _check_hidden_layers(self):
        check_is_fitted(self)
        if len(self._network.layers) < 2:
            raise ValueError(
                f"transform of {type(self).__name__} returns the activations of the last hidden "
                "layer, and this net has none: it was fitted with hidden_layer_sizes=()."
            )
