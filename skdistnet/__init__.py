"""Neural networks that learn by distance, as scikit-learn estimators."""

__version__ = "0.1.0"

from ._certainty import accuracy_coverage_curve
from ._saving import TRUSTED_TYPES
from .classifier import DistanceNetClassifier
from .recipes import published_recipe
from .regressor import DistanceNetRegressor
from .rejection import RejectingClassifier

__all__ = [
    "TRUSTED_TYPES",
    "DistanceNetClassifier",
    "DistanceNetRegressor",
    "RejectingClassifier",
    "accuracy_coverage_curve",
    "published_recipe",
]
