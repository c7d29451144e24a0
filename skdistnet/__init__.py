"""Neural networks that learn by distance, as scikit-learn estimators."""

__version__ = "0.1.0"

from ._saving import TRUSTED_TYPES
from .classifier import DistanceNetClassifier
from .recipes import published_recipe
from .regressor import DistanceNetRegressor

__all__ = [
    "TRUSTED_TYPES",
    "DistanceNetClassifier",
    "DistanceNetRegressor",
    "published_recipe",
]
