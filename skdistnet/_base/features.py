"""Hidden activations as features: `transform`, by scikit-learn's rules for transformers."""

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..engine.prediction import layer_output

__all__ = ["HiddenFeatures"]


class HiddenFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Mixin: a fitted network hands out what its last hidden layer answers.

    scikit-learn's mixins give `fit_transform`, `set_output` and `get_feature_names_out`, which
    asks for `_n_features_out`.
    """

    def transform(self, X):
        """Activations of the last hidden layer.

        ``fit_transform(X, y)`` is ``fit(X, y).transform(X)``: a model that learns from these
        features on the same rows sees a net that has learned them, which new rows do not.

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
        ValueError
            For a net without hidden layers.
        """
        X = self._check_rows(X)
        self._check_hidden_layers()
        return layer_output(self._network, self._theta_, self._input_map, X, layer=-2)

    @property
    def _n_features_out(self):
        check_is_fitted(self)
        self._check_hidden_layers()
        return self._network.sizes[-2]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        dtypes = ["float64", "float32"] if self.dtype is None else [self.dtype]
        if self._is_started():
            dtypes = [self._network.dtype.name]
        tags.transformer_tags.preserves_dtype = dtypes
        return tags

    def _check_hidden_layers(self):
        if len(self._network.layers) < 2:
            raise ValueError(
                f"transform of {type(self).__name__} hands out what the last hidden layer answers, "
                "and this net has none: it was fitted with hidden_layer_sizes=()."
            )
