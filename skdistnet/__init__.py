"""Neural networks that learn by distance, as scikit-learn estimators."""

from .classifier import DistanceNetClassifier
from .recipes import published_recipe
from .regressor import DistanceNetRegressor

__version__ = "0.1.0"

__all__ = ["DistanceNetClassifier", "DistanceNetRegressor", "published_recipe"]
