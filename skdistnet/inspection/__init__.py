"""What a fitted net shows of what it does and of how it learns."""

from .gradients import gradient_flow
from .prototypes import prototypes

__all__ = ["gradient_flow", "prototypes"]
