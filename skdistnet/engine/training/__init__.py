"""The training loop, with its configuration, batches, stopping rules and rollback."""

from .config import Rows, TrainingConfig, TrainingState
from .loop import train

__all__ = ["Rows", "TrainingConfig", "TrainingState", "train"]
