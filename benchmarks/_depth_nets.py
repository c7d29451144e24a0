"""The nets of the depth benchmark, and how one of them is trained and scored."""

import time
from dataclasses import dataclass
from unittest import mock

import numpy as np
from _harness import quiet
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from skdistnet import DistanceNetClassifier, published_recipe
from skdistnet.engine.training.rollback import Rollback

__all__ = [
    "MLPS",
    "OURS",
    "RECIPE",
    "ROWS",
    "WIDTH",
    "Contender",
    "rows_as_centroids",
    "train",
]

#: Units of each hidden layer, and rows of a batch.
WIDTH, BATCH = 100, 100


def rows_as_centroids(X, n_units, random_state):
    """Rows of a layer's own input; with a callable, deep layers have no near-identity start."""
    return X[random_state.choice(len(X), n_units, replace=len(X) < n_units)]


@dataclass(frozen=True)
class Contender:
    """A net at any depth: the name that tables show, the class, and its constructor arguments.

    `settings` lack layers, batch size, epochs and seed.
    """

    name: str
    estimator: type
    settings: dict

    @property
    def is_ours(self):
        """Whether it is of this package."""
        return self.estimator is DistanceNetClassifier

    def arguments(self, hidden, epochs, seed, **more):
        """All constructor arguments."""
        common = {"hidden_layer_sizes": tuple(hidden), "batch_size": BATCH, "max_iter": epochs}
        return self.settings | common | {"random_state": seed} | more

    def make(self, hidden, epochs, seed, **more):
        """An unfitted model."""
        return self.estimator(**self.arguments(hidden, epochs, seed, **more))

    def key(self, hidden, epochs, seed, **more):
        """All that a result depends on, in one line."""
        arguments = self.arguments(hidden, epochs, seed, **more)
        del arguments["hidden_layer_sizes"]
        layers = f"{len(hidden)} of {hidden[0]}" if len(set(hidden)) == 1 else str(tuple(hidden))
        settings = ", ".join(
            f"{name}={getattr(value, '__name__', value)}" for name, value in arguments.items()
        )
        return f"{self.name} | {layers} | {settings}"


OURS = Contender("ours", DistanceNetClassifier, {})
#: The start of all layers before there was a near-identity one, with a rate that suits it.
ROWS = Contender(
    "ours, rows as centroids",
    DistanceNetClassifier,
    {
        "init": rows_as_centroids,
        "init_median_activation": 0.1,
        "learning_rate_init": 0.003,
        "dropout": 0.0,
    },
)
RECIPE = Contender("published recipe", DistanceNetClassifier, published_recipe())
#: Without these, an MLP stops where the loss stalls: all must train for the same epochs.
NO_STOP = {"tol": 0.0, "n_iter_no_change": 10**6}
MLPS = [
    Contender(f"MLP, {name}", MLPClassifier, {"activation": name} | NO_STOP)
    for name in ("relu", "tanh", "logistic")
]

go_back = Rollback.go_back


def go_back_and_stop(rollback):
    """Undo an epoch that diverged, but do not continue at half the rate."""
    go_back(rollback)
    return False


def train(model, images, dtype=np.float32):
    """Fit a model and score it on training and on test rows.

    Returns
    -------
    result : dict
        Losses and accuracies by "train" and "test"; "seconds" of an epoch; "diverged", whether the
        loss became infinite or NaN, in which case the figures are of the last epoch before that.
    """
    X = images.X.astype(dtype, copy=False)
    start = time.perf_counter()
    with quiet(), mock.patch.object(Rollback, "go_back", go_back_and_stop):
        model.fit(X, images.y)
    fit_seconds = time.perf_counter() - start
    # Nothing else stops a net early: see NO_STOP and the recipe.
    diverged = model.n_iter_ < model.max_iter or not np.isfinite(model.loss_)
    result = {"seconds": fit_seconds / max(1, model.n_iter_), "diverged": bool(diverged)}
    X_test = images.X_test.astype(dtype, copy=False)
    for part, rows, y in (("train", X, images.y), ("test", X_test, images.y_test)):
        # In double precision a probability of 1 - 1e-9 is not rounded to 1.
        probabilities = model.predict_proba(rows).astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        result[f"{part} loss"] = float(log_loss(y, probabilities, labels=model.classes_))
        correct = model.classes_[probabilities.argmax(axis=1)] == y
        result[f"{part} accuracy"] = float(np.mean(correct))
    return result
