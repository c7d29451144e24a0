"""Settings that are worth a name."""

__all__ = ["published_recipe"]


def published_recipe():
    """Constructor arguments of the reference implementation, for `DistanceNetClassifier`.

    The recipe of Kurbiel & Khaleghian, arXiv:1708.01911, as their own code has it: two layers of
    100 units, a start that looks at no data, RMSProp, decay added to the gradient before it is
    normalised, a step that shrinks after each epoch. It is meant for inputs in [0, 1], as pixels
    divided by 255. Its very first step, along the plain gradient, is left out.

    Returns
    -------
    arguments : dict
        Keyword arguments; change what you like.

    Examples
    --------
    >>> from skdistnet import DistanceNetClassifier, published_recipe
    >>> net = DistanceNetClassifier(**published_recipe() | {"max_iter": 5, "random_state": 0})
    >>> net.decay
    'coupled'
    """
    return {
        "hidden_layer_sizes": (100, 100),
        "activation": "gaussian",
        "output_layer": "distance",
        "radius_type": "diag",
        "init": "uniform",
        "init_median_activation": None,
        "standardize": False,
        "solver": "rmsprop",
        "learning_rate": "inverse_time",
        "learning_rate_init": 0.01,
        "decay_rate": 0.01,
        "rho": 0.7,
        "momentum": 0.9,
        "epsilon": 1e-9,
        "alpha": 0.001,
        "decay": "coupled",
        "dropout": 0.0,
        "label_smoothing": 0.0,
        "batch_size": 100,
        "max_iter": 50,
        "n_iter_no_change": 50,
    }
