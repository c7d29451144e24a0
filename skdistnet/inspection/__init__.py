"""Tools to inspect fitted nets: gradients, explanations, reports on units, and pruning."""

from .gradients import gradient_flow
from .prototypes import prototypes
from .pruning import prune
from .units import unit_report

__all__ = ["gradient_flow", "prototypes", "prune", "unit_report"]
