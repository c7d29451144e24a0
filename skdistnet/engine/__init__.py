"""The lower floor: networks over flat parameter vectors in plain NumPy, without scikit-learn."""

from .activations import ACTIVATIONS
from .initializers import INITIALIZERS
from .kernels import KERNELS
from .layers import LAYERS
from .losses import LOSSES
from .network import Network
from .schedules import SCHEDULES
from .solvers import SOLVERS

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
