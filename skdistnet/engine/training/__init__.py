"""The training loop."""

from .config import Plan, Rows, Run
from .loop import train

__all__ = ["Plan", "Rows", "Run", "train"]
