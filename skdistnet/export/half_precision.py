"""Fitted nets whose parameters are rounded to half precision, so that files are smaller."""

import copy

import numpy as np

from .._base.ensemble import BaseEnsemble
from ..inspection._fitted_net import check_members

LARGEST = float(np.finfo(np.float16).max)  # 65504
#: Rounding may move a centroid by this share of its unit's radius. Trained nets need 0.02.
FARTHEST_MOVE = 0.1
#: State that only further training needs, and that may be larger than the parameters.
TRAINING_STATE = ("_progress_", "_stream_")


def to_half_precision(estimator):
    """Return a copy of a fitted net or ensemble that is stored in half precision.

    Parameters are rounded to float16, and so are the matrices and quantiles behind `score_samples`.
    A file of the copy, by pickle or joblib, is about a third as large. Predictions differ in the
    third or fourth digit; they are computed in the precision of the net and take as long as before.

    Parameters
    ----------
    estimator : a distance net, or an ensemble of them
        Fitted: DistanceNetClassifier, DistanceNetRegressor, DistanceNetEnsembleClassifier or
        DistanceNetEnsembleRegressor. It is left unchanged.

    Returns
    -------
    rounded : object
        A fitted estimator of the same class, with the same parameters and attributes. A stream
        continues from it with a new solver state, and in full precision.

    Raises
    ------
    TypeError, sklearn.exceptions.NotFittedError
        For other estimators, and before the fit.
    ValueError
        For a net whose predictions would change: with a parameter beyond 65504, or with centroids
        that rounding would move by more than a tenth of their radius.

    See Also
    --------
    skdistnet.inspection.prune : Fewer units, which makes predictions faster, too.

    Notes
    -----
    Any net whose parameters are float16 numbers is stored as such, and loaded in its own `dtype`.
    Versions of skdistnet that cannot read it raise an error that says so. Continued training brings
    back full precision. skops adds text, which ``compression=zipfile.ZIP_DEFLATED`` shrinks.

    Parameters below 6e-5 in magnitude have fewer digits in float16. They are rounded by 3e-8 at
    most, which is too little to change distances between centroids below 65504.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_iris
    >>> from skdistnet import DistanceNetClassifier
    >>> from skdistnet.export import to_half_precision
    >>> X, y = load_iris(return_X_y=True)
    >>> net = DistanceNetClassifier(random_state=0).fit(X, y)
    >>> rounded = to_half_precision(net)
    >>> len(pickle.dumps(rounded)) < 0.5 * len(pickle.dumps(net))
    True
    >>> bool(abs(rounded.predict_proba(X) - net.predict_proba(X)).max() < 0.01)
    True
    """
    nets = [rounded_net(net) for net in check_members(estimator, "to_half_precision")]
    if not isinstance(estimator, BaseEnsemble):
        return nets[0]
    ensemble = copy.copy(estimator)
    ensemble.estimators_ = nets
    return ensemble


def rounded_net(net):
    """Return a copy of a fitted net with rounded parameters and novelty scores."""
    rounded = copy.copy(net)
    for name in TRAINING_STATE:
        rounded.__dict__.pop(name, None)
    with np.errstate(over="ignore"):
        rounded._theta_ = net._theta_.astype(np.float16).astype(net._theta_.dtype)
    before, after = net._network.views(net._theta_), net._network.views(rounded._theta_)
    for number, (exact, stored) in enumerate(zip(before, after)):
        check_rounding(number, exact, stored)
    if "_novelty_" in vars(net):
        rounded._novelty_ = rounded_novelty(net._novelty_)
    if net._input_knots_ is not None:
        rounded._input_knots_ = rounded_knots(net._input_knots_)
    return rounded


def check_rounding(number, exact, stored):
    """Raise a ValueError if rounding changes what a layer computes, given its parameters."""
    for name, values in exact.items():
        if not np.isfinite(stored[name]).all():
            raise ValueError(
                f"to_half_precision stores numbers up to {LARGEST:.0f} in magnitude; '{name}' of "
                f"layer {number} reach {np.abs(values).max():.3g}. Fit with standardize=True, or "
                "keep the net as it is."
            )
    if "centroids" in exact:
        moves = (stored["centroids"] - exact["centroids"]) * exact["inverse_radii"]
        farthest = np.sqrt(np.square(moves).sum(axis=1).max())
        if farthest > FARTHEST_MOVE:
            raise ValueError(
                f"to_half_precision would move a centroid of layer {number} by {farthest:.2g} of "
                f"its radius, and changes predictions if it is more than {FARTHEST_MOVE}. Fit with "
                "standardize=True, or keep the net as it is."
            )


def rounded_novelty(state):
    """Return the state of a `NoveltyScorer` with its large arrays in float16."""
    large = ("packed", "means")
    layers = [
        {name: rounded_array(value) if name in large else value for name, value in layer.items()}
        for layer in state["layers"]
    ]
    scores = {name: rounded_array(state[name]) for name in ("known_scores", "held_out_scores")}
    return state | {"layers": layers} | scores


def rounded_knots(knots):
    """Return the knots of a `QuantileMap` in float32, or as they are if some would become equal.

    They are in the units of X, whose offsets and ranges float16 cannot hold.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = knots.astype(np.float32)
        increases = [np.diff(each, axis=1) > 0 for each in (rounded, knots)]
    return rounded if np.array_equal(*increases) else knots


def rounded_array(array):
    """Return the array in float16, or as it is if float16 cannot hold it."""
    with np.errstate(over="ignore"):
        rounded = array.astype(np.float16)
    return rounded if np.isfinite(rounded).all() else array
