"""Networks over flat parameter vectors in plain NumPy, without scikit-learn."""

from .init.initializers import INITIALIZERS
from .layers import ACTIVATIONS, KERNELS, LAYERS
from .losses import LOSSES
from .network import Network
from .optim.schedules import SCHEDULES
from .optim.solvers import SOLVERS

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "KERNELS",
    "LAYERS",
    "LOSSES",
    "SCHEDULES",
    "SOLVERS",
    "Network",
]
