"""Fits that are cut off in a chosen epoch, for the tests of checkpoints and interrupts."""

from contextlib import contextmanager, suppress
from unittest.mock import patch

import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine

from skdistnet import DistanceNetClassifier, DistanceNetRegressor
from skdistnet._base import checkpoints
from skdistnet._base.callbacks import fitted_attributes
from skdistnet._base.hashing import digest
from skdistnet.engine.training import loop as training

WINE, WINE_Y = load_wine(return_X_y=True)
DIABETES, DIABETES_Y = load_diabetes(return_X_y=True)
N_EPOCHS = 9
SMALL = {
    "hidden_layer_sizes": (6, 5),
    "max_iter": N_EPOCHS,
    "random_state": 0,
    "batch_size": 30,
    "early_stopping": False,
}
CASES = {
    "classifier": (DistanceNetClassifier, WINE, WINE_Y),
    "regressor": (DistanceNetRegressor, DIABETES, DIABETES_Y),
}
both_kinds = pytest.mark.parametrize(("kind", "X", "y"), CASES.values(), ids=CASES)


class CutOff(Exception):
    """Raised to end a fit in a chosen epoch."""


@contextmanager
def count_epochs(fatal=None, error=CutOff):
    """Yield the list of epochs trained in the block; epoch `fatal`, from 1, raises `error`."""
    epochs, original = [], training.Trainer.train_epoch

    def epoch(self):
        epochs.append(len(epochs) + 1)
        if len(epochs) == fatal:
            raise error
        return original(self)

    with patch.object(training.Trainer, "train_epoch", epoch):
        yield epochs


def same(net, other):
    """Return whether two nets have the same fitted state, bit for bit."""
    return digest(fitted_attributes(net)) == digest(fitted_attributes(other))


def checkpointed(net, folder):
    return clone(net).set_params(checkpoint=folder)


def checkpoint_every(n_epochs):
    """Write checkpoints every `n_epochs` epochs instead of every ten."""
    return patch.object(checkpoints, "EVERY", n_epochs)


def cut_off_and_resumed(net, folder, fatal, *data, error=CutOff, **options):
    """Cut off a fit in epoch `fatal`, fit again, and return the net and the epochs of this fit."""
    net = checkpointed(net, folder)
    with count_epochs(fatal, error), suppress(CutOff):
        net.fit(*data, **options)
    with count_epochs() as epochs:
        net.fit(*data, **options)
    assert not list(folder.iterdir())
    return net, epochs


def write_checkpoint(net, folder, *data):
    with count_epochs(6), pytest.raises(CutOff):
        net.fit(*data)
    (path,) = folder.iterdir()
    return path
