"""Neural networks of distance units, as scikit-learn estimators."""

from ._base.trained import TRUSTED_TYPES
from ._version import __version__ as __version__
from .classifier import DistanceNetClassifier
from .ensemble import DistanceNetEnsembleClassifier, DistanceNetEnsembleRegressor
from .metrics import accuracy_coverage_curve
from .recipes import published_recipe
from .recurrent import RecurrentDistanceNetClassifier, RecurrentDistanceNetRegressor
from .regressor import DistanceNetRegressor
from .rejection import RejectingClassifier

__all__ = [
    "TRUSTED_TYPES",
    "DistanceNetClassifier",
    "DistanceNetEnsembleClassifier",
    "DistanceNetEnsembleRegressor",
    "DistanceNetRegressor",
    "RecurrentDistanceNetClassifier",
    "RecurrentDistanceNetRegressor",
    "RejectingClassifier",
    "accuracy_coverage_curve",
    "published_recipe",
]
