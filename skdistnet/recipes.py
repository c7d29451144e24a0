"""Published settings for `DistanceNetClassifier`."""

import math
from functools import lru_cache

__all__ = ["inverse_time_decay", "published_recipe"]

DECAY_RATE = 0.01  # of the learning rate in `inverse_time_decay`


def inverse_time_decay(step, steps_per_epoch, total_steps):
    """Return the factor on the learning rate in the reference code, 1 / prod_e (1 + 0.01 e).

    The product is over the completed epochs e = 1, 2, ..., so the divisions compound and the first
    one follows epoch 1. Pass the function as `learning_rate`.

    Parameters
    ----------
    step, steps_per_epoch : int
        Number of steps taken so far, and of those in an epoch.
    total_steps : int or None
        Not used.

    Returns
    -------
    factor : float
        Factor on `learning_rate_init` in the next step.

    Examples
    --------
    >>> from skdistnet.recipes import inverse_time_decay
    >>> [round(inverse_time_decay(10 * epoch, 10, 100), 3) for epoch in range(4)]
    [1.0, 0.99, 0.971, 0.942]
    """
    return compounded_decay(step // steps_per_epoch)


@lru_cache(maxsize=16)
def compounded_decay(n_epochs):
    """Return the factor after `n_epochs` epochs; cached, since every step of an epoch needs it."""
    return math.exp(-math.fsum(math.log1p(DECAY_RATE * e) for e in range(1, n_epochs + 1)))


def published_recipe():
    """Return the settings of the reference implementation for `DistanceNetClassifier`.

    They are those of the code of Kurbiel & Khaleghian, arXiv:1708.01911: two layers of 100 units,
    an initialisation that does not depend on the data, RMSProp, a penalty that is added to the
    gradient before it is normalised, and a learning rate that falls after each epoch. Inputs should
    be in [0, 1], such as pixels divided by 255. The reference's first step, along the plain
    gradient, is left out.

    Returns
    -------
    arguments : dict
        Keyword arguments of the constructor.

    Examples
    --------
    >>> from skdistnet import DistanceNetClassifier, published_recipe
    >>> net = DistanceNetClassifier(**published_recipe() | {"max_iter": 5, "random_state": 0})
    >>> net.penalty
    'coupled'
    """
    return {
        "hidden_layer_sizes": (100, 100),
        "activation": "gaussian",
        "output_layer": "distance",
        "radius_type": "diag",
        "linear_part": False,
        "init": "uniform",
        "init_median_activation": None,
        "standardize": False,
        "solver": "rmsprop",
        "learning_rate": inverse_time_decay,
        "learning_rate_init": 0.01,
        "rho": 0.7,
        "momentum": 0.9,
        "epsilon": 1e-9,
        "alpha": 0.001,
        "penalty": "coupled",
        "dropout": 0.0,
        "label_smoothing": 0.0,
        "batch_size": 100,
        "max_iter": 50,
        "n_iter_no_change": 50,
        "early_stopping": False,
    }
