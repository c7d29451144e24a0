"""The lower floor: networks over flat parameter vectors in plain NumPy, without scikit-learn."""

from .losses import LOSSES
from .network import Network
from .solvers import SOLVERS

__all__ = ["LOSSES", "SOLVERS", "Network"]
