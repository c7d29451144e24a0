"""What saved estimators are trusted with, and how those of other versions are read."""

import inspect
from typing import Any, ClassVar

from sklearn.base import BaseEstimator

__all__ = ["TRUSTED_TYPES", "Saveable"]

#: What `skops.io.load` has to be told to trust: all else in a saved estimator is plain.
TRUSTED_TYPES = [
    "skdistnet.classifier.DistanceNetClassifier",
    "skdistnet.regressor.DistanceNetRegressor",
    "skdistnet.rejection.RejectingClassifier",
]

#: Goes up when fitted attributes change so that this version would misread what it wrote then.
FORMAT = 1


class Saveable(BaseEstimator):
    """Mixin: pickles say which format they are in."""

    #: Defaults of the parameters of this package's constructor, of which a subclass may have fewer.
    _own_defaults: ClassVar[dict[str, Any]] = {}

    def __getstate__(self):
        return super().__getstate__() | {"_format": FORMAT}

    def __setstate__(self, state):
        state = dict(state)
        found = state.pop("_format", 1)
        if found > FORMAT:
            raise ValueError(
                f"This {type(self).__name__} was saved by a newer skdistnet, in format {found}; "
                f"formats up to {FORMAT} can be read: update skdistnet, or fit anew."
            )
        # A parameter that an older version did not have does nothing at its default.
        parameters = inspect.signature(type(self)).parameters.values()
        defaults = {
            each.name: each.default for each in parameters if each.default is not each.empty
        }
        self.__dict__.update(self._own_defaults | defaults | state)
