"""What a fitted net shows of what it does and of how it learns, and what it can do without."""

from .gradients import gradient_flow
from .prototypes import prototypes
from .pruning import prune
from .units import unit_report

__all__ = ["gradient_flow", "prototypes", "prune", "unit_report"]
