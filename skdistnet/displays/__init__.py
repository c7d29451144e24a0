"""Plots of fitted nets in the form of scikit-learn's displays; drawing imports matplotlib."""

from .accuracy_coverage import AccuracyCoverageDisplay
from .centroids import CentroidDisplay
from .gradient_flow import GradientFlowDisplay
from .loss_curve import LossCurveDisplay
from .novelty import NoveltyDisplay
from .relevances import RelevanceDisplay
from .trial import TrialDisplay

__all__ = [
    "AccuracyCoverageDisplay",
    "CentroidDisplay",
    "GradientFlowDisplay",
    "LossCurveDisplay",
    "NoveltyDisplay",
    "RelevanceDisplay",
    "TrialDisplay",
]
