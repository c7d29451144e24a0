"""The nets of the depth benchmark, and one training of one of them."""

import time
from dataclasses import dataclass
from unittest import mock

import numpy as np
from _harness import quiet
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

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
    "train_and_vote",
]

#: Units of each hidden layer, and rows of a batch, of every net unless it says otherwise.
WIDTH, BATCH = 100, 100


def rows_as_centroids(X, n_units, random_state):
    """Rows of a layer's own input; of a function, every layer takes the ordinary start."""
    return X[random_state.choice(len(X), n_units, replace=len(X) < n_units)]


@dataclass(frozen=True)
class Contender:
    """A net at any depth.

    Parameters
    ----------
    name : str
        As tables show it.
    estimator : type
    settings : dict
        Constructor arguments other than layers, batch, epochs and seed.
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
        given = {"hidden_layer_sizes": tuple(hidden), "batch_size": BATCH, "max_iter": epochs}
        return self.settings | given | {"random_state": seed} | more

    def make(self, hidden, epochs, seed, **more):
        """An unfitted model."""
        return self.estimator(**self.arguments(hidden, epochs, seed, **more))

    def key(self, hidden, epochs, seed, **more):
        """What a result depends on, in a line."""
        arguments = self.arguments(hidden, epochs, seed, **more)
        del arguments["hidden_layer_sizes"]
        layers = f"{len(hidden)} of {hidden[0]}" if len(set(hidden)) == 1 else str(tuple(hidden))
        settings = ", ".join(
            f"{name}={getattr(value, '__name__', value)}" for name, value in arguments.items()
        )
        return f"{self.name} | {layers} | {settings}"


OURS = Contender("ours", DistanceNetClassifier, {})
#: As versions before the start of deep layers had it, with the step that it bears.
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
#: Without the two, they would stop where the loss stands still: all train equally long.
LAST = {"tol": 0.0, "n_iter_no_change": 10**6}
MLPS = [
    Contender(f"MLP, {name}", MLPClassifier, {"activation": name} | LAST)
    for name in ("relu", "tanh", "logistic")
]


go_back = Rollback.go_back


def go_back_and_stop(rollback):
    """Undo an epoch that diverged, as ever, but do not go on at half the rate."""
    go_back(rollback)
    return False


def train(model, images, dtype=np.float32):
    """Fit a model and score it on training and on test rows.

    Returns
    -------
    result : dict
        Losses and accuracies by "train" and "test"; "seconds" of an epoch; "diverged", whether the
        loss was no longer finite, when the other figures are of the last epoch before that.
    """
    X = images.X.astype(dtype, copy=False)
    began = time.perf_counter()
    with quiet(), mock.patch.object(Rollback, "go_back", go_back_and_stop):
        model.fit(X, images.y)
    fitted = time.perf_counter() - began
    # A net that stopped early can only have done so because of that: see LAST and the recipe.
    diverged = model.n_iter_ < model.max_iter or not np.isfinite(model.loss_)
    threads = max(lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas")
    result = {
        "seconds": fitted / max(1, model.n_iter_),
        "threads": threads,
        "diverged": bool(diverged),
    }
    parts = (
        ("train", X, images.y),
        ("test", images.X_test.astype(dtype, copy=False), images.y_test),
    )
    for part, rows, y in parts:
        probabilities = probabilities_of(model, rows)
        result[f"{part} loss"] = float(log_loss(y, probabilities, labels=model.classes_))
        result[f"{part} accuracy"] = accuracy(model, probabilities, y)
    return result


def probabilities_of(model, rows):
    """In double precision, so that probabilities of 1 - 1e-9 count as what they are."""
    probabilities = model.predict_proba(rows).astype(np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def accuracy(model, probabilities, y):
    """Share of rows whose most probable class is theirs."""
    return float(np.mean(model.classes_[probabilities.argmax(1)] == y))


def train_and_vote(models, images):
    """Fit models of several seeds, and let them vote by the mean of their probabilities.

    Returns
    -------
    result : dict
        "each": what :func:`train` returns, by model; "test accuracy" and "test loss" of the vote.
    """
    each, total = [], 0.0
    for model in models:
        each.append(train(model, images))
        total = total + probabilities_of(model, images.X_test) / len(models)
    return {
        "each": each,
        "test accuracy": accuracy(models[0], total, images.y_test),
        "test loss": float(log_loss(images.y_test, total, labels=models[0].classes_)),
    }
