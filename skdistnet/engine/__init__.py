"""The lower floor: networks over flat parameter vectors in plain NumPy, without scikit-learn."""

from .init.initializers import INITIALIZERS
from .layers import LAYERS
from .layers.activations import ACTIVATIONS
from .layers.kernels import KERNELS
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
