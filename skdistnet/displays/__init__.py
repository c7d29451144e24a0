"""Plots of what a fitted net shows, in the form of scikit-learn's displays.

matplotlib is imported when something is drawn.
"""

from .centroids import CentroidDisplay
from .gradient_flow import GradientFlowDisplay
from .loss_curve import LossCurveDisplay
from .novelty import NoveltyDisplay
from .relevances import RelevanceDisplay

__all__ = [
    "CentroidDisplay",
    "GradientFlowDisplay",
    "LossCurveDisplay",
    "NoveltyDisplay",
    "RelevanceDisplay",
]
