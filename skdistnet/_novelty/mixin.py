"""What an estimator says about inputs unlike its training data: score_samples and a threshold."""

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._base.training import TrainableNetwork
from .._base.validation import takes_missing
from ..engine.layers import Distance
from ..engine.layers.kernels import KERNELS
from ..engine.numerics.threads import blas_threads
from . import score as _evidence

__all__ = ["ScoringNetwork", "measures_distance"]


def measures_distance(estimator):
    """Raise an AttributeError unless the first layer of the network measures distances.

    Of a fitted estimator that is the layer it was fitted with, whatever its parameters are now.
    """
    if takes_missing(estimator):
        return True
    sizes, activations, _ = estimator._layers()
    if sizes:
        advice = f"set 'activation', or its first entry, to one of {sorted(KERNELS)}"
    elif hasattr(estimator, "output_layer"):
        advice = "give 'hidden_layer_sizes' a layer or set 'output_layer' to 'distance'"
    else:
        advice = "give 'hidden_layer_sizes' a layer"
    if estimator._is_started():
        advice += " and call 'fit' again"
    raise AttributeError(
        f"score_samples of {type(estimator).__name__} needs a distance layer at the input: "
        f"{advice}; got hidden layers of {sizes} units with activations {activations}."
    )


class ScoringNetwork(TrainableNetwork):
    """A network that knows how near the training data rows are.

    What is stored is `_novelty_`, a dict of arrays and lists of arrays (see `_evidence.py`), and
    `novelty_threshold_`; neither while `fit` trains.
    """

    @available_if(measures_distance)
    def score_samples(self, X):
        """How near the training data each row is.

        Evidence comes from four places, each calibrated on training rows: the box of the training
        data, the principal subspaces of the classes in it, the activations of the last hidden layer
        and the raw output. The score is the sum over them of the logarithm of the share of known
        rows that are more unusual, the last two by their mean; rows below ``novelty_threshold_``
        are unlike the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Never positive; higher is nearer.

        Raises
        ------
        AttributeError
            For a net whose first layer is not one of distances: there is no such method then.
        NotFittedError
            Before :meth:`fit`, and after :meth:`partial_fit`, which does not see all of the data.
        """
        X = self._check_rows(X)
        self._check_calibrated("score_samples")
        return self._score_rows(X)

    def __getattr__(self, name):
        if name == "novelty_threshold_":
            measures_distance(self)
            check_is_fitted(self)
            self._check_calibrated(name)
        # Says what it said.
        return super().__getattribute__(name)

    def _check_calibrated(self, what):
        if "_novelty_" not in vars(self):
            raise NotFittedError(
                f"{what} of {type(self).__name__} is calibrated by fit, on the training data; the "
                "last call was one of partial_fit, which sees only some of them."
            )

    def _score_rows(self, X):
        with blas_threads(self._network, X.shape[0]):
            return _evidence.score(self._network, self._theta_, self._input_map, X, self._novelty_)

    def _learn_novelty(self, rows, validation, seed):
        """Calibrate on training rows; the threshold is from validation rows if they are enough."""
        self._forget_novelty()
        if not isinstance(self._network.layers[0], Distance):
            return
        chosen = np.random.default_rng(seed).permutation(len(rows))[: _evidence.sample_size(rows.X)]
        # By as many threads as in training, so that other fits at the same time change no bit.
        with blas_threads(self._network, len(chosen)):
            self._novelty_, scores = _evidence.calibrate(
                self._network,
                self._theta_,
                self._input_map,
                rows.X[chosen],
                self._novelty_groups(rows.target[chosen]),
                _evidence.box(rows.X),
            )
        if validation is not None and len(validation) * self.false_alarm_rate >= 1:
            scores = self._score_rows(validation.X)
        self.novelty_threshold_ = float(np.quantile(scores, self.false_alarm_rate))

    def _novelty_groups(self, target):
        """The group of each row, from 0; rows are compared with those of their own group."""
        return np.zeros(len(target), dtype=int)

    def _forget_novelty(self):
        for name in ("_novelty_", "novelty_threshold_"):
            self.__dict__.pop(name, None)
