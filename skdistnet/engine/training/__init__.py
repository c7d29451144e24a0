"""The training loop."""

from .config import Rows, TrainingConfig, TrainingState
from .loop import train

__all__ = ["Rows", "TrainingConfig", "TrainingState", "train"]
