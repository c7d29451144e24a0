"""What the functions of this package ask of the estimators that they are given."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._base.estimator import BaseDistanceNet

__all__ = ["check_hidden_layers", "check_net"]


def check_net(estimator, asker):
    """Raise an error unless `estimator` is a distance net and fitted."""
    if not isinstance(estimator, BaseDistanceNet):
        advice = ""
        if isinstance(estimator, Pipeline):
            advice = (
                " Give its last step, pipeline[-1], and rows as that step sees them, "
                "pipeline[:-1].transform(X)."
            )
        raise TypeError(
            f"{asker} takes a DistanceNetClassifier or a DistanceNetRegressor; "
            f"got {type(estimator).__name__}.{advice}"
        )
    check_is_fitted(estimator)


def check_hidden_layers(estimator, asker):
    """Raise an error for a net of the output layer alone."""
    if len(estimator._network.layers) < 2:
        raise ValueError(
            f"{asker} is about hidden units, and this {type(estimator).__name__} has none: it was "
            "fitted with hidden_layer_sizes=()."
        )
